"""What JupyterLite takes beside ours in `make bench`: wheels with a lock as Pyodide's own installer asks for them."""

from __future__ import annotations

import importlib.metadata
import json

import pytest
from benchmarks.peers.pyodide_wheels import lock_of, wheel_of

from coldstart.course import browser_packages
from coldstart.course.browser_packages import slim_package


def test_the_lock_says_of_each_wheel_what_pyodide_asks() -> None:
    if not (browser_packages.PYODIDE / "pyodide-lock.json").exists():
        pytest.skip("Pyodide comes with npm (npm ci --ignore-scripts)")
    names = ("flask", "werkzeug", "markupsafe")
    wheels = [wheel_of(slim_package(importlib.metadata.distribution(name))) for name in names]
    lock = json.loads(json.dumps(lock_of(wheels)))
    flask = lock["packages"]["flask"]
    assert flask["version"] == importlib.metadata.version("flask")
    assert flask["imports"] == ["flask"]
    assert flask["depends"] == ["markupsafe", "werkzeug"]
    assert len(flask["sha256"]) == 64


def test_the_same_package_gives_the_same_wheel() -> None:
    one, other = (wheel_of(slim_package(importlib.metadata.distribution("flask"))) for _ in range(2))
    assert one.content == other.content
