"""The five proofs of an exercise: each a function that returns what is wrong, or an empty text.

They need a running local AWS. `coldstart prove` holds exercises to their part of the lesson contract, runs the proofs, in two
processes when there are several exercises, and prints a table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from coldstart import cloud
from coldstart.course import catalogue, contract
from coldstart.course.check import CheckResult, check_source
from coldstart.course.exercise import Exercise, WrongAnswer
from coldstart.course.lesson import read_lesson
from coldstart.course.problems import LessonProblem, line_that_raised

# A shorter line, such as `import os`, gives nothing away.
_GIVES_AWAY = 30


PROOFS = ("stub fails", "solution passes", "other passes", "wrong answers told", "hints lead up")


def main(names: Sequence[str] = ()) -> int:
    """Prove exercises and print a table.

    Args:
        names: exercises such as "01.2" or lessons such as "01"; all when there is none.

    Returns:
        0 when every proof holds, else 1.
    """
    console = Console(highlight=False, soft_wrap=True)
    try:
        exercises = list(catalogue.exercises_named(names))
        faults = [str(fault) for fault in _faults(names)]
    except (catalogue.NotInTheCourse, LessonProblem) as error:
        exercises, faults = [], [str(error)]
    if faults:
        for fault in faults:
            console.print(fault, style="red", markup=False)
        return 1
    found: dict[str, list[str]] = {}
    with Progress(console=console, transient=True) as bars:
        bar = bars.add_task("Proving", total=len(exercises))
        for exercise_id, proofs in _proved(exercises):
            found[exercise_id] = proofs
            bars.advance(bar)
    table = Table(box=None, pad_edge=False)
    for heading in ("Exercise", *PROOFS):
        table.add_column(heading)
    for exercise in exercises:
        table.add_row(exercise.id, *("NO" if problem else "yes" for problem in found[exercise.id]))
    console.print(table)
    problems = [problem for exercise in exercises for problem in _to_mend(found[exercise.id])]
    for problem in problems:
        console.print(f"\n{problem}", style="red", markup=False)
    return 1 if problems else 0


def _faults(names: Sequence[str]) -> Iterator[LessonProblem]:
    """What keeps exercises from being proved at all: a hint too few, an id of another lesson, and the like."""
    folders = catalogue.lesson_folders(catalogue.lessons_folder())
    numbers = {name[:2] for name in names}
    for folder in folders:
        if not names or folder.name[:2] in numbers:
            yield from contract.exercises_are_whole(read_lesson(folder))


def _to_mend(proofs: list[str]) -> list[str]:
    """What to print of an exercise's proofs. A solution that does not pass stands alone: most else follows from it."""
    solution = proofs[PROOFS.index("solution passes")]
    if solution:
        return [f"{solution}\n\nMend this first: the other proofs rest on it."]
    return [problem for problem in proofs if problem]


def _proved(exercises: list[Exercise]) -> Iterator[tuple[str, list[str]]]:
    """Each exercise's id with its proofs, as they are done."""
    if len(exercises) == 1:
        yield exercises[0].id, prove(exercises[0].id)
        return
    # Each process has a local AWS of its own: scripts move a process's region, which threads would share.
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=get_context("spawn")) as processes:
        running = {processes.submit(prove, exercise.id): exercise.id for exercise in exercises}
        for done in as_completed(running):
            yield running[done], done.result()


def prove(exercise_id: str) -> list[str]:
    """Run the five proofs of one exercise; start a local AWS when none runs.

    Returns:
        For each of PROOFS what is wrong, or an empty text.
    """
    cloud.start()
    exercise = catalogue.exercise(exercise_id)
    wrong = (a_wrong_answer_gets_its_message(exercise, wrong) for wrong in exercise.wrong_answers)
    return [
        the_stub_fails_with_its_message(exercise),
        the_solution_passes(exercise),
        the_other_solution_passes(exercise),
        "\n\n".join(problem for problem in wrong if problem),
        the_hints_lead_up_to_the_code(exercise),
    ]


