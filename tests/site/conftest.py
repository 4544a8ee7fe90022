"""One built site for all tests of this folder: published below a sub-path, as on GitHub Pages, and one page to read it in.

Fixtures

`site`
    The folder of the built site.
`address`
    Where it is served.
`page`
    A page, 1280 x 900 and in the light, that has seen nothing yet. It is one page for all tests of a module: what it loaded for
    one it need not load again for the next. A test that has to see what is loaded for the first time takes `new_page()`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Page

from coldstart.course.site import build_site
from tests.conftest import is_foreign, static_server

PUBLISHED = "https://parcel.example/cold-start/"
REPOSITORY = "https://code.parcel.example/cold-start"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site; it is named as the sub-path it is published below.

    Processes that share the tests share it: the first that asks for it builds it, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    served = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "served"
    folder, built = served / "cold-start", served / "built"
    served.mkdir(exist_ok=True)
    with FileLock(served / "lock"):
        if not built.exists():
            os.environ.update(SITE_URL=PUBLISHED, REPOSITORY_URL=REPOSITORY)
            try:
                assert build_site(folder) == 0
            finally:
                del os.environ["SITE_URL"], os.environ["REPOSITORY_URL"]
            built.touch()
    return folder


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with static_server(site.parent) as served:
        yield f"{served}cold-start/"


@pytest.fixture(scope="module")
def _opened(chromium: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what it asked for."""
    asked: list[str] = []
    context = chromium.new_context(reduced_motion="reduce")
    context.on("request", lambda request: asked.append(request.url))
    yield context.new_page(), asked
    context.close()


@pytest.fixture
def page(_opened: tuple[Page, list[str]], address: str) -> Iterator[Page]:
    page, asked = _opened
    asked.clear()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(media="screen", color_scheme="light", reduced_motion="reduce")
    yield page
    page.unroute_all()
    if page.url.startswith(address):
        page.evaluate("localStorage.clear()")
    page.goto("about:blank")
    assert [url for url in asked if is_foreign(url)] == [], "the page asked for something outside this machine"
