"""Lambda extensions: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html and lambda-runtime-environment.html.

EXTENSION lines as in real logs; error types and texts as in AWS's own Runtime Interface Emulator.
"""

from __future__ import annotations

import json
import re
import time

import boto3
import psutil
import pytest

from coldstart.runtime import extensions
from tests.conformance.conftest import zipped

PREAMBLE = """#!/usr/bin/env python3
import http.client, json, os, pathlib, signal, sys, time
name = pathlib.Path(__file__).name
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, **headers):
    api.request(method, "/2020-01-01/extension/" + path, body, {key.replace("_", "-"): value for key, value in headers.items()})
    response = api.getresponse()
    return response, json.loads(response.read())
def register(*events, as_name=name, **more):
    response, body = call("POST", "register", json.dumps({"events": events}), Lambda_Extension_Name=as_name, **more)
    return response.headers["Lambda-Extension-Identifier"], body
def next_event(identifier):
    response, event = call("GET", "event/next", Lambda_Extension_Identifier=identifier)
    assert response.headers["Lambda-Extension-Event-Identifier"]
    return event
def say(*words):
    print(name, *words, flush=True)
"""
LOYAL = (
    PREAMBLE
    + """
identifier, function = register("INVOKE", "SHUTDOWN", Lambda_Extension_Accept_Feature="accountId")
say("registered with", json.dumps(function))
while True:
    event = next_event(identifier)
    say("got", json.dumps(event))
    if event["eventType"] == "SHUTDOWN":
        sys.exit(0)
    time.sleep(float(os.environ.get("AFTERWARDS", 0)))
    say("done")
"""
)
FUNCTION = """
import os, signal, sys, time
print("function initialises")
def leave(*_):
    print("function got SIGTERM", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
def handler(event, context):
    if "exit" in event: os._exit(event["exit"])
    time.sleep(event.get("sleep", 0))
    return os.getpid()
"""


def _lines(function):
    return [message for _, message in function.log]


def _events(function, name="loyal"):
    return [json.loads(line.split(" got ")[1]) for line in _lines(function) if line.startswith(f"{name} got ")]


def test_an_external_extension_lives_through_all_phases(run):
    function = run({"app.py": FUNCTION}, layer={"extensions/loyal": LOYAL})
    result = function.invoke(b"{}", trace_id="Root=1-5759e988-bd862e3fe1be46a994272793")
    lines = _lines(function)
    description = {
        "functionName": function.configuration.function_name,
        "functionVersion": "$LATEST",
        "handler": "app.handler",
        "accountId": "123456789012",
    }
    assert json.loads(lines[1].removeprefix("loyal registered with ")) == description
    assert lines[2:4] == [
        "function initialises\n",
        "EXTENSION\tName: loyal\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n",
    ]
    [invoke] = _events(function)
    deadline = invoke.pop("deadlineMs")
    assert 0 < deadline / 1000 - time.time() < 3
    assert invoke == {
        "eventType": "INVOKE",
        "requestId": result.request_id,
        "invokedFunctionArn": function.configuration.function_arn,
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-5759e988-bd862e3fe1be46a994272793"},
    }
    assert [line for line in lines if line == "loyal done\n"]
    function.retire()
    shutdown = _events(function)[-1]
    assert shutdown.pop("deadlineMs") / 1000 - time.time() < 2
    assert shutdown == {"eventType": "SHUTDOWN", "shutdownReason": "spindown"}
    ends = [line for line in _lines(function) if "SIGTERM" in line or "SHUTDOWN" in line]
    assert ends[0].startswith("EXTENSION")
    assert ends[1] == "function got SIGTERM\n"


def test_the_invocation_lasts_until_the_extension_is_done(run):
    """LIFE: "Duration is calculated from the sum of all invocation time (runtime + extensions)"."""
    environment = {"AFTERWARDS": "0.4"}
    function = run({"app.py": FUNCTION}, layer={"extensions/loyal": LOYAL}, environment=environment)
    result = function.invoke(b"{}")
    assert result.function_error is None
    assert result.report.duration_ms > 390
    assert 390 < result.report.extensions_ms < result.report.duration_ms
    lines = _lines(function)
    assert lines.index("loyal done\n") < next(n for n, line in enumerate(lines) if line.startswith("END"))


def test_a_function_without_extensions_is_not_told_that_it_ends(run):
    """LIFE: the shutdown phase has 0 ms without registered extensions, so no SIGTERM arrives."""
    function = run({"app.py": FUNCTION})
    function.invoke(b"{}")
    function.retire()
    assert "function got SIGTERM\n" not in _lines(function)


INTERNAL = """
import http.client, json, os, threading
def exchange(method, path, body, headers):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request(method, "/2020-01-01/extension/" + path, body, headers)
    response = api.getresponse()
    return response.status, response.headers, json.loads(response.read())
refused = exchange("POST", "register", '{"events": ["SHUTDOWN"]}', {"Lambda-Extension-Name": "inside"})[::2]
_, headers, _ = exchange("POST", "register", '{"events": ["INVOKE"]}', {"Lambda-Extension-Name": "inside"})
identifier = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
def loop():
    while True:
        print("inside got", exchange("GET", "event/next", None, identifier)[2]["eventType"], flush=True)
threading.Thread(target=loop, daemon=True).start()
"""


