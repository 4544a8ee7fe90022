"""The proofs themselves: each finds what it is there to find, and says what to do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from coldstart.course import Exercise, prove
from coldstart.course.lesson import read_exercises

pytestmark = pytest.mark.usefixtures("local_aws")


@pytest.fixture
def exercise(small_course: Path) -> Exercise:
    return read_exercises(small_course / "01-greet" / "exercises.py")["01.1"]


def test_a_sound_exercise_passes_all_five(exercise: Exercise) -> None:
    assert prove.the_stub_fails_with_its_message(exercise) == ""
    assert prove.the_solution_passes(exercise) == ""
    assert prove.the_other_solution_passes(exercise) == ""
    assert [prove.a_wrong_answer_gets_its_message(exercise, wrong) for wrong in exercise.wrong_answers] == ["", ""]
    assert prove.the_hints_lead_up_to_the_code(exercise) == ""


def test_a_stub_that_passes_is_found(exercise: Exercise) -> None:
    solved = dataclasses.replace(exercise, stub=exercise.solution)
    assert prove.the_stub_fails_with_its_message(solved) == (
        "01.1: the stub has to fail, but it passes; make a requirement stricter"
    )


def test_a_stub_with_another_message_is_found(exercise: Exercise) -> None:
    broken = dataclasses.replace(exercise, stub="import parcel_greetings")
    problem = prove.the_stub_fails_with_its_message(broken)
    assert problem.startswith("01.1: the stub has to be told \"'Hello, you'\" (its stub_message), but the check says:")
    assert "Runtime.ImportModuleError" in problem


def test_a_solution_that_fails_is_found(exercise: Exercise) -> None:
    failing = dataclasses.replace(exercise, solution=exercise.stub)
    problem = prove.the_solution_passes(failing)
    assert problem.startswith("01.1: the solution has to pass, but the check says:")
    assert "Got:            {'greeting': 'Hello, you'}" in problem


def test_another_solution_that_is_the_same_is_found(exercise: Exercise) -> None:
    same = dataclasses.replace(exercise, other_solution=exercise.solution + "\n\n")
    assert "the other solution is the solution again" in prove.the_other_solution_passes(same)


def test_a_wrong_answer_that_passes_is_found(exercise: Exercise) -> None:
    wrong = dataclasses.replace(exercise.wrong_answers[0], code=exercise.solution)
    assert prove.a_wrong_answer_gets_its_message(exercise, wrong) == (
        "01.1: the wrong answer greets_only_ada has to fail, but it passes; make a requirement stricter"
    )


def test_a_wrong_answer_that_gets_another_ones_message_is_found(exercise: Exercise) -> None:
    first, second = exercise.wrong_answers
    vague = dataclasses.replace(exercise, wrong_answers=[first, dataclasses.replace(second, message="name")])
    problem = prove.a_wrong_answer_gets_its_message(vague, first)
    assert problem == (
        "01.1: greets_only_ada gets the message of returns_nothing too ('name'); "
        "let `expect` tell the two apart, with a case of its own for each"
    )


@pytest.mark.parametrize(
    ("hints", "says"),
    [
        ([], "a hint is missing"),
        (["Read.", " ", "`event[...]`"], "a hint is missing"),
        (["Read.", "Read.", "`event[...]`"], "two hints say the same"),
        (["Read.", '`return {"greeting": f"Hello, {event[\'name\']}"}`', "`event[...]`"], "hint 2 gives away"),
        (["Read.", "Look at the event.", "You can do it."], "the last hint shows no code"),
    ],
)
def test_hints_that_do_not_lead_up_to_the_code_are_found(exercise: Exercise, hints: list[str], says: str) -> None:
    assert says in prove.the_hints_lead_up_to_the_code(dataclasses.replace(exercise, hints=hints))


def test_the_command_prints_a_table_and_what_is_wrong(small_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small_course / "01-greet" / "exercises.py"
    assert prove.main(["01.1"]) == 0
    path.write_text(path.read_text("utf-8").replace('message="None"', 'message="Nothing at all"'), "utf-8")
    assert prove.main(["01"]) == 1
    printed = capsys.readouterr().out
    assert "01.1      yes" in printed
    assert "NO" in printed
    assert "the wrong answer returns_nothing has to be told 'Nothing at all' (its message)" in printed


def test_a_fault_of_a_requirement_is_not_taken_for_an_answer(
    small_course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small_course / "01-greet" / "exercises.py"
    path.write_text(
        path.read_text("utf-8").replace("submission.deploy().invoke(", "submission.deploy().call("), "utf-8"
    )
    assert prove.main(["01"]) == 1
    printed = capsys.readouterr().out
    assert "NO" in printed
    assert printed.endswith(
        "yes          \n\n01-greet/exercises.py:7: 01.1: the requirement 'Greets whoever the event names' breaks on the solution: "
        "AttributeError: 'DeployedFunction' object has no attribute 'call'\n\n"
        "Mend this first: the other proofs rest on it.\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id="01.1"', 'id="09.1"', "01-greet/exercises.py:18: 09.1: the id has to begin with 01.\n"),
        ('        "The name is in the event.",\n', "", "01-greet/exercises.py:18: 01.1: it needs 4 hints,"),
        ("EXERCISES = ", "EXERCISE = ", "01-greet/exercises.py: its exercises stand in a list at the end"),
    ],
)
def test_an_exercise_that_cannot_be_proved_is_said_to_be_before_anything_runs(
    small_course: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    path = small_course / "01-greet" / "exercises.py"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    assert prove.main(["01"]) == 1
    printed = capsys.readouterr().out
    assert says in printed
    assert "stub fails" not in printed


def test_the_command_names_what_there_is(small_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prove.main(["01.9"]) == 1
    assert "There is no exercise '01.9'. The lesson has 01.1." in capsys.readouterr().out
