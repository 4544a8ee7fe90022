"""InvokeWithResponseStream: https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html."""

from __future__ import annotations

import base64
import json

import boto3
import pytest

from coldstart.cloud.event_stream import event_message
from tests.conformance.test_versions_and_aliases import refused

WRITES_TWICE = """
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.write("first ");
  await new Promise(resolve => setTimeout(resolve, 300));
  stream.write(JSON.stringify(event));
  stream.end();
});
"""


def streamed(function, event=None, **parameters):
    """Invoke; return the response, its chunks and what came with InvokeComplete."""
    response = function.client.invoke_with_response_stream(
        FunctionName=function.name, Payload=json.dumps({} if event is None else event).encode(), **parameters
    )
    events = list(response["EventStream"])
    assert [list(event) for event in events[:-1]] == [["PayloadChunk"]] * (len(events) - 1)
    return response, [event["PayloadChunk"]["Payload"] for event in events[:-1]], events[-1]["InvokeComplete"]


@pytest.mark.node
def test_a_response_arrives_while_it_is_made(deploy):
    function = deploy(WRITES_TWICE, Runtime="nodejs24.x", Timeout=10)
    response, chunks, complete = streamed(function, {"a": "ü"}, LogType="Tail")
    assert response["StatusCode"] == 200
    assert response["ExecutedVersion"] == "$LATEST"
    assert b"".join(chunks) == 'first {"a":"ü"}'.encode()
    assert len(chunks) >= 2
    assert "ErrorCode" not in complete
    assert b"REPORT RequestId: " in base64.b64decode(complete["LogResult"])


@pytest.mark.node
def test_the_first_bytes_come_before_the_last_are_made(deploy):
    code = WRITES_TWICE.replace("setTimeout(resolve, 300)", "setTimeout(resolve, 60000)")
    function = deploy(code, Runtime="nodejs24.x", Timeout=90)
    response = function.client.invoke_with_response_stream(FunctionName=function.name)
    assert next(iter(response["EventStream"]))["PayloadChunk"]["Payload"] == b"first "
    response["EventStream"].close()


@pytest.mark.node
def test_an_error_after_the_first_bytes_ends_the_stream(deploy):
    code = WRITES_TWICE.replace("stream.write(JSON", 'throw new RangeError("no more labels"); (JSON')
    function = deploy(code, Runtime="nodejs24.x", Timeout=10)
    _, chunks, complete = streamed(function)
    assert chunks == [b"first "]
    assert complete["ErrorCode"] == "Unhandled"
    details = json.loads(complete["ErrorDetails"])
    assert (details["errorType"], details["errorMessage"]) == ("RangeError", "no more labels")


def test_a_function_that_does_not_stream_answers_in_one_piece(deploy):
    function = deploy("def handler(event, context):\n    return event\n", Publish=True)
    response, chunks, complete = streamed(function, {"order": "P-1042"}, Qualifier="1")
    assert [json.loads(chunk) for chunk in chunks] == [{"order": "P-1042"}]
    assert (response["ExecutedVersion"], complete) == ("1", {})


def test_a_function_that_fails_says_nothing_but_the_error(deploy):
    function = deploy("def handler(event, context):\n    raise ValueError('no')\n")
    _, chunks, complete = streamed(function)
    assert chunks == []
    assert (complete["ErrorCode"], json.loads(complete["ErrorDetails"])["errorType"]) == ("Unhandled", "ValueError")


def test_bad_requests_get_awss_errors(deploy):
    function = deploy("def handler(event, context):\n    return 1\n")
    call = function.client.invoke_with_response_stream
    assert refused(call, FunctionName=function.name, Qualifier="7")[:2] == ("ResourceNotFoundException", 404)
    assert refused(call, FunctionName=function.name, Payload=b"{")[:2] == ("InvalidRequestContentException", 400)
    assert call(FunctionName=function.name, InvocationType="DryRun")["StatusCode"] == 204
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    client = boto3.client("lambda", config=boto3.session.Config(retries={"max_attempts": 0}))
    found = refused(client.invoke_with_response_stream, FunctionName=function.name)
    assert found == ("TooManyRequestsException", 429, "Rate Exceeded.")


def test_a_connection_goes_on_after_a_stream(deploy, local_aws):
    function = deploy("def handler(event, context):\n    return 1\n")
    client = boto3.client("lambda", config=boto3.session.Config(max_pool_connections=1))
    for _ in range(3):
        response = client.invoke_with_response_stream(FunctionName=function.name)
        assert next(iter(response["EventStream"]))["PayloadChunk"]["Payload"] == b"1"
        list(response["EventStream"])
        assert client.invoke(FunctionName=function.name)["Payload"].read() == b"1"


@pytest.mark.node
def test_a_reader_who_leaves_does_not_break_the_function(deploy, local_aws):
    code = """
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  for (let piece = 0; piece < (event.pieces ?? 1); piece++) {
    stream.write("x".repeat(100000));
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  stream.end();
});
"""
    function = deploy(code, Runtime="nodejs24.x", Timeout=20)
    response = function.client.invoke_with_response_stream(FunctionName=function.name, Payload=b'{"pieces": 100}')
    next(iter(response["EventStream"]))
    response["EventStream"].close()
    _, chunks, complete = streamed(function)
    assert (sum(map(len, chunks)), complete) == (100_000, {})


def test_a_message_is_what_botocore_reads():
    from botocore.eventstream import EventStreamBuffer

    buffer = EventStreamBuffer()
    buffer.add_data(event_message("PayloadChunk", b"\x00\xff"))
    (message,) = list(buffer)
    assert message.headers == {
        ":message-type": "event",
        ":event-type": "PayloadChunk",
        ":content-type": "application/octet-stream",
    }
    assert message.payload == b"\x00\xff"
