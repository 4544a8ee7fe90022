"""moto's services follow the cloud's clock.

moto (moto/core/utils.py, ``utcnow``) reads the machine's clock, and has no way to move it. Visibility timeouts, the times of
log events, objects, records and metrics, and expiry come from that one function, by way of ``unix_time`` and
``unix_time_millis``; services that imported it by name hold the original, so it is replaced in them too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime

import moto.core.utils

_utcnow = moto.core.utils.utcnow


def follow(now: Callable[[], float] | None) -> None:
    """Let moto tell the time of a clock; without one, the machine's again.

    Args:
        now: seconds since the epoch.
    """
    if now is None:
        replacement = _utcnow
    else:
        tell = now

        def replacement() -> datetime:
            return datetime.fromtimestamp(tell(), UTC).replace(tzinfo=None)

    before = moto.core.utils.utcnow
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and getattr(module, "utcnow", None) is before:
            module.utcnow = replacement  # type: ignore[attr-defined]
