"""`hint("01.1")`: one rung of the ladder at a time, from "read again" to the solution in pieces, to be put in order.

The first four rungs are the author's words; the fifth is made from the solution (:mod:`coldstart.course.parsons`) and answered
with `arrange("01.1", "c a b")`. After it, `solution("01.1")` is open.
"""

from __future__ import annotations

from dataclasses import dataclass

from coldstart.course import catalogue, progress
from coldstart.course.check import NO_CLOUD, check_source
from coldstart.course.exercise import RUNGS, Exercise
from coldstart.course.feedback import Feedback
from coldstart.course.languages import fenced
from coldstart.course.parsons import in_place, is_the_solution, pieces_of, put_together
from coldstart.course.rich_text import lesson_html, wrapped
from coldstart.course.shown import Shown

LAST_RUNG = len(RUNGS) + 1
_IN_PIECES = "The solution in pieces"

# How many hints of each exercise have been given since this kernel started.
_given: dict[str, int] = {}


@dataclass(frozen=True)
class Hint:
    """One rung of an exercise's ladder.

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
        body = self._pieces_text() if self._is_in_pieces else self._words_text()
        return "\n".join([self._lead(), "", body, *(["", wrapped(self._last())] if self._is_last else [])])

    def markdown(self) -> str:
        """The same in Markdown."""
        body = self._pieces_markdown() if self._is_in_pieces else self._words()
        return "\n\n".join([f"**{self._lead()}**", body, *([self._last()] if self._is_last else [])])

    def html(self) -> str:
        """The same in HTML, for the panel."""
        return lesson_html(self.markdown())

    @property
    def _is_in_pieces(self) -> bool:
        return self.number > len(self.exercise.hints)

    @property
    def _is_last(self) -> bool:
        return self._is_in_pieces

    def _words(self) -> str:
        return catalogue.filled(self.exercise.hints[self.number - 1])

    def _words_text(self) -> str:
        words = self._words()
        return words if "\n" in words else wrapped(words)

    def _pieces_text(self) -> str:
        lines = [wrapped(self._pieces_lead()), ""]
        for piece in pieces_of(self.exercise):
            first, *rest = piece.text.splitlines()
            lines += [f"  {piece.letter}) | {first}", *(f"     | {line}" for line in rest)]
        return "\n".join(lines)

    def _pieces_markdown(self) -> str:
        blocks = [
            f"**{piece.letter})**\n\n{fenced(piece.text, self.exercise.file)}" for piece in pieces_of(self.exercise)
        ]
        return "\n\n".join([self._pieces_lead(), *blocks])

    def _pieces_lead(self) -> str:
        return (
            "These pieces, put in order, are a solution. The spaces before each line are right already. "
            f'Try an order with their letters: `arrange("{self.exercise.id}", "b a c")`.'
        )

    def _lead(self) -> str:
        name = _IN_PIECES if self._is_in_pieces else RUNGS[self.number - 1]
        return f"Hint {self.number} of {LAST_RUNG} for exercise {self.exercise.id}: {name.lower()}"

    def _last(self) -> str:
        again = "That was the last hint. " if self.again else ""
        return f'{again}When you have tried: `solution("{self.exercise.id}")` is open now.'


def hint(exercise_id: str = "") -> Shown:
    """Show the next hint for an exercise: the first sends you back to something, the last is the code in pieces.

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
    again = number > LAST_RUNG
    if not again:
        _given[exercise.id] = number
        with progress.recording() as record:
            record.hinted(exercise.id, number)
    return Hint(exercise, min(number, LAST_RUNG), again)


def arrange(exercise_id: str = "", order: str = "") -> Shown:
    """Try an order of the pieces that the last hint showed.

    Args:
        exercise_id: the exercise's number in quotes, such as "01.1".
        order: the pieces' letters in your order, such as "b a c".
    """
    try:
        exercise = catalogue.exercise(exercise_id)
    except catalogue.NotInTheCourse as error:
        return error.shown()
    pieces = {piece.letter: piece for piece in pieces_of(exercise)}
    letters = [letter for letter in str(order).lower() if letter.isalpha()]
    if sorted(letters) != sorted(pieces):
        return _fed_back(
            Feedback(
                expected=f"each of the {len(pieces)} letters {', '.join(pieces)} once",
                got=" ".join(letters) or "no letters",
                why="Every piece has its place in the file.",
                next_step=f'Type the letters in your order: `arrange("{exercise.id}", "{" ".join(pieces)}")`.',
            )
        )
    arranged = [pieces[letter] for letter in letters]
    if is_the_solution(arranged, exercise):
        return _right(exercise)
    result = check_source(exercise, put_together(arranged))
    if result.passed:
        return _right(exercise)
    if result.feedback == NO_CLOUD:
        return _fed_back(NO_CLOUD)
    right = in_place(arranged, exercise)
    return _fed_back(
        Feedback(
            expected="an order that meets the requirements",
            got=f"{right} of {len(arranged)} pieces in place, counted from the first"
            + (f"\n{result.feedback.got}" if result.feedback else ""),
            why="Python and Node.js run a file from top to bottom: what a line uses has to stand above it.",
            next_step=f"Leave the first {right} as they are. Which piece can follow them?"
            if right
            else "Which piece can a file begin with?",
        )
    )


def _right(exercise: Exercise) -> Shown:
    return Shown(
        wrapped(
            f"That is an order that works. Now write it into {exercise.file} yourself, line by line, and say what each line "
            f'is for. Then check("{exercise.id}").'
        )
    )


def _fed_back(feedback: Feedback) -> Shown:
    return Shown(feedback.text(), feedback.markdown())
