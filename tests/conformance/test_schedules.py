"""Rules with a schedule, and EventBridge Scheduler, on the cloud's clock.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html.
"""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import RECORDER, events_of, function_arn, messages_in, permit, queue_for

_numbers = itertools.count(1)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def events(local_aws):
    return boto3.client("events")


@pytest.fixture
def scheduler(local_aws):
    return boto3.client("scheduler")


@pytest.fixture(scope="module")
def role(local_aws):
    iam = boto3.client("iam")
    made = iam.create_role(RoleName="parcel-scheduler", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    yield made["Arn"]
    iam.delete_role(RoleName="parcel-scheduler")


@pytest.fixture
def inbox(local_aws):
    """A queue's ARN, and a function that takes out its messages."""
    url, arn = queue_for(f"parcel-inbox-{next(_numbers)}", "events")
    return arn, lambda: messages_in(url)


@pytest.fixture
def scheduled(events):
    """`scheduled(expression, *targets)` makes a rule and returns its name."""
    names = []

    def make(expression: str, *targets: dict, **settings: str) -> str:
        name = f"parcel-every-{next(_numbers)}"
        events.put_rule(Name=name, ScheduleExpression=expression, **settings)
        names.append(name)
        events.put_targets(Rule=name, Targets=list(targets))
        return name

    yield make
    for name in names:
        events.remove_targets(Rule=name, Ids=[t["Id"] for t in events.list_targets_by_rule(Rule=name)["Targets"]])
        events.delete_rule(Name=name)


@pytest.fixture
def schedule(scheduler, role):
    """`schedule(expression, target_arn, **settings)` makes a schedule and returns its name."""
    names = []

    def make(expression: str, arn: str, target: dict | None = None, **settings: object) -> str:
        name = f"parcel-schedule-{next(_numbers)}"
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": role, **(target or {})},
            **settings,
        )
        names.append(name)
        return name

    yield make
    left = {item["Name"] for item in scheduler.list_schedules()["Schedules"]}
    for name in left.intersection(names):
        scheduler.delete_schedule(Name=name)


def test_a_rate(local_aws, deploy, scheduled):
    function = deploy(RECORDER)
    name = scheduled("rate(5 minutes)", {"Id": "f", "Arn": function_arn(function)})
    arn = f"arn:aws:events:us-east-1:123456789012:rule/{name}"
    permit(function, "events", arn)
    local_aws.clock.advance(minutes=4)
    assert events_of(function) == []
    local_aws.clock.advance(minutes=12)
    received = events_of(function)
    times = [datetime.fromisoformat(event.pop("time")) for event in received]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [timedelta(minutes=5)] * 2
    assert all(re.fullmatch(r"[0-9a-f-]{36}", event.pop("id")) for event in received)
    assert (
        received
        == [
            {
                "version": "0",
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": "123456789012",
                "region": "us-east-1",
                "resources": [arn],
                "detail": {},
            }
        ]
        * 3
    )


def test_cron_with_a_constant_input(local_aws, inbox, scheduled):
    arn, taken = inbox
    scheduled("cron(0/15 * * * ? *)", {"Id": "q", "Arn": arn, "Input": '{"job": "sweep"}'})
    local_aws.clock.advance(hours=1)
    assert [message["Body"] for message in taken()] == ['{"job": "sweep"}'] * 4


def test_rules_that_are_off_or_gone_or_new(local_aws, events, inbox, scheduled):
    arn, taken = inbox
    name = scheduled("rate(1 minute)", {"Id": "q", "Arn": arn, "Input": "1"}, State="DISABLED")
    local_aws.clock.advance(minutes=3)
    assert taken() == []
    events.enable_rule(Name=name)
    local_aws.clock.advance(minutes=2)
    assert len(taken()) == 2
    events.put_rule(Name=name, ScheduleExpression="rate(1 hour)")
    local_aws.clock.advance(minutes=59)
    assert taken() == []
    local_aws.clock.advance(minutes=1)
    assert len(taken()) == 1
    events.disable_rule(Name=name)
    local_aws.clock.advance(hours=2)
    assert taken() == []


