"""Who types what the page *Write a lesson* shows has a lesson that is proved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coldstart.course import build, prove
from coldstart.course.catalogue import PROJECT
from coldstart.course.new_lesson import new_lesson

PAGE = (PROJECT / "site/docs/write-a-lesson.md").read_text("utf-8")


@pytest.mark.usefixtures("local_aws")
def test_the_exercise_of_the_page_passes_its_proofs_and_fails_when_broken_as_the_page_says(small_course: Path) -> None:
    written = re.search(r"^``` \{ \.python \.exercises \}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    name = re.search(r"coldstart new-lesson (\S+)", PAGE)
    assert written is not None
    assert name is not None
    exercises = new_lesson(name[1]) / "exercises.py"
    exercises.write_text(written[1], "utf-8")
    assert [str(problem) for problem in build.read_course(small_course)[0]] == []
    assert prove.prove("90.1") == ["", "", "", "", ""]

    exercises.write_text(
        written[1].replace('({"weight_kg": 30}, {"accepted": True}', '({"weight_kg": 30}, {"accepted": False}'), "utf-8"
    )
    _, solution, *_ = prove.prove("90.1")
    assert "30 kg is what the carrier still takes." in solution


def test_the_page_explains_every_proof_of_the_table() -> None:
    assert re.findall(r"^\| (\w+ \w+(?: \w+)?) \| (?!What)", PAGE, re.MULTILINE) == list(prove.PROOFS)


def test_every_command_of_the_page_is_one_of_the_course() -> None:
    commands = set(re.findall(r"^\.venv/bin/coldstart (\S+)", PAGE, re.MULTILINE))
    assert commands == {"new-lesson", "prove", "build"}
