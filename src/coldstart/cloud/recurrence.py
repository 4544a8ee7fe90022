"""Does something again and again on the cloud's clock, as a schedule says."""

from __future__ import annotations

import contextvars
from collections.abc import Callable

from coldstart.events.schedule_expression import ScheduleExpression
from coldstart.runtime.clock import Clock

_LATE_SECONDS = 60.0
"""Whoever is later than this was not moved on but slept (a closed laptop): what was missed meanwhile is left out."""


class Recurrence:
    """One schedule at work. The next time follows from the one that was due, not from now."""

    def __init__(
        self,
        clock: Clock,
        schedule: ScheduleExpression,
        is_current: Callable[[], bool],
        fire: Callable[[float], None],
        name: str,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            is_current: says whether whoever made the schedule still wants it.
            fire: takes the time that is due, in epoch seconds.
            ended: called when there is no next time.
        """
        self._clock = clock
        self._schedule = schedule
        self._is_current = is_current
        self._fire = fire
        self._name = name
        self._ended = ended

    def start(self, first: float | None, until: float | None = None) -> None:
        """Go on from the first time that is due, to the last that is not after `until`."""
        if first is None or (until is not None and first > until):
            self._ended()
            return

        def run(due: float = first) -> None:
            if not self._is_current():
                return
            try:
                self._fire(due)
            finally:
                self.start(self._next(due), until)

        # Nothing of the request that made the schedule lives on in what it does.
        contextvars.Context().run(self._clock.at, first, run, self._name)

    def _next(self, due: float) -> float | None:
        coming = self._schedule.next_after(due)
        while coming is not None and coming < self._clock.now() - _LATE_SECONDS:
            coming = self._schedule.next_after(coming)
        return coming
