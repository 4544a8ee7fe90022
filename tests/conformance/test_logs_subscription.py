"""CloudWatch Logs invokes functions, and its filter patterns.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample and
https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import RECORDER, events_of, function_arn, permit

_numbers = itertools.count(1)
REFUSED = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."


@pytest.fixture
def logs(local_aws):
    return boto3.client("logs")


@pytest.fixture
def group(logs):
    name = f"/parcel/shop-{next(_numbers)}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="till")
    yield name
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def write(local_aws, logs, group):
    def put(*messages: object) -> None:
        events = [
            {"timestamp": local_aws.clock.now_ms(), "message": m if isinstance(m, str) else json.dumps(m)}
            for m in messages
        ]
        logs.put_log_events(logGroupName=group, logStreamName="till", logEvents=events)
        local_aws.clock.settle()

    return put


def group_arn(group: str) -> str:
    return f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"


def subscribe(logs, group: str, function: Any, pattern: str, name: str = "errors") -> None:
    logs.put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=function_arn(function)
    )


def decoded(event: dict) -> dict:
    assert list(event) == ["awslogs"]
    assert list(event["awslogs"]) == ["data"]
    return json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))


def test_the_event(local_aws, deploy, logs, group, write):
    function = deploy(RECORDER)
    permit(function, "logs", group_arn(group))
    subscribe(logs, group, function, "ERROR")
    write("INFO fine", "ERROR one\nstill one", "ERROR two", "error three")
    write("INFO nothing to tell")
    [event] = events_of(function)
    message = decoded(event)
    ids = [log_event.pop("id") for log_event in message["logEvents"]]
    assert all(re.fullmatch(r"\d{56}", log_event_id) for log_event_id in ids)
    assert ids == sorted(set(ids))
    times = [log_event.pop("timestamp") for log_event in message["logEvents"]]
    assert all(abs(time - local_aws.clock.now_ms()) < 60_000 for time in times)
    assert message == {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": group,
        "logStream": "till",
        "subscriptionFilters": ["errors"],
        "logEvents": [{"message": "ERROR one\nstill one"}, {"message": "ERROR two"}],
    }


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("", [0, 1, 2, 3]),
        ('{ $.level = "ERROR" }', [0]),
        ("{ $.ms > 100 }", [0, 1]),
        ('{ $.level = "INFO" && $.ms > 100 }', [1]),
        ("?timeout ?refused", [2, 3]),
        ('"was refused" -timeout', [3]),
        ("[name, time, verb, ...]", [2, 3]),
    ],
)
def test_patterns(deploy, logs, group, write, pattern, matched):
    """The same pattern for a subscription and for FilterLogEvents."""
    function = deploy(RECORDER)
    permit(function, "logs", group_arn(group))
    subscribe(logs, group, function, pattern)
    written = [
        json.dumps({"level": "ERROR", "ms": 120}),
        json.dumps({"level": "INFO", "ms": 101}),
        "card 12:00 timeout after was retried",
        "card 12:01 was refused",
    ]
    write(*written)
    found = logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    told = [log_event["message"] for event in events_of(function) for log_event in decoded(event)["logEvents"]]
    if pattern.startswith("["):  # JSON has words too
        found = [event for event in found if not event["message"].startswith("{")]
        told = [message for message in told if not message.startswith("{")]
    assert [event["message"] for event in found] == [written[number] for number in matched]
    assert told == [written[number] for number in matched]


def test_the_log_of_a_function(local_aws, deploy, logs):
    """Also what Lambda itself writes goes to subscriptions."""
    watched, watcher = deploy("def handler(event, context):\n    return event['missing']\n"), deploy(RECORDER)
    watched.invoke({"missing": 1})
    group = f"/aws/lambda/{watched.name}"
    permit(watcher, "logs", group_arn(group))
    subscribe(logs, group, watcher, '"[ERROR]"')
    watched.invoke({"missing": 2})
    local_aws.clock.settle()
    assert events_of(watcher) == []
    watched.invoke({})
    local_aws.clock.settle()
    [event] = events_of(watcher)
    message = decoded(event)
    assert message["logGroup"] == group
    assert message["logEvents"][0]["message"].startswith("[ERROR] KeyError: 'missing'")
    assert message["logStream"] in {
        s["logStreamName"] for s in logs.describe_log_streams(logGroupName=group)["logStreams"]
    }


def test_the_function_has_to_let_logs_in(deploy, logs, group, write):
    function = deploy(RECORDER)

    def refusal() -> dict:
        with pytest.raises(ClientError) as error:
            subscribe(logs, group, function, "")
        return error.value.response["Error"]

    assert refusal() == {"Code": "InvalidParameterException", "Message": REFUSED}
    permit(function, "logs", group_arn("/parcel/another"))
    assert refusal()["Message"] == REFUSED
    function.client.remove_permission(FunctionName=function.name, StatementId="logs-may-invoke")
    permit(function, "logs", group_arn(group), SourceAccount="123456789012")
    subscribe(logs, group, function, "")
    function.client.remove_permission(FunctionName=function.name, StatementId="logs-may-invoke")
    write("lost")
    assert events_of(function) == []


def test_a_function_that_is_not_there(logs, group):
    with pytest.raises(ClientError, match="Could not execute the lambda function"):
        logs.put_subscription_filter(
            logGroupName=group,
            filterName="x",
            filterPattern="",
            destinationArn="arn:aws:lambda:us-east-1:123456789012:function:none",
        )


def test_two_filters_at_most_and_each_can_be_changed(deploy, logs, group, write):
    """Quota: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html."""
    function = deploy(RECORDER)
    permit(function, "logs", group_arn(group))
    subscribe(logs, group, function, "ONE", "one")
    subscribe(logs, group, function, "TWO", "two")
    with pytest.raises(ClientError, match="LimitExceededException"):
        subscribe(logs, group, function, "THREE", "three")
    subscribe(logs, group, function, "ANOTHER", "two")
    write("TWO", "ANOTHER")
    [event] = events_of(function)
    assert decoded(event)["subscriptionFilters"] == ["two"]
    logs.delete_subscription_filter(logGroupName=group, filterName="two")
    write("ANOTHER")
    assert len(events_of(function)) == 1


def test_faulty_patterns_are_refused_everywhere(deploy, logs, group):
    function = deploy(RECORDER)
    permit(function, "logs", group_arn(group))
    transformation = {"metricName": "m", "metricNamespace": "Parcel", "metricValue": "1"}
    for ask in (
        lambda: subscribe(logs, group, function, "user@example.com"),
        lambda: logs.filter_log_events(logGroupName=group, filterPattern="user@example.com"),
        lambda: logs.put_metric_filter(
            logGroupName=group,
            filterName="x",
            filterPattern="user@example.com",
            metricTransformations=[transformation],
        ),
        lambda: logs.test_metric_filter(filterPattern="user@example.com", logEventMessages=["x"]),
    ):
        with pytest.raises(ClientError) as refusal:
            ask()
        assert refusal.value.response["Error"] == {
            "Code": "InvalidParameterException",
            "Message": "Invalid character(s) in term '@'",
        }


def test_trying_a_pattern_out(logs):
    answer = logs.test_metric_filter(
        filterPattern="{ $.ms > 100 }", logEventMessages=['{"ms": 50}', '{"ms": 150}', "ms 150"]
    )
    assert answer["matches"] == [
        {"eventNumber": 2, "eventMessage": '{"ms": 150}', "extractedValues": {"$.ms": "150"}},
    ]
