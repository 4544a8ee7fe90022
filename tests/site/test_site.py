"""The built site in a real browser: for everyone, on every screen, with nothing from a third party.

The fixtures `page` and `new_page` fail a test whose pages ask for anything outside this machine.
"""

from __future__ import annotations

import html.parser
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from playwright.sync_api import Page, expect

from coldstart.course import site as course_site
from coldstart.course.catalogue import PROJECT
from coldstart.course.site import prepare
from tests.site.axe import COLOURS, into_the_dark, violations

HOME, LESSON_00, LESSON_01 = "", "lessons/00-start-here/", "lessons/01-first-function/"
LESSON_02 = "lessons/02-execution-environment/"
# Every kind of page; of the lessons one with figures. Another, with its cells in use, is in test_run.py.
PAGES = [
    HOME,
    LESSON_02,
    "course-map/",
    "glossary/",
    "local-behaviour/",
    "for-instructors/",
    "write-a-lesson/",
    "404.html",
]
REQUEST_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")

pytestmark = pytest.mark.long


def _search(page: Page, words: str) -> None:
    page.keyboard.type(words)
    page.locator(".md-search-result__meta", has_text="matching").wait_for()


def _open_folds(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everyone_on_every_screen(address: str, page: Page, path: str) -> None:
    page.goto(address + path)
    _open_folds(page)
    assert violations(page) == []
    into_the_dark(page)
    assert violations(page, COLOURS) == []
    page.evaluate("document.querySelectorAll('.term').forEach(term => term.classList.add('shown'))")
    page.add_style_tag(content="*, ::before, ::after { transition: none !important }")  # the search field widens slowly
    for width in (320, 480, 768, 1280, 1920, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (
            f"it scrolls sideways at {width} px"
        )


@pytest.mark.parametrize("path", [HOME, LESSON_02])
def test_axe_finds_nothing_on_a_phone(address: str, page: Page, path: str) -> None:
    """The colours are those of a wide screen."""
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(address + path)
    assert violations(page, without=COLOURS) == []


def test_a_first_visit_in_the_dark_is_dark_before_the_theme_has_come_and_a_choice_is_kept(
    address: str, page: Page
) -> None:
    page.emulate_media(color_scheme="dark")
    page.route("**/bundle.*.js", lambda route: route.abort())
    page.goto(address)
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.get_by_role("button", name="Dark colours").press("Enter")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")
    page.goto(address + "404.html")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")


def test_search_finds_the_lesson_by_an_error_message(address: str, page: Page) -> None:
    page.goto(address)
    found = page.locator(".md-search-result__item:nth-child(-n+3) .md-search-result__link")
    for message, lesson in (
        ("Unable to import module", "01-first-function"),
        ("Task timed out", "02-execution-environment"),
        ("batchItemFailures", "05-polled-events"),
        ("Runtime.HandlerNotFound", "01-first-function"),
    ):
        page.get_by_role("textbox", name="Search").fill("")
        page.keyboard.type(message)
        all_words = "+".join(message.lower().split())
        page.locator(f".md-search-result__link[href*='?h={all_words}#']").first.wait_for(state="attached")
        hrefs = found.evaluate_all("links => links.map(link => link.href)")
        assert any(f"/lessons/{lesson}/" in href for href in hrefs), f"{message} leads to {hrefs}"
    found.and_(page.locator("[href*='/lessons/01-first-function/']")).first.click()
    page.wait_for_url("**/lessons/01-first-function/**")
    assert "HandlerNotFound" in page.locator("main").inner_text()


def test_axe_finds_nothing_in_an_open_search(address: str, page: Page) -> None:
    page.goto(address + "404.html")
    for scheme in ("light", "dark"):
        if scheme == "dark":
            into_the_dark(page)
        page.get_by_role("textbox", name="Search").fill("")
        _search(page, "Unable to import module")
        assert violations(page, () if scheme == "light" else COLOURS) == []
        page.keyboard.press("Escape")


def test_search_reads_prose_and_code_but_not_the_noise_of_outputs(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text("utf-8"))
    text = " ".join(entry["text"] for entry in index["docs"])
    assert "aws_request_id" in text
    assert "Lambda does not run your file" in text
    assert re.search(r"Billed Duration: \d", text) is None
    assert REQUEST_ID.search(text) is None


def test_on_a_phone_search_and_lesson_list_open_from_the_keyboard(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    page.goto(address + LESSON_01)
    page.get_by_role("button", name="Open the list of lessons").press("Enter")
    page.locator("nav.md-nav--primary").get_by_text("00 Start here").first.wait_for()
    page.locator(".md-overlay").click(position={"x": 350, "y": 500})
    page.get_by_role("button", name="Open the search").press("Enter")
    _search(page, "MalformedHandlerName")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/lessons/01-first-function/**")


def test_options_and_hints_open_with_the_keyboard(address: str, page: Page) -> None:
    page.goto(address + LESSON_01)
    for first in (".question summary", "details.hint summary"):
        page.locator(first).first.press("Enter")
        assert page.locator(first).first.locator("xpath=..").locator("p").first.is_visible()


def test_python_and_node_stand_side_by_side_and_change_with_the_arrow_keys(address: str, page: Page) -> None:
    page.goto(address + LESSON_01)
    tabs = page.locator(".tabbed-set").first
    assert tabs.locator(".tabbed-labels").inner_text().split("\n") == ["Python", "Node.js"]
    node = tabs.get_by_text("export const handler")
    assert not node.is_visible()
    tabs.locator("> input").first.press("ArrowRight")
    assert node.is_visible()


def test_no_cell_has_to_be_scrolled_beside_the_two_lists(address: str, page: Page) -> None:
    page.goto(address + LESSON_01)
    page.evaluate("document.fonts.ready")
    cells = page.locator(".cell pre > code")
    wide = cells.evaluate_all(
        "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.innerText)"
    )
    assert wide == []


def test_without_javascript_the_lesson_is_whole(address: str, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(address + LESSON_01)
    page.locator(".question summary").first.click()
    assert page.locator(".question details[open] p").first.is_visible()
    page.locator(".tabbed-labels").get_by_text("Node.js").first.click()
    assert page.get_by_text("export const handler").first.is_visible()
    assert page.get_by_role("link", name="download the notebook").is_visible()


def test_the_notebook_on_offer_is_the_one_of_the_course(site: Path) -> None:
    name = "notebooks/01-first-function.ipynb"
    assert (site / name).read_bytes() == (PROJECT / name).read_bytes()


def test_the_home_page_shows_a_cell_its_output_and_a_timeline(address: str, page: Page) -> None:
    page.goto(address)
    hero = page.locator(".hero")
    assert "lambda_client.invoke(" in hero.locator(".cell").last.inner_text()
    assert "StatusCode: 200" in hero.locator(".output").inner_text()
    cold, warm = (page.locator(f".timeline tbody tr:nth-child({row}) td.timeline-scale") for row in (1, 2))
    assert cold.locator("span").count() == 2
    assert warm.locator("span").count() == 1


def test_a_wrong_address_leads_on(address: str, page: Page) -> None:
    page.goto(address + "404.html")
    page.get_by_role("link", name="at the start").click()
    page.get_by_role("heading", name="Learn AWS Lambda by running it").wait_for()


def test_a_word_of_the_glossary_shows_its_meaning_to_the_keyboard_and_to_a_pointer(address: str, page: Page) -> None:
    page.goto(address + LESSON_01)
    word = page.locator(".term > a").first
    meaning = page.locator(".term-meaning").first
    expect(meaning).to_be_hidden()
    word.focus()
    expect(meaning).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()
    word.blur()
    word.hover()
    expect(meaning).to_be_visible()
    meaning.hover()
    expect(meaning).to_be_visible()
    word.press("Enter")
    page.wait_for_url("**/glossary/#*")


def test_a_word_of_the_glossary_shows_its_meaning_on_a_touch_screen(
    address: str, new_page: Callable[..., Page]
) -> None:
    page = new_page(has_touch=True, viewport={"width": 360, "height": 800})
    page.goto(address + LESSON_01)
    word = page.locator(".term > a").first
    word.tap()
    expect(page.locator(".term-meaning").first).to_be_visible()
    word.tap()
    page.wait_for_url("**/glossary/#*")


def test_paper_holds_the_lesson_and_nothing_that_is_for_the_screen(address: str, page: Page) -> None:
    page.goto(address + LESSON_01)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    for gone in (".md-header", ".md-sidebar", ".md-footer", ".page-foot", ".md-code__nav"):
        expect(page.locator(gone).first).to_be_hidden()
    assert (
        page.evaluate(
            "[...document.querySelectorAll('pre')].filter(pre => pre.scrollWidth > pre.clientWidth + 1).length"
        )
        == 0
    )


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: set[str] = set()
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        if tag in {"a", "link"} and values.get("href"):
            self.hrefs.add(str(values["href"]))


def test_every_link_inside_the_site_leads_somewhere(site: Path) -> None:
    pages = {}
    for path in site.rglob("*.html"):
        pages[path] = _Links()
        pages[path].feed(path.read_text("utf-8"))
    dead = []
    for path, links in pages.items():
        for href in links.hrefs:
            if urlsplit(href).scheme or path.name == "404.html":
                continue  # those of 404.html are addresses from the host's root: test_published.py follows them
            url, anchor = urldefrag(urljoin(path.as_uri(), href))
            target = Path(unquote(urlsplit(url).path))
            target = target / "index.html" if target.is_dir() else target
            known = not anchor or target.suffix != ".html" or unquote(anchor) in pages[target].ids
            if not target.exists() or not known:
                dead.append(f"{path.relative_to(site)}: {href}")
    assert dead == []


@pytest.mark.parametrize("fonts_installed", [True, False])
def test_the_pages_are_the_same_with_and_without_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fonts_installed: bool
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("lessons", "notebooks"):
        (project / name).symlink_to(PROJECT / name)
    if fonts_installed:
        for name in ("atkinson-hyperlegible-next", "atkinson-hyperlegible-mono"):
            package = project / "node_modules" / "@fontsource-variable" / name
            (package / "files").mkdir(parents=True)
            (package / "files" / f"{name}-latin-wght-normal.woff2").write_bytes(b"font")
            (package / "LICENSE").write_text("SIL Open Font License")
    shutil.copytree(PROJECT / "site", project / "site", ignore=shutil.ignore_patterns("build", "fonts", "index.md"))
    monkeypatch.setattr(course_site, "PROJECT", project)

    prepare(project / "site")

    docs = project / "site" / "docs"
    fonts = docs / "assets" / "fonts"
    assert "Learn AWS Lambda" in (docs / "index.md").read_text("utf-8")
    assert (docs / "notebooks" / "01-first-function.ipynb").exists()
    assert ("@font-face" in (fonts / "fonts.css").read_text("utf-8")) is fonts_installed
    assert len(list(fonts.glob("*.woff2"))) == len(list(fonts.glob("*.LICENSE.txt"))) == (2 if fonts_installed else 0)