def test_rules_that_are_refused(events):
    for expression in (
        "rate(1 minutes)",
        "rate(5 weeks)",
        "cron(0 9 * * * *)",
        "cron(0 9 * *)",
        "at(2027-01-01T00:00:00)",
    ):
        with pytest.raises(ClientError) as refusal:
            events.put_rule(Name="never-made", ScheduleExpression=expression)
        assert refusal.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": "Parameter ScheduleExpression is not valid.",
        }
    bus = f"no-schedules-{next(_numbers)}"
    events.create_event_bus(Name=bus)
    with pytest.raises(ClientError, match="ScheduleExpression is supported only on the default event bus"):
        events.put_rule(Name="never-made", ScheduleExpression="rate(1 minute)", EventBusName=bus)


def test_scheduler_invokes_a_function_without_its_permission(local_aws, deploy, schedule):
    """The schedule's role is enough. Without an Input the function gets a default notification."""
    function = deploy(RECORDER)
    name = schedule("rate(10 minutes)", function_arn(function))
    local_aws.clock.settle()
    assert len(events_of(function)) == 1, "a rate without StartDate starts at once"
    local_aws.clock.advance(minutes=25)
    received = events_of(function)
    assert len(received) == 3
    event = received[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("time"))
    assert re.fullmatch(r"[0-9a-f-]{36}", event.pop("id"))
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [f"arn:aws:scheduler:us-east-1:123456789012:schedule/default/{name}"],
        "detail": "{}",
    }


def test_context_attributes(local_aws, inbox, schedule, role):
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html."""
    arn, taken = inbox
    text = '{"at": "<aws.scheduler.scheduled-time>", "of": "<aws.scheduler.schedule-arn>", "run": "<aws.scheduler.execution-id>", "try": <aws.scheduler.attempt-number>}'
    name = schedule("cron(30 6 * * ? *)", arn, {"Input": text}, ScheduleExpressionTimezone="Asia/Tokyo")
    local_aws.clock.advance(days=1)
    [message] = taken()
    body = json.loads(message["Body"])
    local = datetime.fromisoformat(body["at"]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert (local.hour, local.minute, local.second) == (6, 30, 0)
    assert body["of"].endswith(f":schedule/default/{name}")
    assert body["run"]
    assert body["try"] == 1


def test_once_and_then_deleted(local_aws, scheduler, inbox, schedule):
    arn, taken = inbox
    due = datetime.fromtimestamp(local_aws.clock.now(), UTC) + timedelta(hours=2)
    expression = f"at({due:%Y-%m-%dT%H:%M:%S})"
    kept = schedule(expression, arn, {"Input": "kept"})
    deleted = schedule(expression, arn, {"Input": "deleted"}, ActionAfterCompletion="DELETE")
    local_aws.clock.advance(minutes=119)
    assert taken() == []
    local_aws.clock.advance(minutes=2)
    assert sorted(message["Body"] for message in taken()) == ["deleted", "kept"]
    assert scheduler.get_schedule(Name=kept)["ActionAfterCompletion"] == "NONE"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scheduler.get_schedule(Name=deleted)
    local_aws.clock.advance(days=2)
    assert taken() == []


def test_start_and_end(local_aws, scheduler, inbox, schedule):
    arn, taken = inbox
    now = datetime.fromtimestamp(local_aws.clock.now(), UTC)
    name = schedule(
        "rate(10 minutes)",
        arn,
        {"Input": "x"},
        StartDate=now + timedelta(hours=1),
        EndDate=now + timedelta(minutes=85),
        ActionAfterCompletion="DELETE",
    )
    local_aws.clock.advance(minutes=59)
    assert taken() == []
    local_aws.clock.advance(minutes=2)
    assert len(taken()) == 1
    local_aws.clock.advance(hours=3)
    assert len(taken()) == 2, "at 70 and 80 minutes"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scheduler.get_schedule(Name=name)


def test_changed_and_disabled(local_aws, scheduler, inbox, schedule, role):
    arn, taken = inbox
    name = schedule("cron(0 * * * ? *)", arn, {"Input": "hourly"}, State="DISABLED")
    local_aws.clock.advance(hours=2)
    assert taken() == []
    scheduler.update_schedule(
        Name=name,
        ScheduleExpression="cron(0/30 * * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": role, "Input": "half-hourly"},
    )
    local_aws.clock.advance(hours=2)
    assert [message["Body"] for message in taken()] == ["half-hourly"] * 4
    scheduler.delete_schedule(Name=name)
    local_aws.clock.advance(hours=2)
    assert taken() == []


def test_a_target_that_is_not_there(local_aws, inbox, schedule):
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html."""
    arn, taken = inbox
    missing = "arn:aws:lambda:us-east-1:123456789012:function:not-there"
    name = schedule("rate(1 days)", missing, {"Input": '{"n": 1}', "DeadLetterConfig": {"Arn": arn}})
    local_aws.clock.settle()
    [letter] = taken()
    assert letter["Body"] == '{"n": 1}'
    attributes = {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()}
    assert attributes["TARGET_ARN"] == missing
    assert attributes["SCHEDULE_ARN"].endswith(name)
    assert {"ERROR_CODE", "ERROR_MESSAGE", "EXECUTION_ID", "RETRY_ATTEMPTS"} <= set(attributes)


