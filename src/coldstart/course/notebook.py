"""Makes a notebook of a lesson: with stubs for the learner, or with the solutions. It is not yet executed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coldstart.course.exercise import Exercise
from coldstart.course.facts import Facts
from coldstart.course.lesson import Cell, ExercisePlace, Lesson, Prose
from coldstart.course.problems import LessonProblem

_LESSON_LINK = re.compile(r"\[([^\]]*)\]\(\.\./(\d\d-[\w-]+)/lesson\.md(#[^)]*)?\)")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass
class Draft:
    """A notebook of a lesson, and the way back from its cells to lesson.md.

    Attributes:
        notebook: the notebook. A cell's metadata holds what stands behind its fence (`tags`, `raises`, `tab`, `alt`); cells that
            were made for the author carry `coldstart`: `{"role": "overview"}`, or `{"exercise": "01.1", "role": ...}`
            with the role task, answer or check.
        lines: for each cell's id, the line of lesson.md it comes from.
    """

    notebook: nbformat.NotebookNode
    lines: dict[str, int] = field(default_factory=dict)


def make_notebook(lesson: Lesson, facts: Facts, lessons: list[Lesson], *, solutions: bool) -> Draft:
    """Make a lesson's notebook.

    Args:
        lesson: the lesson.
        facts: the figures for its prose.
        lessons: all lessons, for the titles of those that come before it.
        solutions: put the solutions in, not the stubs.

    Raises:
        LessonProblem: the lesson names an exercise or a fact that there is not.
    """
    draft = Draft(new_notebook(metadata={**_KERNEL, "coldstart": {"lesson": lesson.name, "solutions": solutions}}))
    ids = _CellIds()
    for line, cell in _cells(lesson, facts, lessons, solutions):
        cell.id = ids.next(cell)
        draft.lines[cell.id] = line
        draft.notebook.cells.append(cell)
    return draft


def _cells(
    lesson: Lesson, facts: Facts, lessons: list[Lesson], solutions: bool
) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    """The lesson's cells, each with its line of lesson.md."""
    for part in lesson.parts:
        if isinstance(part, Prose):
            text = _link_lessons(facts.fill_in(part.text, lesson.source, part.line), lessons)
            title, _, rest = text.partition("\n")
            if title.startswith("# "):
                yield part.line, _markdown(title)
                yield part.line, _markdown(_overview(lesson, lessons), role="overview")
                text = rest.strip("\n")
            if text:
                yield part.line, _markdown(text)
        elif isinstance(part, Cell):
            yield part.line, new_code_cell(part.source, metadata=_metadata(part))
        elif isinstance(part, ExercisePlace):
            exercise = lesson.exercises.get(part.exercise_id)
            if exercise is None:
                what = f"there is no exercise {part.exercise_id} in exercises.py; write it, or mend the number"
                raise LessonProblem(lesson.source, part.line, what)
            task = facts.fill_in(_task(exercise), lesson.folder / "exercises.py", 1)
            answer = exercise.solution if solutions else exercise.stub
            yield part.line, _markdown(task, exercise=exercise.id, role="task")
            yield (
                part.line,
                _code(f"%%writefile {exercise.file}\n{answer.rstrip()}", exercise=exercise.id, role="answer"),
            )
            yield part.line, _code(f'check("{exercise.id}")', exercise=exercise.id, role="check")


def _metadata(cell: Cell) -> dict[str, Any]:
    return {**cell.options, **({"tags": cell.tags} if cell.tags else {})}


def _overview(lesson: Lesson, lessons: list[Lesson]) -> str:
    """How long the lesson takes, what comes before it, and what it is for."""
    front = lesson.front_matter
    before = [other for other in lessons if other.number in front.prerequisites]
    links = ", ".join(f"[{other.number} {other.front_matter.title}]({other.name}.ipynb)" for other in before)
    goals = "\n".join(f"- {objective.text}" for objective in front.objectives)
    return (
        f"*About {front.minutes} minutes{f' · after {links}' if links else ''}*\n\n**Afterwards you can:**\n\n{goals}"
    )


def _task(exercise: Exercise) -> str:
    """What is asked; the list comes from the checks themselves, so that the two cannot disagree."""
    asked = "\n".join(f"{number}. {asked.title}" for number, asked in enumerate(exercise.requirements, 1))
    return (
        f"### {exercise.heading}\n\n{exercise.task}\n\n"
        f"The check looks for this, in this order:\n\n{asked}\n\n"
        f"Run the next cell to save your answer, then the one after it to check it. "
        f'If you are stuck: `hint("{exercise.id}")`.'
    )


def _link_lessons(text: str, lessons: list[Lesson]) -> str:
    """Point links between lessons at their notebooks; leave only the words where a lesson is not written yet."""
    written = {lesson.name for lesson in lessons}

    def replace(link: re.Match[str]) -> str:
        words, name, anchor = link.groups()
        return f"[{words}]({name}.ipynb{anchor or ''})" if name in written else words

    return _LESSON_LINK.sub(replace, text)


def _markdown(text: str, **mark: str) -> nbformat.NotebookNode:
    return new_markdown_cell(text, metadata={"coldstart": mark} if mark else {})


def _code(source: str, **mark: Any) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata={"coldstart": mark} if mark else {})


class _CellIds:
    """Ids that stay as they are when another section of the lesson changes: the section's heading and a number."""

    def __init__(self) -> None:
        self._section = "start"
        self._used: Counter[str] = Counter()

    def next(self, cell: nbformat.NotebookNode) -> str:
        """The id of the next cell, which may begin a section."""
        if cell.cell_type == "markdown":
            headings = [line for line in _FENCED.sub("", cell.source).splitlines() if line.startswith("#")]
            if headings:
                self._section = re.sub(r"[^a-z0-9]+", "-", headings[0].lower()).strip("-")[:50] or "section"
        self._used[self._section] += 1
        return f"{self._section}-{self._used[self._section]}"
