"""Where functions run, as an execution environment sees it: what it asks for, whichever host there is.

There are two. With ``process``, the default, each environment is a child process (:mod:`~coldstart.runtime.process_sandboxes`).
With ``inline`` its code runs in this interpreter (:mod:`~coldstart.runtime.inline_sandboxes`), for places that have no processes:
a page in a browser. Both are one implementation of each phase, limit, log line and error document:
:class:`~coldstart.runtime.execution_environment.ExecutionEnvironment` over :class:`~coldstart.runtime.runtime_api.RuntimeApi`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal, Protocol

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.extensions import Extensions
from coldstart.runtime.language_runtimes import LanguageRuntime
from coldstart.runtime.log_collector import LogCollector
from coldstart.runtime.runtime_api import RuntimeApi

HostKind = Literal["process", "inline"]


class SnapshotGone(RuntimeError):
    """The process to restore from has died."""


class Sandbox(Protocol):
    """What runs the function of one execution environment, from its start to its end."""

    def freeze(self) -> None:
        """Let it do nothing until :meth:`thaw`."""

    def thaw(self) -> None:
        """Let it go on."""

    def end(self) -> None:
        """End it, whatever it does, and wait until it is gone."""

    def close(self) -> None:
        """Give back what the host held for it. It has to have ended."""


class Limits(Protocol):
    """Keeps a sandbox to its CPU and memory, or measures them."""

    out_of_memory: bool
    """Whether it was ended because it held more memory than the function has."""
    peak_memory_mb: int
    """The most memory that was seen, in MB."""

    def begin_init(self, now: float) -> None:
        """The INIT phase starts, at this monotonic time."""

    def begin_invocation(self, now: float) -> None:
        """An invocation starts, at this monotonic time."""

    def measure_peak(self) -> None:
        """Bring the figures up to date."""


class ExternalExtensions(Protocol):
    """The external extensions of one start of an environment; ``runtime`` is its sandbox."""

    def start(self, variables: dict[str, str], deadline: float) -> bool:
        """Start them; return False when they have not registered by the deadline (monotonic seconds)."""

    def accompany(self, runtime: Any) -> None:
        """Let them share what the runtime has."""

    def shut_down(self, runtime: Any, reason: str) -> None:
        """Run the SHUTDOWN phase."""

    def end(self) -> None:
        """End what is left."""

    def close(self) -> None:
        """Give back what the host held for them."""


class Sandboxes(Protocol):
    """Makes sandboxes for the environments of one cloud."""

    can_restore: bool
    """Whether sandboxes can be restored from snapshots."""

    def language_runtime(self, configuration: FunctionConfiguration) -> LanguageRuntime:
        """Return what a function runs on.

        Raises:
            RuntimeMissing: it cannot be run here; the message says where it can.
        """

    def name_of_tmp(self, folder: Path) -> Path:
        """Return the path under which a sandbox finds its temporary directory, which is this folder."""

    def open_api(self, collector: LogCollector, extensions: Extensions) -> RuntimeApi:
        """Return a Runtime API for one start of a sandbox."""

    def extensions(self, configuration: FunctionConfiguration, api: Any, tmp: Path) -> ExternalExtensions | None:
        """Return the external extensions of one start of a sandbox, before they start; None where there are none."""

    def spawn(
        self,
        argv: list[str],
        environment: dict[str, str],
        cwd: str,
        *,
        tmp: Path | None = None,
        tmp_megabytes: int = 0,
        layers: Path | None = None,
        takes_snapshot: bool = False,
        may_fork: bool = False,
    ) -> Sandbox:
        """Start a sandbox with exactly this environment.

        Args:
            argv: from :meth:`language_runtime`.
            tmp: its temporary directory, of so many megabytes.
            layers: what it finds as /opt.
            takes_snapshot: others will be restored from it.
            may_fork: from :meth:`language_runtime`.
        """

    def restore(
        self,
        snapshot: Any,
        environment: dict[str, str],
        replaces: dict[str, str],
        *,
        tmp_megabytes: int | None = None,
    ) -> Sandbox:
        """Start a sandbox as a copy of one that waits for it.

        Raises:
            SnapshotGone: that one has died.
        """

    def limits(self, sandbox: Any, memory_size: int) -> Limits:
        """Return the limits of a sandbox whose function has so many MB."""

    def stop(self) -> None:
        """End every sandbox, and remove the cloud's folder."""


def default_host() -> HostKind:
    """Return the kind of host for this interpreter: ``inline`` where there are no processes."""
    return "inline" if sys.platform == "emscripten" else "process"


def make_sandboxes(kind: HostKind, root: Path, runtime_directory: Path) -> Sandboxes:
    """Return sandboxes of one kind; nothing that only the other kind needs is imported.

    Args:
        root: the cloud's folder.
        runtime_directory: what stands for /var/runtime.
    """
    if kind == "inline":
        from coldstart.runtime.inline_sandboxes import InlineSandboxes

        return InlineSandboxes(root, runtime_directory)
    from coldstart.runtime.process_sandboxes import ProcessSandboxes

    return ProcessSandboxes(root, runtime_directory)