def test_scheduler_puts_events_on_a_bus(local_aws, events, inbox, schedule):
    arn, taken = inbox
    name = f"from-scheduler-{next(_numbers)}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    schedule(
        "rate(1 hours)",
        "arn:aws:events:us-east-1:123456789012:event-bus/default",
        {"Input": '{"n": 1}', "EventBridgeParameters": {"DetailType": "Tick", "Source": name}},
    )
    local_aws.clock.settle()
    [event] = [json.loads(message["Body"]) for message in taken()]
    assert (event["source"], event["detail-type"], event["detail"]) == (name, "Tick", {"n": 1})
    events.remove_targets(Rule=name, Ids=["q"])
    events.delete_rule(Name=name)


def test_universal_targets(local_aws, inbox, schedule):
    """Any operation: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html."""
    dead, letters = inbox
    url, _ = queue_for(f"parcel-universal-{next(_numbers)}")
    given = {"QueueUrl": url, "MessageBody": "at <aws.scheduler.scheduled-time>"}
    schedule("rate(1 hours)", "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", {"Input": json.dumps(given)})
    schedule(
        "rate(1 hours)",
        "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
        {"Input": json.dumps({**given, "QueueUrl": url + "-none"}), "DeadLetterConfig": {"Arn": dead}},
    )
    local_aws.clock.settle()
    assert [bool(re.fullmatch(r"at \d{4}-.*Z", message["Body"])) for message in messages_in(url)] == [True]
    [letter] = letters()
    assert "NonExistentQueue" in letter["MessageAttributes"]["ERROR_CODE"]["StringValue"]


def test_schedules_that_are_refused(local_aws, scheduler, role):
    arn = "arn:aws:lambda:us-east-1:123456789012:function:any"
    good = {
        "Name": "never-made",
        "ScheduleExpression": "rate(5 minutes)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": arn, "RoleArn": role},
    }
    now = datetime.fromtimestamp(local_aws.clock.now(), UTC)
    for change, message in (
        ({"ScheduleExpression": "rate(5 weeks)"}, "Invalid Schedule Expression rate(5 weeks)."),
        ({"ScheduleExpression": "cron(0 9 * * * *)"}, "Invalid Schedule Expression cron(0 9 * * * *)."),
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Invalid ScheduleExpressionTimezone Mars/Base."),
        (
            {"StartDate": now - timedelta(hours=1)},
            "The StartDate you specify cannot be earlier than 5 minutes ago.",
        ),
        (
            {"Target": {"Arn": arn, "RoleArn": "arn:aws:iam::123456789012:role/parcel-function"}},
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ),
        (
            {"Target": {"Arn": arn, "RoleArn": "arn:aws:iam::123456789012:role/none"}},
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ),
    ):
        with pytest.raises(ClientError) as refusal:
            scheduler.create_schedule(**{**good, **change})
        assert refusal.value.response["Error"] == {"Code": "ValidationException", "Message": message}
    with pytest.raises(ClientError) as refusal:
        scheduler.create_schedule(**good, GroupName="no-such-group")
    assert refusal.value.response["Error"]["Code"] == "ResourceNotFoundException"
