"""The cloud's clock where there are no threads: what is due is done when somebody asks for it.

Whoever calls the local AWS, settles it or moves its time lets it do, before anything else, what has become due.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from coldstart.runtime.clock import Clock


class InlineClock(Clock):
    """Does one thing after the other, each in :meth:`settle`, :meth:`advance` or :meth:`catch_up`."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_at_work = False

    def catch_up(self) -> None:
        """Do what is due by now; nothing when something is being done, of which the caller is a part."""
        if self._is_at_work:
            return
        self._wait_for_work(0.0)
        while timer := self._take_due(self.now()):
            self._do(timer)
            self._wait_for_work(0.0)

    def do_within(self, timeout: float, action: Callable[[], object], name: str = "") -> bool:
        """Do something now; say whether it took no longer than so many seconds."""
        started = self.now()
        action()
        return self.now() - started <= timeout

    def _watch_time(self) -> None:
        pass

    def _in_background(self, run: Callable[[], None]) -> None:
        self._waiting.append(run)

    def _wait_for_work(self, timeout: float) -> None:
        if self._is_at_work:
            return
        self._is_at_work = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._is_at_work = False
