"""A page's cells run as a notebook's do: output while it comes, the last value in its richest form, errors short."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldstart.page.kernel import PageKernel


class Page:
    """Keeps what the cells of a page say."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.kernel = PageKernel(lambda kind, text: self.said.append((kind, text)))

    def run(self, source: str) -> list[tuple[str, str]]:
        """Run a cell and return what it said."""
        self.said.clear()
        self.kernel.run(source, "cell 1")
        return list(self.said)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.chdir(tmp_path)
    return Page()


def test_a_cell_finds_what_the_one_before_it_made(page: Page) -> None:
    page.run("order = {'items': 3}")
    assert page.run("order") == [("stdout", "{'items': 3}\n")]
    assert page.run("order['items'] = 4; print(order['items'])")[0] == ("stdout", "4")


def test_what_goes_to_standard_error_is_told_apart(page: Page) -> None:
    assert page.run("import sys; print('careful', file=sys.stderr)")[0] == ("stderr", "careful")


def test_a_cell_may_write_a_file_as_in_a_notebook(page: Page, tmp_path: Path) -> None:
    assert (
        "".join(text for _, text in page.run("%%writefile ship.py\ndef handler(event, context):\n    return 1\n"))
        == "Writing ship.py\n"
    )
    assert (tmp_path / "ship.py").read_text() == "def handler(event, context):\n    return 1\n"
    assert page.run("%%writefile ship.py\nnew")[0][1] == "Overwriting ship.py"
    page.run("%%writefile -a ship.py\nmore")
    assert (tmp_path / "ship.py").read_text() == "new\nmore\n"


def test_the_last_value_is_shown_in_its_richest_form(page: Page) -> None:
    table = "class Table:\n    def _repr_html_(self): return '<table></table>'\n    def __repr__(self): return 'plain'\nTable()"
    [(kind, shown)] = page.run(table)
    assert kind == "html"
    assert "<table></table>" in shown
    assert page.run("display(1, 'two')") == [("stdout", "1\n"), ("stdout", "two\n")]
    assert page.run("None") == []


def test_a_figure_brings_its_text(page: Page) -> None:
    drawn = "class Lanes:\n    def _repr_svg_(self): return '<svg></svg>'\n    def __repr__(self): return 'lane <1>'\nLanes()"
    [(_, shown)] = page.run(drawn)
    assert "<svg></svg>" in shown
    assert "lane &lt;1&gt;" in shown


def test_what_the_course_shows_comes_as_html(page: Page) -> None:
    [(kind, shown)] = page.run("from coldstart.course.shown import Shown\nShown('Right: *b*', '**Right:** b')")
    assert kind == "html"
    assert "<strong>Right:</strong> b" in shown


def test_an_error_names_the_learners_lines_and_none_of_ours(page: Page) -> None:
    page.kernel.run("def ship(order):\n    return order['town']", "cell 2")
    [(kind, said)] = page.run("order = {}\nship(order)")
    assert kind == "error"
    assert said.splitlines() == [
        "KeyError: 'town'",
        "  in this cell, line 2: ship(order)",
        "  in cell 2, line 2: return order['town']",
    ]


def test_a_mistake_in_the_code_is_shown_where_it_is(page: Page) -> None:
    [(_, said)] = page.run("def ship(:\n    pass")
    assert "line 1" in said
    assert "SyntaxError" in said


def test_a_cell_that_ends_the_program_ends_itself_only(page: Page) -> None:
    assert page.run("raise SystemExit(1)")[0][0] == "error"
    assert page.run("1 + 1") == [("stdout", "2\n")]


@pytest.mark.parametrize("source", ["!ls", "%%bash\nls", "%timeit 1"])
def test_what_only_a_notebook_has_says_where_it_is(page: Page, source: str) -> None:
    [(kind, said)] = page.run(source)
    assert kind == "error"
    assert "`make lab`" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("raised", "why"),
    [
        ('RuntimeError("can\'t start new thread")', "starts threads"),
        ("OSError(138, 'emscripten does not support processes.')", "starts another process"),
        ("ConnectionError('Max retries exceeded: NewConnectionError')", "over the network"),
        (
            "__import__('botocore.exceptions').exceptions.UnknownServiceError(service_name='rds', known_service_names='s3')",
            "an AWS service that no lesson calls",
        ),
        ("ModuleNotFoundError(\"No module named 'moto.rds'\")", "an AWS service that no lesson calls"),
    ],
)
def test_what_a_page_does_not_have_is_said_before_the_error(page: Page, raised: str, why: str) -> None:
    [(_, said)] = page.run(f"raise {raised}")
    assert why in said.splitlines()[0]
    assert "`make lab`" in said.splitlines()[0]
