"""Glossary, map of the course, page for instructors: what is made of the lessons says what the lessons say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coldstart.course.course_map import course_map_page, lanes_of, map_svg
from coldstart.course.glossary import glossary_page
from coldstart.course.instructors import instructors_page, notes_of
from coldstart.course.lesson import InstructorNote, Lesson, Prose, read_lesson
from coldstart.course.pages_terms import Terms

GLOSSARY = {
    "event": "What the caller sent.",
    "event source": "What sends *events*.",
    "log group": "Where logs are kept.",
}


@pytest.fixture
def lesson() -> Lesson:
    return read_lesson(Path(__file__).parent / "lesson" / "01-ship")


def _numbered(lesson: Lesson, number: str, *before: str) -> Lesson:
    front = lesson.front_matter.model_copy(update={"prerequisites": list(before), "title": f"Lesson {number}"})
    return replace(lesson, folder=Path(f"{number}-some"), front_matter=front)


def test_the_first_mention_of_a_word_carries_its_meaning() -> None:
    marked = Terms(GLOSSARY).mark("An event came. Another event came.")
    assert marked.count('class="term"') == 1
    assert '[event](../glossary.md#event){ aria-describedby="term-event" }' in marked
    assert ">What the caller sent.</span>" in marked
    assert marked.endswith("Another event came.")


def test_a_page_marks_a_word_once_in_all_its_prose() -> None:
    terms = Terms(GLOSSARY)
    assert 'class="term"' in terms.mark("An event.")
    assert terms.mark("An event.") == "An event."


def test_the_longer_word_wins_and_may_be_broken_over_lines() -> None:
    assert "[event\nsource](../glossary.md#event-source)" in Terms(GLOSSARY).mark("It is an event\nsource.")


@pytest.mark.parametrize(
    "text",
    [
        "## The event",
        "`event` and `the event`",
        "[an event](01-ship.md#event)",
        "![an event](event.svg)",
        '<p title="event">',
        "```json\nevent\n```",
        "event_id and pre-event and /event",
    ],
)
def test_only_prose_is_marked(text: str) -> None:
    assert Terms(GLOSSARY).mark(text) == text


def test_the_meaning_is_text_and_no_markup() -> None:
    assert "What sends \\*events\\*." in Terms(GLOSSARY).mark("An event source.")


def test_without_a_glossary_nothing_is_marked() -> None:
    assert Terms({}).mark("An event.") == "An event."


def test_the_glossary_has_every_word_at_the_address_that_lessons_link_to() -> None:
    page = glossary_page(GLOSSARY)
    assert "## event { #event }\n\nWhat the caller sent." in page
    assert "## log group { #log-group }" in page


def test_a_lesson_goes_on_in_the_lane_of_what_comes_before_it_and_a_second_one_branches_off(lesson: Lesson) -> None:
    lessons = [
        _numbered(lesson, "00"),
        _numbered(lesson, "01", "00"),
        _numbered(lesson, "02", "01"),
        _numbered(lesson, "03", "01"),
        _numbered(lesson, "04", "02", "03"),
    ]
    assert lanes_of(lessons) == {"00": 0, "01": 0, "02": 0, "03": 1, "04": 1}


def test_the_map_draws_a_line_for_each_prerequisite_and_says_the_same(lesson: Lesson) -> None:
    lessons = [_numbered(lesson, "00"), _numbered(lesson, "01", "00"), _numbered(lesson, "02", "00", "01")]
    svg = map_svg(lessons)
    assert svg.count("<path") == 3
    assert svg.count("<circle") == 3
    assert "02 Lesson 02, after 00 and 01" in svg
    page = course_map_page(lessons)
    assert "Before it: [00 Lesson 00](lessons/00-some.md), [01 Lesson 01](lessons/01-some.md)." in page
    assert "- " + lesson.front_matter.objectives[0].text in page


def test_instructors_find_each_note_with_the_section_it_stands_in(lesson: Lesson) -> None:
    parts = [
        Prose("# Ship it", 1),
        InstructorNote("Begin on time.", 2),
        Prose("Before.\n\n## Who pays?\n\nThe sender.", 3),
        InstructorNote("Ask: who pays?\nNobody knows.\nWatch for: silence.", 4),
    ]
    lesson = replace(lesson, parts=parts)
    assert [section for section, _ in notes_of(lesson)] == ["", "Who pays?"]
    page = instructors_page("<!-- timings -->\n\n<!-- notes -->", [lesson])
    assert f"[Who pays?](lessons/{lesson.name}.md#who-pays)" in page
    assert "- **Ask.** who pays?\nNobody knows.\n\n- **Watch for.** silence." in page
    minutes = lesson.front_matter.minutes
    assert f"| {minutes} | 0 | {len(lesson.exercises)} | {len(lesson.question_bank.all)} |" in page
