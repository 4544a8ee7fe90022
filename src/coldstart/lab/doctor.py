"""`coldstart doctor`: is this machine ready for the course? Every finding that is a problem says what to do."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coldstart.lab import deployment_tools

State = Literal["ok", "note", "problem"]
ENOUGH_DISK_MB = 500
FIRST_PORT = 8888
_VERSIONS = ("coldstart", "moto", "boto3", "awslambdaric", "jupyterlab", "aws-lambda-powertools")


@dataclass(frozen=True)
class Finding:
    """What one look found.

    Attributes:
        about: what was looked at, in a word or two.
        state: "ok"; "note", when it is good to know; "problem", when the course cannot work so.
        found: what there is, in a sentence.
        fix: what to do about it; empty when there is nothing to do.
    """

    about: str
    state: State
    found: str
    fix: str = ""


def examine(folder: Path, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Look at everything that the course needs.

    Args:
        folder: the learner's folder.
        environ: the environment variables; this process's own when left out.
    """
    variables = os.environ if environ is None else environ
    return [
        python(sys.version_info[:3]),
        system(platform.system()),
        kernel(),
        node(shutil.which),
        tools(deployment_tools.are_installed()),
        ports(_is_free),
        disk(folder, shutil.disk_usage),
        credentials(variables, Path.home()),
        versions(),
        local_aws(),
    ]


def python(version: tuple[int, ...]) -> Finding:
    """Python 3.11 to 3.14."""
    found = f"Python {'.'.join(map(str, version))}, {sys.executable}"
    if (3, 11) <= tuple(version[:2]) < (3, 15):
        return Finding("Python", "ok", found)
    return Finding(
        "Python", "problem", found, "Install Python 3.11 to 3.14, then: make setup PYTHON=/path/to/python3.12"
    )


def system(name: str) -> Finding:
    """A system on which functions can be run."""
    if name == "Linux":
        return Finding("System", "ok", f"Linux {platform.release()}")
    if name == "Darwin":
        return Finding("System", "note", "macOS. The course was never run there; it should work.")
    fix = "Install WSL (https://learn.microsoft.com/windows/wsl/install) and run `make lab` inside it."
    return Finding("System", "problem", f"{name}, where functions cannot be run.", fix)


def kernel() -> Finding:
    """The Jupyter kernel of this environment."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        argv = KernelSpecManager().get_kernel_spec("python3").argv
    except NoSuchKernel:
        return Finding("Kernel", "problem", "There is no Python kernel.", "Run: rm -rf .venv && make setup")
    return Finding("Kernel", "ok", f"python3: {argv[0]}")


def node(which: Callable[[str], str | None]) -> Finding:
    """Node.js, for the cells in JavaScript."""
    from coldstart.runtime.language_runtimes import RuntimeMissing, nodejs_runtime

    try:
        runtime = nodejs_runtime()
    except RuntimeMissing as missing:
        return Finding("Node.js", "note", "Only the JavaScript cells need it, and they will not run.", str(missing))
    return Finding("Node.js", "ok", f"{runtime.version.replace(':', ' ')}, {which('node')}")


def tools(are_installed: bool) -> Finding:
    """The programs that deploy functions."""
    if not are_installed:
        said = "Only the lessons about deployment need sam, aws and osls, which are not installed."
        return Finding("Tools", "note", said, "Run: coldstart tools")
    return Finding("Tools", "ok", f"sam, aws and osls in {deployment_tools.FOLDER / 'bin'}")


def ports(is_free: Callable[[int], bool]) -> Finding:
    """Loopback ports: one of JupyterLab's, and any other for the local AWS."""
    if not is_free(0):
        fix = "Let programs listen on 127.0.0.1: a firewall or a sandbox forbids it."
        return Finding("Ports", "problem", "Nothing can listen on 127.0.0.1.", fix)
    if not is_free(FIRST_PORT):
        return Finding("Ports", "note", f"Port {FIRST_PORT} is in use; JupyterLab takes the next free one.")
    return Finding("Ports", "ok", f"127.0.0.1:{FIRST_PORT} is free.")


def disk(folder: Path, usage: Callable[[Path], tuple[int, int, int]]) -> Finding:
    """Room for notebooks and for the functions' own /tmp."""
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    if not os.access(existing, os.W_OK):
        fix = "Choose another folder: coldstart lab --folder PATH"
        return Finding("Disk", "problem", f"{existing} cannot be written.", fix)
    free = usage(existing)[2] // 1024**2
    if free < ENOUGH_DISK_MB:
        fix = f"Free some room: at least {ENOUGH_DISK_MB} MB."
        return Finding("Disk", "problem", f"{free} MB free at {existing}.", fix)
    return Finding("Disk", "ok", f"{free:,} MB free at {existing}")


def credentials(environ: Mapping[str, str], home: Path) -> Finding:
    """Credentials of a real AWS account: warned of, and shown not to be used."""
    from coldstart.lab.server import hide_aws_account

    names = sorted(name for name in environ if name.startswith("AWS_"))
    files = [path for path in (home / ".aws" / "credentials", home / ".aws" / "config") if path.exists()]
    if not names and not files:
        return Finding("AWS account", "ok", "No credentials of a real account are around.")
    kept, ours = dict(environ), dict[str, str]()
    hide_aws_account(kept)
    hide_aws_account(ours)
    left = sorted(name for name in names if name in kept and name not in ours)
    there = ", ".join([*names, *map(str, files)])
    if left:
        fix = f"Run `unset {' '.join(left)}` before `make lab`."
        return Finding("AWS account", "problem", f"{', '.join(left)} would reach the notebooks.", fix)
    return Finding(
        "AWS account",
        "note",
        f"You have {there}. The course does not use them: they are taken out before a kernel starts.",
    )


def versions() -> Finding:
    """The libraries that decide what a lesson shows."""
    found, missing = [], []
    for name in _VERSIONS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("Versions", "problem", f"Not installed: {', '.join(missing)}.", "Run: make setup")
    return Finding("Versions", "ok", ", ".join(found))


def local_aws() -> Finding:
    """The local AWS itself: a function is deployed and called."""
    from coldstart.lab.first_call import first_call

    try:
        milliseconds = first_call()
    except Exception as error:
        fix = "Run `make setup`. If it stays, report it with this line: the README says where."
        return Finding("Local AWS", "problem", f"{type(error).__name__}: {error}", fix)
    return Finding("Local AWS", "ok", f"A function was deployed and called; it answered in {milliseconds:.0f} ms.")


def has_problems(findings: Iterable[Finding]) -> bool:
    """Whether the course cannot work so."""
    return any(finding.state == "problem" for finding in findings)


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
