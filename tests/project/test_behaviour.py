"""Every row of the table of behaviours names a test that is there, and that passes."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from coldstart.course.behaviour import Behaviour, behaviour_page, read_behaviour
from coldstart.course.problems import LessonProblem
from tests.behaviour_proof import BehaviourProof

PROJECT = Path(__file__).resolve().parents[2]
TABLE = PROJECT / "site" / "local-behaviour.yml"
ROWS = [row for group in read_behaviour(TABLE) for row in group.rows]


@cache
def _tests_in(file: str) -> set[str]:
    tree = ast.parse((PROJECT / "tests" / "conformance" / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.test.partition("::")[2])
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
        ("here: missing\n      says: It is refused.", "name the test that holds it"),
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


def _ran(proof: BehaviourProof, test: str, when: Literal["setup", "call", "teardown"], outcome: str) -> None:
    report = pytest.TestReport(f"tests/conformance/{test}", ("", 0, ""), {}, outcome, None, when)  # type: ignore[arg-type]
    proof.pytest_runtest_logreport(report)


def test_a_row_is_proven_by_a_test_that_passed_in_all_its_cases(pytestconfig: pytest.Config) -> None:
    proof = BehaviourProof(pytestconfig, ["t.py::passes", "t.py::fails", "t.py::skipped", "t.py::gone", "t.py::breaks"])
    for case in ("[one]@group", "[two]@group"):
        _ran(proof, f"t.py::passes{case}", "setup", "passed")
        _ran(proof, f"t.py::passes{case}", "call", "passed")
    _ran(proof, "t.py::fails[one]", "call", "passed")
    _ran(proof, "t.py::fails[two]", "call", "failed")
    _ran(proof, "t.py::skipped", "setup", "skipped")
    _ran(proof, "t.py::breaks", "call", "passed")
    _ran(proof, "t.py::breaks", "teardown", "failed")
    _ran(proof, "t.py::of_no_row", "call", "failed")
    left = [
        "t.py::fails: failed, passed",
        "t.py::skipped: skipped",
        "t.py::gone: did not run",
        "t.py::breaks: failed, passed",
    ]
    assert proof.unproven(may_skip=False) == left
    assert proof.unproven(may_skip=True) == [line for line in left if "skipped" not in line]


def test_a_whole_run_fails_without_the_test_of_a_row(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "conformance"
    folder.mkdir(parents=True)
    shutil.copy(PROJECT / "tests" / "behaviour_proof.py", tmp_path / "tests")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests']\n")
    (folder / "test_orders.py").write_text("def test_an_order(): pass\n")
    (tmp_path / "tests" / "conftest.py").write_text(
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
        "from behaviour_proof import BehaviourProof\n"
        "def pytest_configure(config):\n"
        "    config.pluginmanager.register(BehaviourProof(config, ['test_orders.py::test_an_order', 'gone.py::test_it']))\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        variables = {
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }  # for speed: xdist and the others are not needed
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    whole = run("tests")
    assert (whole.returncode, "gone.py::test_it: did not run" in whole.stdout) == (1, True), whole.stdout
    assert "test_an_order:" not in whole.stdout
    assert run("tests/conformance/test_orders.py").returncode == 0
