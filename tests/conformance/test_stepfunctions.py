"""State machines invoke functions: https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import RECORDER, events_of, function_arn, messages_in, queue_for

_numbers = itertools.count(1)
ROLE = "arn:aws:iam::123456789012:role/parcel-function"
DOUBLE = "def handler(event, context):\n    return event['n'] * 2\n"
FAILING = """
class NotReady(Exception):
    pass
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if calls < event["succeeds_at"]:
        raise NotReady(f"call {calls}")
    return {"calls": calls}
"""


@pytest.fixture
def states(local_aws):
    return boto3.client("stepfunctions")


@pytest.fixture
def run(local_aws, states):
    """`run(definition, input)` starts an execution and returns what describes it."""
    machines = []

    class Execution:
        def __init__(self, definition: dict, given: object) -> None:
            name = f"parcel-machine-{next(_numbers)}"
            self.machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
            machines.append(self.machine["stateMachineArn"])
            started = states.start_execution(stateMachineArn=machines[-1], input=json.dumps(given))
            self.arn = started["executionArn"]

        def described(self) -> dict[str, Any]:
            return states.describe_execution(executionArn=self.arn)

        def status(self) -> str:
            local_aws.clock.settle()
            return self.described()["status"]

        def output(self) -> object:
            assert self.status() == "SUCCEEDED", self.described()
            return json.loads(self.described()["output"])

    yield Execution
    for arn in machines:
        states.delete_state_machine(stateMachineArn=arn)


def task(**members: object) -> dict:
    return {"StartAt": "Work", "States": {"Work": {"Type": "Task", "End": True, **members}}}


def test_a_function_by_its_arn(deploy, run):
    assert run(task(Resource=function_arn(deploy(DOUBLE))), {"n": 21}).output() == 42


def test_the_optimized_integration(deploy, run):
    """Payload in, and StatusCode, ExecutedVersion and Payload out."""
    function = deploy(DOUBLE)
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    definition = task(
        Resource="arn:aws:states:::lambda:invoke",
        Parameters={"FunctionName": function_arn(function), "Qualifier": version, "Payload.$": "$"},
    )
    output = run(definition, {"n": 4}).output()
    assert output["Payload"] == 8
    assert output["StatusCode"] == 200
    assert output["ExecutedVersion"] == version
    definition["States"]["Work"]["OutputPath"] = "$.Payload"
    assert run(definition, {"n": 5}).output() == 10


def test_states_pass_their_output_on(deploy, run):
    arn = function_arn(deploy("def handler(event, context):\n    return {'n': event['n'] + 1}\n"))
    definition = {
        "StartAt": "One",
        "States": {
            "One": {"Type": "Task", "Resource": arn, "ResultPath": "$.result", "Next": "Big?"},
            "Big?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.result.n", "NumericGreaterThan": 10, "Next": "Big"}],
                "Default": "Small",
            },
            "Big": {"Type": "Pass", "Result": "big", "End": True},
            "Small": {"Type": "Pass", "Result": "small", "End": True},
        },
    }
    assert run(definition, {"n": 1}).output() == "small"
    assert run(definition, {"n": 10}).output() == "big"


def test_retry_by_error_type_waits_on_the_clouds_clock(local_aws, deploy, run):
    """https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html: 1, then 3 minutes."""
    retry = [{"ErrorEquals": ["NotReady"], "IntervalSeconds": 60, "BackoffRate": 3, "MaxAttempts": 3}]
    execution = run(task(Resource=function_arn(deploy(FAILING)), Retry=retry), {"succeeds_at": 3})
    assert execution.status() == "RUNNING"
    local_aws.clock.advance(minutes=1.5)
    assert execution.status() == "RUNNING"
    local_aws.clock.advance(minutes=2)
    assert execution.status() == "RUNNING"
    local_aws.clock.advance(minutes=1)
    assert execution.output() == {"calls": 3}


def test_catch_by_error_type(deploy, run):
    arn = function_arn(deploy(FAILING))
    definition = {
        "StartAt": "Work",
        "States": {
            "Work": {
                "Type": "Task",
                "Resource": arn,
                "Catch": [
                    {"ErrorEquals": ["OtherError"], "Next": "Other"},
                    {"ErrorEquals": ["NotReady"], "ResultPath": "$.error", "Next": "Caught"},
                ],
                "End": True,
            },
            "Caught": {"Type": "Pass", "End": True},
            "Other": {"Type": "Pass", "Result": "other", "End": True},
        },
    }
    output = run(definition, {"succeeds_at": 100}).output()
    assert output["succeeds_at"] == 100
    assert output["error"]["Error"] == "NotReady"
    cause = json.loads(output["error"]["Cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("NotReady", "call 1")
    assert cause["stackTrace"]


def test_an_error_that_nobody_catches(deploy, run, states):
    execution = run(task(Resource=function_arn(deploy(FAILING))), {"succeeds_at": 100})
    assert execution.status() == "FAILED"
    described = execution.described()
    assert described["error"] == "NotReady"
    assert json.loads(described["cause"])["errorMessage"] == "call 1"
    history = states.get_execution_history(executionArn=execution.arn)["events"]
    assert [event["type"] for event in history] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "ExecutionFailed",
    ]


@pytest.mark.parametrize(
    "resource", ["arn:aws:lambda:us-east-1:123456789012:function:none", "arn:aws:states:::lambda:invoke"]
)
def test_a_function_that_is_not_there(run, resource):
    parameters = {"Parameters": {"FunctionName": "none"}} if "states" in resource else {}
    execution = run(task(Resource=resource, **parameters), {})
    assert execution.status() == "FAILED"
    assert execution.described()["error"] == "Lambda.ResourceNotFoundException"


def test_waits(local_aws, run):
    """Seconds and a timestamp: https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html."""
    until = datetime.fromtimestamp(local_aws.clock.now(), UTC) + timedelta(hours=3)
    definition = {
        "StartAt": "Hour",
        "States": {
            "Hour": {"Type": "Wait", "Seconds": 3600, "Next": "Until"},
            "Until": {"Type": "Wait", "TimestampPath": "$.until", "End": True},
        },
    }
    execution = run(definition, {"until": f"{until:%Y-%m-%dT%H:%M:%SZ}"})
    for minutes in (1, 60, 115):
        local_aws.clock.advance(minutes=minutes)
        assert execution.status() == "RUNNING"
    local_aws.clock.advance(minutes=5)
    assert execution.status() == "SUCCEEDED"
    described = execution.described()
    assert abs((described["stopDate"] - described["startDate"]).total_seconds() - 3 * 3600) < 120


def test_branches_wait_side_by_side(local_aws, deploy, run):
    arn = function_arn(deploy(DOUBLE))

    def branch(seconds: int) -> dict:
        return {
            "StartAt": "Wait",
            "States": {
                "Wait": {"Type": "Wait", "Seconds": seconds, "Next": "Work"},
                "Work": {"Type": "Task", "Resource": arn, "End": True},
            },
        }

    definition = {
        "StartAt": "Both",
        "States": {
            "Both": {"Type": "Parallel", "Branches": [branch(600), branch(60), branch(0)], "Next": "After"},
            "After": {"Type": "Wait", "Seconds": 60, "End": True},
        },
    }
    execution = run(definition, {"n": 3})
    assert execution.status() == "RUNNING"
    local_aws.clock.advance(minutes=9)
    assert execution.status() == "RUNNING"
    local_aws.clock.advance(minutes=1.5)
    assert execution.status() == "RUNNING"
    local_aws.clock.advance(minutes=1)
    assert execution.output() == [6, 6, 6]


def test_a_branch_that_fails_ends_the_others(local_aws, deploy, run):
    arn = function_arn(deploy(FAILING))
    definition = {
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "End": True,
                "Branches": [
                    {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 86400, "End": True}}},
                    {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": arn, "End": True}}},
                ],
            }
        },
    }
    execution = run(definition, {"succeeds_at": 9})
    assert execution.status() == "FAILED"
    assert execution.described()["error"] == "NotReady"


def test_map_with_waits(local_aws, deploy, run):
    arn = function_arn(deploy(DOUBLE))
    definition = {
        "StartAt": "All",
        "States": {
            "All": {
                "Type": "Map",
                "MaxConcurrency": 2,
                "End": True,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Wait",
                    "States": {
                        "Wait": {"Type": "Wait", "Seconds": 60, "Next": "Work"},
                        "Work": {"Type": "Task", "Resource": arn, "End": True},
                    },
                },
            }
        },
    }
    execution = run(definition, [{"n": n} for n in range(4)])
    local_aws.clock.advance(seconds=70)
    assert execution.status() == "RUNNING", "two at a time"
    local_aws.clock.advance(seconds=60)
    assert execution.output() == [0, 2, 4, 6]
    assert run(definition, []).output() == []


def test_stopped_while_it_waits(local_aws, states, run):
    execution = run({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9000, "End": True}}}, {})
    assert execution.status() == "RUNNING"
    states.stop_execution(executionArn=execution.arn, error="Enough", cause="No more")
    assert execution.status() == "ABORTED"


def test_waiting_for_a_task_token(local_aws, deploy, states, run):
    """https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token."""
    function = deploy(RECORDER)
    definition = task(
        Resource="arn:aws:states:::lambda:invoke.waitForTaskToken",
        Parameters={"FunctionName": function_arn(function), "Payload": {"token.$": "$$.Task.Token"}},
        TimeoutSeconds=7200,
    )
    execution = run(definition, {})
    assert execution.status() == "RUNNING"
    local_aws.clock.advance(hours=1)
    [event] = events_of(function)
    with pytest.raises(ClientError, match="InvalidToken"):
        states.send_task_success(taskToken="nobody's", output="{}")
    states.send_task_success(taskToken=event["token"], output='{"approved": true}')
    assert execution.output() == {"approved": True}
    late = run(definition, {})
    assert late.status() == "RUNNING"
    local_aws.clock.advance(hours=3)
    assert late.status() == "FAILED"
    assert late.described()["error"] == "States.Timeout"


def test_other_services_are_reached_too(local_aws, run):
    url, _ = queue_for(f"parcel-states-{next(_numbers)}")
    definition = task(
        Resource="arn:aws:states:::sqs:sendMessage", Parameters={"QueueUrl": url, "MessageBody.$": "$.text"}
    )
    assert "MessageId" in run(definition, {"text": "hello"}).output()
    assert [message["Body"] for message in messages_in(url)] == ["hello"]


def test_eventbridge_starts_an_execution(local_aws, states, run):
    machine = run({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, {}).machine["stateMachineArn"]
    events = boto3.client("events")
    name = f"parcel-start-{next(_numbers)}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "m", "Arn": machine, "RoleArn": ROLE, "InputPath": "$.detail"}])
    events.put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": '{"n": 1}'}])
    local_aws.clock.settle()
    started = states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
    inputs = [states.describe_execution(executionArn=e["executionArn"])["input"] for e in started]
    assert sorted(map(json.loads, inputs), key=len) == [{}, {"n": 1}]
    events.remove_targets(Rule=name, Ids=["m"])
    events.delete_rule(Name=name)


def test_a_definition_that_is_none(states):
    with pytest.raises(ClientError, match=r"\(InvalidDefinition\).*: Invalid State Machine Definition: '"):
        states.create_state_machine(name="never-made", definition='{"StartAt": "Nowhere"', roleArn=ROLE)


def test_a_state_machine_in_jsonata(deploy, run):
    """https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html: Arguments, Output, Assign, conditions, $uuid, $hash."""
    function = deploy("def handler(event, context):\n    return event\n")
    order = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": function_arn(function),
            "Payload": {
                "total": "{% $sum($states.input.lines.(price * count)) %}",
                "names": "{% $states.input.lines[count > 1].name %}",
            },
        },
        "Assign": {"total": "{% $states.result.Payload.total %}", "names": "{% $states.result.Payload.names %}"},
        "Next": "Large",
    }
    large = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $total > 10 %}", "Next": "Done"}],
        "Default": "Small",
    }
    done = {
        "Type": "Pass",
        "Output": {
            "total": "{% $total %}",
            "names": "{% $names %}",
            "id": "{% $length($uuid()) %}",
            "hash": "{% $hash('P-1', 'SHA-256') %}",
            "pairs": "{% $partition([1..4], 2) %}",
        },
        "End": True,
    }
    states = {"Order": order, "Large": large, "Done": done, "Small": {"Type": "Fail"}}
    lines = [{"name": "label", "price": 2, "count": 4}, {"name": "box", "price": 5, "count": 1}]
    execution = run({"QueryLanguage": "JSONata", "StartAt": "Order", "States": states}, {"lines": lines})
    assert execution.output() == {
        "total": 13,
        "names": "label",
        "id": 36,
        "hash": hashlib.sha256(b"P-1").hexdigest(),
        "pairs": [[1, 2], [3, 4]],
    }


def test_an_express_state_machine_can_be_waited_for(local_aws, deploy, states):
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html.

    On AWS it has a host of its own (sync-states); here there is one address for everything.
    """

    def machine(kind: str, definition: dict) -> str:
        name = f"at-once-{next(_numbers)}"
        made = states.create_state_machine(name=name, type=kind, roleArn=ROLE, definition=json.dumps(definition))
        return str(made["stateMachineArn"])

    double = task(Resource=function_arn(deploy(DOUBLE)))
    express = machine("EXPRESS", double)
    answer = states.start_sync_execution(stateMachineArn=express, input='{"n": 21}', name="first")
    assert (answer["status"], answer["output"], answer["input"]) == ("SUCCEEDED", "42", '{"n": 21}')
    assert answer["executionArn"].startswith(express.replace(":stateMachine:", ":express:") + ":first:")
    assert answer["startDate"] <= answer["stopDate"]
    assert answer["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0
    text = machine("EXPRESS", {"StartAt": "T", "States": {"T": {"Type": "Pass", "Result": "done", "End": True}}})
    assert states.start_sync_execution(stateMachineArn=text)["output"] == '"done"'
    failed = states.start_sync_execution(stateMachineArn=express, input='{"m": 1}')
    assert (failed["status"], failed["error"], "output" in failed) == ("FAILED", "KeyError", False)
    with pytest.raises(ClientError, match="StateMachineTypeNotSupported"):
        states.start_sync_execution(stateMachineArn=machine("STANDARD", double))
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        states.start_sync_execution(stateMachineArn=express, input="no JSON")
