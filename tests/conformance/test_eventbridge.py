"""EventBridge rules and their targets: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import (
    FAILING_RECORDER,
    RECORDER,
    events_of,
    function_arn,
    messages_in,
    permit,
    queue_for,
)

_numbers = itertools.count(1)


@pytest.fixture
def events(local_aws):
    return boto3.client("events")


@pytest.fixture
def rule(events):
    """Make a rule: `rule(pattern, *targets, bus=...)` returns its name. It is deleted with the test."""
    made = []

    def make(pattern: object, *targets: dict, bus: str = "default", **settings: str) -> str:
        name = f"parcel-rule-{next(_numbers)}"
        text = pattern if isinstance(pattern, str) else json.dumps(pattern)
        events.put_rule(Name=name, EventBusName=bus, EventPattern=text, **settings)
        made.append((name, bus))
        if targets:
            events.put_targets(Rule=name, EventBusName=bus, Targets=list(targets))
        return name

    yield make
    for name, bus in made:
        ids = [target["Id"] for target in events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]]
        if ids:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=ids)
        events.delete_rule(Name=name, EventBusName=bus)


@pytest.fixture
def source():
    """A source of the test's own, so that no other test's rules see its events."""
    return f"parcel.test-{next(_numbers)}"


def put(events, source: str, detail: object, **more: object) -> str:
    answer = events.put_events(
        Entries=[{"Source": source, "DetailType": "Order placed", "Detail": json.dumps(detail), **more}]
    )
    assert answer["FailedEntryCount"] == 0
    return answer["Entries"][0]["EventId"]


def rule_arn(name: str, bus: str = "") -> str:
    return f"arn:aws:events:us-east-1:123456789012:rule/{bus}{name}"


def test_the_event_that_a_function_gets(local_aws, deploy, events, rule, source):
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html."""
    function = deploy(RECORDER)
    name = rule({"source": [source]}, {"Id": "f", "Arn": function_arn(function)})
    permit(function, "events", rule_arn(name))
    time = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    event_id = put(events, source, {"total": 12.5}, Resources=["arn:aws:s3:::x"], Time=time)
    local_aws.clock.settle()
    assert events_of(function) == [
        {
            "version": "0",
            "id": event_id,
            "detail-type": "Order placed",
            "source": source,
            "account": "123456789012",
            "time": "2026-11-23T10:15:00Z",
            "region": "us-east-1",
            "resources": ["arn:aws:s3:::x"],
            "detail": {"total": 12.5},
        }
    ]
    assert re.fullmatch(r"[0-9a-f-]{36}", event_id)


def test_an_event_without_a_time_has_the_clouds(local_aws, events, rule, source):
    url, arn = queue_for(f"{source.replace('.', '-')}-time", "events")
    rule({"source": [source]}, {"Id": "q", "Arn": arn})
    local_aws.clock.advance(hours=5)
    put(events, source, {"a": 1})
    local_aws.clock.settle()
    [event] = [json.loads(message["Body"]) for message in messages_in(url)]
    age = local_aws.clock.now() - datetime.fromisoformat(event["time"]).timestamp()
    assert 0 <= age < 60


def test_only_what_matches_is_delivered(local_aws, events, rule, source):
    """Operators: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html."""
    url, arn = queue_for(f"{source.replace('.', '-')}-match", "events")
    pattern = {
        "source": [source],
        "detail": {
            "total": [{"numeric": [">", 100]}],
            "city": [{"anything-but": ["Rome"]}],
            "code": [{"wildcard": "A*9"}],
            "$or": [{"gift": [True]}, {"note": [{"exists": True}]}],
        },
    }
    rule(pattern, {"Id": "q", "Arn": arn})
    matching = {"total": 101, "city": "Paris", "code": "A5559", "gift": True}
    for change in ({}, {"total": 100}, {"city": "Rome"}, {"code": "B9"}, {"gift": False}, {"gift": False, "note": "x"}):
        put(events, source, {**matching, **change})
    local_aws.clock.settle()
    details = [json.loads(message["Body"])["detail"] for message in messages_in(url)]
    assert sorted(details, key=len) == [matching, {**matching, "gift": False, "note": "x"}]