def test_an_internal_extension_lives_in_the_runtimes_process(run, monkeypatch):
    function = run({"app.py": INTERNAL + FUNCTION.replace("return os.getpid()", "return refused")})
    answer = json.loads(function.invoke(b"{}").payload)
    message = "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"
    assert answer == [403, {"errorMessage": message, "errorType": "Extension.InvalidEventType"}]
    assert "EXTENSION\tName: inside\tState: Ready\tEvents: [INVOKE]\n" in _lines(function)
    assert "inside got INVOKE\n" in _lines(function)
    assert extensions.INTERNAL_SHUTDOWN_SECONDS == 0.5
    monkeypatch.setattr(extensions, "INTERNAL_SHUTDOWN_SECONDS", 10)  # a busy machine may need longer
    function.retire()
    assert "function got SIGTERM\n" in _lines(function)


@pytest.mark.parametrize("stubborn", ["function", "extension"])
def test_who_does_not_end_in_time_is_killed(run, stubborn):
    code = FUNCTION.replace("sys.exit(0)", "time.sleep(60)") if stubborn == "function" else FUNCTION
    extension = LOYAL.replace("sys.exit(0)", "time.sleep(60)") if stubborn == "extension" else LOYAL
    function = run({"app.py": code}, layer={"extensions/loyal": extension})
    process = psutil.Process(json.loads(function.invoke(b"{}").payload))
    family = [process, *[other for other in process.parent().children() if other != process]]
    assert len(family) == 2
    started = time.monotonic()
    function.retire()
    assert 0.5 < time.monotonic() - started < 4
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert _events(function)[-1]["eventType"] == "SHUTDOWN"


@pytest.mark.parametrize(
    ("event", "reason", "error_type"),
    [({"sleep": 60}, "timeout", "Sandbox.Timedout"), ({"exit": 3}, "failure", "Runtime.ExitError")],
)
def test_a_lost_environment_tells_why_and_starts_anew(run, event, reason, error_type):
    function = run({"app.py": FUNCTION}, layer={"extensions/loyal": LOYAL}, timeout=1)
    failed = function.invoke(json.dumps(event).encode())
    assert json.loads(failed.payload)["errorType"] == error_type
    assert _events(function)[-1]["shutdownReason"] == reason
    assert function.invoke(b"{}").function_error is None
    assert sum(line.startswith("EXTENSION") for line in _lines(function)) == 2


def test_an_extension_that_takes_too_long_costs_the_environment_not_the_answer(run):
    environment = {"AFTERWARDS": "30"}
    function = run({"app.py": FUNCTION}, layer={"extensions/loyal": LOYAL}, timeout=1, environment=environment)
    result = function.invoke(b"{}")
    assert result.function_error is None
    assert json.loads(result.payload) > 0
    assert result.report.status == "timeout"
    assert result.report.duration_ms == 1000


@pytest.mark.parametrize(
    ("extension", "error_type", "message", "line"),
    [
        (
            "#!/bin/sh\nexit 0\n",
            "Extension.Crash",
            "exit code 0",
            "State: Exited\tEvents: []\tError Type: Extension.Crash",
        ),
        ("#!/bin/sh\nexit 4\n", "Extension.Crash", "exit status 4", "State: Exited\tEvents: []"),
        (
            "no executable\n",
            "Extension.LaunchError",
            "fork/exec /opt/extensions/bad: permission denied",
            "State: LaunchError\tEvents: []\tError Type: Extension.LaunchError",
        ),
        (
            PREAMBLE
            + "identifier, _ = register('INVOKE')\n"
            + "call('POST', 'init/error', '{}', Lambda_Extension_Identifier=identifier,"
            + " Lambda_Extension_Function_Error_Type='Extension.NoKey')\ntime.sleep(60)\n",
            "Extension.InitError",
            "Extension.NoKey",
            "State: InitError\tEvents: [INVOKE]\tError Type: Extension.NoKey",
        ),
    ],
)
def test_an_extension_that_cannot_start_fails_the_function(run, extension, error_type, message, line):
    function = run({"app.py": FUNCTION}, layer={"extensions/bad": extension})
    failed = function.invoke(b"{}")
    assert failed.function_error == "Unhandled"
    assert json.loads(failed.payload) == {
        "errorType": error_type,
        "errorMessage": f"RequestId: {failed.request_id} Error: {message}",
    }
    assert any(logged.startswith(f"EXTENSION\tName: bad\t{line}") for logged in _lines(function))
    reports = [logged for logged in _lines(function) if logged.startswith("INIT_REPORT")]
    assert [re.search(r"Phase: (\w+)\tStatus: error\tError Type: (\S+)", report).groups() for report in reports] == [
        ("init", error_type),
        ("invoke", error_type),
    ]


