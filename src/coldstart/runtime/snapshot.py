"""SnapStart: one initialised process of a published version, from which its execution environments are restored.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html. On AWS the snapshot is the memory and disk of a whole virtual machine;
here it is a process that waits, and a restored one is a fork of it. What follows from that is the same: module state
is the same in every environment (also identifiers and the state of random number generators made during INIT), hooks run
before and after, network connections of the snapshot are closed, each environment has its own copy of what was in /tmp.
Different here: threads that were started during INIT do not run in restored environments, and external extensions are not part of
the snapshot: they are started with each environment. Where the machine does not let functions have a /tmp of their own, a path
into the temporary directory that was remembered during INIT leads to the snapshot's.
"""

from __future__ import annotations

import threading
from pathlib import Path

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.execution_environment import ExecutionEnvironment
from coldstart.runtime.host import Host
from coldstart.runtime.sandboxes import Sandbox, SnapshotGone


class SnapStartUnavailable(RuntimeError):
    """This machine cannot restore processes; the message says what can be done."""


class SnapshotFailed(RuntimeError):
    """The function could not be initialised for its snapshot. On AWS the version's state is then ``Failed``.

    Args:
        reason_code: AWS's ``StateReasonCode``.
        document: the runtime's error document (JSON), for the ``StateReason``.
    """

    def __init__(self, reason_code: str, document: bytes) -> None:
        super().__init__(document.decode("utf-8", "replace"))
        self.reason_code = reason_code
        self.document = document


class Snapshot:
    """The snapshot of one function version. It is taken once, however many ask for it."""

    def __init__(self, configuration: FunctionConfiguration, host: Host) -> None:
        self._configuration = configuration
        self._host = host
        self._lock = threading.RLock()
        self._source: ExecutionEnvironment | None = None

    def take(self) -> None:
        """Initialise the function up to the point of the snapshot, before-snapshot hooks included.

        Its log goes to a stream of its own, as on AWS. Does nothing when the snapshot has been taken.

        Raises:
            SnapshotFailed: the initialisation failed, or took longer than 130 seconds and the function's timeout.
            SnapStartUnavailable: this machine cannot restore processes.
            RuntimeMissing: this machine cannot run the function's language.
        """
        with self._lock:
            if self._source is not None:
                return
            if not self._host.sandboxes.can_restore:
                raise SnapStartUnavailable(
                    "The local AWS restores SnapStart's snapshots in a notebook on Linux only. "
                    "Run the course there (on Windows inside WSL), or publish this version without SnapStart."
                )
            source = ExecutionEnvironment(self._configuration, self._host, takes_snapshot=True)
            try:
                if source.initialise_ahead():
                    self._source = source
                    return
            finally:
                if self._source is None:
                    source.shut_down()
            assert source.init_failure is not None
            raise SnapshotFailed(_reason_code(source.init_failure.error_type), source.init_failure.payload(""))

    def restore(self, variables: dict[str, str], tmp: Path) -> Sandbox:
        """Return a new process that continues where the snapshot was taken.

        Args:
            variables: its environment variables; those that are not the snapshot's are set in it.
            tmp: its temporary directory, which gets a copy of the snapshot's files.

        Raises:
            SnapshotFailed: there was no snapshot yet, and it could not be taken.
        """
        with self._lock:
            self.take()
            assert self._source is not None
            try:
                return self._source.fork(variables, tmp)
            except SnapshotGone:
                self.discard()
                self.take()
                return self._source.fork(variables, tmp)

    def discard(self) -> None:
        """End the snapshot's process. Environments that were restored from it go on."""
        with self._lock:
            source, self._source = self._source, None
        if source is not None:
            source.shut_down()


def _reason_code(error_type: str) -> str:
    if error_type == "Sandbox.Timedout":
        return "FunctionError.InitTimeout"
    return (
        "FunctionError.ExtensionInitError" if error_type.startswith("Extension.") else "FunctionError.RuntimeInitError"
    )
