"""Whether many invocations all come back, how fast, and what they leave behind: at once, and one after the other."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.findings import Bar, Finding, Timings
from benchmarks.local_functions import ECHO, DeployedFunction, create_function, create_role, local_aws
from benchmarks.peers import MiniStack
from benchmarks.peers.guests import Guests
from benchmarks.resources import Held, held, left_since, resident_mb

AT_ONCE = 1_000
ENVIRONMENTS = 50
STEP = 1_000
"""The log is deleted after so many, as an account's retention would: what it holds is the learner's, not a leak."""
MOST_GROWTH_MB = 5

_SLOW = """
import os, time

def handler(event, context):
    time.sleep(0.02)
    return {"order": event["order"], "process": os.getpid()}
"""
_SETTINGS = {"max_pool_connections": ENVIRONMENTS, "retries": {"total_max_attempts": 1}, "read_timeout": 120}


def at_once(guests: Guests, rounds: int) -> Finding:
    """Invoke a thousand times, fifty at a time, `rounds` times."""
    finding = Finding(f"{AT_ONCE:,} invocations by {ENVIRONMENTS} callers at once; the handler takes 20 ms")
    with contextlib.ExitStack() as stack:
        stack.enter_context(local_aws())
        role, client = create_role(), boto3.client("lambda", config=Config(**_SETTINGS))
        _come_and_go(client, role)
        before = held()
        function = create_function(client, "at-once", _SLOW, Role=role)
        lost = sum(_by_many_callers(finding, "ours", function) for _ in range(rounds))
        client.delete_function(FunctionName="at-once")
        client.close()
        left = left_since(before)
        if ministack := guests.join(stack, MiniStack, MiniStack.running):
            theirs = create_function(ministack.client("lambda", **_SETTINGS), "at-once", _SLOW)
            _by_many_callers(finding, MiniStack.name, theirs)
    finding.notes.append("RIE does not take part: a second invocation at the same time ends it.")
    finding.bars.append(
        Bar(f"lost of {rounds * AT_ONCE:,} invocations, {ENVIRONMENTS} at once", lost, 0, at_least=False)
    )
    _hold_to_nothing_left(finding, left, f"{ENVIRONMENTS} environments")
    return finding


def in_a_row(guests: Guests, rounds: int) -> Finding:
    """Invoke `rounds` thousand times, one after the other, and watch the memory."""
    finding = Finding("Invocations one after the other")
    with local_aws():
        role, client = create_role(), boto3.client("lambda")
        _come_and_go(client, role)
        before = held()
        function = create_function(client, "in-a-row", ECHO, Role=role)
        growth = _one_after_the_other(finding, function, rounds)
        client.delete_function(FunctionName="in-a-row")
        client.close()
        left = left_since(before)
    count = f"{rounds * STEP:,} invocations in a row"
    finding.bars.append(Bar(f"growth of memory in {count}", growth, MOST_GROWTH_MB, " MB", at_least=False))
    _hold_to_nothing_left(finding, left, count)
    return finding


def _hold_to_nothing_left(finding: Finding, left: Held, after: str) -> None:
    for what, number in left._asdict().items():
        finding.bars.append(Bar(f"{what} left after {after}", number, 0, at_least=False))


def _come_and_go(client: Any, role: str) -> None:
    """Let everything be loaded that a first function loads."""
    create_function(client, "first", ECHO, Role=role).echo()
    client.delete_function(FunctionName="first")


def _by_many_callers(finding: Finding, who: str, function: DeployedFunction) -> int:
    """Return how many invocations did not come back, or with another's answer."""

    def invoke(order: int) -> tuple[int, int, float]:
        started = time.perf_counter()
        answer = json.loads(function.invoke(json.dumps({"order": order}).encode()))
        return answer["order"], answer["process"], time.perf_counter() - started

    began = time.perf_counter()
    with ThreadPoolExecutor(ENVIRONMENTS) as callers:
        answers = list(callers.map(_or_nothing(invoke), range(AT_ONCE)))
    elapsed = time.perf_counter() - began
    right = [answer for order, answer in enumerate(answers) if answer and answer[0] == order]
    lost = AT_ONCE - len(right)
    finding.timings.append(Timings(who, [seconds for _, _, seconds in right]))
    processes = len({process for _, process, _ in right})
    finding.notes.append(
        f"{who}: {elapsed:.1f} s in all, {len(right) / elapsed:,.0f} a second, {processes} execution environments, {lost} lost."
    )
    return lost


def _or_nothing(invoke: Any) -> Any:
    def attempt(order: int) -> Any:
        try:
            return invoke(order)
        except Exception:
            return None

    return attempt


def _one_after_the_other(finding: Finding, function: DeployedFunction, thousands: int) -> float:
    """Return by how many MB the memory grew after the first thousand."""
    logs = boto3.client("logs")
    resident: list[float] = []
    seconds: list[float] = []
    for _ in range(thousands):
        for _ in range(STEP):
            started = time.perf_counter()
            function.echo()
            seconds.append(time.perf_counter() - started)
        logs.delete_log_group(logGroupName=f"/aws/lambda/{function.name}")
        resident.append(resident_mb())
    logs.close()
    finding.timings.append(Timings("ours", seconds))
    finding.notes.append(f"Memory in MB after each thousand in a row: {', '.join(f'{mb:.1f}' for mb in resident)}.")
    return max(0.0, resident[-1] - resident[0])
