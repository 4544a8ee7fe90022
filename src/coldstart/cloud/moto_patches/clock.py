"""moto's services tell the cloud's time.

moto asks the machine, mostly in ``utcnow`` (moto/core/utils.py), and here and there with ``datetime.now()`` or ``time.time()``
(moto/secretsmanager/models.py, moto/apigatewayv2/models.py, moto/cognitoidp/utils.py, moto/stepfunctions/parser, ...). Visibility
timeouts, retention, expiry and the times of objects, log events and records come from there, so ``datetime`` and ``time`` are
replaced in the namespaces of moto's modules, and nowhere else: whoever signs requests or waits for sockets needs the real ones.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from moto.core.utils import utcnow

_now: Callable[[], float] = time.time


def follow(now: Callable[[], float] | None) -> None:
    """Let moto tell the time of a clock; without one, the machine's again.

    Args:
        now: seconds since the epoch.
    """
    global _now
    _now = now or time.time


def correct(module: ModuleType) -> None:
    """Replace the clocks in a module of moto."""
    names = vars(module)
    for attribute in ("datetime", "time", "utcnow"):
        replacement = _REPLACEMENTS.get(id(names.get(attribute)))
        if replacement is not None:
            names[attribute] = replacement


def _time() -> float:
    return _now()


def _utcnow() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(_now(), datetime.UTC).replace(tzinfo=None)


class _AnyDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime.datetime)


class _Datetime(datetime.datetime, metaclass=_AnyDatetime):
    """``datetime.datetime`` for moto: it makes the real ones, and ``now`` is the cloud's."""

    def __new__(cls, *args: Any, **kwargs: Any) -> datetime.datetime:  # type: ignore[misc]
        return datetime.datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        return datetime.datetime.fromtimestamp(_now(), tz)

    @classmethod
    def utcnow(cls) -> datetime.datetime:  # type: ignore[override]
        return _utcnow()


def _module(original: ModuleType, **replacements: object) -> ModuleType:
    module = ModuleType(original.__name__, original.__doc__)
    vars(module).update(vars(original) | replacements)
    return module


_REPLACEMENTS = {
    id(datetime): _module(datetime, datetime=_Datetime),
    id(datetime.datetime): _Datetime,
    id(time): _module(time, time=_time),
    id(time.time): _time,
    id(utcnow): _utcnow,  # the same in a quarter of the time: every invocation's log asks for it
}
