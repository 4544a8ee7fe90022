"""A lesson's cells run in its page: Python comes from the site itself, and only when Run is pressed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.site.axe import violations

LESSON_01 = "lessons/01-first-function/"
# Python is started once in this module. On a machine that does much else it takes its time.
PATIENCE = 90_000

pytestmark = [pytest.mark.xdist_group("site"), pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def with_run(site: Path) -> None:
    """Skip where the site was built without Run."""
    if not (site / "run").exists():
        pytest.skip("Run comes with npm (npm ci --ignore-scripts)")


def _edit(page: Page, number: int, source: str) -> None:
    page.get_by_role("button", name=f"Edit cell {number}", exact=True).click()
    page.get_by_role("textbox", name=f"Cell {number}:").fill(source)


def _output(page: Page, number: int) -> str:
    """What a cell has said, once it has run."""
    expect(page.get_by_role("status")).to_have_text(re.compile(rf"Cell {number} has run\."), timeout=PATIENCE)
    return page.locator(".cell[data-run=yes], .cell[data-run=alone]").nth(number - 1).locator("+ .live").inner_text()


def test_cells_run_in_the_page(address: str, page: Page) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(address + LESSON_01)
    assert not any("/run/" in request.url for request in asked)

    # What is typed runs with the keyboard; cells before it run first, each once.
    _edit(page, 1, "import boto3, io, sys, zipfile\nfrom pathlib import Path\nprint('one', file=sys.stderr)")
    _edit(page, 3, "import os\nprint(Path('confirm.py').read_text()[:11])\nos.environ.get('HOME')")
    page.get_by_role("textbox", name="Cell 3:").press("Control+Enter")
    assert "def handler" in _output(page, 3)
    assert "one" in page.locator(".live").nth(0).inner_text()
    assert any("/run/" in request.url for request in asked)

    # An error is short, and the learner's own.
    page.get_by_role("textbox", name="Cell 3:").fill("order = {}\norder['town']")
    page.get_by_role("button", name="Run cell 3", exact=True).click()
    assert "KeyError: 'town'\n  in this cell, line 2: order['town']" in _output(page, 3)
    assert "def handler" not in page.locator(".live").nth(2).inner_text()
    assert violations(page) == []

    # An edit and its output outlive the page; Reset brings the lesson's own back.
    page.reload()
    expect(page.get_by_role("textbox", name="Cell 3:")).to_have_value("order = {}\norder['town']")
    expect(page.locator(".live").nth(2)).to_contain_text("KeyError: 'town'")
    page.get_by_role("button", name="Reset cell 3").click()
    expect(page.get_by_role("textbox", name="Cell 3:")).to_have_count(0)
    expect(page.locator("#cell-pack-it-2 + .output")).to_be_visible()


def test_a_cell_that_cannot_run_there_says_why(address: str, page: Page) -> None:
    page.goto(address + LESSON_01)
    cell = page.locator(".cell", has_text='deploy("parcel-thanks-node"')
    expect(
        cell.get_by_text("This cell runs Node.js in a process of its own, and a page can start none.")
    ).to_be_visible()
    expect(cell.get_by_role("button", name="Run")).to_have_count(0)


def test_only_lessons_bring_the_buttons(address: str, page: Page) -> None:
    page.goto(address)
    assert page.locator("script[data-run]").count() == 0
