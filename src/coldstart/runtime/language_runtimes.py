"""What starts a function of each language: the command line, and the version that really runs."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from coldstart.runtime.configuration import FunctionConfiguration

OLDEST_NODE = 20


class RuntimeMissing(RuntimeError):
    """This machine has nothing to run the function's language with; the message says what to install."""


@dataclass(frozen=True)
class LanguageRuntime:
    """A runtime as it is on this machine."""

    argv: tuple[str, ...]
    version: str
    """For the INIT_START line, like ``python:3.12.1``: what really runs, whatever ``Runtime`` asks for."""
    may_fork: bool = False
    """Whether a fork of a running Python may run the script that ends ``argv``."""

    @property
    def version_arn(self) -> str:
        """An ARN in the form of AWS's runtime version ARNs, made from the version."""
        digest = hashlib.sha256(self.version.encode()).hexdigest()
        return f"arn:aws:lambda:us-east-1::runtime:{digest}"


def language_runtime(configuration: FunctionConfiguration) -> LanguageRuntime:
    """Return how to start a function's runtime, such as ``python3.14``, ``nodejs24.x`` or ``provided.al2023``.

    An OS-only runtime runs the executable ``bootstrap`` of the package, or of a layer
    (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html). When there is none, or it cannot be executed, starting it
    fails.

    Raises:
        RuntimeMissing: it cannot be run here.
    """
    identifier = configuration.runtime
    if identifier.startswith("python"):
        return replace(python_runtime(), may_fork=_is_settled_after_start(configuration))
    if identifier.startswith("nodejs"):
        return nodejs_runtime()
    if identifier.startswith("provided"):
        return _custom(configuration)
    raise RuntimeMissing(
        f"The runtime {identifier} cannot be run by the local AWS: it runs Python and Node.js functions, "
        "and executables under provided.al2023. Choose one of these runtimes, or try this function on a real AWS account."
    )


def _custom(configuration: FunctionConfiguration) -> LanguageRuntime:
    in_package = configuration.code / "bootstrap"
    in_layers = configuration.layers / "bootstrap" if configuration.layers else in_package
    bootstrap = in_layers if in_layers.exists() and not in_package.exists() else in_package
    return LanguageRuntime((str(bootstrap),), configuration.runtime.replace(".", ":"))


_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_")
"""How variables begin that a process only looks at when it is started."""


def _is_settled_after_start(configuration: FunctionConfiguration) -> bool:
    """Say whether nothing of a function has to be there when its process starts: no such variable, and no library to link with."""
    if any(name.startswith(_READ_AT_START) for name in configuration.environment):
        return False
    folders = [folder for folder in (configuration.code, configuration.layers) if folder is not None]
    return not any((folder / "lib").is_dir() or any(folder.glob("*.so*")) for folder in folders)


@cache
def python_runtime() -> LanguageRuntime:
    """Return how to start a Python function: with the Python that runs this."""
    bootstrap = Path(__file__).with_name("python") / "bootstrap.py"
    return LanguageRuntime((sys.executable, "-S", "-s", str(bootstrap)), f"python:{platform.python_version()}")


def nodejs_runtime() -> LanguageRuntime:
    """Return how to start a Node.js function.

    Raises:
        RuntimeMissing: there is no Node.js, or an old one; the message says what to install.
    """
    advice = (
        f"Node.js functions need Node.js {OLDEST_NODE} or newer on this machine's PATH. "
        "Install it (https://nodejs.org), then invoke again. Python functions run without it."
    )
    node = shutil.which("node")
    if node is None:
        raise RuntimeMissing(f"No `node` was found. {advice}")
    version = _node_version(node)
    if not version.startswith("v") or int(version[1:].split(".")[0]) < OLDEST_NODE:
        raise RuntimeMissing(f"{node} is {version or 'broken'}. {advice}")
    bootstrap = Path(__file__).with_name("nodejs") / "bootstrap.mjs"
    return LanguageRuntime((node, "--no-warnings", str(bootstrap)), f"nodejs:{version[1:]}")


@cache
def _node_version(node: str) -> str:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
