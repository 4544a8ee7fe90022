"""The five proofs, for every exercise of every lesson."""

from __future__ import annotations

import pytest

from coldstart.course import Exercise, catalogue, prove
from coldstart.course.exercise import WrongAnswer
from coldstart.course.lesson import read_exercises

EXERCISES = [
    exercise
    for folder in catalogue.lesson_folders(catalogue.lessons_folder())
    for exercise in read_exercises(folder / "exercises.py").values()
]
WRONG_ANSWERS = [(exercise, wrong) for exercise in EXERCISES for wrong in exercise.wrong_answers]

every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.id for exercise in EXERCISES])
pytestmark = pytest.mark.usefixtures("local_aws")


@every_exercise
def test_the_stub_fails_with_its_message(exercise: Exercise) -> None:
    assert prove.the_stub_fails_with_its_message(exercise) == ""


@every_exercise
def test_the_solution_passes(exercise: Exercise) -> None:
    assert prove.the_solution_passes(exercise) == ""


@every_exercise
def test_the_other_solution_passes(exercise: Exercise) -> None:
    assert prove.the_other_solution_passes(exercise) == ""


@pytest.mark.parametrize(
    ("exercise", "wrong"), WRONG_ANSWERS, ids=[f"{exercise.id}-{wrong.name}" for exercise, wrong in WRONG_ANSWERS]
)
def test_a_wrong_answer_gets_its_message(exercise: Exercise, wrong: WrongAnswer) -> None:
    assert prove.a_wrong_answer_gets_its_message(exercise, wrong) == ""


@every_exercise
def test_the_hints_lead_up_to_the_code(exercise: Exercise) -> None:
    assert prove.the_hints_lead_up_to_the_code(exercise) == ""
