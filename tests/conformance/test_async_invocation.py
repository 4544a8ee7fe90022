"""Asynchronous invocation: answered at once, retried after one and two minutes, and what becomes of events that fail.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from coldstart.cloud import Cloud


@pytest.fixture
def deploy(deploy: Callable[..., Any]) -> Callable[..., str]:
    """Deploy a function and return its name."""
    return lambda code, **parameters: deploy(code, **parameters).name


FAILS = "def handler(event, context):\n    raise RuntimeError('the label printer is out of paper')\n"
WORKS = "def handler(event, context):\n    return {'printed': event['order_id']}\n"
ORDER = {"order_id": "P-1042"}


def _queue() -> tuple[str, str]:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"async-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _received(url: str) -> list[dict[str, Any]]:
    response = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return response.get("Messages", [])


def _invoke(function: str, event: Any = ORDER) -> str:
    response = boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
    assert response["StatusCode"] == 202
    assert response["Payload"].read() == b""
    return response["ResponseMetadata"]["RequestId"]


def _starts(function: str) -> list[str]:
    events = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return re.findall(r"START RequestId: (\S+)", "".join(event["message"] for event in events))


def test_a_function_that_fails_is_run_three_times_under_one_request_id(
    local_aws: Cloud, deploy: Callable[..., str]
) -> None:
    """Lambda facts 6.3: two retries, about one and two minutes apart."""
    function = deploy(FAILS)
    request_id = _invoke(function)
    local_aws.settle()
    assert _starts(function) == [request_id]
    local_aws.clock.advance(seconds=59)
    assert _starts(function) == [request_id]
    local_aws.clock.advance(seconds=2)
    assert _starts(function) == [request_id] * 2
    local_aws.clock.advance(minutes=2)
    assert _starts(function) == [request_id] * 3
    local_aws.clock.advance(hours=1)
    assert _starts(function) == [request_id] * 3


def test_the_dead_letter_queue_gets_the_event_itself(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (dead-letter queues)."""
    url, arn = _queue()
    function = deploy(FAILS, DeadLetterConfig={"TargetArn": arn})
    request_id = _invoke(function)
    local_aws.clock.advance(minutes=4)
    (message,) = _received(url)
    assert json.loads(message["Body"]) == ORDER
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes == {
        "RequestID": request_id,
        "ErrorCode": "200",
        "ErrorMessage": "the label printer is out of paper",
    }


