"""Failing functions: AWS's own error documents, and a cloud that stays up. lambda-facts: error payloads, recorded from AWS."""

from __future__ import annotations

import base64
import re

import pytest

COUNTER = """
count = 0
def handler(event, context):
    global count
    count += 1
    {misbehave}
    return count
"""


def test_an_exception_is_unhandled_and_keeps_the_environment(deploy):
    function = deploy(
        COUNTER.format(misbehave="if event.get('label') == '': raise ValueError('a label needs an address – é')")
    )
    function.invoke({"label": "x"})
    failed = function.invoke({"label": ""})
    assert failed["StatusCode"] == 200
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"] == {
        "errorMessage": "a label needs an address – é",
        "errorType": "ValueError",
        "requestId": failed["ResponseMetadata"]["RequestId"],
        "stackTrace": [
            '  File "/var/task/app.py", line 6, in handler\n'
            "    if event.get('label') == '': raise ValueError('a label needs an address – é')\n"
        ],
    }
    assert function.invoke({"label": "x"})["Payload"] == 3


@pytest.mark.parametrize(
    ("code", "parameters", "error_type", "message"),
    [
        ("import nowhere", {}, "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nowhere'"),
        (
            "def handler(event, context)",
            {},
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'app': expected ':' (app.py, line 1)",
        ),
        ("x = 1", {}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        (
            "x = 1",
            {"Handler": "orders.handler"},
            "Runtime.ImportModuleError",
            "Unable to import module 'orders': No module named 'orders'",
        ),
        (
            "x = 1",
            {"Handler": "app"},
            "Runtime.MalformedHandlerName",
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
        ),
        ("raise RuntimeError('no table')", {}, "RuntimeError", "no table"),
    ],
)
def test_a_function_that_cannot_start(deploy, code, parameters, error_type, message):
    function = deploy(code, **parameters)
    failed = function.invoke()
    assert failed["StatusCode"] == 200
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == error_type
    assert failed["Payload"]["errorMessage"] == message
    assert failed["Payload"]["requestId"] == ""
    reports = [line for line in function.lines() if line.startswith("INIT_REPORT")]
    assert [re.search(r"Phase: (\w+)", line)[1] for line in reports] == ["init", "invoke"]
    assert all(f"Status: error\tError Type: {error_type}" in line for line in reports)


def test_what_is_no_json_cannot_be_returned(deploy):
    failed = deploy("def handler(event, context):\n    return {1, 2}\n").invoke()
    assert failed["Payload"]["errorType"] == "Runtime.MarshalError"
    assert failed["Payload"]["errorMessage"] == (
        "Unable to marshal response: Object of type set is not JSON serializable"
    )


def test_a_response_above_the_limit(deploy):
    function = deploy("def handler(event, context):\n    return 'x' * event['size']\n")
    assert len(function.invoke({"size": 6_291_554})["Payload"]) == 6_291_554
    failed = function.invoke({"size": 6_291_555})
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"] == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert function.invoke({"size": 1})["Payload"] == "x"


def test_a_timeout_kills_and_the_next_start_is_cold_with_the_same_tmp(deploy):
    function = deploy(
        """
import os, tempfile
note = os.path.join(tempfile.gettempdir(), "note.txt")
count = 0
def handler(event, context):
    global count
    count += 1
    found = os.path.exists(note)
    open(note, "w").close()
    while event.get("hang"):
        pass
    return {"count": count, "found": found}
""",
        Timeout=1,
    )
    assert function.invoke()["Payload"] == {"count": 1, "found": False}
    failed = function.invoke({"hang": True})
    request_id = failed["ResponseMetadata"]["RequestId"]
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"] == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    report = next(line for line in function.lines() if line.startswith(f"REPORT RequestId: {request_id}"))
    assert "\tDuration: 1000.00 ms\t" in report
    assert "\tStatus: timeout\t" in report
    assert function.invoke()["Payload"] == {"count": 1, "found": True}
    assert len({event["logStreamName"] for event in function.log()}) == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0, "Runtime exited without providing a reason"), (3, "Runtime exited with error: exit status 3")],
)
def test_a_handler_that_ends_its_process(deploy, code, reason):
    function = deploy(COUNTER.format(misbehave="if event: __import__('os')._exit(event['code'])"))
    function.invoke()
    failed = function.invoke({"code": code})
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == "Runtime.ExitError"
    assert failed["Payload"]["errorMessage"].endswith(f"Error: {reason}")
    assert function.invoke()["Payload"] == 1


def test_an_init_that_never_ends_is_tried_again_within_the_functions_timeout(deploy, monkeypatch):
    monkeypatch.setattr("coldstart.runtime.execution_environment.INIT_LIMIT_SECONDS", 0.5)
    function = deploy("while True: pass", Timeout=1)
    failed = function.invoke()
    assert failed["Payload"]["errorType"] == "Sandbox.Timedout"
    reports = [line for line in function.lines() if line.startswith("INIT_REPORT")]
    assert [re.search(r"Phase: (\w+)\tStatus: (\w+)", line).groups() for line in reports] == [
        ("init", "timeout"),
        ("invoke", "timeout"),
    ]


def test_ten_megabytes_of_output_arrive_and_the_tail_is_the_end(deploy):
    function = deploy(
        "def handler(event, context):\n    for n in range(10_000):\n        print('label', n, 'x' * 1000)\n", Timeout=30
    )
    response = function.invoke(LogType="Tail")
    tail = base64.b64decode(response["LogResult"]).decode()
    assert len(tail) == 4096
    assert "label 9999" in tail
    assert tail.rstrip().splitlines()[-1].startswith("REPORT RequestId:")
    printed = [line for line in function.lines() if line.startswith("label")]
    assert len(printed) == 10_000
