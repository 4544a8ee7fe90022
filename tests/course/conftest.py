"""A learner's folder, and copies of the small course in broken_course/."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coldstart.course import hints

SMALL_COURSE = Path(__file__).parent / "broken_course" / "lessons"


@pytest.fixture
def small_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small course that a test may change: the folder of its lessons."""
    lessons = tmp_path / "course" / "lessons"
    shutil.copytree(SMALL_COURSE, lessons)
    monkeypatch.setenv("COLDSTART_LESSONS", str(lessons))
    return lessons


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_course: Path) -> Path:
    """A learner's folder, as the working directory, with the small course to learn from and a fresh kernel's memory."""
    folder = tmp_path / "learner"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COLDSTART_PROGRESS", raising=False)
    monkeypatch.setattr(hints, "_given", {})
    return folder
