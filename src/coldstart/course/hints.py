"""`hint("01.1")`: one rung of the ladder at a time, from "read again" to "nearly code"."""

from __future__ import annotations

from dataclasses import dataclass

from coldstart.course import catalogue, progress
from coldstart.course.exercise import Exercise
from coldstart.course.rich_text import lesson_html, wrapped
from coldstart.course.shown import Shown

# How many hints of each exercise have been given since this kernel started.
_given: dict[str, int] = {}


@dataclass(frozen=True)
class Hint:
    """One hint.

    Attributes:
        exercise: the exercise it belongs to.
        number: its place on the ladder, from 1.
        again: True when it was the last one already.
    """

    exercise: Exercise
    number: int
    again: bool = False

    def text(self) -> str:
        """Plain text: a lead, then the hint."""
        hint = self._hint()
        body = hint if "\n" in hint else wrapped(hint)
        return "\n".join([self._lead(), "", body, *(["", self._last()] if self.again else [])])

    def markdown(self) -> str:
        """The same in Markdown."""
        return "\n\n".join([f"**{self._lead()}**", self._hint(), *([self._last()] if self.again else [])])

    def html(self) -> str:
        """The same in HTML, for the panel."""
        return lesson_html(self.markdown())

    def _hint(self) -> str:
        return self.exercise.hints[self.number - 1]

    def _lead(self) -> str:
        return f"Hint {self.number} of {len(self.exercise.hints)} for exercise {self.exercise.id}"

    def _last(self) -> str:
        return "That was the last hint. Try it, then check: the feedback says what is still missing."


def hint(exercise_id: str) -> Shown:
    """Show the next hint for an exercise: the first sends you back to something, the last is nearly the code.

    Args:
        exercise_id: the exercise's number in quotes, such as "01.1".
    """
    try:
        exercise = catalogue.exercise(exercise_id)
    except catalogue.NotInTheCourse as error:
        return error.shown()
    given = next_hint(exercise)
    return Shown(given.text(), given.markdown())


def next_hint(exercise: Exercise) -> Hint:
    """Go one rung up; the last is given again when there is none above it."""
    number = _given.get(exercise.id, 0) + 1
    again = number > len(exercise.hints)
    if not again:
        _given[exercise.id] = number
        with progress.recording() as record:
            record.hinted(exercise.id, number)
    return Hint(exercise, min(number, len(exercise.hints)), again)
