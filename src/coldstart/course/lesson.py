"""A lesson as it is written: front matter, prose, cells and directives of lesson.md, with the exercises and questions.

The format is described in CONTRIBUTING.md. Cells are fences of the language `python`, in the form in which jupytext writes
Markdown notebooks; any other fence is prose. The file is read line by line so that every complaint can name its line.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from coldstart.course.exercise import Exercise
from coldstart.course.problems import LessonProblem, line_that_raised
from coldstart.course.question_bank import Question, QuestionBank
from coldstart.course.yaml_models import read_yaml

_FENCE = re.compile(r"(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"#{1,6} ")
_COMMENT = re.compile(r"<!--\s*(\S*)")
_EXERCISE = re.compile(r"<!--\s*exercise\s+(\S+)\s*-->\s*$")
# What may stand behind ```python, in jupytext's form. `tags` are Jupyter's; `raises` names the error of a cell that fails on
# purpose; `tab` makes tabs on the site; `alt` describes a figure; `refutes` names misconceptions that the cell shows to be wrong.
_OPTIONS = ("tags", "raises", "tab", "alt", "refutes")
_TAGS = ("nbval-ignore-output",)


class Objective(BaseModel):
    """What a learner can do afterwards, and what shows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    text: str = Field(min_length=1)
    tested_by: list[str]


class FrontMatter(BaseModel):
    """The YAML at the top of lesson.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    minutes: int = Field(gt=0)
    objectives: list[Objective] = Field(min_length=1)
    prerequisites: list[str] = []
    guide: list[str] = []


@dataclass(frozen=True)
class Prose:
    """Markdown between cells."""

    text: str
    line: int


@dataclass(frozen=True)
class Cell:
    """A code cell."""

    source: str
    line: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def tags(self) -> list[str]:
        """Jupyter's cell tags."""
        return [*self.options.get("tags", []), *(["raises-exception"] if "raises" in self.options else [])]


@dataclass(frozen=True)
class ExercisePlace:
    """Where an exercise stands."""

    exercise_id: str
    line: int


@dataclass(frozen=True)
class InstructorNote:
    """A note for the person who teaches (Ask, Demo, Watch for, If short of time); learners do not see it."""

    text: str
    line: int


Part = Prose | Cell | ExercisePlace | InstructorNote


@dataclass(frozen=True)
class Lesson:
    """One folder below lessons/."""

    folder: Path
    front_matter: FrontMatter
    parts: list[Part]
    exercises: dict[str, Exercise]
    question_bank: QuestionBank

    @property
    def name(self) -> str:
        """The folder's name, like ``01-first-function``."""
        return self.folder.name

    @property
    def number(self) -> str:
        """The two digits before the name."""
        return self.folder.name[:2]

    @property
    def source(self) -> Path:
        """The path of lesson.md."""
        return self.folder / "lesson.md"

    def question(self, question_id: str) -> Question | None:
        """Return a prediction or quiz question by its id."""
        return next((question for question in self.question_bank.all if question.id == question_id), None)


def read_lesson(folder: Path) -> Lesson:
    """Read a lesson's folder.

    Raises:
        LessonProblem: something in it cannot be read; the message says where and what to do.
    """
    path = folder / "lesson.md"
    if not path.exists():
        raise LessonProblem(path, None, "the file is missing; copy the one of 01-first-function and change it")
    lines = path.read_text("utf-8").splitlines()
    front_matter, first = _front_matter(path, lines)
    exercises = read_exercises(folder / "exercises.py")
    return Lesson(folder, front_matter, _parts(path, lines, first), exercises, QuestionBank.read(folder / "quiz.yml"))


def read_exercises(path: Path) -> dict[str, Exercise]:
    """Import an exercises.py; a lesson without one has no exercises.

    Returns:
        Its exercises by id, in the order of EXERCISES.

    Raises:
        LessonProblem: it cannot be imported, or has no list EXERCISES.
    """
    if not path.exists():
        return {}
    name = f"coldstart_lesson_{path.parent.name.replace('-', '_')}_exercises"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise LessonProblem(path, error.lineno, f"Python cannot read it: {error.msg}") from error
    except Exception as error:
        what = f"it cannot be imported: {type(error).__name__}: {error}"
        raise LessonProblem(path, line_that_raised(path, error), what) from error
    finally:
        sys.dont_write_bytecode = bytecode
    exercises = getattr(module, "EXERCISES", None)
    if not isinstance(exercises, list) or not all(isinstance(exercise, Exercise) for exercise in exercises):
        raise LessonProblem(path, None, "its exercises stand in a list at the end: EXERCISES = [...]")
    return {exercise.id: exercise for exercise in exercises}


