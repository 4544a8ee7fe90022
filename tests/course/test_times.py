"""Times are measured only when asked for, and breaks do not count."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from coldstart import quiz
from coldstart.course import times


def test_nothing_is_measured_until_it_is_asked_for(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/learn/01-greet.ipynb")
    quiz("01.q1", "a")
    assert not (learner / ".coldstart" / times.LOG).exists()
    (learner / ".coldstart" / times.LOG).touch()
    quiz("01.q1", "b")
    assert (learner / ".coldstart" / times.LOG).read_text().endswith(" 01\n")


def test_gaps_add_up_and_breaks_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "01-greet.ipynb")
    log = tmp_path / times.LOG
    log.write_text("no line of ours\n")
    start = datetime.datetime(2026, 12, 1, 9, 0)
    for minutes in (0, 4, 9, 60, 62):
        times.note(tmp_path, start + datetime.timedelta(minutes=minutes))
    assert times.minutes_by_lesson(log) == {"01": 11.0}
