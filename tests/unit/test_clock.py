"""The cloud's clock: things happen in order, when they are due, and advance() returns when they have happened."""

import threading
from contextvars import ContextVar

import pytest

from coldstart.runtime.clock import Clock, NotSettled, WorkFailed


def test_advance_does_what_becomes_due_in_order_and_at_its_own_time() -> None:
    clock, happened = Clock(), []
    start = clock.now()
    for minutes in (3, 1, 2):
        clock.after(minutes * 60, lambda minutes=minutes: happened.append((minutes, round((clock.now() - start) / 60))))
    clock.advance(minutes=2)
    assert happened == [(1, 1), (2, 2)]
    clock.advance(minutes=1)
    assert happened[-1] == (3, 3)


def test_what_comes_of_a_thing_happens_too() -> None:
    clock, happened = Clock(), []

    def retry() -> None:
        happened.append("first")
        clock.after(60, lambda: happened.append("second"))

    clock.after(60, retry)
    clock.advance(minutes=3)
    assert happened == ["first", "second"]


def test_a_schedule_fires_once_for_each_of_its_times() -> None:
    clock, times = Clock(), []
    start = clock.now()

    def tick(due: float) -> None:
        times.append(round(clock.now() - start))
        clock.at(due + 60, lambda: tick(due + 60))

    clock.at(start + 60, lambda: tick(start + 60))
    clock.advance(minutes=5.5)
    assert times == [60, 120, 180, 240, 300]


def test_a_cancelled_timer_never_happens() -> None:
    clock, happened = Clock(), []
    clock.after(1, lambda: happened.append("no")).cancel()
    clock.advance(seconds=2)
    assert happened == []


def test_settle_waits_for_work_and_for_what_the_work_starts() -> None:
    clock, gate, happened = Clock(), threading.Event(), []

    def work() -> None:
        gate.wait(10)
        clock.work(lambda: happened.append("done"))

    clock.work(work)
    clock.work(gate.set)
    clock.settle()
    assert happened == ["done"]


def test_things_happen_as_real_time_passes() -> None:
    clock, happened = Clock(), threading.Event()
    clock.after(0.01, happened.set)
    assert happened.wait(10)


def test_work_that_never_ends_is_named() -> None:
    clock, gate = Clock(), threading.Event()
    clock.work(gate.wait, name="the worker of orders")
    with pytest.raises(NotSettled, match="the worker of orders"):
        clock.settle(timeout=0.05)
    gate.set()


def test_an_error_in_work_is_told_and_does_not_stop_the_clock() -> None:
    clock, happened = Clock(), []
    clock.after(1, lambda: 1 / 0, name="a division")
    clock.after(2, lambda: happened.append("after it"))
    with pytest.raises(WorkFailed, match="a division: ZeroDivisionError: division by zero"):
        clock.advance(seconds=3)
    assert happened == ["after it"]
    clock.settle()


def test_time_never_goes_backwards() -> None:
    with pytest.raises(ValueError, match="only goes forward"):
        Clock().advance(minutes=-1)


def test_a_stopped_clock_forgets() -> None:
    clock, happened = Clock(), []
    clock.after(0.02, lambda: happened.append("late"))
    clock.stop()
    clock.advance(seconds=1)
    assert happened == []


def test_work_runs_in_the_context_of_whoever_asked_for_it() -> None:
    clock, seen = Clock(), []
    variable: ContextVar[str] = ContextVar("variable", default="nobody's")
    token = variable.set("mine")
    clock.work(lambda: seen.append(variable.get()))
    clock.after(5, lambda: seen.append(variable.get()))
    variable.reset(token)
    clock.advance(seconds=6)
    assert seen == ["mine", "mine"]