def test_a_dead_letter_topic_gets_the_event_itself(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    url, queue_arn = _queue()
    sns = boto3.client("sns")
    topic = sns.create_topic(Name=f"async-{uuid.uuid4().hex[:8]}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    _invoke(deploy(FAILS, DeadLetterConfig={"TargetArn": topic}))
    local_aws.clock.advance(minutes=4)
    (message,) = _received(url)
    assert json.loads(message["Body"]) == ORDER


def test_on_failure_gets_a_record_of_what_happened(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html."""
    url, arn = _queue()
    function = deploy(FAILS)
    client = boto3.client("lambda")
    function_arn = client.get_function_configuration(FunctionName=function)["FunctionArn"]
    client.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": arn}}, MaximumRetryAttempts=1
    )
    request_id = _invoke(function)
    local_aws.clock.advance(minutes=2)
    (message,) = _received(url)
    record = json.loads(message["Body"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("timestamp"))
    assert record.pop("responsePayload")["errorType"] == "RuntimeError"
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function_arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 2,
        },
        "requestPayload": ORDER,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    }


def test_on_success_hands_the_record_to_the_next_function(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    bucket = f"async-{uuid.uuid4().hex[:8]}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    keeps = deploy(
        "import boto3, json, os\n"
        "def handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket=os.environ['BUCKET'], Key='record', Body=json.dumps(event))\n",
        Environment={"Variables": {"BUCKET": bucket}},
        Timeout=30,
        MemorySize=1769,
    )
    client = boto3.client("lambda")
    works = deploy(WORKS)
    client.put_function_event_invoke_config(
        FunctionName=works,
        DestinationConfig={
            "OnSuccess": {"Destination": client.get_function_configuration(FunctionName=keeps)["FunctionArn"]}
        },
    )
    _invoke(works)
    local_aws.settle()
    record = json.loads(boto3.client("s3").get_object(Bucket=bucket, Key="record")["Body"].read())
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == {"printed": "P-1042"}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_an_event_bus_gets_the_record_as_an_event(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    url, arn = _queue()
    events = boto3.client("events")
    bus, rule = f"async-{uuid.uuid4().hex[:8]}", f"async-{uuid.uuid4().hex[:8]}"
    bus_arn = events.create_event_bus(Name=bus)["EventBusArn"]
    rule_arn = events.put_rule(Name=rule, EventBusName=bus, EventPattern='{"source": ["lambda"]}')["RuleArn"]
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
            }
        ]
    }
    boto3.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    function = deploy(WORKS)
    boto3.client("lambda").put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnSuccess": {"Destination": bus_arn}}
    )
    _invoke(function)
    local_aws.settle()
    (message,) = _received(url)
    event = json.loads(message["Body"])
    assert event["source"] == "lambda"
    assert event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["detail"]["responsePayload"] == {"printed": "P-1042"}


def test_a_bucket_gets_what_failed(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    """S3 takes failures only; the key is named in the developer guide."""
    s3, client = boto3.client("s3"), boto3.client("lambda")
    bucket = f"async-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    function = deploy(FAILS)
    with pytest.raises(ClientError, match="The provided destination config"):
        client.put_function_event_invoke_config(
            FunctionName=function, DestinationConfig={"OnSuccess": {"Destination": f"arn:aws:s3:::{bucket}"}}
        )
    client.put_function_event_invoke_config(
        FunctionName=function,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}},
        MaximumRetryAttempts=0,
    )
    _invoke(function)
    local_aws.settle()
    (stored,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert re.fullmatch(
        rf"aws/lambda/async/{function}/\d{{4}}/\d\d/\d\d/\d{{4}}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{{36}}",
        stored["Key"],
    )
    record = json.loads(s3.get_object(Bucket=bucket, Key=stored["Key"])["Body"].read())
    assert record["requestContext"]["condition"] == "RetriesExhausted"


def test_an_event_that_is_too_old_is_given_up(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    url, arn = _queue()
    function = deploy(FAILS)
    boto3.client("lambda").put_function_event_invoke_config(
        FunctionName=function, MaximumEventAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    _invoke(function)
    local_aws.clock.advance(minutes=10)
    (message,) = _received(url)
    context = json.loads(message["Body"])["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", 1)


def test_without_concurrency_events_go_to_the_dead_letter_queue_unrun(
    local_aws: Cloud, deploy: Callable[..., str]
) -> None:
    """Reserved concurrency of zero: nothing runs, and nothing is tried again."""
    url, arn = _queue()
    function = deploy(WORKS, DeadLetterConfig={"TargetArn": arn})
    boto3.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    _invoke(function)
    local_aws.settle()
    (message,) = _received(url)
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"


def test_a_configuration_is_kept_for_each_qualifier_and_goes_with_the_function(deploy: Callable[..., str]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html."""
    client = boto3.client("lambda")
    function = deploy(WORKS)
    version = client.publish_version(FunctionName=function)["Version"]
    client.put_function_event_invoke_config(FunctionName=function, MaximumRetryAttempts=0)
    client.put_function_event_invoke_config(FunctionName=function, Qualifier=version, MaximumRetryAttempts=1)
    client.update_function_event_invoke_config(FunctionName=function, MaximumEventAgeInSeconds=90)
    latest = client.get_function_event_invoke_config(FunctionName=function)
    assert (latest["MaximumRetryAttempts"], latest["MaximumEventAgeInSeconds"]) == (0, 90)
    assert latest["FunctionArn"].endswith(f":function:{function}:$LATEST")
    listed = client.list_function_event_invoke_configs(FunctionName=function)["FunctionEventInvokeConfigs"]
    assert sorted(config["MaximumRetryAttempts"] for config in listed) == [0, 1]
    client.delete_function_event_invoke_config(FunctionName=function, Qualifier=version)
    with pytest.raises(ClientError, match="doesn't have an EventInvokeConfig"):
        client.get_function_event_invoke_config(FunctionName=function, Qualifier=version)
    with pytest.raises(ClientError, match="You must specify at least one of error handling or destination setting"):
        client.put_function_event_invoke_config(FunctionName=function)


def test_the_caller_waits_for_nothing(local_aws: Cloud, deploy: Callable[..., str]) -> None:
    """The function waits until a file is there, so the answer can only have come before it ran."""
    bucket = f"async-{uuid.uuid4().hex[:8]}"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    function = deploy(
        "import boto3, os, time\n"
        "def handler(event, context):\n"
        "    s3 = boto3.client('s3')\n"
        "    while s3.list_objects_v2(Bucket=os.environ['BUCKET'])['KeyCount'] == 0:\n"
        "        time.sleep(0.02)\n"
        "    s3.put_object(Bucket=os.environ['BUCKET'], Key='done', Body=b'')\n",
        Environment={"Variables": {"BUCKET": bucket}},
        Timeout=60,
        MemorySize=1769,
    )
    _invoke(function)
    s3.put_object(Bucket=bucket, Key="go", Body=b"")
    local_aws.settle()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
