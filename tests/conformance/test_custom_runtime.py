"""OS-only runtimes: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html and runtimes-walkthrough.html."""

from __future__ import annotations

import json
import shutil
import stat

import pytest

CUSTOM = {"runtime": "provided.al2023", "handler": "hello.handler", "timeout": 10}
BOOTSTRAP = """#!/usr/bin/env python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
count = 0
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    next = api.getresponse()
    event = json.loads(next.read())
    request_id = next.headers["Lambda-Runtime-Aws-Request-Id"]
    count += 1
    answer = {"count": count, "handler": os.environ["_HANDLER"], "event": event, "cwd": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"],
              "execution_env": os.environ.get("AWS_EXECUTION_ENV"), "arn": next.headers["Lambda-Runtime-Invoked-Function-Arn"]}
    path = f"/2018-06-01/runtime/invocation/{request_id}/"
    if event.get("fail"):
        body = {"errorMessage": "no shelf", "errorType": "ShelfError", "stackTrace": []}
        api.request("POST", path + "error", json.dumps(body), {"Lambda-Runtime-Function-Error-Type": "Shop.ShelfError"})
    else:
        api.request("POST", path + "response", json.dumps(answer))
    assert api.getresponse().read()
"""


def test_a_packages_bootstrap_runs_under_the_runtime_api(run):
    function = run({"bootstrap": BOOTSTRAP}, **CUSTOM)
    answer = json.loads(function.invoke(b'{"order": "P-1"}').payload)
    assert answer == {
        "count": 1,
        "handler": "hello.handler",
        "event": {"order": "P-1"},
        "cwd": True,
        "execution_env": None,
        "arn": function.configuration.function_arn,
    }
    assert json.loads(function.invoke(b"{}").payload)["count"] == 2


def test_a_layers_bootstrap_runs_when_the_package_has_none(run):
    function = run({"hello.sh": "echo"}, layer={"bootstrap": BOOTSTRAP}, **CUSTOM)
    assert json.loads(function.invoke(b"{}").payload)["count"] == 1


def test_its_errors_are_the_functions(run):
    function = run({"bootstrap": BOOTSTRAP}, **CUSTOM)
    failed = function.invoke(b'{"fail": true}')
    assert failed.function_error == "Unhandled"
    assert json.loads(failed.payload)["errorType"] == "ShelfError"
    assert json.loads(function.invoke(b"{}").payload)["count"] == 2


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_walkthroughs_shell_script_runs(run):
    """The bootstrap of AWS's tutorial: bash, curl, and a function in a file of its own. A large body has curl wait for 100 Continue."""
    bootstrap = """#!/bin/sh
set -eu
. "$LAMBDA_TASK_ROOT/$(echo $_HANDLER | cut -d. -f1).sh"
while true; do
  headers="$(mktemp)"
  event=$(curl -sS -LD "$headers" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  $(echo $_HANDLER | cut -d. -f2) "$event" > "$TMPDIR/response"
  curl -sS "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response" -d "@$TMPDIR/response"
done
"""
    hello = "handler() { echo \"$1\" >&2; printf '\"'; head -c 2000000 /dev/zero | tr '\\0' x; printf '\"'; }\n"
    function = run({"bootstrap": bootstrap, "hello.sh": hello}, **CUSTOM)
    assert json.loads(function.invoke(b'{"order": "P-1"}').payload) == "x" * 2_000_000
    assert any(message == '{"order": "P-1"}\n' for _, message in function.log)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"main": "#!/bin/sh\n"}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        ({"bootstrap": "echo no shebang, so not executable\n"}, "fork/exec /var/task/bootstrap: permission denied"),
        ({"bootstrap": "#!/bin/sh\nexit 0\n"}, "Runtime exited without providing a reason"),
        ({"bootstrap": "#!/bin/sh\nexit 5\n"}, "Runtime exited with error: exit status 5"),
    ],
)
def test_what_cannot_start_has_awss_error(run, files, reason):
    """https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html and troubleshooting-deployment.html."""
    function = run(files, **CUSTOM)
    failed = function.invoke(b"{}")
    error_type = "Runtime.ExitError" if "exited" in reason else "Runtime.InvalidEntrypoint"
    request_id = failed.request_id
    assert json.loads(failed.payload) == {
        "errorType": error_type,
        "errorMessage": f"RequestId: {request_id} Error: {reason}",
    }
    assert any(message.startswith("INIT_REPORT") and error_type in message for _, message in function.log)


def test_a_bootstrap_in_no_known_format(run):
    function = run({"bootstrap": "\x7fELF of another machine"}, **CUSTOM)
    path = function.configuration.code / "bootstrap"
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    error = json.loads(function.invoke(b"{}").payload)
    assert error["errorMessage"].endswith("Error: fork/exec /var/task/bootstrap: exec format error")


def test_the_api_takes_an_os_only_runtime(deploy):
    function = deploy(BOOTSTRAP, file="bootstrap", Runtime="provided.al2023", Timeout=10)
    assert function.invoke({"order": "P-1"})["Payload"]["event"] == {"order": "P-1"}
    failed = deploy("#!/bin/sh\n", file="main", Runtime="provided.al2").invoke()
    assert failed["Payload"]["errorType"] == "Runtime.InvalidEntrypoint"
