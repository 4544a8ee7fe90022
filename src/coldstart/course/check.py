"""`check("01.1")`: tries out what the learner wrote and says what came of it.

The exercise panel's button and the five proofs go through here too, so there is one way in which an answer is judged.
"""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

from coldstart import cloud
from coldstart.course import catalogue, progress
from coldstart.course.exercise import Exercise
from coldstart.course.feedback import Feedback, Unmet, shortened
from coldstart.course.languages import fenced
from coldstart.course.rich_text import feedback_html, feedback_markdown, inline_html, lesson_html, wrapped
from coldstart.course.shown import Shown
from coldstart.course.submission import Submission

_OTHER = "The other solution, which passes too"


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes:
        exercise: the exercise that was checked.
        met: how many of its requirements are met, from the first on.
        feedback: what to say about the first that is not met; None when the exercise is passed.
        note: a sentence about something else, such as a progress file that could not be written; usually empty.
        error: what a requirement raised instead of saying it with `expect`; None for every foreseen answer.
    """

    exercise: Exercise
    met: int
    feedback: Feedback | None
    note: str = ""
    error: Exception | None = None

    @property
    def passed(self) -> bool:
        """Whether every requirement is met."""
        return self.feedback is None

    def text(self) -> str:
        """Plain text: the verdict, the requirements, the four lines."""
        lines = [f"{self._title()}: {self._verdict()}", ""]
        lines += [wrapped(title, f"{state}:", 16) for state, title in self._requirements()]
        lines += ["", self.feedback.text() if self.feedback else self._passed_text()]
        return "\n".join(lines + (["", wrapped(self.note)] if self.note else []))

    def markdown(self) -> str:
        """The same in Markdown."""
        blocks = [f"**{feedback_markdown(self._title())}: {self._verdict()}**"]
        blocks.append("\n".join(f"- {state}: {title}" for state, title in self._requirements()))
        blocks.append(self.feedback.markdown() if self.feedback else self._passed_markdown())
        return "\n\n".join([*blocks, feedback_markdown(self.note)] if self.note else blocks)

    def html(self) -> str:
        """The same in HTML, for the panel."""
        items = "".join(
            f'<li data-state="{state.lower()}"><span>{state}:</span> {inline_html(title)}</li>'
            for state, title in self._requirements()
        )
        return (
            f"<p><b>{feedback_html(self._title())}: {self._verdict()}</b></p><ul>{items}</ul>"
            + (self.feedback.html() if self.feedback else lesson_html(self._passed_markdown()))
            + (f"<p>{feedback_html(self.note)}</p>" if self.note else "")
        )

    def _passed_text(self) -> str:
        why = wrapped(self.exercise.why_solution, "Why it works:", 16)
        return f"{why}\n\n{_OTHER}:\n\n{textwrap.indent(self.exercise.other_solution.rstrip(), '    ')}"

    def _passed_markdown(self) -> str:
        code = fenced(self.exercise.other_solution, self.exercise.file)
        return f"**Why it works:** {self.exercise.why_solution}\n\n**{_OTHER}:**\n\n{code}"

    def _title(self) -> str:
        return self.exercise.heading

    def _verdict(self) -> str:
        every = len(self.exercise.requirements)
        return f"{'passed' if self.passed else 'not yet'} ({self.met} of {every} requirements met)"

    def _requirements(self) -> list[tuple[str, str]]:
        """Each requirement's title with its state in a word."""
        states = [*["Met"] * self.met, "Not yet", *["Not looked at"] * len(self.exercise.requirements)]
        return list(zip(states, (requirement.title for requirement in self.exercise.requirements), strict=False))


def check(exercise_id: str = "") -> Shown:
    """Check an exercise: deploy the file you saved, call it with events you have not seen, show what came of it.

    Args:
        exercise_id: the exercise's number in quotes, such as "01.1".
    """
    try:
        exercise = catalogue.exercise(exercise_id)
    except catalogue.NotInTheCourse as error:
        return error.shown()
    result = check_saved_file(exercise)

    def panel() -> object:
        from coldstart.course.hints import next_hint
        from coldstart.widgets.exercise_panel import ExercisePanel

        return ExercisePanel(
            exercise_id=exercise.id,
            title=exercise.title,
            html=result.html(),
            on_check=lambda: check_saved_file(exercise).html(),
            on_hint=lambda: next_hint(exercise).html(),
        )

    return Shown(result.text(), result.markdown(), panel)


