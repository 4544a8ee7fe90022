"""Response streaming: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html.

What Node.js handlers post is held to what AWS's own aws-lambda-ric 4.0.2 posted when it was run (lambda-facts 4.5).
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import time

import pytest

from coldstart.runtime import response_stream

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None and not os.environ.get("CI"), reason="node is not installed"
)
NODE = {"runtime": "nodejs24.x", "timeout": 10}


class Heard:
    """A caller who notes what arrives, and when."""

    def __init__(self):
        self.content_type = None
        self.parts = []
        self.times = []

    def begin(self, content_type):
        assert self.content_type is None
        self.content_type = content_type

    def write(self, part):
        self.parts.append(part)
        self.times.append(time.monotonic())

    @property
    def body(self):
        return b"".join(self.parts)


def _streaming(body):
    code = f"export const handler = awslambda.streamifyResponse(async (event, stream, context) => {{ {body} }});"
    return {"app.mjs": code}


def test_parts_arrive_while_the_handler_runs(run):
    function = run(
        _streaming(
            """
            stream.setContentType('text/plain');
            stream.write('labels: ');
            await new Promise((resolve) => setTimeout(resolve, 400));
            stream.write({ order: event.order });
            stream.end('!');
            """
        ),
        **NODE,
    )
    heard = Heard()
    result = function.invoke(b'{"order": "P-1"}', sink=heard)
    assert result.function_error is None
    assert result.payload == b""
    assert heard.content_type == "text/plain"
    assert heard.body == b'labels: {"order":"P-1"}!'
    assert heard.times[-1] - heard.times[0] > 0.3
    again = Heard()
    assert function.invoke(b'{"order": "P-2"}', sink=again).report.init_ms is None
    assert again.body == b'labels: {"order":"P-2"}!'


def test_an_http_response_begins_with_a_prelude_and_eight_nul_bytes(run):
    function = run(
        _streaming(
            """
            const http = { statusCode: 201, headers: { 'X-Shop': 'parcel' } };
            stream = awslambda.HttpResponseStream.from(stream, http);
            stream.write('made');
            stream.end();
            """
        ),
        **NODE,
    )
    heard = Heard()
    function.invoke(b"{}", sink=heard)
    assert heard.content_type == "application/vnd.awslambda.http-integration-response"
    prelude, _, body = heard.body.partition(b"\0" * 8)
    assert json.loads(prelude) == {"statusCode": 201, "headers": {"X-Shop": "parcel"}}
    assert body == b"made"


def test_node_streams_can_be_piped_into_the_response(run):
    code = """
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  await pipeline(Readable.from(['a'.repeat(100000), 'b'.repeat(100000), 'c']), stream);
});
"""
    heard = Heard()
    result = run({"app.mjs": code}, **NODE).invoke(b"{}", sink=heard)
    assert result.function_error is None
    assert heard.body == b"a" * 100_000 + b"b" * 100_000 + b"c"
    assert heard.content_type == "application/octet-stream"


def test_an_error_after_the_first_part_comes_in_the_trailers(run):
    function = run(_streaming("stream.write('half'); throw new TypeError('no label left');"), **NODE)
    heard = Heard()
    result = function.invoke(b"{}", sink=heard)
    assert heard.body == b"half"
    assert result.function_error == "Unhandled"
    error = json.loads(result.payload)
    assert (error["errorType"], error["errorMessage"]) == ("TypeError", "no label left")
    assert any("\tInvoke Error \t" in message for _, message in function.log)
    assert function.invoke(b"{}").report.init_ms is None


def test_an_error_before_the_first_part_says_nothing(run):
    heard = Heard()
    result = run(_streaming("throw new Error('closed');"), **NODE).invoke(b"{}", sink=heard)
    assert json.loads(result.payload)["errorMessage"] == "closed"
    assert heard.content_type is None


def test_a_caller_who_waits_gets_the_stream_as_one_payload(run):
    function = run(_streaming("stream.write('one '); stream.write('two'); stream.end();"), **NODE)
    assert function.invoke(b"{}").payload == b"one two"


def test_a_stream_may_be_larger_than_six_megabytes_and_not_than_its_own_limit(run, monkeypatch):
    monkeypatch.setattr(response_stream, "MAX_STREAMED_BYTES", 9_000_000)
    function = run(
        _streaming("for (let n = 0; n < event.megabytes; n += 1) stream.write('x'.repeat(1000000)); stream.end();"),
        **NODE,
    )
    heard = Heard()
    assert function.invoke(b'{"megabytes": 8}', sink=heard).function_error is None
    assert len(heard.body) == 8_000_000
    failed = function.invoke(b'{"megabytes": 10}', sink=Heard())
    assert json.loads(failed.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    failed = function.invoke(b'{"megabytes": 8}')
    assert json.loads(failed.payload)["errorMessage"] == (
        "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    )


def test_a_stream_that_never_ends_is_cut_at_the_timeout(run):
    function = run(
        _streaming("stream.write('begin'); await new Promise((r) => setTimeout(r, 60000));"), **NODE | {"timeout": 1}
    )
    heard = Heard()
    result = function.invoke(b"{}", sink=heard)
    assert heard.body == b"begin"
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"


def test_the_function_runs_on_when_the_caller_has_gone(run):
    class Gone(Heard):
        def write(self, part):
            raise BrokenPipeError

    function = run(_streaming("stream.write('a'); stream.write('b'); stream.end(); console.log('to the end');"), **NODE)
    assert function.invoke(b"{}", sink=Gone()).function_error is None
    assert any("to the end" in message for _, message in function.log)


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        (
            "export const handler = awslambda.streamifyResponse((event, stream) => { stream.write('x'); });",
            "Error",
            "Streaming does not support non-async handlers.",
        ),
        (
            "export const handler = awslambda.streamifyResponse(async (event, stream) => {"
            " stream.write('x'); stream.setContentType('text/plain'); });",
            "Runtime.InvalidStreamingOperation",
            "Cannot set content-type, too late.",
        ),
    ],
)
def test_wrong_use_of_a_stream_has_awss_errors(run, code, error_type, message):
    error = json.loads(run({"app.mjs": code}, **NODE).invoke(b"{}", sink=Heard()).payload)
    assert (error["errorType"], error["errorMessage"]) == (error_type, message)


def test_what_does_not_stream_arrives_in_one_piece(run):
    """Python's managed runtime does not stream (the page above)."""
    heard = Heard()
    function = run({"app.py": "def handler(event, context):\n    return {'order': event['order']}\n"})
    result = function.invoke(b'{"order": "P-1"}', sink=heard)
    assert (heard.content_type, heard.parts) == ("application/json", [b'{"order": "P-1"}'])
    assert result.payload == b""


