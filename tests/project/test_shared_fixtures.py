"""The browser of tests/conftest.py: it reaches loopback, and nothing else, and says so."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page

FOREIGN = "http://fonts.example.com/a.css"


def test_a_page_on_loopback_is_shown(page: Page, serve: Callable[[Path], str], tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>Parcel</title>")
    page.goto(serve(tmp_path))
    assert page.title() == "Parcel"


def test_a_foreign_request_is_refused_and_recorded(
    page: Page, serve: Callable[[Path], str], tmp_path: Path, foreign_requests: list[str]
) -> None:
    (tmp_path / "index.html").write_text(f'<link rel="stylesheet" href="{FOREIGN}"><title>Parcel</title>')
    page.goto(serve(tmp_path))
    with pytest.raises(Error, match="ERR_PROXY_CONNECTION_FAILED"):
        page.goto("http://192.0.2.1/")
    assert foreign_requests == [FOREIGN, "http://192.0.2.1/"]
    foreign_requests.clear()
