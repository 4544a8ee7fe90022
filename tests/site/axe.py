"""What axe, the accessibility checker, finds wrong with a page."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def violations(page: Page, *rules: str) -> list[Any]:
    """What axe finds wrong: by all of its rules, or by those named."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    page.evaluate(AXE)
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [(violation["id"], [node["target"] for node in violation["nodes"]]) for violation in found]
