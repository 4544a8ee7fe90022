"""A lesson's cells run in its page: Python comes from the site itself, and only when Run is pressed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from coldstart.course.catalogue import exercise
from tests.site.axe import into_the_dark, violations
from tests.site.keyboard import tab_to

LESSON_01 = "lessons/01-first-function/"
# Python is started twice in this module, and no oftener: it takes long. On a machine that does much else it takes its time.
PATIENCE = 90_000

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def with_run(site: Path) -> None:
    """Skip where the site was built without Run."""
    if not (site / "run").exists():
        pytest.skip("Run comes with npm (npm ci --ignore-scripts)")


# The cells of exercise 01.1, by their ids on the page.
STUB, CHECK = "exercise-01-1-print-a-label-2", "exercise-01-1-print-a-label-3"


# Whether this browser has everything that a second visit needs: Python as it was when it had started, and the page with its files.
KEPT = """async () => {
    const urls = [];
    for (const name of await caches.keys()) urls.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
    const files = [location.href.split("#")[0], ...[...document.scripts].map(({ src }) => src).filter(Boolean)];
    return urls.some((url) => url.endsWith("/snapshot")) && files.every((file) => urls.includes(file));
}"""


def _cell(page: Page, name: str) -> Locator:
    return page.locator(f"#cell-{name}")


def _says(page: Page, name: str) -> Locator:
    """What a cell says where it was run."""
    return page.locator(f"#cell-{name} + .live")


def _button(page: Page, name: str, does: str) -> str:
    """What a cell's button is called."""
    called = _cell(page, name).get_by_role("button", name=does).get_attribute("aria-label")
    assert called is not None
    return called


def _runs(page: Page, name: str) -> None:
    """Run a cell, and wait until it has run."""
    _cell(page, name).get_by_role("button", name="Run").press("Enter")
    _has_run(page, name)


def _has_run(page: Page, name: str) -> None:
    said = _button(page, name, "Run").removeprefix("Run c")
    expect(page.get_by_role("status")).to_have_text(re.compile(rf"C{said} has run\."), timeout=PATIENCE)


def test_with_the_keyboard_alone_from_the_landing_page_to_a_passed_exercise_and_on(
    address: str, new_page: Callable[..., Page]
) -> None:
    """One visit of one reader, since it takes long to start Python: nothing is installed, and nothing clicked until it is passed."""
    page = new_page(color_scheme="light", reduced_motion="reduce")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(address)
    tab_to(page, "Read your first function", at_most=8)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{LESSON_01}")
    tab_to(page, "Skip to content", at_most=1)
    page.keyboard.press("Enter")
    tab_to(page, "01.1", at_most=5)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Exercise 01.1 · Print a label")).to_be_in_viewport()
    page.wait_for_load_state("networkidle")
    assert not any("/run/" in request.url for request in asked), "nothing of Run is loaded before it is pressed"

    # The cells before it run first, and the local AWS calls the function.
    tab_to(page, _button(page, STUB, "Run"), at_most=6)
    page.keyboard.press("Enter")
    _has_run(page, STUB)
    expect(_says(page, "call-it-2")).to_contain_text("Thank you, Ada. Order P-1042 is being packed.")
    expect(page.locator(".live").first).to_contain_text("The local AWS is running")
    assert {urlsplit(request.url).path.split("/")[2] for request in asked} >= {"run"}
    assert page.locator(f"#cell-{CHECK} + .live").count() == 0, "nobody asked for a check yet"

    # The lesson's own stub gets its message, as in the notebook.
    tab_to(page, _button(page, CHECK, "Run"), at_most=4)
    page.keyboard.press("Enter")
    _has_run(page, CHECK)
    expect(_says(page, CHECK)).to_contain_text("not yet (0 of 3 requirements met)")
    expect(_says(page, CHECK)).to_contain_text("Build the text from the event")

    # The right answer is typed, run and checked.
    tab_to(page, _button(page, STUB, "Edit"), at_most=4, backwards=True)
    page.keyboard.press("Enter")
    expect(_cell(page, STUB).get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"%%writefile label.py\n{exercise('01.1').solution}")
    page.keyboard.press("Control+Enter")
    _has_run(page, STUB)
    tab_to(page, _button(page, CHECK, "Run"), at_most=6)
    page.keyboard.press("Enter")
    _has_run(page, CHECK)
    expect(_says(page, CHECK)).to_contain_text("passed (3 of 3 requirements met)")

    # An error is short, and the learner's own. What cannot be in a page says so.
    _cell(page, "call-it-4").get_by_role("button", name="Edit").click()
    editor = _cell(page, "call-it-4").get_by_role("textbox")
    editor.fill('call("parcel-confirm", order)["town"]')
    editor.press("Shift+Enter")
    _has_run(page, "call-it-4")
    expect(_says(page, "call-it-4")).to_contain_text("KeyError: 'town'")
    editor.fill("import subprocess\nsubprocess.run(['ls'])")
    editor.press("Control+Enter")
    expect(_says(page, "call-it-4")).to_contain_text("This cell starts another process", timeout=PATIENCE)
    _is_for_everyone(page)

    # A loop without an end is stopped, and Python with it.
    editor.fill("while True:\n    pass")
    editor.press("Control+Enter")
    expect(page.get_by_role("status")).to_have_text(re.compile("Running cell"))
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("Stopped"))

    # What was typed and what it said outlive the page. The second visit needs no network.
    page.wait_for_function("navigator.serviceWorker.controller", timeout=PATIENCE)
    page.wait_for_function(KEPT, timeout=PATIENCE)
    page.context.set_offline(True)
    assert page.evaluate("fetch('../../facts/').then(() => 'there', () => 'offline')") == "offline"
    page.reload()
    expect(_cell(page, STUB).get_by_role("textbox")).to_have_value(re.compile("customer\\['town'\\]"))
    expect(_says(page, CHECK)).to_contain_text("passed (3 of 3 requirements met)")
    editor.fill("order")
    # Run brings the state back: the answer that was typed is what is checked, and what was passed is known.
    _runs(page, CHECK)
    expect(_says(page, CHECK)).to_contain_text("passed (3 of 3 requirements met)")
    editor.fill("from coldstart.course import progress\nprogress.read().exercises['01.1'].tries")
    editor.press("Control+Enter")
    _has_run(page, "call-it-4")
    expect(_says(page, "call-it-4")).to_contain_text("2")
    _cell(page, STUB).get_by_role("button", name="Reset").click()
    expect(_cell(page, STUB).get_by_role("textbox")).to_have_count(0)


def _is_for_everyone(page: Page) -> None:
    """The page with editors, answers, errors and the runner in it: wide and narrow, light and dark."""
    used = [".cell:has(+ .live)", ".live", ".runner"]
    wide = page.viewport_size
    assert wide is not None
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert violations(page, within=used) == []
    into_the_dark(page)
    assert violations(page, within=used) == []
    page.set_viewport_size(wide)
    assert violations(page) == []


def test_a_cell_that_cannot_run_there_says_why(address: str, page: Page) -> None:
    page.goto(address + LESSON_01)
    cell = page.locator(".cell", has_text=re.compile(r'deploy\(\s*"parcel-thanks-node"'))
    expect(
        cell.get_by_text("This cell runs Node.js in a process of its own, and a page can start none.")
    ).to_be_visible()
    expect(cell.get_by_role("button", name="Run")).to_have_count(0)


def test_only_lessons_bring_the_buttons(address: str, page: Page) -> None:
    page.goto(address)
    assert page.locator("script[data-run]").count() == 0
