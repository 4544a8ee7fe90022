"""What the tests share: a browser, a Node.js, a static server, and no real AWS credentials.

Fixtures

`page`
    A fresh Playwright page (its own context, 1280 x 900) in headless Chromium. Nothing but loopback can be reached.
    When the test ends, it fails if the page asked for anything else; the requests are named.
`new_page`
    `new_page(**context_options) -> Page`: the same for other contexts, as often as needed. The options are those of
    Playwright's `browser.new_context`, for example `color_scheme="dark"`, `viewport={"width": 390, "height": 844}`,
    `reduced_motion="reduce"`.
`foreign_requests`
    The URLs outside loopback that this test's pages asked for (they were refused). A test that expects some empties it.
`chromium`
    The Playwright `Browser` itself, one for each test module.
`serve`
    `serve(folder) -> "http://127.0.0.1:PORT/"`: a static web server for the test's duration.
`local_aws`
    The local AWS of this test process, with the role `parcel-function`. A module gets one with the inline host by
    `pytestmark = pytest.mark.parametrize("local_aws", ["inline"], indirect=True)`.
`node`
    Path of a Node.js of version 20 or newer. `@pytest.mark.node` asks for the same without using the path.

Without Chromium or Node.js these skip and say what to install. With CI=true they fail instead: nothing may be skipped
there. Playwright's event loop runs for as long as `chromium` is open, so a module that uses it must not also call
`asyncio.run`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from playwright.sync_api import Browser, Page, Request, WebSocket, sync_playwright

from coldstart import cloud
from coldstart.course.behaviour import read_behaviour
from tests.behaviour_proof import TESTS, BehaviourProof

# See the Makefile: tests that are run without it get bytecode, too, and so do the processes that they start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# A proxy where nothing listens: whatever is not on loopback is refused before it leaves the browser.
CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=http://127.0.0.1:9",
]
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def pytest_configure(config: pytest.Config) -> None:
    # The models of boto3 and moto are a million objects that stay. Looking through them as often as usual takes a sixth of the time.
    gc.set_threshold(5_000, 20, 100)
    table = read_behaviour(TESTS.parent / "site" / "local-behaviour.yml")
    named = {row.test for group in table for row in group.rows}
    config.pluginmanager.register(BehaviourProof(config, sorted(named)), "behaviour-proof")


def missing(what: str) -> None:
    """Skip on a developer's machine, fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must not skip this test: {what}", pytrace=False)
    pytest.skip(what)


@functools.cache
def _node() -> str | None:
    path = shutil.which("node")
    if path is None:
        return None
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return path if int(version.strip().removeprefix("v").split(".")[0]) >= 20 else None


@pytest.fixture(scope="session")
def node() -> str:
    path = _node()
    if path is None:
        missing("Node.js 20 or newer is not installed (Debian: sudo apt-get install nodejs)")
    assert path is not None
    return path


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("node") and _node() is None:
        missing("Node.js 20 or newer is not installed (Debian: sudo apt-get install nodejs)")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: at the end every other process would wait for them. End with those that need an idle machine."""
    marks = {item.path: set[str]() for item in items}
    for item in items:
        marks[item.path].update(mark.name for mark in item.iter_markers())
    items.sort(key=lambda item: ("long" not in marks[item.path], "idle" in marks[item.path]))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        missing(f"there is no Chromium at {CHROMIUM} (Debian: sudo apt-get install chromium, or set CHROMIUM)")
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to run as root, which is what a container's CI is.
        flags = [*CHROMIUM_FLAGS, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def foreign_requests() -> list[str]:
    return []


def is_foreign(url: str) -> bool:
    """Whether a page that asks for this asks somebody else."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "ws", "wss"}:
        return False
    return parts.hostname not in LOOPBACK and not (parts.hostname or "").endswith(".localhost")


@pytest.fixture
def new_page(chromium: Browser, foreign_requests: list[str]) -> Iterator[Callable[..., Page]]:
    contexts = []

    def record(request: Request | WebSocket) -> None:
        if is_foreign(request.url):
            foreign_requests.append(request.url)

    def open_page(**options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.on("request", record)
        context.on("page", lambda page: page.on("websocket", record))
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert foreign_requests == [], "the page asked for something outside this machine"


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def static_server(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yields the address, with a slash at its end."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    with contextlib.ExitStack() as servers:
        yield lambda folder: servers.enter_context(static_server(folder))


@pytest.fixture(scope="session")
def local_aws(request: pytest.FixtureRequest) -> Iterator[cloud.Cloud]:
    """The local AWS, with a role for functions. Its parameter, if it has one, is its host."""
    running = cloud.start(host=getattr(request, "param", None))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    boto3.client("iam").create_role(RoleName="parcel-function", AssumeRolePolicyDocument=json.dumps(trust))
    yield running
    cloud.stop()
