"""The cloud's clock: the one source of time for log lines, schedules and retries.

It runs with the machine's clock until somebody moves it; lessons move it instead of waiting.
"""

from __future__ import annotations

import time


class Clock:
    """Tells the cloud's time as seconds since the epoch (UTC)."""

    def __init__(self) -> None:
        self._ahead = 0.0

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
