"""What a function sees of the machine: what AWS documents, and nothing of the learner's."""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psutil
import pytest

from tests.conformance.conftest import zipped

SHOW_VARIABLES = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"


def test_the_documented_variables_are_there(deploy):
    function = deploy(SHOW_VARIABLES, MemorySize=256, Environment={"Variables": {"SHOP": "Parcel"}})
    variables = function.invoke()["Payload"]
    assert variables["SHOP"] == "Parcel"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.14"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == function.name
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert variables["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{function.name}"
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["_HANDLER"] == "app.handler"
    assert variables["TZ"] == ":UTC"
    assert variables["LAMBDA_TASK_ROOT"] == variables["PWD"]
    assert variables["_X_AMZN_TRACE_ID"].startswith("Root=1-")


SHOW_PROCESS = """
import json, os, random, resource, signal, sys, time
def handler(event, context):
    print("seen in the log")
    umask = os.umask(0)
    os.umask(umask)
    return {
        "arguments": [os.path.basename(argument) for argument in sys.argv],
        "program": os.path.basename(sys.modules["__main__"].__file__),
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD)],
        "path": [os.path.basename(folder) for folder in sys.path],
        "streams": [(each.encoding, each.errors, each.line_buffering) for each in (sys.stdout, sys.stderr)],
        "leads its session": os.getpid() == os.getsid(0),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "umask": umask,
        "folder": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"],
        "zone": time.tzname,
        "variables": sorted(name for name in os.environ if "PARCEL" not in name),
    }
"""


def test_a_python_function_starts_as_in_a_python_of_its_own(deploy):
    """Its process is a fork of a Python that runs already, unless a variable asks for something that Python does at its start."""
    forked = deploy(SHOW_PROCESS, Environment={"Variables": {"PARCEL": "1"}}).invoke()
    alone = deploy(SHOW_PROCESS, Environment={"Variables": {"PYTHON_PARCEL": "1"}}).invoke()
    assert forked["Payload"] == alone["Payload"]


def test_variables_that_python_reads_at_its_start_work(deploy):
    """https://docs.python.org/3/using/cmdline.html#environment-variables."""
    code = "import sys\ndef handler(event, context):\n    return [__debug__, sys.flags.hash_randomization]\n"
    function = deploy(code, Environment={"Variables": {"PYTHONOPTIMIZE": "1", "PYTHONHASHSEED": "0"}})
    assert function.invoke()["Payload"] == [False, 0]


def test_libraries_of_the_package_are_found_by_the_linker(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, LD_LIBRARY_PATH."""
    library = next(Path(psutil.__file__).parent.glob("*.so"))
    code = """
import ctypes
def handler(event, context):
    return bool(ctypes.CDLL("libparcel.so"))
"""
    package = zipped({"app.py": code, "lib/libparcel.so": library.read_bytes()})
    function = deploy(code, Code={"ZipFile": package})
    assert function.invoke()["Payload"] is True


def test_each_environment_has_chances_of_its_own(deploy):
    function = deploy("import random\nnumber = random.random()\ndef handler(event, context):\n    return number\n")
    first = function.invoke()["Payload"]
    boto3.client("lambda").update_function_configuration(FunctionName=function.name, MemorySize=256)
    assert function.invoke()["Payload"] != first


def test_nothing_of_the_learners_environment_is_there(deploy, monkeypatch):
    monkeypatch.setenv("PARCEL_BANK_PASSWORD", "hunter2")
    variables = deploy(SHOW_VARIABLES).invoke()["Payload"]
    assert "PARCEL_BANK_PASSWORD" not in variables
    assert variables["HOME"] != os.environ.get("HOME")
    assert variables["AWS_ACCESS_KEY_ID"] != os.environ["AWS_ACCESS_KEY_ID"]
    assert variables.get("PATH") != os.environ["PATH"]


def test_only_what_lambda_brings_can_be_imported(deploy):
    function = deploy(
        """
import importlib.util
def handler(event, context):
    return [name for name in event if importlib.util.find_spec(name)]
"""
    )
    assert function.invoke(["json", "boto3", "moto", "coldstart", "pytest"])["Payload"] == ["json", "boto3"]


def test_each_environment_has_a_temporary_directory_of_its_own(deploy):
    code = """
import os, tempfile
def handler(event, context):
    before = sorted(os.listdir(tempfile.gettempdir()))
    open(os.path.join(tempfile.gettempdir(), event["file"]), "w").close()
    return before
"""
    first, second = deploy(code), deploy(code)
    assert first.invoke({"file": "label-1"})["Payload"] == []
    assert first.invoke({"file": "label-2"})["Payload"] == ["label-1"]
    assert second.invoke({"file": "label-3"})["Payload"] == []


def test_a_background_thread_is_frozen_between_invocations(deploy):
    function = deploy(
        """
import threading, time
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return ticks
"""
    )
    function.invoke()
    before = function.invoke()["Payload"]
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        pass  # the learner does something else
    assert (
        function.invoke()["Payload"] - before < 25
    )  # it would have been 50; a busy machine takes its time to freeze it
    assert function.invoke({"sleep": 0.5})["Payload"] - before > 10


@pytest.mark.parametrize("way", ["killed with its group", "in a session of its own"])
def test_child_processes_left_behind_end_with_the_environment(deploy, way):
    function = deploy(
        """
import subprocess
def handler(event, context):
    child = subprocess.Popen(["sleep", "600"], start_new_session=event["session"])
    return child.pid
"""
    )
    child = psutil.Process(function.invoke({"session": way == "in a session of its own"})["Payload"])
    assert child.is_running()
    function.client.update_function_configuration(FunctionName=function.name, Timeout=4)
    child.wait(timeout=10)
    assert not child.is_running()
    assert function.invoke({"session": False})["StatusCode"] == 200


def test_an_environment_that_is_killed_while_it_works_fails_its_invocation_only(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: a crash ends the environment, not the function."""
    function = deploy(
        """
import os, subprocess
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
def handler(event, context):
    while event.get("hang"):
        pass
    return [os.getpid(), child.pid]
""",
        Timeout=60,
        MemorySize=1769,
    )
    process, orphan = (psutil.Process(pid) for pid in function.invoke()["Payload"])
    with ThreadPoolExecutor(1) as caller:
        hanging = caller.submit(function.invoke, {"hang": True})
        deadline = time.monotonic() + 20
        while process.status() == psutil.STATUS_STOPPED and time.monotonic() < deadline:
            pass  # frozen until the event is there
        process.kill()
        failed = hanging.result()
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in failed["Payload"]["errorMessage"]
    assert function.invoke()["Payload"][0] != process.pid
    assert not psutil.wait_procs([orphan], timeout=10)[1], "what it had started has ended with it"


def test_descriptors_run_out_in_the_function_alone(deploy):
    """Lambda quotas: 1,024 file descriptors (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
    function = deploy(
        """
import errno
kept = []
def handler(event, context):
    if event.get("close"):
        while kept:
            kept.pop().close()
        return len(kept)
    try:
        while True:
            kept.append(open("/dev/null"))
    except OSError as error:
        return [errno.errorcode[error.errno], len(kept)]
"""
    )
    code, opened = function.invoke()["Payload"]
    assert code == "EMFILE"
    assert 900 < opened < 1024
    assert function.invoke({"close": 1})["Payload"] == 0
    assert deploy("def handler(event, context):\n    return open('/dev/null').read()\n").invoke()["Payload"] == ""


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_a_function_runs_on_this_machines_system_and_processor(deploy, architecture):
    """Ours, not AWS's: whatever Architectures says (https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html)."""
    function = deploy(
        "import platform\ndef handler(event, context):\n    return [platform.system(), platform.machine()]\n",
        Architectures=[architecture],
    )
    assert function.invoke()["Payload"] == [platform.system(), platform.machine()]
