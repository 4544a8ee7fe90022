"""`solution("01.1")`: the solution beside your own answer, why it is right, another way, and a tempting wrong one.

It opens when the exercise is passed, or after the last rung of the hints.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from pathlib import Path

from coldstart.course import catalogue, progress
from coldstart.course.exercise import Exercise, WrongAnswer
from coldstart.course.hints import LAST_RUNG
from coldstart.course.languages import fenced
from coldstart.course.misconceptions import read_misconceptions
from coldstart.course.rich_text import wrapped
from coldstart.course.shown import Shown

_INDENT = 16


def solution(exercise_id: str = "") -> Shown:
    """Show an exercise's solution beside your answer, once you have passed it or seen every hint.

    Args:
        exercise_id: the exercise's number in quotes, such as "01.1".
    """
    try:
        exercise = catalogue.exercise(exercise_id)
    except catalogue.NotInTheCourse as error:
        return error.shown()
    done = progress.read().exercises.get(exercise.id, progress.ExerciseProgress())
    if done.passed is None and done.hints < LAST_RUNG:
        left = LAST_RUNG - done.hints
        return Shown(
            wrapped(
                f'The solution of {exercise.id} opens when check("{exercise.id}") passes, or after the last hint. '
                f'{left} {"hint is" if left == 1 else "hints are"} left: hint("{exercise.id}").'
            )
        )
    opened = OpenedSolution(exercise, _own_answer(exercise))
    return Shown(opened.text(), opened.markdown())


@dataclass(frozen=True)
class OpenedSolution:
    """An exercise's solution as a learner who may see it sees it.

    Attributes:
        exercise: the exercise.
        own: the text of the learner's own file; empty when there is none.
    """

    exercise: Exercise
    own: str

    def text(self) -> str:
        """Plain text: one part after the other."""
        parts = [f"Solution of exercise {self.exercise.id} · {self.exercise.title}"]
        parts += [f"{title}:\n\n{textwrap.indent(code.rstrip(), '    ')}" for title, code in self._code()]
        parts += [wrapped(line, f"{lead}:", _INDENT) for lead, line in self._why()]
        return "\n\n".join(parts)

    def markdown(self) -> str:
        """The same in Markdown, the learner's answer and the solution side by side in a table."""
        (own, own_code), (right, right_code), *others = self._code()
        columns = "".join(f'<td style="text-align:left">{_pre(code)}</td>' for code in (own_code, right_code))
        table = f"<table><tr><th>{own}</th><th>{right}</th></tr><tr>{columns}</tr></table>"
        blocks = [f"**Solution of exercise {self.exercise.id} · {self.exercise.title}**", table]
        blocks += [f"**{title}:**\n\n{fenced(code, self.exercise.file)}" for title, code in others]
        blocks += [f"**{lead}:** {line}" for lead, line in self._why()]
        return "\n\n".join(blocks)

    def _code(self) -> list[tuple[str, str]]:
        parts = [
            ("Your answer", self.own or "(nothing saved yet)"),
            ("The solution", self.exercise.solution),
            ("Another way that passes too", self.exercise.other_solution),
        ]
        tempting = self._tempting
        return parts if tempting is None else [*parts, ("Tempting, and wrong", tempting.code)]

    def _why(self) -> list[tuple[str, str]]:
        lines = [("Why it works", catalogue.filled(self.exercise.why_solution))]
        tempting = self._tempting
        known = read_misconceptions(catalogue.lessons_folder())
        if tempting is not None and tempting.misconception in known:
            behind = known[tempting.misconception]
            lines.append(("What tempts", f"“{behind.belief}” {behind.truth}"))
        return lines

    @property
    def _tempting(self) -> WrongAnswer | None:
        """The wrong answer that comes from a misconception, else the first."""
        wrong = self.exercise.wrong_answers
        return next((answer for answer in wrong if answer.misconception), wrong[0] if wrong else None)


def _own_answer(exercise: Exercise) -> str:
    try:
        return Path(exercise.file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _pre(code: str) -> str:
    """Code in a cell of a table: no blank line may end the table's HTML in Markdown."""
    return f"<pre>{html.escape(code.rstrip())}</pre>".replace("\n\n", "\n&#8203;\n")
