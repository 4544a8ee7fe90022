"""What this process holds of the machine: to see that nothing grows and nothing is left behind."""

from __future__ import annotations

import gc
import time
from typing import NamedTuple

import psutil

_THIS = psutil.Process()


class Held(NamedTuple):
    """Processes (all that descend from this one), open descriptors and threads of this process."""

    processes: int
    descriptors: int
    threads: int


def held() -> Held:
    """Count what is held now."""
    return Held(len(_THIS.children(recursive=True)), _THIS.num_fds(), _THIS.num_threads())


def left_since(before: Held, patience: float = 10.0) -> Held:
    """Say how much more is held than before, after waiting a while for what is still ending.

    Args:
        before: what was held then.
        patience: how many seconds to wait for nothing to be left.
    """
    deadline = time.monotonic() + patience
    while True:
        left = Held(*(max(0, now - then) for now, then in zip(held(), before, strict=True)))
        if not any(left) or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def resident_mb() -> float:
    """Return how much memory this process holds, in MB."""
    gc.collect()
    resident: int = _THIS.memory_info().rss
    return resident / 1024 / 1024
