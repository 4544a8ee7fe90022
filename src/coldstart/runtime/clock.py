"""The cloud's clock: the one source of time, and of everything that happens later.

Log lines, retries after minutes, visibility timeouts, batching windows, schedules and evictions follow it. It runs with the
machine's clock until somebody moves it: :meth:`Clock.advance` makes due what would be due by then, in order, and waits until
it has happened. Lessons move the clock instead of waiting.
"""

from __future__ import annotations

import contextvars
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_logger = logging.getLogger(__name__)

SETTLE_SECONDS = 60.0
"""How long :meth:`Clock.settle` and :meth:`Clock.advance` wait for work that makes no progress, in real seconds."""


class WorkFailed(RuntimeError):
    """Work that the cloud does in the background has failed, which is a fault of the cloud's; the message says what and how."""


class NotSettled(RuntimeError):
    """Work that the cloud does in the background has not ended in time; the message names it."""


@dataclass(order=True)
class Timer:
    """Something that happens at a time on the cloud's clock, unless it is cancelled before."""

    due: float
    """Seconds since the epoch, on the cloud's clock."""
    _order: int
    _action: Callable[[], object] = field(compare=False)
    _context: contextvars.Context = field(compare=False)
    name: str = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not let it happen, and hold on to nothing that it needed. Does nothing when it has happened already."""
        self.is_cancelled = True
        self._action = _nothing


def _nothing() -> None:
    pass


class Clock:
    """Tells the cloud's time, and does things when their time has come.

    Everything that is done runs in a thread of its own, in the context (:mod:`contextvars`) of whoever asked for it. Nobody waits
    for it, so an error in it is logged when it happens, and the next :meth:`settle` or :meth:`advance` raises it.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        self._changed = threading.Condition()
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._working: dict[int, str] = {}
        self._is_moved = threading.RLock()
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._failures: list[tuple[str, Exception]] = []

    def now(self) -> float:
        """Return the cloud's time in seconds since the epoch."""
        return time.time() + self._ahead

    def now_ms(self) -> int:
        """Return the cloud's time in whole milliseconds since the epoch, as CloudWatch Logs counts."""
        return int(self.now() * 1000)

    @property
    def ahead(self) -> float:
        """How far the cloud's time is ahead of the machine's, in seconds."""
        return self._ahead

    def at(self, due: float, action: Callable[[], object], name: str = "") -> Timer:
        """Do something at a time on the cloud's clock (seconds since the epoch); at once when it has passed."""
        name = name or getattr(action, "__qualname__", "something")
        timer = Timer(due, next(self._order), action, contextvars.copy_context(), name)
        with self._changed:
            heapq.heappush(self._timers, timer)
            self._watch_time()
            self._changed.notify_all()
        return timer

    def after(self, seconds: float, action: Callable[[], object], name: str = "") -> Timer:
        """Do something so many seconds from now on the cloud's clock."""
        return self.at(self.now() + seconds, action, name)

    def work(self, action: Callable[[], object], name: str = "") -> None:
        """Do something now, in the background; :meth:`settle` waits for its end."""
        self._start(action, name, contextvars.copy_context())

    def _do(self, timer: Timer) -> None:
        self._start(timer._action, timer.name, timer._context)

    def _start(self, action: Callable[[], object], name: str, context: contextvars.Context) -> None:
        if self._is_stopped:
            return
        name = name or getattr(action, "__qualname__", "something")
        end = self.begin(name)

        def run() -> None:
            try:
                context.copy().run(action)
            except Exception as error:
                self._keep(name, error)
            finally:
                end()

        self._in_background(run)

    def do_within(self, timeout: float, action: Callable[[], object], name: str = "") -> bool:
        """Do something now and wait for its end; return False when that has not come after so many real seconds.

        It then goes on in the background. It has to keep its errors to itself.
        """
        is_done = threading.Event()

        def run() -> None:
            action()
            is_done.set()

        self.work(run, name)
        return is_done.wait(timeout)

    def begin(self, name: str) -> Callable[[], None]:
        """Count something that is done in a thread of somebody else's as work, until what this returns is called."""
        number = next(self._order)
        with self._changed:
            self._working[number] = name

        def end() -> None:
            with self._changed:
                self._working.pop(number, None)
                self._changed.notify_all()

        return end

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Return when all that is due by now has been done, with what came of it.

        Args:
            timeout: real seconds to wait for each piece of work.

        Raises:
            NotSettled: something did not end in time; it goes on nevertheless.
            WorkFailed: something failed since this was asked last.
        """
        with self._is_moved:
            while True:
                self._wait_for_work(timeout)
                timer = self._take_due(self.now())
                if timer is None:
                    break
                self._do(timer)
        self._raise_failures()

    def advance(
        self,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        timeout: float = SETTLE_SECONDS,
    ) -> None:
        """Move the cloud's time forward; what becomes due on the way is done in order, each when it is due.

        Returns when all of it, and what came of it, is done. The machine's own time passes meanwhile, and the cloud's with it:
        a retry two minutes after a failure happens on the way through two minutes, however long its forerunners took.

        Raises:
            ValueError: the time would go backwards.
            NotSettled: something did not end in time; it goes on nevertheless, and the time stays at what was reached.
            WorkFailed: something failed since this was asked last; the time has been moved nevertheless.
        """
        span = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        if span < 0:
            raise ValueError(f"The cloud's time only goes forward; {span:g} seconds would be backwards.")
        with self._is_moved:
            self._wait_for_work(timeout)
            target = self._ahead + span
            while timer := self._take_due(time.time() + target):
                self._ahead += max(0.0, timer.due - self.now())
                self._do(timer)
                self._wait_for_work(timeout)
            self._ahead = max(self._ahead, target)
        self._raise_failures()

    def stop(self) -> None:
        """Forget everything that was to happen; what is being done goes on to its end."""
        with self._changed:
            self._is_stopped = True
            self._timers.clear()
            self._changed.notify_all()

    def _keep(self, name: str, error: Exception) -> None:
        with self._changed:
            if self._is_stopped:  # what it needed is gone with the cloud
                return
            self._failures.append((name, error))
        _logger.error("The cloud's work failed: %s", name, exc_info=error)

    def _raise_failures(self) -> None:
        with self._changed:
            failures, self._failures = self._failures, []
        if failures:
            told = "; ".join(f"{name}: {type(error).__name__}: {error}" for name, error in failures)
            raise WorkFailed(told) from failures[0][1]

    def _take_due(self, until: float) -> Timer | None:
        with self._changed:
            while self._timers and (self._timers[0].is_cancelled or self._timers[0].due <= until):
                timer = heapq.heappop(self._timers)
                if not timer.is_cancelled:
                    return timer
        return None

    def _wait_for_work(self, timeout: float) -> None:
        with self._changed:
            while self._working:
                before = set(self._working)
                self._changed.wait_for(lambda before=before: not before <= self._working.keys(), timeout)  # type: ignore[misc]
                if before <= self._working.keys():
                    names = ", ".join(sorted(set(self._working.values())))
                    raise NotSettled(f"Still at work after {timeout:g} seconds: {names}.")

    def _in_background(self, run: Callable[[], None]) -> None:
        threading.Thread(target=run, name="coldstart-work", daemon=True).start()

    def _watch_time(self) -> None:
        if self._thread is None and not self._is_stopped:
            self._thread = threading.Thread(target=self._run, name="coldstart-clock", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        """Let things happen as the machine's own time passes, while nobody moves the clock."""
        while not self._is_stopped:
            with self._changed:
                if not self._timers:
                    self._changed.wait()
                    continue
                remaining = self._timers[0].due - self.now()
                if remaining > 0:
                    self._changed.wait(min(remaining, threading.TIMEOUT_MAX))
                    continue
            with self._is_moved:
                timer = self._take_due(self.now())
                if timer is not None:
                    self._do(timer)
