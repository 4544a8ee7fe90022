"""Makes environments for programs that cannot live in the course's own: each from its lock, kept until the lock changes.

Called by `coldstart tools` for what deploys functions, and by `make bench` for the course's peers.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

INSTALL_SECONDS = 600
_WITHOUT_UV = "there is no uv on this machine; `make setup` brings it, and so does: pip install uv"
_WITHOUT_NPM = (
    "there is no npm on this machine; install Node.js 20 or newer with npm (Debian: sudo apt-get install npm)"
)


class CannotInstall(RuntimeError):
    """An environment cannot be made; the message says why and what to do, in one line."""


def python_environment(lock: Path, folder: Path) -> bool:
    """Make `folder` a virtual environment with exactly what a lock lists.

    Args:
        lock: a requirements file with hashes.
        folder: where the environment goes; whatever is in it is replaced.

    Returns:
        Whether there was anything to do: an environment made from this very lock stays.

    Raises:
        CannotInstall: there is no uv, or the packages cannot be had.
    """

    def install(uv: str) -> None:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        python = str(folder / "bin" / "python")
        _run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)])

    return _made(lock, folder, _uv, install)


def packages_for(python: str, lock: Path, folder: Path) -> bool:
    """Make `folder` one that holds what a lock lists for another version of Python, which this machine need not have.

    Args:
        python: the version, such as "3.14".
        lock: a requirements file with hashes.
        folder: where the packages go; whatever is in it is replaced.

    Returns:
        Whether there was anything to do: a folder made from this very lock stays.

    Raises:
        CannotInstall: there is no uv, or the packages cannot be had.
    """
    options = ["--quiet", "--python-version", python, "--require-hashes", "--target", str(folder)]
    return _made(lock, folder, _uv, lambda uv: _run([uv, "pip", "install", *options, "--requirements", str(lock)]))


def node_environment(lock: Path, folder: Path, *options: str) -> bool:
    """Make `folder` one whose node_modules holds exactly what a lock lists. No package runs a script of its own.

    Args:
        lock: a package-lock.json, with the package.json it belongs to beside it.
        folder: where the environment goes; whatever is in it is replaced.
        options: further options of `npm ci`.

    Returns:
        Whether there was anything to do: an environment made from this very lock stays.

    Raises:
        CannotInstall: there is no npm, or the packages cannot be had.
    """

    def install(npm: str) -> None:
        shutil.copytree(lock.parent, folder)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
        _run([npm, "ci", "--ignore-scripts", *options, *quiet], folder)

    return _made(lock, folder, lambda: _program("npm", _WITHOUT_NPM), install)


def is_current(lock: Path, folder: Path) -> bool:
    """Say whether `folder` was made from this very lock, for this Python and at this place, and was finished."""
    try:
        return (folder / "installed").read_text() == _digest(lock, folder)
    except OSError:
        return False


def _made(lock: Path, folder: Path, find: Callable[[], str], install: Callable[[str], object]) -> bool:
    """Fill a folder anew with the program that was found, unless it was made from this very lock; say whether it was filled."""
    if is_current(lock, folder):
        return False
    program = find()
    shutil.rmtree(folder, ignore_errors=True)
    install(program)
    (folder / "installed").write_text(_digest(lock, folder))
    return True


def _uv() -> str:
    return _program("uv", _WITHOUT_UV, beside=Path(sys.executable).parent)


def _digest(lock: Path, folder: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + f"{sys.version} {folder.resolve()}".encode()).hexdigest()


def _program(name: str, missing: str, beside: Path | None = None) -> str:
    here = beside / name if beside else None
    found = str(here) if here and here.exists() else shutil.which(name)
    if found is None:
        raise CannotInstall(missing)
    return found


def _run(command: list[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, env=_environ(), check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"installing took longer than {INSTALL_SECONDS // 60} minutes") from None
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        said = lines[0] if lines else f"exit status {done.returncode}"
        raise CannotInstall(f"it cannot be installed; is there a network? {Path(command[0]).name} said: {said}")


def _environ() -> dict[str, str]:
    # Whatever environment this one runs in must not become the one that is installed into.
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
