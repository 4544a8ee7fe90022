"""How long until the first cell of a page has answered, in headless Chromium: on a first visit and on a second one.

The same cell runs in a page of the site and in JupyterLite, with the same Pyodide and the same packages, each from a server of its
own on this machine. The seconds are those from the press of the button; for JupyterLite, which starts Python by itself, from the
opening of the notebook.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright, TimeoutError, sync_playwright

from benchmarks.findings import Bar, CannotMeasure, Finding, Timings
from benchmarks.gzip_server import served
from benchmarks.peers.guests import Guests
from benchmarks.peers.jupyterlite import JupyterLite
from coldstart.course.site import build_site

FIRST, SECOND = "ours, first visit", "ours, second visit"
LESSON = "lesson 01's first cell, {}"
CELL = """import boto3
from moto import mock_aws

mock_aws().start()
s3 = boto3.client("s3", region_name="us-east-1")
s3.create_bucket(Bucket="parcels")
print("The buckets are", [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
"""
ANSWER = "The buckets are ['parcels']"
_PATIENCE = 120_000


def measure(guests: Guests, rounds: int) -> Finding:
    """Visit both a first and a second time, some rounds."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(chromium).exists():
        raise CannotMeasure(f"there is no Chromium at {chromium}. Install it, or set CHROMIUM to its path.")
    finding = Finding("From the press of Run to the first answer in a page")
    times: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        built = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "site"
        if build_site(built) != 0 or not (built / "run").exists():
            raise CannotMeasure("the site was built without Run")
        site = stack.enter_context(served(built)) + "lessons/01-first-function/"
        lite = guests.join(stack, JupyterLite, lambda peer: peer.running(CELL))
        playwright = stack.enter_context(sync_playwright())
        contestants: list[tuple[str, str, Callable[[Page, str], float]]] = [
            ("ours, {}", site, _run_the_cell),
            (LESSON, site, _run_the_lesson),
            *([("JupyterLite, {}", lite, _run_jupyterlite)] if lite else []),
        ]
        for _ in range(rounds):
            for who, address, visit in list(contestants):
                with _browser(playwright, chromium) as context:
                    for turn in ("first visit", "second visit"):
                        page = context.new_page()
                        try:
                            times.setdefault(who.format(turn), []).append(visit(page, address))
                        except TimeoutError:
                            if visit is not _run_jupyterlite:
                                raise
                            finding.notes.append(
                                f"{who.format(turn)}: no answer within {_PATIENCE // 1000} s; left out."
                            )
                            del times[who.format(turn)]
                            contestants.remove((who, address, visit))
                            break
                        page.wait_for_timeout(3000)  # a reader reads; what is kept for later is written meanwhile
                        page.close()
    finding.timings = [Timings(who, seconds) for who, seconds in times.items()]
    for who, limit in ((FIRST, 9), (LESSON.format("first visit"), 9), (SECOND, 2), (LESSON.format("second visit"), 2)):
        timings = finding.of(who)
        if timings is not None:
            finding.bars.append(Bar(f"{who}: the first answer, in s", timings.median, limit, at_least=False))
    return finding


@contextlib.contextmanager
def _browser(playwright: Playwright, chromium: str) -> Iterator[BrowserContext]:
    """A browser that has never been anywhere, with a disk of its own to keep things on."""
    flags = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(profile, executable_path=chromium, args=flags)
        yield context
        context.close()


def _run_the_cell(page: Page, address: str) -> float:
    page.goto(address)
    cell = page.locator(".cell[data-run=yes]").first
    if not cell.get_by_role("textbox").count():
        cell.get_by_role("button", name="Edit").click()
    cell.get_by_role("textbox").fill(CELL)
    return _press(page, ANSWER)


def _run_the_lesson(page: Page, address: str) -> float:
    page.goto(address)
    return _press(page, "The local AWS is running")


def _press(page: Page, answer: str) -> float:
    page.evaluate("document.querySelector('.live')?.remove()")
    began = time.perf_counter()
    page.locator(".cell-run").first.click()
    page.locator(".live", has_text=answer).first.wait_for(timeout=_PATIENCE)
    return time.perf_counter() - began


def _run_jupyterlite(page: Page, address: str) -> float:
    began = time.perf_counter()
    page.goto(address)
    page.locator(".jp-Notebook .jp-CodeCell").first.click(timeout=_PATIENCE)
    page.keyboard.press("Control+Enter")
    page.locator(".jp-OutputArea-output", has_text=ANSWER).wait_for(timeout=_PATIENCE)
    return time.perf_counter() - began
