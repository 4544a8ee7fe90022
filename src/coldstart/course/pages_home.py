"""The site's home page: what it shows of the course is taken from the notebooks when the site is built, never typed.

`site/home.md` is its text. Three comments in it, each on a line of its own, become what they name:

- `<!-- cell NOTEBOOK CELL-ID -->` the cell and what it printed
- `<!-- timeline NOTEBOOK CELL-ID -->` the REPORT lines which that cell printed, drawn to scale
- `<!-- lessons -->` the lessons with their times
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from coldstart.course.lesson import Lesson
from coldstart.course.pages import feedback
from coldstart.course.pages_cells import code, join, noted, output
from coldstart.course.problems import LessonProblem

_COMMENT = re.compile(r"^<!-- (cell|timeline) (\S+) (\S+) -->$", re.MULTILINE)
_LESSONS = re.compile(r"^<!-- lessons -->$", re.MULTILINE)
_REPORT = re.compile(r"^REPORT .*?\tDuration: ([\d.]+) ms\b(?:.*?\tInit Duration: ([\d.]+) ms)?", re.MULTILINE)


@dataclass(frozen=True)
class Invocation:
    """One REPORT line.

    Attributes:
        init_ms: the time that Lambda needed to start the environment; 0 when it was warm.
        handler_ms: the time that the handler ran.
    """

    init_ms: float
    handler_ms: float

    @property
    def total_ms(self) -> float:
        """What the caller waited for."""
        return self.init_ms + self.handler_ms


def home_page(template: Path, notebooks: Path, lessons: list[Lesson]) -> str:
    """Return the home page's Markdown.

    Args:
        template: the text with the comments.
        notebooks: the folder of the executed notebooks.
        lessons: the lessons, in order.

    Raises:
        LessonProblem: a comment names a notebook or a cell that there is not.
    """

    def replace(comment: re.Match[str]) -> str:
        cell = _cell(template, notebooks / f"{comment[2]}.ipynb", comment[3])
        return _shown(cell) if comment[1] == "cell" else _timeline(template, cell)

    text = _COMMENT.sub(replace, template.read_text("utf-8"))
    return _LESSONS.sub(lambda _: _list_of(lessons), text)


def invocations(log: str) -> list[Invocation]:
    """Return the invocations that a log's REPORT lines tell of, in order."""
    return [Invocation(float(init or 0), float(handler)) for handler, init in _REPORT.findall(log)]


def _cell(template: Path, notebook: Path, cell_id: str) -> nbformat.NotebookNode:
    if not notebook.exists():
        raise LessonProblem(template, None, f"names the notebook {notebook.stem}, which is not built; run `make build`")
    cells = {cell.id: cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"}
    if cell_id not in cells:
        there_are = ", ".join(cells)
        raise LessonProblem(template, None, f"{notebook.stem} has no cell {cell_id}; it has {there_are}")
    return cells[cell_id]


def _shown(cell: nbformat.NotebookNode) -> str:
    if cell.metadata.get("coldstart", {}).get("role") == "check":
        return noted("feedback", cell.source, feedback(cell))
    return join(code(cell.source), *(output(result) for result in cell.outputs))


def _timeline(template: Path, cell: nbformat.NotebookNode) -> str:
    calls = invocations("".join(result.get("text", "") for result in cell.outputs))
    if not calls:
        raise LessonProblem(template, None, f"the cell {cell.id} printed no REPORT line to draw a timeline from")
    longest = max(call.total_ms for call in calls)
    rows = "".join(_row(number, call, longest) for number, call in enumerate(calls, 1))
    return (
        '<table class="timeline" data-search-exclude>\n'
        "<caption>How long each call took, from the log of one function</caption>\n"
        '<thead><tr><th scope="col">Call</th><th scope="col" class="timeline-scale">To scale</th>'
        '<th scope="col"><span class="key-init"></span>Start</th>'
        '<th scope="col"><span class="key-run"></span>Handler</th></tr></thead>\n'
        f"<tbody>{rows}</tbody>\n</table>"
    )


def _row(number: int, call: Invocation, longest: float) -> str:
    started = f"{call.init_ms:.1f} ms" if call.init_ms else "none"
    bars = "".join(
        f'<span class="{kind}" style="width:{100 * time / longest:.2f}%"></span>'
        for kind, time in (("bar-init", call.init_ms), ("bar-run", call.handler_ms))
        if time
    )
    return (
        f'<tr><th scope="row">{number}</th><td class="timeline-scale">{bars}</td>'
        f"<td>{started}</td><td>{call.handler_ms:.1f} ms</td></tr>"
    )


def _list_of(lessons: list[Lesson]) -> str:
    items = "\n".join(
        f"- [{lesson.number} {lesson.front_matter.title}](lessons/{lesson.name}.md) "
        f"<span>{lesson.front_matter.minutes} min</span>"
        for lesson in lessons
    )
    return f'<div class="lessons" markdown="1">\n\n{items}\n\n</div>'
