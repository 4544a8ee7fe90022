"""Keeps Ctrl-C out of work that must not be left half done; it may end the waiting for a function.

Signals reach a Python program in its main thread only, between any two instructions. Whoever runs an invocation there, as
:mod:`coldstart.cloud.direct_route` does for a learner's cell, holds them back with :func:`held`; the Runtime API marks with
:func:`may_break_in` where it waits and nothing is half done.
"""

from __future__ import annotations

# Below signal, whose functions first try whether a handler is a number: that takes 20 us of each invocation.
import _signal  # type: ignore[import-not-found]
import signal
import threading
from contextlib import AbstractContextManager
from types import FrameType

_waits = False
_came: list[FrameType | None] = []
"""Where interrupts came that wait until nothing is half done."""


class _Held:
    def __enter__(self) -> None:
        before = _signal.getsignal(signal.SIGINT)
        self._holds = threading.current_thread() is threading.main_thread() and callable(before)
        if self._holds:
            global _waits
            self._waited, _waits = _waits, False  # a function that runs in this thread calls AWS
            self._before = before
            _signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if _waits:
            self._before(number, frame)
        else:
            _came.append(frame)

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if self._holds:
            global _waits
            _waits = self._waited
            _signal.signal(signal.SIGINT, self._before)
            came = _came[:]
            _came.clear()
            if came and error is None:
                self._before(signal.SIGINT, came[0])


class _MayBreakIn:
    def __enter__(self) -> None:
        global _waits
        if threading.current_thread() is threading.main_thread():
            _waits = True
            if _came:
                _came.clear()
                try:
                    signal.raise_signal(signal.SIGINT)
                except BaseException:
                    _waits = False
                    raise

    def __exit__(self, *_: object) -> None:
        global _waits
        if threading.current_thread() is threading.main_thread():
            _waits = False


def held() -> AbstractContextManager[None]:
    """Let SIGINT wait until this is over, or until :func:`may_break_in`. In other threads than the main one it changes nothing."""
    return _Held()


def may_break_in() -> AbstractContextManager[None]:
    """Let SIGINT through in the main thread, also one that came before: what runs within has nothing to leave half done."""
    return _MayBreakIn()