def the_stub_fails_with_its_message(exercise: Exercise) -> str:
    """Proof 1: the untouched stub gets the feedback that was meant for it, and no traceback."""
    return _gets(check_source(exercise, exercise.stub), exercise.stub_message, "the stub", "stub_message")


def the_solution_passes(exercise: Exercise) -> str:
    """Proof 2: the solution meets every requirement."""
    return _passes(check_source(exercise, exercise.solution), "the solution")


def the_other_solution_passes(exercise: Exercise) -> str:
    """Proof 3: an answer that is written differently meets every requirement too."""
    if exercise.other_solution.split() == exercise.solution.split():
        return f"{exercise.id}: the other solution is the solution again; write one that goes another way"
    return _passes(check_source(exercise, exercise.other_solution), "the other solution")


def a_wrong_answer_gets_its_message(exercise: Exercise, wrong: WrongAnswer) -> str:
    """Proof 4: a foreseen wrong answer gets the feedback that was meant for it, and not another one's."""
    result = check_source(exercise, wrong.code)
    problem = _gets(result, wrong.message, f"the wrong answer {wrong.name}", "message")
    if problem or result.feedback is None:
        return problem
    for other in exercise.wrong_answers:
        if other is not wrong and _in_feedback(other.message, result):
            return (
                f"{exercise.id}: {wrong.name} gets the message of {other.name} too ({other.message!r}); "
                f"let `expect` tell the two apart, with a case of its own for each"
            )
    return ""


def the_hints_lead_up_to_the_code(exercise: Exercise) -> str:
    """Proof 5: the hints are there, differ, and only the last comes near the code."""
    if not exercise.hints or not all(hint.strip() for hint in exercise.hints):
        return f"{exercise.id}: a hint is missing; write them from `read again` to `nearly code`"
    if len(set(exercise.hints)) != len(exercise.hints):
        return f"{exercise.id}: two hints say the same"
    given = set(_lines(exercise.stub))
    secrets = {line for line in _lines(exercise.solution) if line not in given and len(line) >= _GIVES_AWAY}
    for number, hint in enumerate(exercise.hints[:-1], 1):
        for line in secrets:
            if line in hint:
                return f"{exercise.id}: hint {number} gives away `{line}`; keep that for the last hint"
    if not re.search(r"`[^`]+`", exercise.hints[-1]):
        return f"{exercise.id}: the last hint shows no code; it is nearly the code, with a gap to fill"
    if any(hint.strip() == exercise.solution.strip() for hint in exercise.hints):
        return f"{exercise.id}: the last hint is the solution; leave a gap to fill"
    return ""


def _passes(result: CheckResult, what: str) -> str:
    if result.passed:
        return ""
    exercise = result.exercise
    if result.error is not None:
        path = catalogue.lesson_folder(exercise.id.partition(".")[0]) / "exercises.py"
        title = exercise.requirements[result.met].title
        what = (
            f"{exercise.id}: the requirement {title!r} breaks on {what}: {type(result.error).__name__}: {result.error}"
        )
        return str(LessonProblem(path, line_that_raised(path, result.error), what))
    return f"{exercise.id}: {what} has to pass, but the check says:\n{result.text()}"


def _gets(result: CheckResult, message: str, what: str, field: str) -> str:
    exercise = result.exercise.id
    if result.passed:
        return f"{exercise}: {what} has to fail, but it passes; make a requirement stricter"
    if "Traceback (most recent call last)" in result.text():
        return f"{exercise}: {what} shows a traceback to the learner:\n{result.text()}"
    if not _in_feedback(message, result):
        return f"{exercise}: {what} has to be told {message!r} (its {field}), but the check says:\n{result.text()}"
    return ""


def _in_feedback(message: str, result: CheckResult) -> bool:
    """Say whether one of the four lines holds the message; the way it is broken into lines does not matter."""
    assert result.feedback is not None
    return any(" ".join(message.split()) in " ".join(line.split()) for _, line in result.feedback.lines())


def _lines(source: str) -> list[str]:
    return [line.strip() for line in source.splitlines() if line.strip()]
