"""Questions come back at growing intervals, and `status` says what is done and what is next."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from coldstart import quiz, review
from coldstart.course import progress
from coldstart.course.status import status


class Calendar:
    """A calendar that a test turns."""

    day = datetime.date(2026, 12, 1)


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    turned = Calendar()
    monkeypatch.setattr(progress, "today", lambda: turned.day)
    return turned


def _later(calendar: Calendar, days: int) -> None:
    calendar.day = calendar.day + datetime.timedelta(days=days)


def test_nothing_comes_back_before_anything_was_answered(learner: Path) -> None:
    assert review().text.startswith("Nothing to review yet.")


def test_a_right_answer_comes_back_later_each_time(learner: Path, calendar: Calendar) -> None:
    quiz("01.q1", "b")
    assert "Nothing to review today. Next: 1 question on 2026-12-02." in review().text
    _later(calendar, 1)
    assert review().text.startswith("Question 01.q1")
    quiz("01.q1", "b")
    assert "on 2026-12-05" in review().text
    _later(calendar, 3)
    quiz("01.q1", "b")
    assert "on 2026-12-12" in review().text


def test_a_wrong_answer_comes_back_tomorrow(learner: Path, calendar: Calendar) -> None:
    quiz("01.q1", "b")
    _later(calendar, 1)
    quiz("01.q1", "b")
    quiz("01.q1", "a")
    assert "on 2026-12-03" in review().text


def test_answering_twice_in_a_row_does_not_count_twice(learner: Path, calendar: Calendar) -> None:
    quiz("01.q1", "b")
    quiz("01.q1", "b")
    assert progress.read().reviews["01.q1"].due == datetime.date(2026, 12, 2)


def test_a_question_that_the_course_no_longer_has_is_left_out(learner: Path, calendar: Calendar) -> None:
    with progress.recording() as record:
        record.answered("01.q77", "a", right=False)
    _later(calendar, 5)
    assert "01.q77" not in review().text


def test_progress_of_an_older_edition_is_read(learner: Path) -> None:
    file = learner / ".coldstart" / "progress.json"
    file.parent.mkdir()
    file.write_text('{"version": 1, "exercises": {}, "predictions": {}, "questions": {"01.q1": ["b"]}}')
    assert progress.read().questions == {"01.q1": ["b"]}


def test_status_says_what_is_done_and_what_is_next(learner: Path) -> None:
    before = status()
    assert [(line.name, line.state) for line in before.lessons] == [
        ("01-greet", "not begun"),
        ("02-thank", "not begun"),
    ]
    assert before.next_step == "Exercise 01.1, Greet the customer, in 01-greet.ipynb."
    quiz("02.q1", "a")
    with progress.recording() as record:
        record.checked("01.1", passed=True)
    after = status()
    assert [(line.passed, line.answered, line.state) for line in after.lessons] == [(1, 0, "begun"), (0, 1, "done")]
    assert after.next_step.startswith("Every exercise is passed.")
