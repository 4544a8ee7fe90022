"""Makes the environments of the peers, each from its lock file, and keeps them until the lock changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

LOCKS = Path(__file__).parent
FOLDER = LOCKS.parents[1] / ".bench"
INSTALL_SECONDS = 600


class PeerMissing(RuntimeError):
    """A peer cannot take part; the message says why, in one line."""


def python_environment(name: str) -> Path:
    """Return a virtual environment with what `name`.lock lists; make it when it is not there.

    Raises:
        PeerMissing: it cannot be installed.
    """
    lock = LOCKS / f"{name}.lock"
    folder = FOLDER / name
    if _is_current(folder, lock):
        return folder
    uv = _program("uv", Path(sys.executable).parent)
    _say(f"Installing {name} into {_shown(folder)}")
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
    python = str(folder / "bin" / "python")
    _run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)])
    _keep(folder, lock)
    return folder


def node_environment(name: str, locks: Path = LOCKS) -> Path:
    """Return a folder with the node_modules that `name`/package-lock.json lists; make it when it is not there.

    Args:
        name: the folder of the lock file.
        locks: what it is in, when not among the peers.

    Raises:
        PeerMissing: it cannot be installed.
    """
    lock = locks / name / "package-lock.json"
    folder = FOLDER / name
    if _is_current(folder, lock):
        return folder
    npm = _program("npm")
    _say(f"Installing {name} into {_shown(folder)}")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(locks / name, folder)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    # osls, a free fork, stands in for the `serverless` that the plugin asks for: that one wants its user to log in.
    _run([npm, "ci", "--ignore-scripts", "--legacy-peer-deps", *quiet], folder)
    _keep(folder, lock)
    return folder


def relock() -> None:
    """Take the newest versions of the Python peers into their lock files.

    Raises:
        PeerMissing: there is no uv, or no network.
    """
    uv = _program("uv", Path(sys.executable).parent)
    for wanted in sorted(LOCKS.glob("*.in")):
        lock = wanted.with_suffix(".lock")
        _say(f"Locking {wanted.stem}")
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--upgrade"]
        command = ["--custom-compile-command", "python -m benchmarks --relock", "--output-file", lock.name]
        _run([uv, "pip", "compile", "--quiet", wanted.name, *options, *command], LOCKS)


def _is_current(folder: Path, lock: Path) -> bool:
    try:
        return (folder / "installed").read_text() == _digest(lock)
    except OSError:
        return False


def _keep(folder: Path, lock: Path) -> None:
    (folder / "installed").write_text(_digest(lock))


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _program(name: str, folder: Path | None = None) -> str:
    beside = folder / name if folder else None
    found = str(beside) if beside and beside.exists() else shutil.which(name)
    if found is None:
        raise PeerMissing(f"there is no {name} on this machine")
    return found


def _run(command: list[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, env=_environ(), check=False
        )
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"installing it took longer than {INSTALL_SECONDS // 60} minutes") from None
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise PeerMissing(f"it cannot be installed: {lines[-1] if lines else f'exit status {done.returncode}'}")


def _environ() -> dict[str, str]:
    # Whatever environment this one runs in must not become the one that is installed into.
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def _shown(folder: Path) -> Path:
    return folder.relative_to(FOLDER.parent)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
