"""One built site for all tests of this folder: published below a sub-path, as on GitHub Pages."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from coldstart.course.site import build_site

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


@pytest.fixture
def address(site: Path, serve: Callable[[Path], str]) -> str:
    """Where the site is served in this test."""
    return f"{serve(site.parent)}cold-start/"
