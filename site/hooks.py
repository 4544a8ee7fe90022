"""MkDocs hooks, so that plain `mkdocs build` and `mkdocs serve` do what `make site` does."""

import re
from pathlib import Path
from typing import Any

from coldstart.course import site

_UNCOLOURED = re.compile(r"<span class=\"(?:n|w|p|o)\">([^<]*)</span>")


def on_config(config: Any) -> None:
    """Tell the templates whether the pages will be read from a disk, which font to ask for early, and where Run loads from.

    The font is that of the text. A page on a disk has no Run: there a browser starts no worker.
    """
    config["extra"]["offline"] = not config["use_directory_urls"]
    folder = None if config["extra"]["offline"] else site.runner()[0]
    config["extra"]["run"] = f"run/{folder.name}/" if folder else ""
    config["extra"]["fonts"] = [f"assets/fonts/{font.name}" for font in site.installed_fonts()[:1]]


def on_pre_build(config: Any) -> None:
    """Put beside the pages what is not written there: home page, notebooks, fonts."""
    site.prepare(Path(config["docs_dir"]).parent)


def on_post_build(config: Any) -> None:
    """End the build when a page asks a third party for something or shows a path of this machine."""
    built = Path(config["site_dir"])
    if config["extra"]["offline"]:
        site.make_offline(built)
    elif config["extra"]["run"]:
        site.add_runner(built)
    if faults := site.faults_in(built, config["site_url"] or ""):
        raise SystemExit("\n".join(faults))


def on_page_content(html: str, **_: Any) -> str:
    """Take the marks off what has no colour of its own in code, names and punctuation: half of a lesson's elements."""
    return _UNCOLOURED.sub(r"\1", html)
