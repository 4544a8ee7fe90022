"""Request ids, log stream names and the like: random to look at, the same in every run of the same calls."""

from __future__ import annotations

import random
import threading
import uuid


class Identifiers:
    """Draws identifiers from one seeded source, so that a notebook run twice shows the same ones."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def uuid(self) -> str:
        """Return a version 4 UUID such as request ids are."""
        with self._lock:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def hex(self, digits: int) -> str:
        """Return so many hexadecimal digits."""
        with self._lock:
            return f"{self._random.getrandbits(digits * 4):0{digits}x}"

    def trace_header(self, now: float) -> str:
        """Return an ``X-Amzn-Trace-Id`` that begins a trace, which is not sampled.

        Args:
            now: seconds since the epoch.
        """
        return f"Root=1-{int(now):08x}-{self.hex(24)};Parent={self.hex(16)};Sampled=0"

    def fraction(self) -> float:
        """Return a number in [0, 1), for weighted choices."""
        with self._lock:
            return self._random.random()
