"""An exercise as one readable object: what is asked, stub, answers right and wrong, requirements, hints.

`lessons/NN-name/exercises.py` holds them, in a list named EXERCISES. `check` runs the requirements on what the learner
wrote, `hint` gives the hints, the notebook takes the text from here, and `prove` holds it all to be true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from coldstart.course.submission import Submission

RUNGS = ("Read again", "The idea", "Where", "Nearly the code")
"""What an exercise's hints are, in their order; each exercise has one of each."""


@dataclass(frozen=True)
class Requirement:
    """One thing that is asked.

    Attributes:
        title: the requirement as the learner reads it in the task and in the feedback.
        check: a function that takes the `Submission` and calls `expect`. Its first unmet `expect` is the feedback.
    """

    title: str
    check: Callable[[Submission], None]


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong answer that learners are foreseen to give.

    Attributes:
        name: what is done wrong, as a Python name.
        code: the whole file.
        misconception: the id in misconceptions.yml that it comes from; None for a slip.
        message: a fragment of the feedback that it must get, and that no other wrong answer gets.
    """

    name: str
    code: str = field(kw_only=True)
    misconception: str | None = field(kw_only=True, default=None)
    message: str = field(kw_only=True)


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise.

    Attributes:
        id: the lesson's number, a dot, and the exercise's number: "01.1".
        title: a few words.
        objective: the id of the objective, in the lesson's front matter, that it tests.
        file: the file that the learner writes, beside the notebook.
        handler: the handler string that the file is deployed with; empty when it is no function.
        runtime: the Lambda runtime; empty when it is no function.
        task: what is asked; Markdown, one to three sentences.
        stub: what the file holds before the learner begins.
        solution: a right answer.
        other_solution: a right answer that is written differently.
        requirements: checked in this order; the first that is not met is shown.
        wrong_answers: foreseen wrong answers.
        stub_message: a fragment of the feedback that the untouched stub must get.
        hints: one for each of RUNGS, from "read again" to "nearly the code"; Markdown.
        why_solution: why the solution is right, and what the other one does differently; Markdown.
    """

    id: str
    title: str
    objective: str
    file: str
    handler: str = ""
    runtime: str = ""
    task: str
    stub: str
    solution: str
    other_solution: str
    requirements: list[Requirement]
    wrong_answers: list[WrongAnswer]
    stub_message: str
    hints: list[str]
    why_solution: str

    @property
    def heading(self) -> str:
        """What stands above it in the lesson, and above its feedback."""
        return f"Exercise {self.id} · {self.title}"

    @property
    def requirements_text(self) -> str:
        """What is asked, as one text."""
        return "\n".join(requirement.title for requirement in self.requirements)
