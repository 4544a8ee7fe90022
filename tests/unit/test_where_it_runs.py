"""Which cells run in a page of the site is seen from their text, and the lessons that are read most run there whole."""

from __future__ import annotations

import pytest

from coldstart.course.where_it_runs import BY_ITSELF, RUNS, where_it_runs


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "def at_once(function, events):\n    ...",
        "%%writefile ship.mjs\nexport const handler = 1;",
        'deploy(runtime="nodejs14.x")  # refused',
    ],
)
def test_plain_python_and_files_run(source: str) -> None:
    assert where_it_runs(source) == RUNS


@pytest.mark.parametrize("source", ['check("01.1")', 'hint("01.1")', 'quiz("01.q1", "a")'])
def test_what_no_later_cell_needs_is_not_run_on_the_way(source: str) -> None:
    assert where_it_runs(source) == BY_ITSELF


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("!pip list", "no shell"),
        ("%%bash\nls", "no shell"),
        ('deploy("f", "thanks.mjs", runtime="nodejs24.x")', "runs Node.js"),
        ('print(at_once("parcel-count", [{}] * 5))', "takes threads"),
        ('from coldstart import tuning_curve\ntuning_curve("parcel-barcode")', "compares memory sizes"),
    ],
)
def test_what_cannot_run_says_why(source: str, why: str) -> None:
    assert why in where_it_runs(source)
