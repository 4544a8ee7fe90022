"""The home page shows what the notebooks printed, and says what to do when it cannot."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from coldstart.course.lesson import read_lesson
from coldstart.course.pages_home import Invocation, home_page, invocations
from coldstart.course.problems import LessonProblem

LOG = (
    "START RequestId: 1 Version: $LATEST\n"
    "REPORT RequestId: 1\tDuration: 0.50 ms\tBilled Duration: 40 ms\tMemory Size: 128 MB\tInit Duration: 39.50 ms\t\n"
    "REPORT RequestId: 2\tDuration: 2.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\n"
)


@pytest.fixture
def home(tmp_path: Path):
    log = new_output("stream", text=LOG)
    cells = [
        new_code_cell("log_of('ship')", id="log-1", outputs=[log]),
        new_code_cell("ship(7)", id="ship-1", outputs=[new_output("stream", text="on its way\n")]),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01-ship.ipynb")
    lesson = read_lesson(Path(__file__).parent / "lesson" / "01-ship")

    def make(text: str) -> str:
        (tmp_path / "home.md").write_text(text)
        return home_page(tmp_path / "home.md", tmp_path, [lesson])

    return make


def test_a_cell_is_shown_with_what_it_printed(home) -> None:
    page = home("Look:\n\n<!-- cell 01-ship ship-1 -->\n\nDone.")
    assert page == "Look:\n\n``` { .python .cell }\nship(7)\n```\n\n```output\non its way\n```\n\nDone."


def test_report_lines_become_invocations() -> None:
    assert invocations(LOG) == [Invocation(39.5, 0.5), Invocation(0, 2.0)]


def test_the_timeline_is_drawn_to_scale_and_says_its_figures(home) -> None:
    page = home("<!-- timeline 01-ship log-1 -->")
    assert 'class="bar-init" style="width:98.75%"' in page
    assert 'class="bar-run" style="width:5.00%"' in page
    assert "<td>39.5 ms</td><td>0.5 ms</td>" in page
    assert "<td>none</td><td>2.0 ms</td>" in page


def test_the_lessons_are_listed_with_their_time(home) -> None:
    assert "- [01 Ship it](lessons/01-ship.md) <span>5 min</span>" in home("<!-- lessons -->")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<!-- cell 01-ship gone-1 -->", "has no cell gone-1; it has log-1, ship-1"),
        ("<!-- cell 02-later ship-1 -->", "02-later, which is not built; run `make build`"),
        ("<!-- timeline 01-ship ship-1 -->", "printed no REPORT line"),
    ],
)
def test_a_comment_that_names_nothing_says_so(home, text: str, complaint: str) -> None:
    with pytest.raises(LessonProblem, match=complaint):
        home(text)
