"""Who does what the page *Write a lesson* says has a lesson that is proved, and sees what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coldstart.course import build, prove
from coldstart.course.catalogue import PROJECT
from coldstart.course.new_lesson import new_lesson

PAGE = (PROJECT / "site/docs/write-a-lesson.md").read_text("utf-8")


@pytest.fixture
def exercises(small_course: Path) -> Path:
    """The exercises of the lesson that the page makes."""
    name = re.search(r"coldstart new-lesson (\S+)", PAGE)
    assert name is not None
    return new_lesson(name[1]) / "exercises.py"


def test_the_page_shows_the_exercise_that_its_reader_has_opened(exercises: Path) -> None:
    pieces = re.findall(r"^``` \{ \.python \.exercises \}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for line in exercises.read_text("utf-8").splitlines() if line]
    assert [line for line in "".join(pieces).splitlines() if line] == lines


@pytest.mark.usefixtures("local_aws")
def test_a_proof_fails_where_the_page_says_that_it_does(small_course: Path, exercises: Path) -> None:
    whole = exercises.read_text("utf-8")
    changed = whole.replace('({"weight_kg": 30}, {"accepted": True}', '({"weight_kg": 30}, {"accepted": False}')
    assert changed != whole
    exercises.write_text(changed, "utf-8")
    assert [str(problem) for problem in build.read_course(small_course)[0]] == []
    assert "30 kg is what the carrier still takes." in prove.prove("90.1")[prove.PROOFS.index("solution passes")]


def test_the_page_explains_every_proof_of_the_table() -> None:
    assert re.findall(r"^\| (\w+ \w+(?: \w+)?) \| (?!What)", PAGE, re.MULTILINE) == list(prove.PROOFS)


def test_every_command_of_the_page_is_one_of_the_course() -> None:
    commands = set(re.findall(r"^\.venv/bin/coldstart (\S+)", PAGE, re.MULTILINE))
    assert commands == {"new-lesson", "prove", "build"}
