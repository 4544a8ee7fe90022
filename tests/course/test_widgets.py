"""The exercise panel and the questions in a real JupyterLab: by keyboard, for a screen reader, in light and dark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

SMALL_COURSE = Path(__file__).parent / "broken_course" / "lessons"
STORED = Path(__file__).parents[2] / "notebooks"
# JupyterLab on a busy machine: milliseconds to wait for something that is sure to come.
PATIENCE = 60_000
STUB = 'def handler(event, context):\n    return {"greeting": "Hello, you"}\n'
SOLUTION = 'def handler(event, context):\n    return {"greeting": "Hello, " + event["name"]}\n'
CELLS = (
    "from coldstart import check, cloud, compare, hint, predict, quiz\n\ncloud.start()",
    'predict("01.p1")',
    f"%%writefile greet.py\n{STUB}",
    'check("01.1")',
    'quiz("01")',
)
pytestmark = [pytest.mark.timeout(240), pytest.mark.long]


@pytest.fixture(scope="module")
def learn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab shows."""
    return tmp_path_factory.mktemp("learn")


@pytest.fixture
def folder(learn: Path, request: pytest.FixtureRequest) -> Path:
    """A test's own folder in it, so its own kernel and progress, with a notebook of the small course."""
    folder = learn / request.node.name
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(notebook, folder / "greet.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(learn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """The course's JupyterLab; called with a notebook's path in the folder it gives its address."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "JUPYTER", "IPYTHON"))}
    environ |= {"COLDSTART_LESSONS": str(SMALL_COURSE), "HOME": str(tmp_path_factory.mktemp("home"))}
    command = [
        sys.executable,
        "-uc",
        "from coldstart.cli import main; main()",
        "lab",
        "--no-browser",
        "--folder",
        str(learn),
    ]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"(http://127\.0\.0\.1:\d+/lab)\S*(token=\w+)", line):
                break
        else:
            pytest.fail("JupyterLab did not start:\n" + "".join(said))
        threading.Thread(
            target=process.stdout.read, daemon=True
        ).start()  # or what it says would fill the pipe, and hold it up
        address, token = found.groups()
        yield lambda notebook: f"{address}/tree/{notebook}?{token}&reset"
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(timeout=90)
        for child in children:
            if child.is_running():
                child.kill()


def run_all(page: Page, lab: Callable[[str], str], folder: Path) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(lab(f"{folder.name}/greet.ipynb"))
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(page.locator(".jp-CodeCell").last.locator("form")).to_be_visible(timeout=PATIENCE)


def the_panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Exercise 01.1: Greet the customer")


def press(page: Page, button: Locator, key: str) -> None:
    button.focus()
    page.keyboard.press(key)


def nobody_is_kept_out(page: Page) -> None:
    """What the widgets show has no violation that axe knows, in light and dark."""
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.locator(".lm-Menu-itemLabel").filter(has_text=re.compile("^Theme$")).hover()
        page.locator(".lm-Menu-itemLabel").filter(has_text=re.compile(f"^{theme}$")).click()
        expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
        found = Axe().run(page, context=".coldstart-widget")
        assert found.violations_count == 0, f"{theme}\n{found.generate_report()}"


def test_the_panel_by_keyboard_and_for_a_screen_reader(lab: Callable[[str], str], folder: Path, page: Page) -> None:
    run_all(page, lab, folder)
    panel = the_panel(page)
    feedback, hint = panel.get_by_role("status").all()
    expect(feedback).to_contain_text("Exercise 01.1 · Greet the customer: not yet (0 of 1 requirements met)")
    expect(feedback.locator("dt")).to_have_text(["Expected", "Got", "Why it matters", "Next step"])
    assert page.get_by_text("'Hello, you'").count() == 1, "the text twin is not shown beside the panel"
    cells = page.locator(".jp-Cell").count()

    press(page, panel.get_by_role("button", name="Hint"), "Enter")
    expect(hint).to_contain_text("Hint 1 of 5 for exercise 01.1")
    expect(feedback).to_contain_text("Got")
    page.keyboard.press("Enter")
    expect(hint).to_contain_text("Hint 2 of 5 for exercise 01.1")
    nobody_is_kept_out(page)

    # What the button checks is the file, as the typed check does.
    (folder / "greet.py").write_text(SOLUTION)
    check = panel.get_by_role("button", name="Check")
    press(page, check, "Space")
    expect(feedback).to_contain_text(": passed (1 of 1 requirements met)", timeout=PATIENCE)
    expect(hint).to_be_empty()
    expect(check).to_be_focused()
    kept = json.loads((folder / ".coldstart/progress.json").read_text())["exercises"]["01.1"]
    assert (kept["passed"] is not None, kept["tries"], kept["hints"]) == (True, 2, 2)

    # Single letters are commands of the notebook; on a button they are not.
    page.keyboard.press("b")
    page.keyboard.press("x")
    assert page.locator(".jp-Cell").count() == cells


def test_a_question_by_keyboard(lab: Callable[[str], str], folder: Path, page: Page) -> None:
    run_all(page, lab, folder)
    form = page.locator(".jp-CodeCell").nth(1).locator("form")
    expect(form.get_by_role("group", name="What does it print?")).to_be_visible()
    said = form.get_by_role("status")
    press(page, form.get_by_role("button", name="Keep my prediction"), "Enter")
    expect(said).to_have_text("Choose one of the options first.")

    form.get_by_role("radio", name="a) 42").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(form.get_by_role("radio", name="b) 6 * 7")).to_be_checked()
    page.keyboard.press("Enter")
    expect(said).to_contain_text("You predict: b) 6 * 7")
    assert json.loads((folder / ".coldstart/progress.json").read_text())["predictions"] == {"01.p1": "b"}

    # Run again, the cell shows what is kept.
    run_all(page, lab, folder)
    expect(form.get_by_role("radio", name="b) 6 * 7")).to_be_checked()

    quiz = page.locator(".jp-CodeCell").last.locator("form")
    quiz.get_by_role("radio", name="a) Ada, always").check()
    quiz.get_by_role("button", name="Answer").click()
    expect(quiz.get_by_role("status")).to_contain_text("Not this one: a) Ada, always")
    quiz.get_by_role("radio", name="b) Whoever the event names").check()
    quiz.get_by_role("button", name="Answer").click()
    expect(quiz.get_by_role("status")).to_contain_text("Right: b) Whoever the event names")


def test_a_stored_notebook_reads_well_without_a_kernel(lab: Callable[[str], str], folder: Path, page: Page) -> None:
    shutil.copy(STORED / "00-start-here.ipynb", folder)
    page.set_default_timeout(PATIENCE)
    page.goto(lab(f"{folder.name}/00-start-here.ipynb"))
    stored = page.locator(".jp-CodeCell").filter(has_text='check("00.1")').locator(".jp-OutputArea")
    expect(stored.get_by_text("Exercise 00.1 · Greet the customer: not yet")).to_be_visible(timeout=PATIENCE)
    expect(stored.get_by_role("listitem").filter(has_text="Why it matters:")).to_be_visible()
    assert page.get_by_text("Error displaying widget").count() == 0
