"""Keeps Ctrl-C out of work that must not be left half done; it may end the waiting for a function.

Signals reach a Python program in its main thread only, between any two instructions. Whoever runs an invocation there, as
:mod:`coldstart.cloud.direct_route` does for a learner's cell, holds them back with :func:`held`; the Runtime API marks with
:func:`may_break_in` where it waits and nothing is half done.
"""

from __future__ import annotations

# Below signal, whose functions first try whether a handler is a number: that takes 20 us of each invocation.
import _signal  # type: ignore[import-not-found]
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_waits = False
_came: list[FrameType | None] = []
"""Where interrupts came that wait until nothing is half done."""


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let SIGINT wait until this is over, or until :func:`may_break_in`. In other threads than the main one it changes nothing."""
    before = _signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    global _waits
    waited, _waits = _waits, False  # a function that runs in this thread calls AWS

    def note(number: int, frame: FrameType | None) -> None:
        if _waits:
            before(number, frame)
        else:
            _came.append(frame)

    _signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        _waits = waited
        _signal.signal(signal.SIGINT, before)
        came = _came[:]
        _came.clear()
    if came:
        before(signal.SIGINT, came[0])


@contextlib.contextmanager
def may_break_in() -> Iterator[None]:
    """Let SIGINT through in the main thread, also one that came before: what runs within has nothing to leave half done."""
    global _waits
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _waits = True
    try:
        if _came:
            _came.clear()
            signal.raise_signal(signal.SIGINT)
        yield
    finally:
        _waits = False