def check_saved_file(exercise: Exercise) -> CheckResult:
    """Check the file in the working directory against an exercise, and keep the outcome in the learner's progress."""
    path = Path(exercise.file)
    try:
        result = check_source(exercise, path.read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        return CheckResult(exercise, 0, _unreadable(exercise, error))
    with progress.recording() as record:
        record.checked(exercise.id, passed=result.passed)
    return CheckResult(exercise, result.met, result.feedback, record.note)


def check_source(exercise: Exercise, source: str, path: Path | None = None) -> CheckResult:
    """Run an exercise's requirements, in order, on a text.

    Args:
        exercise: the exercise.
        source: what the learner's file holds.
        path: the file; the exercise's own file name by default.

    Returns:
        The result. Whatever the text does, it is said in the four lines, never as a traceback.
    """
    if not source.strip():
        return CheckResult(exercise, 0, _empty(exercise))
    try:
        cloud.current()
    except cloud.NotStarted:
        return CheckResult(exercise, 0, NO_CLOUD)
    met = 0
    with Submission(exercise, source, path or Path(exercise.file)) as submission:
        for requirement in exercise.requirements:
            try:
                requirement.check(submission)
            except Unmet as unmet:
                return CheckResult(exercise, met, unmet.feedback)
            except Exception as error:
                return CheckResult(exercise, met, _unforeseen(requirement.title, submission, error), error=error)
            met += 1
    return CheckResult(exercise, met, None)


NO_CLOUD = Feedback(
    expected="a running local AWS",
    got="none: `cloud.start()` has not been run since the kernel started",
    why="The check deploys your function there and calls it.",
    next_step="Run the notebook's first code cell, the one with `cloud.start()`. Then check again.",
)


def _unreadable(exercise: Exercise, error: OSError | UnicodeDecodeError) -> Feedback:
    save = f"Run the cell that begins with `%%writefile {exercise.file}`. Then check again."
    if isinstance(error, FileNotFoundError):
        return Feedback(
            expected=f"your answer in the file {exercise.file}, beside this notebook",
            got="no file of that name",
            why="The check deploys the file. A cell that has not been run has not saved it.",
            next_step=save,
        )
    if isinstance(error, UnicodeDecodeError):
        got = f"bytes that are no UTF-8 text, from position {error.start} on"
    else:
        got = f"a file that cannot be read: {os.strerror(error.errno) if error.errno else error}"
    return Feedback(
        expected=f"your answer as text in the file {exercise.file}",
        got=got,
        why="Lambda reads source code as UTF-8 text.",
        next_step=save,
    )


def _empty(exercise: Exercise) -> Feedback:
    return Feedback(
        expected=f"code in {exercise.file}",
        got="an empty file",
        why="Lambda has nothing to load from it.",
        next_step=f"Write your answer below the line `%%writefile {exercise.file}`, run the cell, then check again.",
    )


_NO_THREADS = "can't start new thread"
"""What Python says where there are none."""


def _unforeseen(title: str, submission: Submission, error: Exception) -> Feedback:
    """Say what there was when a requirement could not be looked at: AWS refused a call, or the answer has another shape."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError | BotoCoreError):
        return Feedback(
            expected=f"this requirement could be tried out: {title}",
            got=shortened(str(error)),
            why="AWS refused a call that the check made with your function.",
            next_step=f"Run the cell with `%%writefile {submission.exercise.file}` again. If this stays, restart the kernel "
            "and run the notebook from the top.",
        )
    if _NO_THREADS in str(error):
        return Feedback(
            expected=f"a place where this can be tried out: {title}",
            got="a page, which has no threads",
            why="The check calls your function several times at once.",
            next_step="Bring your answer to the notebook of this lesson, and check it there. What is said above holds here too.",
        )
    reply = submission.last_reply
    answer = "no answer" if reply is None else f"the answer {shortened(reply.raw.decode(errors='replace') or 'null')}"
    return Feedback(
        expected=f"an answer in which this could be looked up: {title}",
        got=answer,
        why="A caller that expects one shape of answer cannot work with another.",
        next_step="Compare the shape of your answer with the task: is it a dict, and has it the keys that are asked for?",
    )
