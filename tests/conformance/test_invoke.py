"""Invoke answers as AWS does: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

from __future__ import annotations

import base64
import json
import re
import threading
import time

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import zipped

ECHO = "def handler(event, context):\n    return event\n"
COUNTER = """
import os
count = 0
def handler(event, context):
    global count
    count += 1
    return {"count": count, "process": os.getpid()}
"""


def test_the_handler_gets_the_event_and_its_result_comes_back(deploy):
    response = deploy(ECHO).invoke({"order": "P-1042", "städte": ["Zürich", None, 1.5]})
    assert response["StatusCode"] == 200
    assert response["Payload"] == {"order": "P-1042", "städte": ["Zürich", None, 1.5]}
    assert response["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in response


def test_no_payload_is_an_empty_event(deploy):
    function = deploy(ECHO)
    response = function.client.invoke(FunctionName=function.name)
    assert json.loads(response["Payload"].read()) == {}


def test_nothing_returned_is_null(deploy):
    function = deploy("def handler(event, context):\n    pass\n")
    assert function.client.invoke(FunctionName=function.name)["Payload"].read() == b"null"


def test_the_context_names_the_function_and_the_request(deploy):
    function = deploy(
        """
def handler(event, context):
    return {
        "name": context.function_name, "version": context.function_version, "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb, "request": context.aws_request_id, "group": context.log_group_name,
        "stream": context.log_stream_name, "left": context.get_remaining_time_in_millis(),
        "client": context.client_context.custom if context.client_context else None,
    }
""",
        MemorySize=256,
        Timeout=7,
    )
    client_context = base64.b64encode(b'{"custom": {"till": "3"}}').decode()
    response = function.invoke(ClientContext=client_context)
    context = response["Payload"]
    assert context["name"] == function.name
    assert context["version"] == "$LATEST"
    assert context["arn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{function.name}"
    assert context["memory"] == "256"
    assert context["request"] == response["ResponseMetadata"]["RequestId"]
    assert context["group"] == f"/aws/lambda/{function.name}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context["stream"])
    assert 6000 < context["left"] <= 7000
    assert context["client"] == {"till": "3"}


def test_module_state_survives_between_invocations_of_one_environment(deploy):
    function = deploy(COUNTER)
    answers = [function.invoke()["Payload"] for _ in range(3)]
    assert [answer["count"] for answer in answers] == [1, 2, 3]
    assert len({answer["process"] for answer in answers}) == 1


def test_two_invocations_at_once_use_two_environments(deploy):
    function = deploy(COUNTER.replace("    count += 1", "    count += 1\n    __import__('time').sleep(0.4)"))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(function.invoke()["Payload"])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["count"] for answer in answers] == [1, 1]
    assert answers[0]["process"] != answers[1]["process"]
    assert len({event["logStreamName"] for event in function.log()}) == 2


def test_a_dry_run_runs_nothing(deploy):
    function = deploy(COUNTER)
    assert function.client.invoke(FunctionName=function.name, InvocationType="DryRun")["StatusCode"] == 204
    assert function.invoke()["Payload"]["count"] == 1


def test_an_event_invocation_returns_at_once(deploy):
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(1)\n")
    started = time.monotonic()
    response = function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=b"{}")
    assert response["StatusCode"] == 202
    assert response["Payload"].read() == b""
    assert time.monotonic() - started < 0.9


def test_new_code_starts_cold(deploy):
    function = deploy(COUNTER)
    function.invoke()
    function.client.update_function_code(
        FunctionName=function.name, ZipFile=zipped({"app.py": COUNTER.replace('"count": count', '"count": -count')})
    )
    assert function.invoke()["Payload"]["count"] == -1


def test_new_configuration_starts_cold_and_holds(deploy):
    function = deploy("import os\ndef handler(event, context):\n    return os.environ.get('SHOP')\n")
    assert function.invoke()["Payload"] is None
    function.client.update_function_configuration(
        FunctionName=function.name, Environment={"Variables": {"SHOP": "Parcel"}}
    )
    assert function.invoke()["Payload"] == "Parcel"


@pytest.mark.parametrize(
    ("parameters", "code", "status", "message"),
    [
        ({"Payload": b"{broken"}, "InvalidRequestContentException", 400, "Could not parse request body into json"),
        (
            {"Payload": b'"' + b"x" * 6_291_456 + b'"'},
            "RequestEntityTooLargeException",
            413,
            "smaller than 6291456 bytes",
        ),
        (
            {"InvocationType": "Event", "Payload": b'"' + b"x" * 1_048_576 + b'"'},
            "RequestEntityTooLargeException",
            413,
            "smaller than 1048576 bytes",
        ),
        ({"Qualifier": "7"}, "ResourceNotFoundException", 404, "Function not found: arn:aws:lambda:us-east-1:"),
        ({"FunctionName": "no-such-function"}, "ResourceNotFoundException", 404, "function:no-such-function"),
        ({"ClientContext": "%%%"}, "InvalidRequestContentException", 400, "Base64"),
    ],
)
def test_bad_requests_get_awss_errors(deploy, parameters, code, status, message):
    function = deploy(ECHO)
    with pytest.raises(ClientError) as refused:
        function.client.invoke(**{"FunctionName": function.name, **parameters})
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert message in refused.value.response["Error"]["Message"]
    assert function.invoke({"still": "works"})["Payload"] == {"still": "works"}


@pytest.mark.parametrize("package", [b"not a zip", zipped({"../escaped.py": ECHO}), zipped({})])
def test_a_package_that_cannot_be_unzipped_is_refused(deploy, package):
    function = deploy(ECHO)
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        function.client.update_function_code(FunctionName=function.name, ZipFile=package)
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        deploy(ECHO, Code={"ZipFile": package})
    assert function.invoke({"a": 1})["Payload"] == {"a": 1}


def test_two_hundred_invocations_in_a_row_leave_one_environment(deploy):
    function = deploy(COUNTER)
    assert [function.invoke()["Payload"]["count"] for _ in range(200)] == list(range(1, 201))


def test_the_handlers_own_boto3_reaches_the_same_local_aws_as_its_role(deploy):
    function = deploy(
        """
import boto3
def handler(event, context):
    boto3.client("sqs").create_queue(QueueName=event["queue"])
    return boto3.client("sts").get_caller_identity()["Arn"]
""",
        Timeout=20,
    )
    answer = function.invoke({"queue": f"labels-{function.name}"})
    assert answer["Payload"] == f"arn:aws:sts::123456789012:assumed-role/parcel-function/{function.name}"
    queues = boto3.client("sqs").list_queues(QueueNamePrefix=f"labels-{function.name}")["QueueUrls"]
    assert len(queues) == 1
