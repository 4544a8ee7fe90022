"""`state()`: what there is in the local AWS now, as a table: functions, queues, tables, topics, buckets, and the last log lines."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import boto3

from coldstart import cloud

LOG_LINES = 5


class State:
    """A look at the local AWS.

    Attributes:
        rows: kind, name and what there is to say, for each thing.
        log: the last log lines of all functions, oldest first.
    """

    def __init__(self, rows: list[tuple[str, str, str]], log: list[str]) -> None:
        self.rows = rows
        self.log = log

    def __repr__(self) -> str:
        """Give everything as text."""
        if not self.rows:
            return "There is nothing in the local AWS yet."
        kinds = max(len(kind) for kind, _, _ in self.rows)
        names = max(len(name) for _, name, _ in self.rows)
        lines = [f"{kind:{kinds}}  {name:{names}}  {said}".rstrip() for kind, name, said in self.rows]
        return "\n".join([*lines, *(["", "The last log lines:"] if self.log else []), *self.log])

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Say it as text and as a table."""
        body = "".join(
            f'<tr><th scope="row">{html.escape(kind)}</th><td>{html.escape(name)}</td><td>{html.escape(said)}</td></tr>'
            for kind, name, said in self.rows
        )
        log = f"<pre>{html.escape(chr(10).join(self.log))}</pre>" if self.log else ""
        table = (
            '<table><caption>In the local AWS now</caption><thead><tr><th scope="col">Kind</th><th scope="col">Name</th>'
            f'<th scope="col">State</th></tr></thead><tbody>{body}</tbody></table>{log}'
        )
        return {"text/plain": repr(self), "text/html": table if self.rows else f"<p>{self!r}</p>"}


def state() -> State:
    """Look at everything that the lessons use, in the region of this notebook."""
    cloud.current()
    return State([*_functions(), *_queues(), *_tables(), *_topics(), *_buckets()], _log())


def _functions() -> Iterator[tuple[str, str, str]]:
    record = cloud.current().record
    for page in boto3.client("lambda").get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            phases = record.phases(name)
            gone = {phase.environment for phase in phases if phase.kind == "shutdown"}
            there = {phase.environment for phase in phases if phase.environment} - gone
            count = f"{len(there)} {'environment' if len(there) == 1 else 'environments'}"
            yield "function", name, f"{function.get('Runtime', '')}, {function['MemorySize']} MB, {count}"


def _queues() -> Iterator[tuple[str, str, str]]:
    sqs = boto3.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", []):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        waiting, in_flight = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
        yield "queue", url.rpartition("/")[2], f"{waiting} waiting, {in_flight} in flight"


def _tables() -> Iterator[tuple[str, str, str]]:
    dynamodb = boto3.client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        count = dynamodb.scan(TableName=name, Select="COUNT")["Count"]
        yield "table", name, f"{count} {'item' if count == 1 else 'items'}"


def _topics() -> Iterator[tuple[str, str, str]]:
    sns = boto3.client("sns")
    for topic in sns.list_topics()["Topics"]:
        count = len(sns.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"])
        yield (
            "topic",
            topic["TopicArn"].rpartition(":")[2],
            f"{count} {'subscription' if count == 1 else 'subscriptions'}",
        )


def _buckets() -> Iterator[tuple[str, str, str]]:
    s3 = boto3.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        count = s3.list_objects_v2(Bucket=bucket["Name"])["KeyCount"]
        yield "bucket", bucket["Name"], f"{count} {'object' if count == 1 else 'objects'}"


def _log() -> list[str]:
    logs = boto3.client("logs")
    events: list[tuple[int, str]] = []
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/lambda/")
    for group in [group for page in pages for group in page["logGroups"]]:
        found = logs.filter_log_events(logGroupName=group["logGroupName"])["events"][-LOG_LINES:]
        name = group["logGroupName"].removeprefix("/aws/lambda/")
        events += [(event["timestamp"], f"{name}: {event['message'].rstrip()}") for event in found]
    return [line for _, line in sorted(events, key=lambda event: event[0])[-LOG_LINES:]]
