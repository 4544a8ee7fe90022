"""Each rule of the course, broken once: the author is told the file, the line and what to do."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path
from typing import Any

import pytest

from coldstart.course import build, contract, prose_contract
from coldstart.course.problems import LessonProblem

TABLE = tomllib.loads((Path(__file__).parent / "broken_course" / "breaks.toml").read_text("utf-8"))


def break_it(lessons: Path, entry: dict[str, Any]) -> None:
    path = lessons / entry["file"]
    if entry.get("remove"):
        path.unlink()
        return
    text = path.read_text("utf-8")
    assert text.count(entry["old"]) == 1, f"{entry['name']} has to change one place of {path}"
    path.write_text(text.replace(entry["old"], entry["new"]), "utf-8")


def test_the_small_course_is_sound(small_course: Path) -> None:
    problems, course = build.read_course(small_course)
    assert problems == []
    assert course is not None
    assert [lesson.name for lesson in course.lessons] == ["01-greet", "02-thank"]


@pytest.mark.parametrize("entry", TABLE["break"], ids=lambda entry: entry["name"])
def test_a_break_is_named(small_course: Path, entry: dict[str, Any]) -> None:
    break_it(small_course, entry)
    problems = [str(problem) for problem in build.read_course(small_course)[0]]
    assert [problem for problem in problems if entry["says"] in problem], "\n".join(problems)


@pytest.mark.timeout(400)
@pytest.mark.long
def test_what_only_a_run_shows_is_named_all_at_once(small_course: Path) -> None:
    for entry in TABLE["run"]:
        break_it(small_course, entry)
    assert build.read_course(small_course)[0] == []
    problems = [str(problem) for problem in build.build(small_course, ["01"])]
    for entry in TABLE["run"]:
        assert [problem for problem in problems if entry["says"] in problem], "\n".join(problems)
    assert len(problems) == len(TABLE["run"])
    notebooks = small_course.parent / "notebooks"
    assert list(notebooks.iterdir()) == [], "a lesson that fails is not written"


def test_every_rule_is_broken_once() -> None:
    rules = {
        name
        for module in (contract, prose_contract)
        for name, function in inspect.getmembers(module, inspect.isgeneratorfunction)
        if not name.startswith("_")
    } | {"problems_of"}
    assert rules == {entry["rule"] for entry in TABLE["break"] if "rule" in entry}


def test_a_broken_course_is_not_run(small_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small_course / "facts.toml").write_text("")
    assert build.main() == 1
    assert "there is no fact `memory_default`" in capsys.readouterr().err
    assert not (small_course.parent / "notebooks").exists()


def test_problems_name_the_file_as_seen_from_the_working_directory(
    small_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_course.parent)
    assert str(LessonProblem(small_course / "facts.toml", 3, "stale")) == "lessons/facts.toml:3: stale"