def _events(function, **parameters):
    response = function.client.invoke_with_response_stream(FunctionName=function.name, Payload=b"{}", **parameters)
    return [next(iter(event.items())) for event in response["EventStream"]]


def test_the_api_passes_parts_on_as_events(deploy):
    """https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html."""
    [code] = _streaming("stream.write('a'); await new Promise((r) => setTimeout(r, 50)); stream.end('b');").values()
    events = _events(deploy(code, Runtime="nodejs24.x", Timeout=10), LogType="Tail")
    assert [event for event in events if event[0] == "PayloadChunk"] == [
        ("PayloadChunk", {"Payload": b"a"}),
        ("PayloadChunk", {"Payload": b"b"}),
    ]
    kind, complete = events[-1]
    assert kind == "InvokeComplete"
    assert b"REPORT RequestId" in base64.b64decode(complete["LogResult"])


def test_the_api_tells_of_an_error_at_the_end(deploy):
    [code] = _streaming("stream.write('a'); throw new RangeError('too far');").values()
    events = _events(deploy(code, Runtime="nodejs24.x", Timeout=10))
    assert events[0] == ("PayloadChunk", {"Payload": b"a"})
    assert events[-1][1]["ErrorCode"] == "Unhandled"
    assert json.loads(events[-1][1]["ErrorDetails"])["errorMessage"] == "too far"


def test_the_api_streams_a_python_response_in_one_piece(deploy):
    events = _events(deploy("def handler(event, context):\n    return 'label'\n"))
    assert [kind for kind, _ in events] == ["PayloadChunk", "InvokeComplete"]
    assert events[0][1] == {"Payload": b'"label"'}