def test_an_extension_that_dies_during_an_invocation_ends_it(run):
    extension = LOYAL.replace('say("got"', 'os._exit(7) if event["eventType"] == "INVOKE" else say("got"')
    function = run({"app.py": FUNCTION}, layer={"extensions/loyal": extension}, timeout=10)
    failed = function.invoke(b'{"sleep": 8}')
    assert json.loads(failed.payload)["errorType"] == "Extension.Crash"
    assert json.loads(failed.payload)["errorMessage"].endswith("Error: exit status 7")
    assert failed.report.duration_ms < 6000


def test_ten_extensions_are_enough(run):
    layer = {f"extensions/number-{number}": LOYAL for number in range(11)}
    failed = run({"app.py": FUNCTION}, layer=layer).invoke(b"{}")
    assert json.loads(failed.payload)["errorMessage"].endswith("Error: Extension limit (10) reached")


def test_an_extension_sees_the_functions_variables_but_not_the_runtimes(run):
    show = (
        PREAMBLE + "identifier, _ = register()\nsay('sees', json.dumps(sorted(os.environ)))\nnext_event(identifier)\n"
    )
    function = run({"app.py": FUNCTION}, layer={"extensions/show": show}, environment={"TABLE": "parcels"})
    function.invoke(b"{}")
    assert "EXTENSION\tName: show\tState: Ready\tEvents: []\n" in _lines(function)
    [seen] = [json.loads(line.removeprefix("show sees ")) for line in _lines(function) if line.startswith("show sees")]
    assert {"TABLE", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "PATH", "TZ"} <= set(seen)
    hidden = {"_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME"}
    assert hidden.isdisjoint(seen)
    assert not [name for name in seen if "COLDSTART" in name]


def test_extensions_are_frozen_between_invocations_and_start_with_a_snapshot_restored(run):
    busy = (
        PREAMBLE
        + """
import threading
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
identifier, _ = register("INVOKE")
while True:
    next_event(identifier)
    say("ticked", ticks)
"""
    )
    function = run({"app.py": FUNCTION}, layer={"extensions/busy": busy}, snap_start=True, version="1")
    function.invoke(b"{}")
    restored = [line.split(" ")[0].split("\t")[0] for line in _lines(function)]
    assert restored[-7:-1] == ["RESTORE_START", "EXTENSION", "RESTORE_REPORT", "START", "busy", "END"]
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        pass  # nobody invokes
    function.invoke(b"{}")
    before, after = [int(line.split()[-1]) for line in _lines(function) if line.startswith("busy ticked")]
    assert after - before < 15


def test_what_extensions_get_wrong_has_awss_errors(run):
    wrong = (
        PREAMBLE
        + """
answers = [
    call("POST", "register", '{"events": []}'),
    call("POST", "register", '{"events": ["LUNCH"]}', Lambda_Extension_Name=name),
    call("POST", "register", "events", Lambda_Extension_Name=name),
    call("GET", "event/next"),
    call("GET", "event/next", Lambda_Extension_Identifier="nobody"),
]
identifier, _ = register("INVOKE")
answers.append(call("POST", "register", '{"events": []}', Lambda_Extension_Name=name))
answers.append(call("POST", "exit/error", "{}", Lambda_Extension_Identifier=identifier))
for response, body in answers:
    say("heard", response.status, body["errorType"])
while True:
    next_event(identifier)
"""
    )
    function = run({"app.py": FUNCTION}, layer={"extensions/wrong": wrong})
    function.invoke(b"{}")
    assert [line.removeprefix("wrong heard 403 ").strip() for line in _lines(function) if "heard" in line] == [
        "Extension.InvalidExtensionName",
        "Extension.InvalidEventType",
        "InvalidRequestFormat",
        "Extension.MissingHeader",
        "Extension.UnknownExtensionIdentifier",
        "Extension.InvalidExtensionState",
        "Extension.MissingHeader",
    ]


def test_a_layer_brings_an_extension(deploy):
    client = boto3.client("lambda")
    layer = client.publish_layer_version(LayerName="loyal", Content={"ZipFile": zipped({"extensions/loyal": LOYAL})})
    function = deploy(FUNCTION, Layers=[layer["LayerVersionArn"]])
    function.invoke()
    assert "EXTENSION\tName: loyal\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n" in function.lines()
    client.update_function_configuration(FunctionName=function.name, Timeout=4)  # ends the environments
    told = [json.loads(line.split(" got ")[1]) for line in function.lines() if line.startswith("loyal got")]
    assert [event["eventType"] for event in told] == ["INVOKE", "SHUTDOWN"]


def test_a_function_that_ignores_sigterm_is_killed_and_the_cloud_goes_on(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: two seconds, then SIGKILL."""
    client = boto3.client("lambda")
    layer = client.publish_layer_version(LayerName="loyal", Content={"ZipFile": zipped({"extensions/loyal": LOYAL})})
    stubborn = FUNCTION.replace("sys.exit(0)", "print('not yet', flush=True)")
    function = deploy(stubborn, Layers=[layer["LayerVersionArn"]])
    process = psutil.Process(function.invoke()["Payload"])
    client.update_function_configuration(FunctionName=function.name, Timeout=4)  # ends the environments
    assert not psutil.wait_procs([process], timeout=10)[1]
    assert function.invoke()["Payload"] != process.pid
    assert "not yet\n" in function.lines()
