"""Environments that nobody needs go, on the cloud's clock.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: environments are kept "for some time" and replaced
"every few hours"; AWS publishes no numbers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psutil

from coldstart.runtime.function import IDLE_SECONDS, LIFETIME_SECONDS

WHO = "import os\ndef handler(event, context):\n    return os.getpid()\n"


def process_of(function):
    return psutil.Process(function.invoke()["Payload"])


def test_an_environment_that_is_idle_for_long_is_shut_down(deploy, local_aws):
    function = deploy(WHO)
    process = process_of(function)
    local_aws.clock.advance(seconds=IDLE_SECONDS - 30)
    assert process.is_running()
    local_aws.clock.advance(seconds=31)
    assert not process.is_running()
    assert process_of(function) != process
    kinds = [phase.kind for phase in local_aws._host.record.phases(function.name)]
    assert kinds == ["init", "invoke", "shutdown", "init", "invoke"]


def test_an_invocation_in_time_keeps_it(deploy, local_aws):
    function = deploy(WHO)
    process = process_of(function)
    for _ in range(4):
        local_aws.clock.advance(seconds=IDLE_SECONDS * 0.75)
        assert process_of(function) == process


def test_only_those_go_that_were_idle(deploy, local_aws):
    """The environment that was used last is used first, so the others become idle when the load goes down."""
    function = deploy("import os, time\ndef handler(event, context):\n    time.sleep(0.3)\n    return os.getpid()\n")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: process_of(function), range(2))
    assert first != second
    local_aws.clock.advance(seconds=IDLE_SECONDS * 0.75)
    kept = process_of(function)
    local_aws.clock.advance(seconds=IDLE_SECONDS * 0.75)
    assert kept.is_running()
    assert sorted([first.is_running(), second.is_running()]) == [False, True]


def test_an_environment_in_use_is_replaced_after_some_hours(deploy, local_aws):
    function = deploy(WHO)
    process = process_of(function)
    passed = 0.0
    while passed < LIFETIME_SECONDS:
        assert process_of(function) == process
        local_aws.clock.advance(seconds=IDLE_SECONDS * 0.9)
        passed += IDLE_SECONDS * 0.9
    assert function.invoke()["Payload"] == process.pid  # its last invocation
    local_aws.clock.settle()
    assert not process.is_running()
    assert process_of(function) != process
