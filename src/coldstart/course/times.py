"""How long lessons take: an opt-in log beside the learner's progress, on this machine only.

`coldstart times --on` begins it. From then on each answer, check and hint adds a line with the time of day and the lesson,
nothing else. `coldstart times` compares what was measured with the lessons' estimates.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
from pathlib import Path

LOG = "times.log"
LONGEST_PAUSE = datetime.timedelta(minutes=10)
"""A longer gap between two lines is a break, not work."""


def note(folder: Path, now: datetime.datetime | None = None) -> None:
    """Add a line for the notebook that is open, when the learner has asked for the log.

    Args:
        folder: where progress is kept.
        now: the time; the machine's when left out.
    """
    log = folder / LOG
    lesson = _lesson_at_work()
    if not log.exists() or not lesson:
        return
    now = now or datetime.datetime.now()
    with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as lines:
        lines.write(f"{now:%Y-%m-%dT%H:%M:%S} {lesson}\n")


def minutes_by_lesson(log: Path) -> dict[str, float]:
    """Return the minutes that went into each lesson, by its number; lines that cannot be read are left out."""
    worked: dict[str, float] = {}
    moments = []
    for line in log.read_text("utf-8").splitlines() if log.exists() else []:
        with contextlib.suppress(ValueError):
            time, lesson = line.split()
            moments.append((datetime.datetime.fromisoformat(time), lesson))
    for (before, _), (after, lesson) in itertools.pairwise(moments):
        if after - before <= LONGEST_PAUSE:
            worked[lesson] = worked.get(lesson, 0.0) + (after - before).total_seconds() / 60
    return worked


def _lesson_at_work() -> str:
    """The number of the lesson whose notebook this kernel runs, as Jupyter tells it; empty outside a notebook."""
    name = Path(os.environ.get("JPY_SESSION_NAME", "")).name
    return name[:2] if name[:2].isdigit() else ""
