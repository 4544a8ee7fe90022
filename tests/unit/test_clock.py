"""The cloud's clock: things happen in order, when they are due, and advance() returns when they have happened."""

import gc
import threading
import weakref
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
    with pytest.raises(WorkFailed, match="a division: ZeroDivisionError: division by zero") as raised:
        clock.advance(seconds=3)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert happened == ["after it"]
    clock.settle()


def test_an_error_in_work_is_logged_when_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    clock.after(1, lambda: 1 / 0, name="a division")
    with pytest.raises(WorkFailed):
        clock.advance(seconds=1)
    (record,) = [record for record in caplog.records if record.name == "coldstart.runtime.clock"]
    assert "a division" in record.message
    assert record.exc_info is not None


def test_a_chain_of_delays_ends_within_their_sum_however_long_its_links_take() -> None:
    """Two retries, after one and two minutes, have both happened when three minutes have passed."""
    clock, happened = Clock(), []
    busy = threading.Event()

    def attempt(delays: tuple[int, ...]) -> None:
        busy.wait(0.02)
        happened.append(len(delays))
        if delays:
            clock.after(delays[0], lambda: attempt(delays[1:]))

    clock.work(lambda: attempt((60, 120)))
    clock.settle()
    clock.advance(minutes=3)
    assert happened == [2, 1, 0]


def test_advance_moves_the_time_by_what_was_asked() -> None:
    clock = Clock()
    clock.after(30, lambda: None)
    clock.advance(minutes=1)
    clock.advance(hours=1)
    assert clock.ahead == pytest.approx(3660)


def test_a_cancelled_timer_holds_on_to_nothing() -> None:
    class Environment:
        def shut_down(self) -> None:
            pass

    clock, environment = Clock(), Environment()
    timer = clock.after(900, environment.shut_down)
    alive = weakref.ref(environment)
    timer.cancel()
    del environment
    gc.collect()
    assert alive() is None
    clock.stop()


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


def test_work_in_somebody_elses_thread_is_waited_for():
    clock, told = Clock(), []
    end = clock.begin("a state machine")

    def run() -> None:
        told.append("done")
        end()

    with pytest.raises(NotSettled, match="a state machine"):
        clock.settle(timeout=0.05)
    threading.Thread(target=run).start()
    clock.settle()
    assert told == ["done"]
    end()  # once more does nothing
    clock.settle()
