"""What the learner has done, in one small readable file beside their notebooks. It is never sent anywhere.

    {
      "version": 1,
      "exercises": {"01.1": {"tries": 3, "passed": "2026-11-23", "hints": 2}},
      "predictions": {"01.p1": "b"},
      "questions": {"01.q1": ["c", "b"]},
      "reviews": {"01.q1": {"rung": 0, "due": "2026-11-24"}}
    }

An exercise has the number of checks before it was passed, the day it was passed (or null) and the highest hint that was
asked for. A prediction has the letter that was chosen last. A question has every letter that was chosen, in order, and
the day on which it comes back for review: later each time it is answered right when due, the next day after a wrong answer.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from coldstart.course import times


class ExerciseProgress(BaseModel):
    """What happened with one exercise."""

    model_config = ConfigDict(extra="forbid")

    tries: int = 0
    passed: datetime.date | None = None
    hints: int = 0


REVIEW_DAYS = (1, 3, 7, 16, 35, 70)
"""After how many days a question comes back, by how often in a row it was answered right when it was due."""


class Review(BaseModel):
    """When a question comes back.

    Attributes:
        rung: its place in REVIEW_DAYS.
        due: the day from which on `review()` asks it.
    """

    model_config = ConfigDict(extra="forbid")

    rung: int = 0
    due: datetime.date


class Progress(BaseModel):
    """Everything that is kept."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    exercises: dict[str, ExerciseProgress] = {}
    predictions: dict[str, str] = {}
    questions: dict[str, list[str]] = {}
    reviews: dict[str, Review] = {}

    def due(self, day: datetime.date) -> list[str]:
        """Return the questions to review on a day, those that have waited longest first."""
        waiting = [(review.due, question) for question, review in self.reviews.items() if review.due <= day]
        return [question for _, question in sorted(waiting)]


class Record:
    """The progress while something is added to it.

    Attributes:
        progress: what is kept.
        note: a sentence for the learner when the file could not be read or written; usually empty.
    """

    def __init__(self, progress: Progress, note: str = "") -> None:
        self.progress = progress
        self.note = note

    def checked(self, exercise_id: str, *, passed: bool) -> None:
        """Keep the outcome of a check; a passed exercise stays passed."""
        exercise = self.progress.exercises.setdefault(exercise_id, ExerciseProgress())
        if exercise.passed is None:
            exercise.tries += 1
            exercise.passed = today() if passed else None

    def hinted(self, exercise_id: str, number: int) -> None:
        """Keep the highest hint that was asked for."""
        exercise = self.progress.exercises.setdefault(exercise_id, ExerciseProgress())
        exercise.hints = max(exercise.hints, number)

    def predicted(self, question_id: str, letter: str) -> None:
        """Keep a prediction; a later one replaces it."""
        self.progress.predictions[question_id] = letter

    def answered(self, question_id: str, letter: str, *, right: bool) -> None:
        """Keep an answer to a question, after those before it, and the day on which the question comes back."""
        self.progress.questions.setdefault(question_id, []).append(letter)
        review = self.progress.reviews.get(question_id)
        if right and review is not None and review.due > today():
            return  # remembered from a moment ago, which says little
        rung = 0 if not right or review is None else min(review.rung + 1, len(REVIEW_DAYS) - 1)
        due = today() + datetime.timedelta(days=REVIEW_DAYS[rung])
        self.progress.reviews[question_id] = Review(rung=rung, due=due)


def today() -> datetime.date:
    """Return the learner's day."""
    return datetime.date.today()


def progress_file() -> Path:
    """Where progress is kept: `COLDSTART_PROGRESS`, or .coldstart/progress.json in the working directory."""
    return Path(os.environ.get("COLDSTART_PROGRESS") or ".coldstart/progress.json")


def read() -> Progress:
    """What has been kept so far; a file that cannot be read counts as empty and is left as it is."""
    try:
        return Progress.model_validate_json(progress_file().read_bytes())
    except (OSError, ValidationError):
        return Progress()


@contextlib.contextmanager
def recording(path: Path | None = None) -> Iterator[Record]:
    """Add to what is kept; it is written when the `with` block ends.

    A file that cannot be read is kept aside under another name and a new one is begun. When nothing can be written, the
    work goes on without it. Either way `note` says so in a sentence.

    Args:
        path: the file; `progress_file()` when left out.
    """
    path = path or progress_file()
    record = _begin(path)
    yield record
    times.note(path.parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(record.progress.model_dump_json(indent=2) + "\n", "utf-8")
        os.replace(part, path)
    except OSError as error:
        record.note = f"Your progress could not be kept in {path}: {error.strerror}. All else works as before."


def _begin(path: Path) -> Record:
    try:
        return Record(Progress.model_validate_json(path.read_bytes()))
    except OSError:
        return Record(Progress())
    except ValidationError:
        kept = path.with_name(f"{path.stem}-unreadable-{datetime.datetime.now():%Y%m%d-%H%M%S}{path.suffix}")
        with contextlib.suppress(OSError):
            os.replace(path, kept)
        return Record(Progress(), f"Your progress file could not be read. It is kept as {kept}; a new one is begun.")
