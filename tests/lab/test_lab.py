"""The course as a learner meets it: `make lab`, a browser, lesson 01, a wrong answer, a right one, Ctrl-C."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from coldstart.course import catalogue

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are a POSIX thing", allow_module_level=True)

import pexpect

PROJECT = Path(__file__).resolve().parents[2]
# JupyterLab on a busy machine: milliseconds to wait for something that is sure to come.
PATIENCE = 60_000
pytestmark = [pytest.mark.timeout(240), pytest.mark.long]


@dataclass
class Lab:
    """A running `make lab`, in a terminal of its own with a fresh home folder.

    Attributes:
        terminal: the terminal, to read from and to type into.
        address: where JupyterLab answers, its token included.
        home: the learner's home folder; the notebooks are in `learn` in it.
    """

    terminal: pexpect.spawn
    address: str
    home: Path

    def address_of(self, notebook: str) -> str:
        return re.sub(r"/lab/tree/[^?]*", f"/lab/tree/{notebook}", self.address)

    def processes(self) -> list[psutil.Process]:
        """Everything the lab has started: JupyterLab, its kernels, the functions' execution environments."""
        return psutil.Process(self.terminal.pid).children(recursive=True)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    # A learner's terminal has no settings of Jupyter, of a local AWS in the tests' process, or of an outer `make`.
    foreign = ("JUPYTER", "IPYTHON", "AWS_", "MAKE", "MFLAGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environ = {
        **inherited,
        "HOME": str(tmp_path),
        "COLDSTART_LEARN": str(tmp_path / "learn"),
        "AWS_PROFILE": "parcel-production",
        "AWS_SECRET_ACCESS_KEY": "the-real-one",
    }
    terminal = pexpect.spawn(
        "make", ["lab", "ARGS=--no-browser"], cwd=str(PROJECT), env=environ, encoding="utf-8", timeout=120
    )
    try:
        terminal.expect(r"http://127\.0\.0\.1:\d+/lab\S*token=\w+")
        yield Lab(terminal, terminal.match.group(0), tmp_path)
    finally:
        left = psutil.Process(terminal.pid).children(recursive=True) if terminal.isalive() else []
        terminal.close(force=True)
        for process in left:
            if process.is_running():
                process.kill()


def code_cell(page: Page, text: str) -> Locator:
    """The one code cell whose source starts with `text`."""
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=text)).first


def run(page: Page, cell: Locator) -> None:
    """Run a cell as the keyboard does, and wait until it has its number."""
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=PATIENCE)


def answer(page: Page, file: str, code: str) -> None:
    """Write an answer over what stands in the exercise's cell, and run it."""
    cell = code_cell(page, f"%%writefile {file}")
    cell.locator(".cm-content").fill(f"%%writefile {file}\n{code}")
    run(page, cell)


def test_lesson_01_from_make_lab_to_a_passed_exercise(lab: Lab, page: Page) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(lab.address_of("01-first-function.ipynb"))
    expect(page.get_by_role("heading", name="Your first function")).to_be_visible(timeout=PATIENCE)
    # Before the session is there, JupyterLab takes "Run All Cells" and runs nothing.
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)

    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    cells = page.locator(".jp-CodeCell")
    try:
        expect(cells.last.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=2 * PATIENCE)
    except AssertionError as error:
        error.add_note(f"The cells' outputs: {page.locator('.jp-OutputArea-output').all_inner_texts()}")
        error.add_note(f"Dialogs: {page.locator('.jp-Dialog').all_inner_texts()}")
        raise
    prompts = cells.locator(".jp-InputArea-prompt").all_text_contents()
    assert [prompt.strip("[]:") for prompt in prompts] == [str(number + 1) for number in range(len(prompts))]
    # One cell fails on purpose and is marked so; any other error would have stopped the run.
    expect(page.get_by_text("START RequestId:").first).to_be_attached()

    exercise = catalogue.exercise("01.1")
    check = code_cell(page, f'check("{exercise.id}")')
    wrong = exercise.wrong_answers[0]
    answer(page, exercise.file, wrong.code)
    run(page, check)
    expect(check.locator(".jp-OutputArea")).to_contain_text("not yet", timeout=PATIENCE)
    expect(check.locator(".jp-OutputArea")).to_contain_text(wrong.message)

    answer(page, exercise.file, exercise.solution)
    run(page, check)
    expect(check.locator(".jp-OutputArea")).to_contain_text(": passed (", timeout=PATIENCE)
    expect(check.locator(".jp-OutputArea")).not_to_contain_text(wrong.message)

    assert page.get_by_text("Jupyter news").count() == 0, "JupyterLab asks about news from outside"


def test_the_course_map_opens_and_ctrl_c_ends_everything(lab: Lab, page: Page) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(lab.address)
    expect(page.get_by_role("tab", name="00-start-here.ipynb")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
    said = lab.terminal.before
    assert "AWS_PROFILE, AWS_SECRET_ACCESS_KEY" in said
    assert "the-real-one" not in said
    running = lab.processes()
    assert any("ipykernel" in " ".join(process.cmdline()) for process in running)

    page.close()
    lab.terminal.sendintr()
    lab.terminal.expect("JupyterLab has ended")
    lab.terminal.expect(pexpect.EOF)
    _gone, alive = psutil.wait_procs(running, timeout=20)
    assert alive == []
    assert "Traceback" not in lab.terminal.before
    assert list((lab.home / ".local/share/jupyter/runtime").glob("*server-*")) == []