def _front_matter(path: Path, lines: list[str]) -> tuple[FrontMatter, int]:
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        raise LessonProblem(path, 1, "begin with front matter between two lines of `---`: title, minutes, objectives")
    end = lines.index("---", 1)
    return read_yaml(FrontMatter, "\n".join(lines[1:end]), path, first_line=2), end + 1


def _parts(path: Path, lines: list[str], first: int) -> list[Part]:
    """Take the body apart. Prose is split at headings, so that each section is a cell of its own."""
    parts: list[Part] = []
    prose: list[str] = []
    prose_line = first + 1
    index = first

    def end_prose() -> None:
        text = "\n".join(prose).rstrip()
        if text:
            parts.append(Prose(text, prose_line))
        prose.clear()

    while index < len(lines):
        line, number, end = lines[index], index + 1, index
        if fence := _FENCE.match(line):
            end = _end_of_fence(path, lines, index, fence[1])
        language, _, options = fence[2].strip().partition(" ") if fence else ("", "", "")
        if language == "python":
            end_prose()
            parts.append(Cell("\n".join(lines[index + 1 : end]), number, _options(path, number, options)))
        elif comment := _COMMENT.match(line):
            end_prose()
            end = _end_of_comment(path, lines, index)
            parts.append(_directive(path, number, comment[1], lines[index : end + 1]))
        else:
            if _HEADING.match(line):
                end_prose()
            if not prose:
                prose_line = number
            if prose or line.strip():
                prose.extend(lines[index : end + 1])
        index = end + 1
    end_prose()
    return parts


def _directive(path: Path, number: int, word: str, lines: list[str]) -> Part:
    text = "\n".join(lines)
    if word == "instructor":
        return InstructorNote(
            text.strip().removeprefix("<!--").removesuffix("-->").strip().removeprefix(word).strip(), number
        )
    if exercise := _EXERCISE.fullmatch(text):
        return ExercisePlace(exercise[1], number)
    what = f"`{lines[0].strip()}` is not known; write <!-- exercise 01.1 --> or <!-- instructor ... -->, on lines of their own"
    raise LessonProblem(path, number, what)


def _end_of_comment(path: Path, lines: list[str], start: int) -> int:
    for index in range(start, len(lines)):
        if "-->" in lines[index]:
            return index
    raise LessonProblem(path, start + 1, "the comment is never closed; end it with `-->`")


def _end_of_fence(path: Path, lines: list[str], start: int, ticks: str) -> int:
    for index in range(start + 1, len(lines)):
        closing = lines[index].strip()
        if closing.startswith(ticks) and set(closing) == {ticks[0]}:
            return index
    raise LessonProblem(path, start + 1, f"the fence is never closed; end it with {ticks}")


def _options(path: Path, line: int, text: str) -> dict[str, Any]:
    if not text:
        return {}
    from jupytext.cell_metadata import parse_key_equal_value  # takes a second, and `check` reads no lesson.md

    options: dict[str, Any] = parse_key_equal_value(text)
    for name in options:
        if name not in _OPTIONS:
            given = text if name == "incorrectly_encoded_metadata" else name
            what = (
                f"`{given}` behind ```python is not known; there are "
                + 'raises="NameOfTheError", tab="...", alt="...", refutes="M1" and tags=["..."]'
            )
            raise LessonProblem(path, line, what)
    tags = options.get("tags", [])
    if not isinstance(tags, list) or any(tag not in _TAGS for tag in tags):
        what = f'`tags` is a list of these, in double quotes: {", ".join(_TAGS)}; a cell that fails on purpose has raises="..."'
        raise LessonProblem(path, line, what)
    return options