def test_a_disabled_rule_sleeps(local_aws, events, rule, source):
    url, arn = queue_for(f"{source.replace('.', '-')}-off", "events")
    name = rule({"source": [source]}, {"Id": "q", "Arn": arn}, State="DISABLED")
    put(events, source, {"n": 1})
    local_aws.clock.settle()
    events.enable_rule(Name=name)
    put(events, source, {"n": 2})
    local_aws.clock.settle()
    events.disable_rule(Name=name)
    put(events, source, {"n": 3})
    local_aws.clock.settle()
    assert [json.loads(message["Body"])["detail"]["n"] for message in messages_in(url)] == [2]


def test_a_function_needs_to_let_the_rule_in(local_aws, deploy, events, rule, source):
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html, and its dead-letter queue."""
    function = deploy(RECORDER)
    url, dlq = queue_for(f"{source.replace('.', '-')}-dlq", "events")
    target = {"Id": "f", "Arn": function_arn(function), "DeadLetterConfig": {"Arn": dlq}}
    name = rule({"source": [source]}, target)
    put(events, source, {"n": 1})
    permit(function, "events", rule_arn("another-rule"))
    put(events, source, {"n": 2})
    local_aws.clock.settle()
    assert events_of(function) == []
    letters = messages_in(url)
    assert sorted(json.loads(letter["Body"])["detail"]["n"] for letter in letters) == [1, 2]
    attributes = {key: value["StringValue"] for key, value in letters[0]["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE").startswith("events.amazonaws.com is not authorized to perform")
    assert attributes == {
        "RULE_ARN": rule_arn(name),
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": "NO_PERMISSIONS",
    }
    function.client.remove_permission(FunctionName=function.name, StatementId="events-may-invoke")
    permit(function, "events", rule_arn(name))
    put(events, source, {"n": 3})
    local_aws.clock.settle()
    assert [event["detail"]["n"] for event in events_of(function)] == [3]


def test_a_function_that_fails_is_retried_by_lambda(local_aws, deploy, events, rule, source):
    """EventBridge invokes asynchronously: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html."""
    function = deploy(FAILING_RECORDER)
    name = rule({"source": [source]}, {"Id": "f", "Arn": function_arn(function)})
    permit(function, "events", rule_arn(name))
    put(events, source, {"n": 1})
    local_aws.clock.settle()
    assert len(events_of(function)) == 1
    local_aws.clock.advance(minutes=10)
    assert len(events_of(function)) == 3


def test_what_a_target_makes_of_the_event(local_aws, events, rule, source):
    """Input, InputPath, InputTransformer: eb-transform-target-input.html."""
    url, arn = queue_for(f"{source.replace('.', '-')}-input", "events")
    name = rule(
        {"source": [source]},
        {"Id": "constant", "Arn": arn, "Input": '{"constant": 1}'},
        {"Id": "part", "Arn": arn, "InputPath": "$.detail.order"},
        {
            "Id": "template",
            "Arn": arn,
            "InputTransformer": {
                "InputPathsMap": {"id": "$.detail.order.id", "items": "$.detail.order.items"},
                "InputTemplate": '{"order": <id>, "items": <items>, "by": "<aws.events.rule-name>"}',
            },
        },
        {
            "Id": "text",
            "Arn": arn,
            "InputTransformer": {"InputPathsMap": {"id": "$.detail.order.id"}, "InputTemplate": '"Order <id> is in."'},
        },
    )
    put(events, source, {"order": {"id": "A-1", "items": [1, 2]}})
    local_aws.clock.settle()
    assert sorted(message["Body"] for message in messages_in(url)) == sorted(
        [
            '{"constant": 1}',
            '{"id": "A-1", "items": [1, 2]}',
            f'{{"order": "A-1", "items": [1, 2], "by": "{name}"}}',
            "Order A-1 is in.",
        ]
    )


def test_a_custom_bus_and_another_bus_as_target(local_aws, deploy, events, rule, source):
    bus = f"orders-{next(_numbers)}"
    bus_arn = events.create_event_bus(Name=bus)["EventBusArn"]
    url, arn = queue_for(f"{bus}-queue", "events")
    rule({"source": [source]}, {"Id": "q", "Arn": arn}, bus=bus)
    role = "arn:aws:iam::123456789012:role/parcel-function"
    rule({"source": [source]}, {"Id": "b", "Arn": bus_arn, "RoleArn": role})
    put(events, source, {"to": "bus"}, EventBusName=bus)
    put(events, source, {"to": "arn"}, EventBusName=bus_arn)
    put(events, source, {"to": "default"})
    put(events, source, {"to": "nowhere"}, EventBusName="no-such-bus")
    local_aws.clock.settle()
    received = [json.loads(message["Body"]) for message in messages_in(url)]
    assert sorted(event["detail"]["to"] for event in received) == ["arn", "bus", "default"]


def test_a_fifo_queue_with_a_group(local_aws, events, rule, source):
    url, arn = queue_for(
        f"{source.replace('.', '-')}.fifo", "events", FifoQueue="true", ContentBasedDeduplication="true"
    )
    with pytest.raises(ClientError, match=r"Parameter\(s\) SqsParameters must be specified for target: q"):
        rule({"source": [source]}, {"Id": "q", "Arn": arn})
    rule({"source": [source]}, {"Id": "q", "Arn": arn, "SqsParameters": {"MessageGroupId": "orders"}})
    put(events, source, {"n": 1})
    local_aws.clock.settle()
    [message] = messages_in(url)
    assert message["Attributes"]["MessageGroupId"] == "orders"


def test_topic_stream_and_log_group(local_aws, events, rule, source):
    name = source.replace(".", "-")
    sns, kinesis, logs = boto3.client("sns"), boto3.client("kinesis"), boto3.client("logs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    url, queue = queue_for(name, "sns")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stream = kinesis.describe_stream(StreamName=name)["StreamDescription"]["StreamARN"]
    group = f"/aws/events/{name}"
    logs.create_log_group(logGroupName=group)
    role = "arn:aws:iam::123456789012:role/parcel-function"
    rule(
        {"source": [source]},
        {"Id": "topic", "Arn": topic},
        {
            "Id": "stream",
            "Arn": stream,
            "RoleArn": role,
            "KinesisParameters": {"PartitionKeyPath": "$.detail.city"},
        },
        {"Id": "log", "Arn": f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"},
    )
    event_id = put(events, source, {"city": "Rome"})
    local_aws.clock.settle()
    assert [json.loads(message["Body"])["id"] for message in messages_in(url)] == [event_id]
    shard = kinesis.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    [record] = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    assert record["PartitionKey"] == "Rome"
    assert json.loads(record["Data"])["id"] == event_id
    [logged] = logs.filter_log_events(logGroupName=group)["events"]
    assert json.loads(logged["message"])["id"] == event_id


def test_s3_through_eventbridge(local_aws, deploy, events, rule):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html: the key is not URL-encoded here."""
    s3 = boto3.client("s3")
    bucket = f"parcel-bridge-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=bucket)
    function = deploy(RECORDER)
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    name = rule(pattern, {"Id": "f", "Arn": function_arn(function)})
    permit(function, "events", rule_arn(name))
    put_answer = s3.put_object(Bucket=bucket, Key="in/a b.json", Body=b"12345")
    local_aws.clock.settle()
    s3.delete_object(Bucket=bucket, Key="in/a b.json")
    local_aws.clock.settle()
    created, deleted = events_of(function)
    sequencer = created["detail"]["object"].pop("sequencer")
    assert sequencer < deleted["detail"]["object"].pop("sequencer")
    assert re.fullmatch(r"[0-9A-F]{16}", created["detail"].pop("request-id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created.pop("time"))
    assert re.fullmatch(r"[0-9a-f-]{36}", created.pop("id"))
    assert created == {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": "in/a b.json", "size": 5, "etag": put_answer["ETag"].strip('"')},
            "requester": "123456789012",
            "source-ip-address": "127.0.0.1",
            "reason": "PutObject",
        },
    }
    assert deleted["detail-type"] == "Object Deleted"
    assert deleted["detail"]["deletion-type"] == "Permanently Deleted"
    assert deleted["detail"]["reason"] == "DeleteObject"
    assert deleted["detail"]["object"] == {"key": "in/a b.json"}


def test_entries_that_are_refused_one_by_one(events, source):
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html."""
    good = {"Source": source, "DetailType": "t", "Detail": "{}"}
    answer = events.put_events(
        Entries=[
            good,
            {**good, "Source": ""},
            {**good, "Detail": "no JSON"},
            {**good, "Detail": "[1]"},
            {**good, "Source": "aws.s3"},
            {"Source": source, "Detail": "{}"},
        ]
    )
    assert answer["FailedEntryCount"] == 5
    assert "EventId" in answer["Entries"][0]
    assert [entry.get("ErrorCode") for entry in answer["Entries"][1:]] == [
        "InvalidArgument",
        "MalformedDetail",
        "MalformedDetail",
        "NotAuthorizedForSourceException",
        "InvalidArgument",
    ]
    assert answer["Entries"][2]["ErrorMessage"] == "Detail is malformed."
    with pytest.raises(ClientError, match="Member must have length less than or equal to 10"):
        events.put_events(Entries=[good] * 11)
    with pytest.raises(ClientError, match="Total size of the entries in the request is over the limit"):
        events.put_events(Entries=[{**good, "Detail": json.dumps({"x": "x" * 1_048_576})}])


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("no JSON", ""),
        ('{"source": "parcel"}', "must be an object or an array"),
        ('{"detail": {"n": [{"numeric": [">", "x"]}]}}', ""),
        ('{"detail": {"n": [{"unknown": 1}]}}', ""),
    ],
)
def test_patterns_that_are_refused(events, pattern, reason):
    with pytest.raises(ClientError) as refusal:
        events.put_rule(Name="never-made", EventPattern=pattern)
    assert refusal.value.response["Error"]["Code"] == "InvalidEventPatternException"
    message = refusal.value.response["Error"]["Message"]
    assert message.startswith("Event pattern is not valid. Reason: ")
    assert reason in message


def test_targets_that_are_refused(events, rule, source):
    name = rule({"source": [source]})
    arn = "arn:aws:lambda:us-east-1:123456789012:function:any"
    for target, message in (
        ({"Input": "no JSON"}, "JSON syntax error in input for target t"),
        ({"InputPath": "detail"}, "is not a valid JSON path"),
        ({"Input": "{}", "InputPath": "$.detail"}, "Only one of Input, InputPath, or InputTransformer"),
    ):
        with pytest.raises(ClientError, match=message):
            events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arn, **target}])
    assert events.list_targets_by_rule(Rule=name)["Targets"] == []


def test_trying_a_pattern_out(events):
    event = {
        "id": "1",
        "account": "123456789012",
        "source": "parcel.orders",
        "time": "2026-11-23T10:15:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail-type": "Order placed",
        "detail": {"total": 5},
    }
    pattern = '{"detail": {"total": [{"numeric": ["<", 10]}]}}'
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is True
    event["detail"]["total"] = 11
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is False
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        events.test_event_pattern(EventPattern="[]", Event=json.dumps(event))
    with pytest.raises(ClientError, match="Parameter Event is not valid"):
        events.test_event_pattern(EventPattern=pattern, Event="{}")


def test_archive_and_replay(local_aws, events, source):
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html."""
    bus = f"archived-{next(_numbers)}"
    bus_arn = events.create_event_bus(Name=bus)["EventBusArn"]
    archive = events.create_archive(ArchiveName=bus, EventSourceArn=bus_arn)["ArchiveArn"]
    url, arn = queue_for(f"{bus}-queue", "events")
    put(events, source, {"n": 1}, EventBusName=bus)
    local_aws.clock.settle()
    events.put_rule(Name="late", EventBusName=bus, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule="late", EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
    events.start_replay(
        ReplayName=bus,
        EventSourceArn=archive,
        EventStartTime=datetime(2026, 1, 1, tzinfo=UTC),
        EventEndTime=datetime(2027, 1, 1, tzinfo=UTC),
        Destination={"Arn": bus_arn},
    )
    local_aws.clock.settle()
    [event] = [json.loads(message["Body"]) for message in messages_in(url)]
    assert event["detail"] == {"n": 1}
    assert event["replay-name"] == bus
