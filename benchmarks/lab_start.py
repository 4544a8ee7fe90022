"""How long from `make lab` to a notebook a learner can read, in headless Chromium. `make bench` runs it.

Each round has a fresh home folder and a fresh learner's folder, as a new learner has. The first round also finds the
files of the environment not yet in the machine's memory, when it is run right after `make setup`.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import psutil
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).resolve().parents[1]
STEPS = ("JupyterLab answers", "lesson 01 can be read", "its kernel is ready")


def one_start(browser: Browser) -> tuple[float, ...]:
    """Seconds from the command to each of STEPS."""
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "HOME": home, "COLDSTART_LEARN": f"{home}/learn"}
        began = time.perf_counter()
        lab = subprocess.Popen(
            ["make", "lab", "ARGS=--no-browser"], cwd=PROJECT, env=environ, stdout=subprocess.PIPE, text=True
        )
        try:
            assert lab.stdout is not None
            address = next(found for line in lab.stdout if (found := re.search(r"http://127\S+token=\w+", line)))
            answers = time.perf_counter() - began
            page = browser.new_page()
            page.goto(address.group().replace("00-start-here", "01-first-function"))
            page.get_by_role("heading", name="Your first function").wait_for()
            readable = time.perf_counter() - began
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
            ready = time.perf_counter() - began
            page.close()
        finally:
            for process in psutil.Process(lab.pid).children():
                process.terminate()
            lab.wait()
    return answers, readable, ready


@click.command()
@click.option("--rounds", default=3, show_default=True)
def main(rounds: int) -> None:
    """Start the lab several times and print how long each step took."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(chromium).exists():
        sys.exit(f"There is no Chromium at {chromium}. Install it, or set CHROMIUM to its path.")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        seconds = [one_start(browser) for _ in range(rounds)]
        browser.close()
    machine = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores"
    table = Table()
    for heading in ("", "first", "median", "worst"):
        table.add_column(heading, justify="left" if not heading else "right")
    for step, values in zip(STEPS, zip(*seconds, strict=True), strict=True):
        table.add_row(step, *(f"{value:.1f}" for value in (values[0], statistics.median(values), max(values))))
    console = Console()
    console.print(f"Seconds after make lab, {rounds} starts, {machine}")
    console.print(table)


if __name__ == "__main__":
    main()
