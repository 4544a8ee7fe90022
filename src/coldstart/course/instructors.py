"""The site's page for people who teach the course: timings, and the notes that stand in the lessons for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown.extensions.toc import slugify

from coldstart.course.lesson import Cell, InstructorNote, Lesson, Prose

_HEADING = re.compile(r"^#{2,6} (.+)$", re.MULTILINE)
_LABEL = re.compile(r"^([A-Z][A-Za-z ]{2,24}):\s+", re.MULTILINE)
_MARKUP = re.compile(r"[*`]")


def instructors_page(text: str, lessons: list[Lesson]) -> str:
    """Return the page's Markdown.

    Args:
        text: site/for-instructors.md; its comments `<!-- timings -->` and `<!-- notes -->` are filled in.
        lessons: all lessons, in order.
    """
    notes = "\n\n".join(_notes(lesson) for lesson in lessons)
    return text.replace("<!-- timings -->", _timings(lessons)).replace("<!-- notes -->", notes)


def notes_of(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Yield each note for the instructor, with the heading of the section it stands in; empty before the first."""
    section = ""
    for part in lesson.parts:
        if isinstance(part, Prose) and (headings := _HEADING.findall(part.text)):
            section = headings[-1]
        elif isinstance(part, InstructorNote):
            yield section, part.text


def _timings(lessons: list[Lesson]) -> str:
    lines = ["| Lesson | Minutes | Cells | Exercises | Questions |", "|---|--:|--:|--:|--:|"]
    total = [0, 0, 0, 0]
    for lesson in lessons:
        front = lesson.front_matter
        cells = sum(isinstance(part, Cell) for part in lesson.parts)
        figures = [front.minutes, cells, len(lesson.exercises), len(lesson.question_bank.all)]
        total = [sum(pair) for pair in zip(total, figures, strict=True)]
        lines.append(f"| [{lesson.number} {front.title}](lessons/{lesson.name}.md) | {_columns(figures)} |")
    return "\n".join([*lines, f"| **All** | {_columns(total)} |"])


def _columns(figures: list[int]) -> str:
    return " | ".join(str(figure) for figure in figures)


def _notes(lesson: Lesson) -> str:
    title = f"### {lesson.number} {lesson.front_matter.title}"
    blocks = []
    for section, text in notes_of(lesson):
        plain = _MARKUP.sub("", section)
        place = f"#{slugify(plain, '-')}" if section else ""
        words = plain or "At the beginning"
        marked = _LABEL.sub(r"\n- **\1.** ", text.strip())
        blocks.append(f"[{words}](lessons/{lesson.name}.md{place})\n{marked}")
    return "\n\n".join([title, *(blocks or ["This lesson has no notes."])])
