"""Runs a learner's file as a script, in this process and for a bounded time: for exercises whose answer is made of AWS calls.

A script that fails, ends the process, asks for input or never ends gives feedback in four lines, not a traceback.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from coldstart.course.feedback import Feedback, Unmet, shortened
from coldstart.course.function_errors import meaning

RUN_SECONDS = 10.0


@dataclass(frozen=True)
class Ran:
    """What a script left.

    Attributes:
        names: its global names at the end.
        printed: what it wrote to standard output.
    """

    names: dict[str, Any]
    printed: str


class _TookTooLong(BaseException):
    """The script did not end in time; no `except Exception` of the script's swallows it."""


def run_script(source: str, file: str, region: str) -> Ran:
    """Run a text as the file `file`, with boto3 in `region`.

    Raises:
        Unmet: it did not run to its end; the feedback has the error and the learner's line.
    """
    names: dict[str, Any] = {"__name__": "__main__", "__file__": file}
    printed = io.StringIO()
    try:
        code = compile(source, file, "exec")
    except SyntaxError as error:
        place = f"{file}, line {error.lineno}: `{(error.text or '').strip() or 'the end of the file'}`"
        raise Unmet(
            _feedback(
                f"SyntaxError: {error.msg}\n{place}",
                "Python reads the whole file before it runs its first line.",
                f"Look at line {error.lineno} of {file}, and at the line before it: a missing bracket or quote is often there.",
            )
        ) from None
    try:
        with _in_region(region), _bounded(RUN_SECONDS), contextlib.redirect_stdout(printed):
            exec(code, names)
    except _TookTooLong:
        raise Unmet(
            _feedback(
                f"no end after {RUN_SECONDS:g} seconds",
                "What waits for AWS has to stop waiting some day.",
                f"Look in {file} for a loop that does not end, or for something that waits.",
            )
        ) from None
    except SystemExit:
        pass  # a script may end itself
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        number = lines[-1] if lines else None
        code_line = "".join(source.splitlines()[number - 1 : number]).strip().replace("`", "'") if number else ""
        place = f"\n{file}, line {number}: `{code_line}`" if number else ""
        raise Unmet(
            _feedback(
                shortened(f"{type(error).__name__}: {error}") + place,
                "The lines after this one were never run.",
                meaning(type(error).__name__, str(error), f"line {number} of {file}" if number else file),
            )
        ) from None
    return Ran(names, printed.getvalue())


def _feedback(got: str, why: str, next_step: str) -> Feedback:
    return Feedback(expected="a file that runs from its first line to its last", got=got, why=why, next_step=next_step)


@contextlib.contextmanager
def _in_region(region: str) -> Iterator[None]:
    """Let boto3's clients that are made inside use a region."""
    import boto3

    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    before = {name: os.environ.get(name) for name in names}
    session, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, None
    os.environ.update(dict.fromkeys(names, region))
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = session
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """End what runs inside after so many seconds, where the platform and the thread allow it."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(_number: int, _frame: FrameType | None) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, too_long)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)
