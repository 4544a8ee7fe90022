"""How long the first invocation of a new execution environment takes through boto3."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import boto3

from benchmarks.findings import Contestant, Finding, taking_turns
from benchmarks.local_functions import ECHO, DeployedFunction, create_function, create_role, local_aws
from benchmarks.peers import MiniStack, PythonLambdaLocal, RuntimeInterfaceEmulator, ServerlessOffline
from benchmarks.peers.guests import Guests

_SLOW_ROUNDS = 5
"""serverless-offline takes seconds to start, so it takes part in one round of so many."""


def measure(guests: Guests, rounds: int) -> Finding:
    """Make every invocation a cold one, everywhere in turn."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(local_aws())
        function = create_function(boto3.client("lambda"), "cold", ECHO, Role=create_role())
        contestants: dict[str, Contestant] = {"ours": _after_a_change(function)}
        if rie := guests.peer(RuntimeInterfaceEmulator):
            contestants[rie.name] = _after_a_restart(lambda: rie.running(ECHO))
        if ministack := guests.join(stack, MiniStack, MiniStack.running):
            contestants[MiniStack.name] = _after_a_change(ministack.deploy("cold", ECHO))
        if offline := guests.peer(ServerlessOffline):
            contestants[offline.name] = _now_and_then(_after_a_restart(lambda: offline.running(ECHO)))
        if forking := guests.join(stack, PythonLambdaLocal, lambda peer: peer.running(ECHO)):
            contestants[PythonLambdaLocal.name] = forking
        finding = Finding(
            "A cold invocation through boto3: a new execution environment",
            taking_turns(contestants, rounds=rounds, block=1),
        )
    finding.notes.append("python-lambda-local forks a process with the handler already imported: it has no init.")
    finding.faster_than(RuntimeInterfaceEmulator.name, 1, "cold through boto3, no slower than RIE + awslambdaric")
    return finding


def _after_a_change(function: DeployedFunction) -> Contestant:
    """Change the function's configuration before each invocation; the change itself is not measured."""
    starts = itertools.count()

    def run(times: int) -> Iterator[float]:
        for _ in range(times):
            function.start_cold(next(starts))
            yield _seconds_of_one(function)

    return run


def _after_a_restart(running: Callable[[], AbstractContextManager[DeployedFunction]]) -> Contestant:
    """Start the peer before each invocation; its own start is not measured, only that of the function."""

    def run(times: int) -> Iterator[float]:
        for _ in range(times):
            with running() as function:
                yield _seconds_of_one(function)

    return run


def _now_and_then(contestant: Contestant) -> Contestant:
    turns = itertools.count()

    def run(times: int) -> Iterator[float]:
        if next(turns) % _SLOW_ROUNDS == 0:
            yield from contestant(times)

    return run


def _seconds_of_one(function: DeployedFunction) -> float:
    started = time.perf_counter()
    function.echo()
    return time.perf_counter() - started
