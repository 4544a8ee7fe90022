"""SnapStart for Python: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html, and its pages on hooks, uniqueness, monitoring.

Log lines: lambda-facts 4.3 (from real logs).
"""

from __future__ import annotations

import json
import os
import re
import threading
import time

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from coldstart.runtime import execution_environment
from coldstart.runtime.execution_environment import RestoreFailed
from coldstart.runtime.snapshot import SnapshotFailed

SNAP = {"snap_start": True, "version": "1", "timeout": 10}


def _several(function, count, event=b'{"sleep": 0.3}'):
    """Invoke at the same time, so that each invocation needs an environment of its own."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(function.invoke(event))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(result.function_error is None for result in results)
    return [json.loads(result.payload) for result in results]


def _lines(function, start):
    return [message for _, message in function.log if message.startswith(start)]


def test_what_is_made_during_init_is_the_same_in_every_environment(run):
    """The trap: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html."""
    function = run(
        {
            "app.py": """
import os, random, secrets, time, uuid
made_in_init = str(uuid.uuid4())
def handler(event, context):
    drawn = random.random()
    time.sleep(event.get("sleep", 0))
    return {"init": made_in_init, "drawn": drawn, "handler": str(uuid.uuid4()), "secret": secrets.token_hex(), "pid": os.getpid()}
"""
        },
        **SNAP,
    )
    answers = _several(function, 3)
    assert len({answer["pid"] for answer in answers}) == 3
    assert len({answer["init"] for answer in answers}) == 1
    assert len({answer["drawn"] for answer in answers}) == 1
    assert len({answer["handler"] for answer in answers}) == 3
    assert len({answer["secret"] for answer in answers}) == 3


def test_without_snapstart_each_environment_makes_its_own(run):
    code = "import time, uuid\nmade = str(uuid.uuid4())\ndef handler(event, context):\n    time.sleep(event['sleep'])\n    return made\n"
    assert len(set(_several(run({"app.py": code}), 2))) == 2


HOOKS = """
import uuid
from snapshot_restore_py import register_after_restore, register_before_snapshot
order = []
@register_before_snapshot
def first_registered():
    order.append("before 1")
@register_before_snapshot
def second_registered():
    order.append("before 2")
@register_after_restore
def make_anew():
    global made
    made = str(uuid.uuid4())
    order.append("after 1")
@register_after_restore
def then():
    order.append("after 2")
    print("restored")
made = "in init"
def handler(event, context):
    __import__("time").sleep(event.get("sleep", 0))
    return {"order": order, "made": made}
"""


def test_hooks_run_before_and_after(run):
    """https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html: before in reverse order, after in order."""
    function = run({"app.py": HOOKS}, **SNAP)
    answers = _several(function, 2)
    assert [answer["order"] for answer in answers] == [["before 2", "before 1", "after 1", "after 2"]] * 2
    assert len({answer["made"] for answer in answers}) == 2
    assert len(_lines(function, "restored")) == 2


def test_the_log_tells_init_once_and_restore_for_every_environment(run):
    function = run({"app.py": "print('initialising')\ndef handler(event, context):\n    pass\n"}, **SNAP)
    function.snapshot.take()
    assert [message.split(" ")[0].split("\t")[0] for _, message in function.log] == [
        "INIT_START",
        "initialising\n",
        "INIT_REPORT",
    ]
    assert re.fullmatch(r"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\t\n", function.log[-1][1])
    result = function.invoke(b"{}")
    lines = [message for stream, message in function.log if stream != function.log[0][0]]
    assert re.fullmatch(
        r"RESTORE_START Runtime Version: python:\S+\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}\n",
        lines[0],
    )
    assert re.fullmatch(r"RESTORE_REPORT Restore Duration: \d+\.\d\d ms\n", lines[1])
    assert lines[2].startswith("START RequestId: ")
    report = re.fullmatch(
        r"REPORT RequestId: \S+\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tRestore Duration: ([\d.]+) ms\tBilled Restore Duration: (\d+) ms\t\n",
        lines[-1],
    )
    duration, billed, restore, billed_restore = (float(figure) for figure in report.groups())
    assert billed == -(-duration // 1) + billed_restore
    assert 0 < billed_restore <= restore + 1
    assert result.report.init_ms is None
    warm = function.invoke(b"{}")
    assert "Restore Duration" not in warm.report.line()
    assert len({stream for stream, _ in function.log}) == 2


def test_a_restore_is_five_times_faster_than_the_init_it_replaces(run):
    code = "import boto3\ns3 = boto3.client('s3', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='y')\n"
    code += "def handler(event, context):\n    return s3.meta.region_name\n"
    initialised = min(run({"app.py": code}, timeout=30).invoke(b"{}").report.init_ms for _ in range(2))
    restored = []
    for _ in range(3):
        function = run({"app.py": code}, **SNAP | {"timeout": 30})
        function.snapshot.take()
        result = function.invoke(b"{}")
        assert json.loads(result.payload) == "us-east-1"
        restored.append(result.report.restore_ms)
    assert min(restored) * 5 < initialised


def test_a_restored_environment_has_its_own_surroundings(run):
    function = run(
        {
            "app.py": """
