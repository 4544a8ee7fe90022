"""Makes the site's page of a lesson from its executed notebook: plain Markdown that more than one engine builds.

``coldstart build`` calls :func:`write_page`; pages are never edited. Cells become fences and figures (``pages_cells``),
predictions, questions, hints and solutions become ``<details>`` (``pages_questions``).
"""

from __future__ import annotations

import ast
import datetime
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
from markdown.extensions.toc import slugify

from coldstart.course.facts import Facts
from coldstart.course.lesson import Lesson
from coldstart.course.pages_cells import code, join, noted, output, tab
from coldstart.course.pages_questions import comparison, help_with, prediction, quiz_question
from coldstart.course.pages_terms import Terms
from coldstart.course.problems import LessonProblem
from coldstart.course.where_it_runs import where_it_runs

_NOTEBOOK_LINK = re.compile(r"\]\((\d\d-[\w-]+)\.ipynb(#[^)]*)?\)")
_EXERCISE_HEADING = re.compile(r"^(### Exercise .*)$", re.MULTILINE)
# What a notebook's Markdown escapes with a backslash and Python-Markdown does not.
_ESCAPED = re.compile(r"\\([<&~$|])")
# An id in what a check said, where it does not stand in backticks: nobody searches for it.
_ID = re.compile(r"(`[^`]*`)|\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
# Below these folders people keep their own files; a function's own paths (/var/task, /tmp) are none of them.
_LOCAL_PATH = re.compile(
    r"(?<![\w/.:-])(?:/(?:home|Users|root|work|builds|workspaces)/|[A-Z]:\\Users\\)(?!sbx_)[^\s\"'<]+"
)


def write_page(
    lesson: Lesson, notebook: Path, page: Path, *, facts: Facts, lessons: list[Lesson], glossary: dict[str, str]
) -> None:
    """Write a lesson's page.

    Args:
        lesson: the lesson.
        notebook: its executed notebook, the one with the stubs.
        page: where to write.
        facts: fills in the figures that questions and exercises mention.
        lessons: all lessons, for the titles of the prerequisites.
        glossary: the words whose meaning is shown where they first stand.

    Raises:
        LessonProblem: an output shows a path of this machine, or a question or exercise is not there.
    """
    text = _Page(lesson, nbformat.read(notebook, 4), lessons, Terms(glossary)).markdown()
    page.write_text(facts.fill_in(text, page, 1), "utf-8")


def local_path_in(text: str) -> str | None:
    """Return the first path of somebody's own files in a text, such as ``/home/ada/parcel``, or None."""
    found = _LOCAL_PATH.search(text)
    return found[0] if found else None


def call_in(source: str) -> tuple[str, str] | None:
    """Return name and argument of a cell that is one call such as ``quiz("01.q1")``; None for every other cell."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a cell with a magic
        return None
    match body:
        case [ast.Expr(ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(argument))], keywords=[]))]:
            return name, argument
    return None


def feedback(cell: nbformat.NotebookNode) -> str:
    """Return what an executed `check` cell said, in Markdown; its four lines as a paragraph each, its ids unsearched."""
    said = "\n\n".join(
        result.data["text/markdown"] for result in cell.outputs if "text/markdown" in result.get("data", {})
    )
    said = _ESCAPED.sub(lambda found: f"&#{ord(found[1])};", said)
    unsearched = _ID.sub(lambda found: found[1] or f"<span data-search-exclude>{found[2]}</span>", said)
    return re.sub(r"^- (?=\*\*)", "\n", unsearched, flags=re.MULTILINE)


class _Page:
    def __init__(self, lesson: Lesson, notebook: nbformat.NotebookNode, lessons: list[Lesson], terms: Terms) -> None:
        self._lesson = lesson
        self._notebook = notebook
        self._terms = terms
        self._lessons = {other.number: other for other in lessons}
        calls = [call_in(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
        self._compared = {call[1] for call in calls if call and call[0] == "compare"}

    def markdown(self) -> str:
        first, *cells = [cell for cell in self._notebook.cells if _role(cell) != "overview"]
        title, _, opening = first.source.partition("\n")
        blocks = [self._front_matter(), title, self._overview(), self._prose(opening.strip())]
        for is_tab, group in groupby(cells, key=lambda cell: "tab" in cell.metadata):
            if is_tab:
                blocks += [tab(cell.metadata.tab, self._cell(cell, nested=True)) for cell in group]
            else:
                blocks += [self._cell(cell) for cell in group]
        return join(*blocks, self._colophon()) + "\n"

    def _front_matter(self) -> str:
        front = self._lesson.front_matter
        learned = "; ".join(objective.text for objective in front.objectives[:2])
        description = f"{front.title}: {learned}.".replace('"', "'")
        return (
            f'---\ntitle: "{self._lesson.number} {front.title}"\ndescription: "{description}"\n'
            f"source: lessons/{self._lesson.name}/lesson.md\nsearch: {{boost: 2}}\n---\n"
            f"<!-- Built from lessons/{self._lesson.name} by `make build`; change it there. -->"
        )

    def _overview(self) -> str:
        front = self._lesson.front_matter
        before = [self._lessons[number] for number in front.prerequisites if number in self._lessons]
        links = ", ".join(f"[{other.front_matter.title}]({other.name}.md)" for other in before)
        facts = [
            f"- **Time** about {front.minutes} minutes",
            f"- **Before it** {links or 'nothing'}",
            f"- **Run it** [download the notebook](../notebooks/{self._lesson.name}.ipynb)",
        ]
        if exercises := self._lesson.exercises.values():
            places = (f"[{exercise.id}](#{slugify(exercise.heading, '-')})" for exercise in exercises)
            facts.append(f"- **Exercises** {', '.join(places)}")
        if run := self._run():
            facts.insert(2, f"- **Last run** {_day(run['date'])}")
        goals = "\n".join(f"- {objective.text}" for objective in front.objectives)
        return join(
            '<div class="overview" markdown="1">', "\n".join(facts), "After this lesson you can:", goals, "</div>"
        )

    def _colophon(self) -> str:
        run = self._run()
        if run is None:
            return ""
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        return (
            '<div class="colophon" markdown="1">\n\n'
            f"Every output on this page was printed when its notebook ran on {_day(run['date'])}, with {versions}."
            "\n\n</div>"
        )

    def _run(self) -> dict[str, Any] | None:
        """Date and versions of the run that the outputs come from, as the build noted them."""
        run: dict[str, Any] | None = self._notebook.metadata.get("coldstart", {}).get("run")
        return run

    def _prose(self, text: str) -> str:
        linked = _NOTEBOOK_LINK.sub(r"](\1.md\2)", text)
        return self._terms.mark(_EXERCISE_HEADING.sub(r"\1 { .exercise }", linked))

    def _cell(self, cell: nbformat.NotebookNode, *, nested: bool = False) -> str:
        if cell.cell_type == "markdown":
            return self._prose(cell.source)
        if asked := self._question(cell):
            return asked
        alt = cell.metadata.get("alt")
        outputs = [output(result, alt=alt, nested=nested) for result in cell.outputs]
        shown = code(cell.source, name=cell.id, runs=where_it_runs(cell.source))
        blocks = [shown, *outputs]
        if _role(cell) == "check":
            exercise = self._lesson.exercises[cell.metadata.coldstart.exercise]
            said = noted("feedback", f"What check says before you change {exercise.file}", feedback(cell))
            blocks = [shown, said, help_with(exercise)]
        text = join(*blocks)
        if path := local_path_in(text):
            what = f"the output of this cell shows a path of this machine, {path}; let the cell print something else"
            raise LessonProblem(self._lesson.source, None, what)
        return text

    def _question(self, cell: nbformat.NotebookNode) -> str:
        name, argument = call_in(cell.source) or ("", "")
        if name == "quiz" and argument == self._lesson.number:
            return join(*(quiz_question(question) for question in self._lesson.question_bank.questions))
        question = self._lesson.question(argument) if name in ("predict", "compare", "quiz") else None
        if question is None:
            return ""
        if name == "predict":
            return prediction(question, answered_later=argument in self._compared)
        return comparison(question) if name == "compare" else quiz_question(question)


def _role(cell: nbformat.NotebookNode) -> str | None:
    """What a cell is that was made for the author: overview, task, answer or check."""
    role: str | None = cell.metadata.get("coldstart", {}).get("role")
    return role


def _day(date: str) -> str:
    day = datetime.date.fromisoformat(date)
    return f"{day.day} {day:%B %Y}"
