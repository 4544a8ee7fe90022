"""What is wrong with the course's own files, said so that an author knows where to go and what to do."""

from __future__ import annotations

import traceback
from pathlib import Path


class LessonProblem(Exception):
    """A file of the course breaks a rule.

    Args:
        path: the file to open.
        line: its line, counted from 1; None when the fault is in no line, such as a missing file.
        what: what is wrong and what mends it.
    """

    def __init__(self, path: Path, line: int | None, what: str) -> None:
        self.path = path
        self.line = line
        self.what = what
        super().__init__(f"{_short(path)}{f':{line}' if line else ''}: {what}")


def line_that_raised(path: Path, error: Exception) -> int | None:
    """The line of a file, counted from 1, from which an error came; None when the error did not pass through the file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _short(path: Path) -> str:
    """The file as seen from the working directory, which an editor opens with a click; else with its folder."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return f"{path.parent.name}/{path.name}"