import os, tempfile, time
folder = tempfile.gettempdir()
with open(os.path.join(folder, "made-in-init"), "w") as file:
    file.write("label")
initialization = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
os.environ["MINE"] = "kept"
def handler(event, context):
    found = sorted(os.listdir(folder))
    open(os.path.join(folder, "note"), "w").close()
    time.sleep(event.get("sleep", 0))
    api = os.environ["AWS_LAMBDA_RUNTIME_API"]
    names = [name for name in os.environ if "LOG_GROUP" in name or "LOG_STREAM" in name or "COLDSTART" in name]
    assert open(os.path.join(tempfile.gettempdir(), "made-in-init")).read() == "label"
    leader = os.getsid(0) == os.getpgid(0) == os.getpid()
    return [found, os.environ["TMPDIR"] == tempfile.gettempdir(), folder, api, names, initialization, context.log_stream_name, leader, os.environ["MINE"]]
"""
        },
        **SNAP,
    )
    first, second = _several(function, 2)
    if first[2] == "/tmp":  # where a machine allows functions a /tmp of their own
        assert first[0] == second[0] == ["made-in-init"]
    assert first[3] != second[3]
    assert first[1:2] + first[4:] == [True, [], "snap-start", None, True, "kept"]
    streams = {stream for stream, message in function.log if message.startswith("START")}
    assert len(streams) == 2


def test_network_connections_of_the_snapshot_are_closed_in_what_is_restored(run):
    """https://docs.aws.amazon.com/lambda/latest/dg/snapstart-best-practices.html: connections have to be made anew."""
    function = run(
        {
            "app.py": """
import socket
listener = socket.create_server(("127.0.0.1", 0))
connection = socket.create_connection(listener.getsockname())
def handler(event, context):
    return connection.recv(1).decode()
"""
        },
        **SNAP,
    )
    assert json.loads(function.invoke(b"{}").payload) == ""


def test_a_failing_before_snapshot_hook_fails_the_snapshot(run):
    code = "from snapshot_restore_py import register_before_snapshot\n@register_before_snapshot\ndef check():\n    raise ValueError('not yet')\n"
    function = run({"app.py": code + "def handler(event, context):\n    return 1\n"}, **SNAP)
    with pytest.raises(SnapshotFailed) as failed:
        function.snapshot.take()
    assert failed.value.reason_code == "FunctionError.RuntimeInitError"
    assert json.loads(failed.value.document)["errorMessage"] == "not yet"
    [report] = _lines(function, "INIT_REPORT")
    assert "\tPhase: init\tStatus: error\tError Type: Runtime.BeforeSnapshotError" in report
    assert _lines(function, "[ERROR] ValueError: not yet")


def test_a_failing_after_restore_hook_fails_the_invocation(run):
    """Invoke's SnapStartException; RESTORE_REPORT as on the lifecycle page."""
    code = "from snapshot_restore_py import register_after_restore\n@register_after_restore\ndef check():\n    raise ValueError('no link')\n"
    function = run({"app.py": code + "def handler(event, context):\n    return 1\n"}, **SNAP)
    with pytest.raises(RestoreFailed) as failed:
        function.invoke(b"{}")
    assert (failed.value.status, failed.value.code) == (400, "SnapStartException")
    [report] = _lines(function, "RESTORE_REPORT")
    assert report.endswith(" ms\tStatus: error\tError Type: Runtime.ExitError\n")
    assert _lines(function, "[ERROR] ValueError: no link")


def test_an_after_restore_hook_has_ten_seconds(run, monkeypatch):
    assert execution_environment.RESTORE_LIMIT_SECONDS == 10
    monkeypatch.setattr(execution_environment, "RESTORE_LIMIT_SECONDS", 0.3)
    code = (
        "import time\nfrom snapshot_restore_py import register_after_restore\nregister_after_restore(time.sleep, 60)\n"
    )
    function = run({"app.py": code + "def handler(event, context):\n    return 1\n"}, **SNAP)
    with pytest.raises(RestoreFailed) as failed:
        function.invoke(b"{}")
    assert (failed.value.status, failed.value.code) == (408, "SnapStartTimeoutException")
    [report] = _lines(function, "RESTORE_REPORT")
    assert report.endswith(" ms\tStatus: timeout\n")


