"""MkDocs hooks, so that plain `mkdocs build` and `mkdocs serve` do what `make site` does."""

from pathlib import Path
from typing import Any

from coldstart.course import site


def on_pre_build(config: Any) -> None:
    """Put beside the pages what is not written there: home page, notebooks, fonts."""
    site.prepare(Path(config["docs_dir"]).parent)


def on_post_build(config: Any) -> None:
    """End the build when a page asks a third party for something or shows a path of this machine."""
    if faults := site.faults_in(Path(config["site_dir"]), config["site_url"] or ""):
        raise SystemExit("\n".join(faults))
