"""What axe, the accessibility checker, finds wrong with a page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page, expect

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules about colours: all that another scheme can break. They take three quarters of axe's time."""


def violations(
    page: Page, rules: Sequence[str] = (), *, without: Sequence[str] = (), within: Sequence[str] = ()
) -> list[Any]:
    """What axe finds wrong.

    Args:
        page: what it looks at, with everything that is open there.
        rules: the rules to go by, instead of all.
        without: rules to leave out.
        within: the parts of the page to look at, as selectors, instead of all of it.
    """
    options: dict[str, Any] = {"resultTypes": ["violations"], "rules": {rule: {"enabled": False} for rule in without}}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    _lay_out_everything(page)
    page.evaluate(AXE)
    asked = "([parts, options]) => axe.run(parts.length ? parts.map((part) => [part]) : document, options)"
    found = page.evaluate(asked, [list(within), options])["violations"]
    return [(violation["id"], [node["target"] for node in violation["nodes"]]) for violation in found]


def _lay_out_everything(page: Page) -> None:
    """What is far below is laid out, and can have the focus where it scrolls, when a reader comes near. axe comes nowhere."""
    page.add_style_tag(content=".md-typeset * { content-visibility: visible !important }")
    page.evaluate("new Promise(laidOut => requestAnimationFrame(() => setTimeout(laidOut)))")


def into_the_dark(page: Page) -> None:
    """Switch the page to its dark scheme, as a reader does."""
    switch = page.get_by_role("button", name="Dark colours")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.wait_for_function("!document.getAnimations().length")  # colours change slowly
