"""`coldstart new-lesson` makes a lesson that builds and passes, and says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldstart.course import build, prove
from coldstart.course.new_lesson import CannotMake, new_lesson


@pytest.mark.timeout(200)
@pytest.mark.usefixtures("local_aws")
def test_the_skeleton_keeps_the_contract_builds_and_passes_its_proofs(small_course: Path) -> None:
    folder = new_lesson("09-cold-starts")
    assert folder == small_course / "09-cold-starts"
    assert [str(problem) for problem in build.read_course(small_course)[0]] == []
    assert prove.prove("09.1") == ["", "", "", "", ""]
    assert [str(problem) for problem in build.build(small_course, ["09"])] == []


@pytest.mark.parametrize("name", ["cold-starts", "9-cold", "09-Cold Starts", "09"])
def test_another_form_of_name_is_refused(small_course: Path, name: str) -> None:
    with pytest.raises(CannotMake, match="two digits and small words"):
        new_lesson(name)


def test_a_number_is_given_once(small_course: Path) -> None:
    with pytest.raises(CannotMake, match="There is a lesson 01 already, 01-greet"):
        new_lesson("01-again")
