"""Functions that keep what they are invoked with, for tests of what invokes them."""

from __future__ import annotations

import json
from typing import Any

import boto3

RECORDER = """
import json
def handler(event, context):
    print("EVENT", json.dumps(event))
"""
"""A handler that prints its event."""

FAILING_RECORDER = RECORDER + "    raise RuntimeError('as asked')\n"


def events_of(function: Any) -> list[Any]:
    """What a deployed recorder was invoked with, in the order of its log."""
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function.name}")["logGroups"]
    if not groups:
        return []
    return [json.loads(line.partition(" ")[2]) for line in function.lines() if line.startswith("EVENT ")]


def function_arn(function: Any) -> str:
    """The ARN of a deployed function."""
    return function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]


def permit(function: Any, service: str, source_arn: str, **parameters: Any) -> None:
    """Let a service such as `s3` invoke a function on behalf of one of its resources."""
    function.client.add_permission(
        FunctionName=function.name,
        StatementId=f"{service}-may-invoke",
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
        SourceArn=source_arn,
        **parameters,
    )


def messages_in(queue_url: str) -> list[dict[str, Any]]:
    """Take all messages out of a queue."""
    sqs = boto3.client("sqs")
    taken: list[dict[str, Any]] = []
    while True:
        batch = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        ).get("Messages", [])
        if not batch:
            return taken
        for message in batch:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        taken += batch


def queue_for(name: str, service: str | None = None, **attributes: str) -> tuple[str, str]:
    """Create a queue, into which a service such as `s3` may send; return its URL and ARN."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    if service:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn
