"""The engine that succeeds the site's present one builds the same pages, strictly.

It has an environment of its own, which `make test` and `make zensical` make.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coldstart.course.catalogue import PROJECT
from coldstart.course.site import prepare

ZENSICAL = PROJECT / ".venv" / "zensical"


def test_zensical_builds_the_same_pages(tmp_path: Path) -> None:
    if not ZENSICAL.exists():
        assert os.environ.get("CI") != "true", "CI must not skip this test: make zensical"
        pytest.skip("Zensical is not installed (make zensical)")
    prepare(PROJECT / "site")
    folder = tmp_path / "site"
    shutil.copytree(PROJECT / "site", folder, ignore=shutil.ignore_patterns("build", ".cache"))
    environ = {**os.environ, "PYTHONPATH": str(ZENSICAL)}
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", "mkdocs.yml"]
    built = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    lesson = (folder / "build/lessons/01-first-function/index.html").read_text("utf-8")
    assert '<figure class="output">' in lesson
    assert 'class="tabbed-set' in lesson
    assert 'role="tooltip"' in lesson
    assert "<details" in lesson
    sources = {path.relative_to(folder / "docs").with_suffix("") for path in (folder / "docs").rglob("*.md")}
    for source in sources - {Path("index")}:
        assert (folder / "build" / source / "index.html").exists(), f"{source} is not there"
