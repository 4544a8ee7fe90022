"""The environments of the peers, each made from its lock file and kept until the lock changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from coldstart.lab import tool_environments
from coldstart.lab.tool_environments import CannotInstall

LOCKS = Path(__file__).parent
FOLDER = LOCKS.parents[1] / ".bench"


class PeerMissing(RuntimeError):
    """A peer cannot take part; the message says why, in one line."""


def python_environment(name: str) -> Path:
    """Return a virtual environment with what `name`.lock lists; make it when it is not there.

    Raises:
        PeerMissing: it cannot be installed.
    """
    return _installed(tool_environments.python_environment, LOCKS / f"{name}.lock", FOLDER / name)


def packages_for(python: str, name: str) -> Path:
    """Return a folder with what `name`.lock lists for some version of Python; make it when it is not there.

    Raises:
        PeerMissing: it cannot be installed.
    """

    def make(lock: Path, folder: Path) -> bool:
        return tool_environments.packages_for(python, lock, folder)

    return _installed(make, LOCKS / f"{name}.lock", FOLDER / name)


def node_environment(name: str, locks: Path = LOCKS) -> Path:
    """Return a folder with the node_modules that `name`/package-lock.json lists; make it when it is not there.

    Args:
        name: the folder of the lock file.
        locks: what it is in, when not among the peers.

    Raises:
        PeerMissing: it cannot be installed.
    """
    # osls, a free fork, stands in for the `serverless` that serverless-offline asks for: that one wants its user to log in.
    return _installed(
        tool_environments.node_environment, locks / name / "package-lock.json", FOLDER / name, "--legacy-peer-deps"
    )


def _installed(make: Callable[..., bool], lock: Path, folder: Path, *options: str) -> Path:
    if not tool_environments.is_current(lock, folder):
        print(f"Installing {folder.relative_to(FOLDER.parent)}", file=sys.stderr, flush=True)
    try:
        make(lock, folder, *options)
    except CannotInstall as reason:
        raise PeerMissing(str(reason)) from reason
    return folder
