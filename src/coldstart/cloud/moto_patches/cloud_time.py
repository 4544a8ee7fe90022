"""Lets moto's services tell the time by the cloud's clock.

moto asks the machine (``moto/core/utils.py: utcnow``). When a learner moves the cloud's clock, visibility timeouts, retention
periods and time stamps have to move with it. Every module of moto has imported the function by name, so its code is replaced.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

import moto.core.utils

from coldstart.runtime.clock import Clock


def apply() -> None:
    """Make the time that moto sees replaceable; it stays the machine's until :func:`follow`."""
    names = vars(moto.core.utils)
    if "_coldstart_now" not in names:
        names["_coldstart_now"] = time.time
        moto.core.utils.utcnow.__code__ = _utcnow.__code__


def follow(clock: Clock) -> Callable[[], None]:
    """Make moto follow a clock, and return what makes it follow the machine's again."""
    apply()
    names = vars(moto.core.utils)
    names["_coldstart_now"] = clock.now

    def unfollow() -> None:
        names["_coldstart_now"] = time.time

    return unfollow


def _utcnow() -> datetime.datetime:
    """Stand in for moto's function: the names are those of its module."""
    now = datetime.datetime.fromtimestamp(_coldstart_now(), datetime.timezone.utc)  # type: ignore[name-defined] # noqa: F821, UP017
    return now.replace(tzinfo=None)
