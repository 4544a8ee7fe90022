"""`coldstart new-lesson` makes a lesson that builds and passes, and says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from coldstart import cli
from coldstart.course import build, prove
from coldstart.course.new_lesson import CannotMake, new_lesson


@pytest.mark.timeout(200)
@pytest.mark.long
@pytest.mark.usefixtures("local_aws")
def test_the_skeleton_keeps_the_contract_builds_and_passes_its_proofs(small_course: Path) -> None:
    folder = new_lesson("09-cold-starts")
    assert folder == small_course / "09-cold-starts"
    assert [str(problem) for problem in build.read_course(small_course)[0]] == []
    assert prove.prove("09.1") == ["", "", "", "", ""]
    assert [str(problem) for problem in build.build(small_course, ["09"])] == []


def test_the_command_says_what_it_made_and_what_to_type_next(small_course: Path) -> None:
    result = CliRunner().invoke(cli.main, ["new-lesson", "09-cold-starts"])
    assert result.exit_code == 0
    assert f"Made {small_course / '09-cold-starts'}" in result.output
    assert "M909 at the end of misconceptions.yml." in result.output
    assert "\nM909:\n" in (small_course / "misconceptions.yml").read_text("utf-8")
    assert "\n    .venv/bin/coldstart prove 09 " in result.output
    assert "\n    .venv/bin/coldstart build 09 " in result.output


@pytest.mark.parametrize("name", ["cold-starts", "9-cold", "09-Cold Starts", "09"])
def test_another_form_of_name_is_refused(small_course: Path, name: str) -> None:
    with pytest.raises(CannotMake, match="two digits and small words"):
        new_lesson(name)


def test_a_number_is_given_once(small_course: Path) -> None:
    with pytest.raises(CannotMake, match="There is a lesson 01 already, 01-greet"):
        new_lesson("01-again")
