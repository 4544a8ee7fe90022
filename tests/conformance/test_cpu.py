"""CPU in proportion to memory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: 1,769 MB are one vCPU.

Measured is the CPU time that the function's own processes get in a second, not how long something takes: that would depend
on what else this machine does.
"""

from __future__ import annotations

import statistics

import pytest

pytestmark = pytest.mark.idle

LOOP = """
import os, resource, time
started, used = time.monotonic(), time.process_time()
while time.monotonic() - started < {init}:
    pass
init_share = (time.process_time() - used) / max(time.monotonic() - started, 1e-9)

def loop(seconds):
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        pass

def cpu():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime

def handler(event, context):
    if event.get("init"):
        return init_share
    started, before = time.monotonic(), cpu()
    children = []
    for _ in range(event.get("children", 0)):
        child = os.fork()
        if not child:
            if event.get("leave"):
                os.setsid()
            loop(event["seconds"])
            os._exit(0)
        children.append(child)
    loop(event["seconds"])
    for child in children:
        os.waitpid(child, 0)
    return (cpu() - before) / (time.monotonic() - started)
"""
"""Returns CPU seconds per second."""


ATTEMPTS = 10
"""How often to measure: the machine may be busy with something else, and then nobody gets a whole share."""


def shares(function, **event):
    """CPU seconds per second in one invocation after the other."""
    for _ in range(ATTEMPTS):
        yield function.invoke(event)["Payload"]


def assert_gets(function, share, error, **event):
    """It never gets more than its share, and on a machine that has the time it gets all of it."""
    best = 0.0
    for measured in shares(function, **event):
        assert measured <= share * (1 + error)
        best = max(best, measured)
        if best >= share * (1 - error):
            return
    pytest.fail(f"of a share of {share:.3f} it got {best:.3f} at best")


@pytest.mark.parametrize("memory", [128, 512, 1024])
def test_a_function_gets_cpu_in_proportion_to_its_memory(deploy, memory):
    function = deploy(LOOP.format(init=0), MemorySize=memory, Timeout=10)
    assert_gets(function, memory / 1769, 0.05, seconds=1.5)


def test_one_vcpu_is_not_slowed_down(deploy):
    slow = deploy(LOOP.format(init=0), MemorySize=128, Timeout=10)
    fast = deploy(LOOP.format(init=0), MemorySize=1769, Timeout=10)
    most = max(share for share, _ in zip(shares(slow, seconds=1), range(2), strict=False))
    assert any(share > 5 * most for share in shares(fast, seconds=0.5))


def test_the_init_phase_runs_at_full_speed(deploy):
    """lambda-facts: init durations do not depend on memory."""
    inits = (deploy(LOOP.format(init=0.3), MemorySize=128).invoke({"init": True})["Payload"] for _ in range(ATTEMPTS))
    assert any(share > 4 * 128 / 1769 for share in inits)


@pytest.mark.parametrize("leave", [False, True])
def test_what_a_function_starts_shares_its_cpu(deploy, leave):
    function = deploy(LOOP.format(init=0), MemorySize=512, Timeout=10)
    assert_gets(function, 512 / 1769, 0.1, seconds=1, children=2, leave=leave)


def test_a_short_invocation_is_not_slowed_down(deploy):
    """A job shorter than a period's quota runs at full speed whatever the memory (arXiv 2506.01283)."""
    function = deploy("def handler(event, context):\n    return event\n", MemorySize=128)
    responses = [function.invoke(LogType="Tail") for _ in range(30)]
    assert all(response["StatusCode"] == 200 for response in responses)
    durations = [
        float(line.split("Duration: ")[1].split(" ")[0]) for line in function.lines() if line.startswith("REPORT")
    ]
    assert statistics.quantiles(durations, n=4)[0] < 10


def test_a_waiting_function_keeps_its_quota_and_answers_in_time(deploy):
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(0.3)\n    return 'done'\n")
    assert function.invoke()["Payload"] == "done"
    report = next(line for line in function.lines() if line.startswith("REPORT"))
    assert 300 <= float(report.split("\tDuration: ")[1].split(" ")[0]) < 1000
