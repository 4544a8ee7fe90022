"""Every row of the table of behaviours names a test that is there; what is missing says so."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from coldstart.course.behaviour import Behaviour, behaviour_page, read_behaviour
from coldstart.course.problems import LessonProblem

PROJECT = Path(__file__).resolve().parents[2]
TABLE = PROJECT / "site" / "local-behaviour.yml"
ROWS = [row for group in read_behaviour(TABLE) for row in group.rows]


@cache
def _tests_in(file: str) -> set[str]:
    tree = ast.parse((PROJECT / "tests" / "conformance" / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", [row for row in ROWS if row.test], ids=lambda row: row.test.partition("::")[2])
def test_the_test_that_a_row_names_is_there(row: Behaviour) -> None:
    file, _, name = row.test.partition("::")
    assert name in _tests_in(file), f"{row.aws} is held by no test: {row.test} is not there"


def test_the_page_says_what_differs_and_why() -> None:
    page = behaviour_page(read_behaviour(TABLE))
    assert "\n# What the local AWS does and does not\n" in page
    for row in ROWS:
        assert row.aws in page
        assert row.says in page


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("here: differs\n      test: t.py::t", "say how it differs, and why"),
        ("here: same", "name the test that holds it"),
        ("here: maybe\n      test: t.py::t", "here"),
    ],
)
def test_a_row_that_is_not_whole_is_refused(tmp_path: Path, row: str, says: str) -> None:
    table = tmp_path / "table.yml"
    table.write_text(
        f"- group: Running\n  rows:\n    - aws: It runs.\n      source: lambda/latest/dg/a.html\n      {row}\n"
    )
    with pytest.raises(LessonProblem, match=says):
        read_behaviour(table)
