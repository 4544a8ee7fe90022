"""Finds the course's lessons, exercises and questions by their ids, for the cells of a notebook."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from coldstart.course.exercise import Exercise
from coldstart.course.facts import Fact, Facts
from coldstart.course.lesson import read_exercises
from coldstart.course.problems import LessonProblem
from coldstart.course.question_bank import Question, QuestionBank
from coldstart.course.shown import Shown

PROJECT = Path(__file__).resolve().parents[3]

Content = TypeVar("Content")


class NotInTheCourse(LookupError):
    """There is no such lesson, exercise or question; the message says what there is."""

    def shown(self) -> Shown:
        """The message as a cell shows it."""
        return Shown(str(self))


def lessons_folder() -> Path:
    """Return the folder of the lessons: `COLDSTART_LESSONS`, or lessons/ of the project.

    Raises:
        NotInTheCourse: there is none.
    """
    folder = Path(os.environ.get("COLDSTART_LESSONS") or PROJECT / "lessons")
    if not folder.is_dir():
        raise NotInTheCourse(
            f"The course's lessons are not at {folder}. Open the notebooks with `make lab` in the project's folder, "
            "or set COLDSTART_LESSONS to the folder of the lessons."
        )
    return folder


def lesson_folders(folder: Path) -> list[Path]:
    """Return the folders of all lessons, in order."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and child.name[:2].isdigit())


def lesson_folder(number: str) -> Path:
    """Return the folder of a lesson by its number, such as "03".

    Raises:
        NotInTheCourse: there is none.
    """
    folders = lesson_folders(lessons_folder())
    for folder in folders:
        if folder.name.partition("-")[0] == number:
            return folder
    raise NotInTheCourse(f"There is no lesson {number!r}. There are {_listed(folder.name[:2] for folder in folders)}.")


def exercise(exercise_id: str) -> Exercise:
    """Return an exercise by an id such as "01.2".

    Raises:
        NotInTheCourse: there is none.
    """
    exercises = _read(_lesson_of(exercise_id) / "exercises.py", read_exercises)
    if exercise_id not in exercises:
        raise NotInTheCourse(f"There is no exercise {exercise_id!r}. The lesson has {_listed(exercises)}.")
    return exercises[exercise_id]


def exercises(lesson_number: str) -> list[Exercise]:
    """Return all exercises of a lesson.

    Raises:
        NotInTheCourse: there is no such lesson.
    """
    return list(_read(_lesson_of(f"{lesson_number}.") / "exercises.py", read_exercises).values())


def exercises_named(names: Sequence[str]) -> list[Exercise]:
    """Return exercises by id, those of whole lessons by number, or all of the course when no name is given.

    Raises:
        NotInTheCourse: there is none of a name.
    """
    found: list[Exercise] = []
    for name in names or [folder.name[:2] for folder in lesson_folders(lessons_folder())]:
        found += [exercise(name)] if "." in name else exercises(name[:2])
    return found


def question(question_id: str) -> Question:
    """Return a prediction or a quiz question by its id, such as "01.p1" or "01.q1".

    Raises:
        NotInTheCourse: there is none.
    """
    bank = _read(_lesson_of(question_id) / "quiz.yml", QuestionBank.read)
    by_id = {question.id: question for question in bank.all}
    if question_id not in by_id:
        raise NotInTheCourse(f"There is no question {question_id!r}. The lesson has {_listed(by_id)}.")
    return by_id[question_id]


def questions(lesson_number: str) -> list[Question]:
    """Return all quiz questions of a lesson, predictions not among them.

    Raises:
        NotInTheCourse: there is no such lesson.
    """
    return _read(_lesson_of(f"{lesson_number}.") / "quiz.yml", QuestionBank.read).questions


def fact(name: str) -> Fact:
    """Return a figure of facts.toml.

    Raises:
        NotInTheCourse: there is none of this name.
    """
    facts = _read(lessons_folder() / "facts.toml", Facts)
    if name not in facts.by_name:
        raise NotInTheCourse(f"There is no fact {name!r}.")
    return facts.by_name[name]


def filled(text: str) -> str:
    """Fill the figures of facts.toml into a text of an exercise or a question."""
    path = lessons_folder() / "facts.toml"
    return _read(path, Facts).fill_in(text, path, 1) if "{{fact:" in text else text


def _lesson_of(item_id: object) -> Path:
    """The folder of the lesson that an id belongs to."""
    if item_id == "":
        raise NotInTheCourse('Which one? Say it in the brackets. Ids look like "01.2", with the quotes.')
    if not isinstance(item_id, str) or "." not in item_id:
        raise NotInTheCourse(f'{item_id!r} is no id of the course. Ids look like "01.2", with the quotes.')
    return lesson_folder(item_id.partition(".")[0])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _read(path: Path, reader: Callable[[Path], Content]) -> Content:
    """Read a file once, and again when it has changed."""
    try:
        return _read_once(path, path.stat().st_mtime_ns if path.exists() else 0, reader)
    except LessonProblem as problem:
        raise NotInTheCourse(f"The course's own file cannot be read. {problem}") from problem


@lru_cache(maxsize=64)
def _read_once(path: Path, _changed: int, reader: Callable[[Path], Content]) -> Content:
    return reader(path)
