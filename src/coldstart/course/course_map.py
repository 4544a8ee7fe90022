"""The site's map of the course: its lessons as a drawing of what leads to what, and the same as a list.

Both are made of the lessons' front matter.
"""

from __future__ import annotations

import html

from coldstart.course.lesson import Lesson

_ROW = 46
_LANE = 34
_RADIUS = 14
_CHARACTER = 8.2


def course_map_page(lessons: list[Lesson]) -> str:
    """Return the page's Markdown.

    Args:
        lessons: all lessons, in order.
    """
    minutes = sum(lesson.front_matter.minutes for lesson in lessons)
    parts = [
        "---\ntitle: Course map\ndescription: The lessons of Cold Start, what each teaches, how long it takes and what "
        "comes before it.\n---",
        "# Course map",
        f"{len(lessons)} lessons, about {_duration(minutes)} in all. A line leads from a lesson to those that build on it. "
        "Below the drawing stands the same as a list, with what you learn.",
        f'<figure class="course-map" data-search-exclude>\n{map_svg(lessons)}\n</figure>',
        *(_entry(lesson, lessons) for lesson in lessons),
    ]
    return "\n\n".join(parts) + "\n"


def map_svg(lessons: list[Lesson]) -> str:
    """Return the drawing: a row for each lesson, a curve from each of its prerequisites."""
    lanes = lanes_of(lessons)
    rows = {lesson.number: row for row, lesson in enumerate(lessons)}
    words_at = (max(lanes.values(), default=0) + 1) * _LANE + 8
    places = {number: (lanes[number] * _LANE + _LANE / 2, row * _ROW + _ROW / 2) for number, row in rows.items()}
    curves = [
        _curve(places[before], places[lesson.number])
        for lesson in lessons
        for before in lesson.front_matter.prerequisites
        if before in places
    ]
    stops = [_stop(lesson, places[lesson.number], words_at) for lesson in lessons]
    longest = max((len(lesson.front_matter.title) for lesson in lessons), default=0)
    width, height = words_at + longest * _CHARACTER, len(lessons) * _ROW
    said = "; ".join(_said(lesson) for lesson in lessons)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
        f'height="{height}" aria-label="{html.escape(f"The lessons and what leads to what: {said}.")}">'
        f'<g class="map-lines">{"".join(curves)}</g>{"".join(stops)}</svg>'
    )


def lanes_of(lessons: list[Lesson]) -> dict[str, int]:
    """Give each lesson a lane: that of its last prerequisite when no other lesson has gone on there, else a new one."""
    lanes: dict[str, int] = {}
    end_of: dict[int, str] = {}
    for lesson in lessons:
        before = [number for number in lesson.front_matter.prerequisites if number in lanes]
        free = [lanes[number] for number in reversed(before) if end_of[lanes[number]] == number]
        lane = free[0] if free else len(end_of)
        lanes[lesson.number] = lane
        end_of[lane] = lesson.number
    return lanes


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    if x1 == x2:
        return f'<path d="M{x1:.0f} {y1:.0f}V{y2:.0f}"/>'
    bend = y1 + _ROW
    middle = (y1 + bend) / 2
    return f'<path d="M{x1:.0f} {y1:.0f}C{x1:.0f} {middle:.0f} {x2:.0f} {middle:.0f} {x2:.0f} {bend:.0f}V{y2:.0f}"/>'


def _stop(lesson: Lesson, place: tuple[float, float], words_at: float) -> str:
    x, y = place
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{_RADIUS}"/>'
        f'<text class="map-number" x="{x:.0f}" y="{y + 5:.0f}">{lesson.number}</text>'
        f'<text x="{words_at:.0f}" y="{y + 5:.0f}">{html.escape(lesson.front_matter.title)}</text>'
    )


def _said(lesson: Lesson) -> str:
    before = lesson.front_matter.prerequisites
    return f"{lesson.number} {lesson.front_matter.title}, after {' and '.join(before) if before else 'nothing'}"


def _entry(lesson: Lesson, lessons: list[Lesson]) -> str:
    front = lesson.front_matter
    before = [other for other in lessons if other.number in front.prerequisites]
    after = ", ".join(f"[{other.number} {other.front_matter.title}](lessons/{other.name}.md)" for other in before)
    goals = "\n".join(f"- {objective.text}" for objective in front.objectives)
    facts = f"About {front.minutes} minutes. Before it: {after or 'nothing'}."
    return f"## [{lesson.number} {front.title}](lessons/{lesson.name}.md)\n\n{facts} Afterwards you can:\n\n{goals}"


def _duration(minutes: int) -> str:
    return f"{minutes} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
