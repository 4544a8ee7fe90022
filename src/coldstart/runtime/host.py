"""What all functions of one cloud share: where they run, the time, identifiers, and where their logs go."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from coldstart.runtime.clock import Clock
from coldstart.runtime.concurrency import AccountConcurrency
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.environment_record import EnvironmentRecord
from coldstart.runtime.function_package import PackageStore
from coldstart.runtime.identifiers import Identifiers
from coldstart.runtime.log_collector import LogEvent
from coldstart.runtime.runtime_directory import make_python_runtime_directory
from coldstart.runtime.sandboxes import HostKind, make_sandboxes

LogSink = Callable[[FunctionConfiguration, str, list[LogEvent]], None]
"""Takes the function, its log stream and the events of one invocation."""


class EnvironmentRefused(RuntimeError):
    """Lambda cannot start an execution environment of the function: the error of the API's Invoke."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def _refuse_nothing(configuration: FunctionConfiguration) -> None:
    pass


def make_root() -> Path:
    """Make the folder for a host. It is not in /tmp where that can be helped: functions get a /tmp of their own."""
    if sys.platform == "emscripten":  # there, only what Pyodide itself needs has been made
        os.makedirs("/var/tmp", exist_ok=True)
    folder = tempfile.gettempdir()
    if folder == "/tmp" and os.access("/var/tmp", os.W_OK):
        folder = "/var/tmp"
    return Path(tempfile.mkdtemp(prefix="coldstart-", dir=folder))


class Host:
    """The machine under the functions.

    Args:
        root: a folder of the cloud's own; removed when the host stops or its process dies.
        clock: the cloud's time.
        identifiers: seeded ids.
        log_sink: where log events go.
        cloud_variables: gives a function its credentials and endpoint.
        check_start: raises EnvironmentRefused when no environment of a function can be started.
        kind: ``process``, or ``inline`` where there are no processes.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Clock,
        identifiers: Identifiers,
        log_sink: LogSink,
        cloud_variables: Callable[[FunctionConfiguration], Mapping[str, str]],
        check_start: Callable[[FunctionConfiguration], None] = _refuse_nothing,
        kind: HostKind = "process",
    ) -> None:
        self.root = root
        self.clock = clock
        self.identifiers = identifiers
        self.log_sink = log_sink
        self.cloud_variables = cloud_variables
        self.check_start = check_start
        self.packages = PackageStore(root / "packages")
        self.runtime_directory = root / "runtime"
        make_python_runtime_directory(self.runtime_directory)
        self.sandboxes = make_sandboxes(kind, root, self.runtime_directory)
        """Run the functions."""
        self.record = EnvironmentRecord(clock.now)
        """What all environments did and when."""
        self._concurrency: dict[str, AccountConcurrency] = {}

    def concurrency(self, region: str) -> AccountConcurrency:
        """Return the concurrency of the account in a region."""
        return self._concurrency.setdefault(region, AccountConcurrency(self.clock.now))

    def stop(self) -> None:
        """End every function and remove the folder."""
        self.sandboxes.stop()
