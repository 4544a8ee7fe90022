"""What holds once the site is published: addresses that stay, a sub-path, few bytes, a card for those who share a page."""

from __future__ import annotations

import gzip
import html.parser
import re
import xml.etree.ElementTree
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from coldstart.course.catalogue import PROJECT
from coldstart.course.site import OFFLINE
from tests.site.conftest import PUBLISHED, REPOSITORY

LESSON_01 = "lessons/01-first-function/"
MOST_BYTES = {"": 150_000, LESSON_01: 200_000}

pytestmark = pytest.mark.long


class _Head(html.parser.HTMLParser):
    """The names and contents of a page's <meta> tags, and its links."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self._link = ""
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta[values.get("property", values.get("name", ""))] = values.get("content", "")
        if tag == "a":
            self._link = values.get("href", "")

    def handle_data(self, data: str) -> None:
        if self._link:
            self.links.setdefault(data.strip(), self._link)
            self._link = ""


def _pages(site: Path) -> set[str]:
    """The addresses of all pages but the first, below the site's own."""
    found = {page.parent.relative_to(site).as_posix() for page in site.rglob("index.html")}
    return {f"{path}/" for path in found - {"."}}


def test_addresses_that_were_published_stay(site: Path) -> None:
    lines = (PROJECT / "site/addresses.txt").read_text("utf-8").splitlines()
    published = {line for line in lines if line and not line.startswith("#")}
    assert published - _pages(site) == set(), "people link to these; leave a page there that leads on"
    assert _pages(site) - published == set(), "add these to site/addresses.txt"


def test_the_sitemap_names_every_page_by_its_whole_address(site: Path) -> None:
    tree = xml.etree.ElementTree.parse(site / "sitemap.xml")
    found = {node.text for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert found == {PUBLISHED, *(PUBLISHED + path for path in _pages(site))}


def test_below_a_sub_path_every_file_is_found(address: str, new_page: Callable[..., Page], site: Path) -> None:
    page, asked = new_page(), []
    page.on("request", lambda request: asked.append(request))
    page.route(
        "**/no/**", lambda route: route.fulfill(path=site / "404.html", status=404)
    )  # as a host does, at any address
    for path in ("", LESSON_01, "no/such/page/"):
        asked.clear()
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        files = [request for request in asked if not request.is_navigation_request()]
        missing = [request.url for request in files if (response := request.response()) and response.status != 200]
        assert missing == []
        assert len(asked) > 5
        page.get_by_role("link", name="Cold Start").first.click()
        expect(page.get_by_role("heading", name="Learn AWS Lambda by running it")).to_be_visible()


@pytest.mark.parametrize("path", MOST_BYTES)
def test_a_page_is_light(address: str, new_page: Callable[..., Page], path: str) -> None:
    """As a host sends it, compressed; with the fonts, when npm has installed them."""
    page, sizes = new_page(), {}

    def weigh(request: Request) -> None:
        response = request.response()
        assert response is not None
        packed = request.url.endswith((".woff2", ".png"))
        sizes[request.url] = len(response.body()) if packed else len(gzip.compress(response.body()))

    page.on("requestfinished", weigh)
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    assert not any("search_index" in url for url in sizes), "the search's index is loaded when somebody searches"
    assert not any("/run/" in url or "pyodide" in url for url in sizes), "nothing of Run is loaded before it is pressed"
    assert sum(sizes.values()) <= MOST_BYTES[path], sizes


def test_whoever_shares_a_page_shows_what_it_is(site: Path) -> None:
    meta = _Head(site / LESSON_01 / "index.html").meta
    assert meta["og:title"] == meta["twitter:title"] == "01 Your first function - Cold Start"
    assert meta["og:description"] == meta["description"] == meta["twitter:description"]
    assert meta["og:url"] == PUBLISHED + LESSON_01
    assert meta["og:image:alt"]
    picture = site / meta["og:image"].removeprefix(PUBLISHED)
    size = picture.read_bytes()[16:24]  # width and height stand there in every PNG
    width, height = int.from_bytes(size[:4]), int.from_bytes(size[4:])
    assert (width, height) == (int(meta["og:image:width"]), int(meta["og:image:height"])) == (1200, 630)
    assert picture.stat().st_size < 200_000


def test_every_page_describes_itself_in_words_of_its_own(site: Path) -> None:
    described = {page: _Head(page).meta["description"] for page in site.rglob("index.html")}
    assert len(set(described.values())) == len(described)


def test_a_page_leads_to_its_source_and_to_a_report_that_names_it(site: Path) -> None:
    for path in _pages(site) - {"course-map/"}:  # that one is made of all lessons
        links = _Head(site / path / "index.html").links
        source = links["Edit this page"].removeprefix(f"{REPOSITORY}/edit/main/")
        assert (PROJECT / source).is_file(), f"{path} comes from {source}?"
    report = urlsplit(_Head(site / LESSON_01 / "index.html").links["Report a fault on this page"])
    asked = parse_qs(report.query)
    assert asked["title"] == ["01 Your first function: "]
    assert PUBLISHED + LESSON_01 in asked["body"][0]
    assert "lessons/01-first-function/lesson.md" in asked["body"][0]


@pytest.fixture(scope="module")
def on_a_disk(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that the site offers, unpacked."""
    folder = tmp_path_factory.mktemp("disk")
    with zipfile.ZipFile(site / OFFLINE) as archive:
        archive.extractall(folder)
    return folder / "cold-start-site"


def test_the_zip_is_read_from_a_disk(on_a_disk: Path, page: Page) -> None:
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto((on_a_disk / "index.html").as_uri())
    page.get_by_role("link", name="Read your first function").click()
    expect(page.get_by_role("heading", name="Your first function")).to_be_visible()
    page.get_by_role("link", name="Start here").first.click()
    page.wait_for_url("**/lessons/00-start-here.html")
    assert failed == []


def test_the_zip_holds_no_link_that_leads_nowhere(on_a_disk: Path) -> None:
    dead = []
    for path in on_a_disk.rglob("*.html"):
        for href in set(re.findall(r'(?:href|src)="([^"#?]+)', path.read_text("utf-8"))):
            if not urlsplit(href).scheme and not (path.parent / href).exists():
                dead.append(f"{path.relative_to(on_a_disk)}: {href}")
    assert dead == []


def test_the_search_of_the_zip_finds_an_error_message(on_a_disk: Path, page: Page) -> None:
    if not (on_a_disk / "assets/iframe-worker.js").exists():
        pytest.skip("the search of the zip comes with npm (npm ci)")
    page.goto((on_a_disk / "index.html").as_uri())
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("Runtime.HandlerNotFound")
    page.locator(".md-search-result__link").first.click()
    page.wait_for_url("**/lessons/01-first-function.html*")


def test_the_site_offers_its_zip_and_the_zip_does_not(site: Path, on_a_disk: Path) -> None:
    offer = "Take the whole site along (zip)"
    assert _Head(site / LESSON_01 / "index.html").links[offer].endswith(OFFLINE)
    assert offer not in _Head(on_a_disk / "lessons/01-first-function.html").links
