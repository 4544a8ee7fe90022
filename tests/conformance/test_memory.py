"""A function that uses more memory than it has is killed. lambda-facts 4.3 and 4.5: REPORT and payload as recorded from AWS.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

from __future__ import annotations

import re

import pytest

HOARD = """
import os, time
kept = []
def handler(event, context):
    if event.get("child"):
        child = os.fork()
        if not child:
            hold(event["child"])
            time.sleep(60)
    hold(event.get("mb", 0))
    while event.get("child"):
        time.sleep(0.1)
    return len(kept)

def hold(mb):
    try:
        for _ in range(mb):
            kept.append(bytearray(os.urandom(1024)) * 1024)
    except MemoryError:
        print("MemoryError")
"""


def report_of(function, response):
    request_id = response["ResponseMetadata"]["RequestId"]
    return next(line for line in function.lines() if line.startswith(f"REPORT RequestId: {request_id}"))


def max_memory_used(report):
    return int(re.search(r"\tMax Memory Used: (\d+) MB\t", report)[1])


def test_a_function_that_takes_more_than_it_has_is_killed(deploy):
    function = deploy(HOARD, MemorySize=128, Timeout=20)
    assert function.invoke({"mb": 20})["Payload"] == 20
    failed = function.invoke({"mb": 300})
    request_id = failed["ResponseMetadata"]["RequestId"]
    assert failed["StatusCode"] == 200
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"] == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: signal: killed",
    }
    report = report_of(function, failed)
    assert "\tMax Memory Used: 128 MB\t" in report
    assert "\tStatus: error\tError Type: Runtime.OutOfMemory\t" in report
    assert not any("MemoryError" in line for line in function.lines())
    assert function.invoke({"mb": 1})["Payload"] == 1  # a new process, with a new module


def test_the_same_fits_into_a_larger_function(deploy):
    function = deploy(HOARD, MemorySize=512, Timeout=20)
    response = function.invoke({"mb": 300})
    assert response["Payload"] == 300
    assert 300 <= max_memory_used(report_of(function, response)) <= 400


def test_max_memory_used_is_what_the_function_has_used_at_most_so_far(deploy):
    function = deploy(
        "def handler(event, context):\n    x = bytearray(b'x' * 1024) * 1024 * event['mb']\n", MemorySize=256
    )
    used = [max_memory_used(report_of(function, function.invoke({"mb": mb}))) for mb in (1, 100, 1)]
    assert used[0] < 60
    assert used[1] >= 100
    assert used[2] == used[1]


def test_the_processes_that_a_function_starts_count(deploy):
    function = deploy(HOARD, MemorySize=256, Timeout=20)
    failed = function.invoke({"mb": 150, "child": 150})
    assert "Error Type: Runtime.OutOfMemory" in report_of(function, failed)


def test_pages_that_processes_share_count_once(deploy):
    function = deploy(
        """
import os, time
shared = bytearray(os.urandom(1024)) * 1024 * 70
def handler(event, context):
    for _ in range(3):
        child = os.fork()
        if not child:
            time.sleep(0.3)
            os._exit(0)
    for _ in range(3):
        os.wait()
    return "fits"
""",
        MemorySize=128,
    )
    assert function.invoke()["Payload"] == "fits"


@pytest.mark.parametrize("where", ["init", "invoke"])
def test_an_init_that_takes_too_much_fails_as_out_of_memory(deploy, where):
    function = deploy(
        "import os\nkept = bytearray(os.urandom(1024)) * 1024 * 300\ndef handler(event, context): pass\n",
        MemorySize=128,
        Timeout=10,
    )
    failed = function.invoke()
    assert failed["Payload"]["errorMessage"].endswith("Runtime exited with error: signal: killed")
    reports = [line for line in function.lines() if line.startswith("INIT_REPORT") and f"Phase: {where}" in line]
    assert len(reports) == 1
    assert "Error Type: Runtime.OutOfMemory" in reports[0]