def test_after_a_crash_the_environment_is_restored_again(run):
    function = run(
        {
            "app.py": "import os, uuid\nmade = str(uuid.uuid4())\ndef handler(event, context):\n    if event: os._exit(3)\n    return made\n"
        },
        **SNAP,
    )
    before = function.invoke(b"{}").payload
    assert json.loads(function.invoke(b'{"crash": 1}').payload)["errorMessage"].endswith("exit status 3")
    again = function.invoke(b"{}")
    assert again.payload == before
    assert again.report.restore_ms is not None
    assert len(_lines(function, "INIT_START")) == 1


def test_a_snapshot_that_was_killed_is_taken_again(run):
    function = run(
        {"app.py": "import os\npid = os.getpid()\ndef handler(event, context):\n    return [pid, os.getpid()]\n"},
        **SNAP,
    )
    others = psutil.Process().children(recursive=True)
    function.snapshot.take()
    [snapshot] = [
        child
        for child in psutil.Process().children(recursive=True)
        if child not in others and child.ppid() != os.getpid()  # that one starts the functions' processes
    ]
    snapshot.kill()
    psutil.wait_procs([snapshot], timeout=10)
    pid_in_init, own = json.loads(function.invoke(b"{}").payload)
    assert pid_in_init != own
    assert len(_lines(function, "INIT_START")) == 2


def test_restored_processes_are_the_launchers_and_end_with_the_function(run):
    function = run({"app.py": "import os\ndef handler(event, context):\n    return os.getpid()\n"}, **SNAP)
    process = psutil.Process(json.loads(function.invoke(b"{}").payload))
    assert any("launcher.py" in part for part in process.parent().cmdline())
    deadline = time.monotonic() + 5
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < deadline:
        pass  # a signal takes its time on a busy machine
    assert process.status() == psutil.STATUS_STOPPED
    family = process.parent().children()
    assert len(family) == 2
    function.retire()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def _publish(function, local_aws):
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    local_aws.settle()
    return version, function.client.get_function_configuration(FunctionName=function.name, Qualifier=version)


ON = {"SnapStart": {"ApplyOn": "PublishedVersions"}}


def test_a_published_version_is_snapped_and_latest_is_not(deploy, local_aws):
    function = deploy("import uuid\nmade = str(uuid.uuid4())\ndef handler(event, context):\n    return made\n", **ON)
    version, configuration = _publish(function, local_aws)
    assert configuration["State"] == "Active"
    assert configuration["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert [line.split(" ")[0] for line in function.lines()] == ["INIT_START", "INIT_REPORT"]
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    response = function.invoke(Qualifier="live", LogType="Tail")
    assert response["ExecutedVersion"] == version
    assert response["Payload"] != function.invoke()["Payload"]
    reports = [line for line in function.lines() if line.startswith("REPORT")]
    assert ["Restore Duration" in report for report in reports] == [True, False]
    assert ["Init Duration" in report for report in reports] == [False, True]


def test_a_version_whose_snapshot_fails_cannot_be_invoked(deploy, local_aws):
    code = "from snapshot_restore_py import register_before_snapshot\n@register_before_snapshot\ndef check():\n    raise ValueError('not yet')\n"
    function = deploy(code + "def handler(event, context):\n    return 1\n", **ON)
    version, configuration = _publish(function, local_aws)
    assert configuration["State"] == "Failed"
    assert configuration["StateReasonCode"] == "FunctionError.RuntimeInitError"
    assert "not yet" in configuration["StateReason"]
    with pytest.raises(ClientError):
        function.invoke(Qualifier=version)
    assert function.invoke()["Payload"] == 1


def test_a_restore_that_fails_is_an_error_of_invokes(deploy, local_aws):
    code = "from snapshot_restore_py import register_after_restore\n@register_after_restore\ndef check():\n    raise ValueError('no link')\n"
    function = deploy(code + "def handler(event, context):\n    return 1\n", **ON)
    version, _ = _publish(function, local_aws)
    with pytest.raises(function.client.exceptions.SnapStartException):
        function.invoke(Qualifier=version)


def test_a_client_of_the_snapshot_works_in_what_is_restored(deploy, local_aws):
    boto3.client("dynamodb").create_table(
        TableName="snapped-parcels",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    function = deploy(
        """
import boto3
client = boto3.client("dynamodb")
tables = client.list_tables()["TableNames"]  # opens a connection, which the restored environments find closed
def handler(event, context):
    client.put_item(TableName="snapped-parcels", Item={"id": {"S": event["id"]}})
    return tables
""",
        Timeout=20,
        **ON,
    )
    version, _ = _publish(function, local_aws)
    threads = [
        threading.Thread(target=function.invoke, args=({"id": str(number)},), kwargs={"Qualifier": version})
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert boto3.client("dynamodb").scan(TableName="snapped-parcels")["Count"] == 4
