"""What execution environments did and when: what the timeline shows, and tests read.

Between two phases an environment is frozen. The record keeps the last :data:`KEPT_PHASES` phases of all functions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

KEPT_PHASES = 20_000


class Phase(NamedTuple):
    """One phase of an environment's life; or an invocation that was throttled and so came to no environment."""

    kind: str
    """``init``, ``restore``, ``invoke``, ``shutdown`` or ``throttle``."""
    function: str
    """The function's name."""
    version: str
    environment: str
    """The environment's id, which ends its log stream's name; empty for ``throttle``."""
    start_ms: float
    """In milliseconds since the epoch, on the cloud's clock."""
    end_ms: float
    request_id: str = ""
    """Of ``invoke`` and ``throttle``."""
    outcome: str = ""
    """Empty when all went well; ``error``, ``timeout`` or the error's type; the reason of a ``throttle``."""


class EnvironmentRecord:
    """The phases of all environments of one host, oldest first. ``host.record`` is one.

    Args:
        now: the cloud's time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._phases: deque[Phase] = deque(maxlen=KEPT_PHASES)

    def add(
        self,
        kind: str,
        function: str,
        version: str,
        environment: str,
        start_ms: float,
        *,
        request_id: str = "",
        outcome: str = "",
    ) -> None:
        """Take note of a phase that ends now."""
        end_ms = self._now() * 1000
        self._phases.append(Phase(kind, function, version, environment, start_ms, end_ms, request_id, outcome))

    def phases(self, function: str | None = None) -> list[Phase]:
        """Return the phases so far, of one function (by name) or of all, in the order in which they ended."""
        return [phase for phase in list(self._phases) if function is None or phase.function == function]
