"""How long from `make lab` to a notebook a learner can read, in headless Chromium.

Each round has a fresh home folder and a fresh learner's folder, as a new learner has. The first round also finds the
files of the environment not yet in the machine's memory, when it is run right after `make setup`.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.findings import CannotMeasure, Finding, Timings
from benchmarks.peers.guests import Guests

PROJECT = Path(__file__).resolve().parents[1]
STEPS = ("JupyterLab answers", "lesson 01 can be read", "its kernel is ready")


def measure(guests: Guests, rounds: int) -> Finding:
    """Start the lab several times."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(chromium).exists():
        raise CannotMeasure(f"there is no Chromium at {chromium}. Install it, or set CHROMIUM to its path.")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        starts = [_one_start(browser) for _ in range(rounds)]
        browser.close()
    steps = zip(STEPS, zip(*starts, strict=True), strict=True)
    finding = Finding("From make lab to a lesson", [Timings(step, list(seconds)) for step, seconds in steps])
    finding.notes.append(f"The first of these starts: {', '.join(f'{seconds:.1f} s' for seconds in starts[0])}.")
    return finding


def _one_start(browser: Browser) -> tuple[float, ...]:
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
