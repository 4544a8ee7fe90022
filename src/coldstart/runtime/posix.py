"""All that is POSIX-only: starting, freezing, measuring and ending the processes of execution environments.

:class:`ProcessHost` starts the launcher (:mod:`coldstart.runtime.launcher`), which owns every process;
:class:`RuntimeProcess` is one of them. Another platform needs another module with these two classes.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from coldstart.runtime.process_tree import ProcessTree
from coldstart.runtime.sandboxes import SnapshotGone

_STATUS_BYTES = 256
_TRIES = 20
_libc = ctypes.CDLL(None)
_ENVIRONMENT = {"LANG": "en_US.UTF-8", "LC_CTYPE": "C.UTF-8", "TZ": ":UTC"}
"""The launcher's: forks keep what Python made of it, and functions have the same."""
_LAUNCHER_GONE = "The process that starts functions has died. Run cloud.stop() and cloud.start()."


CAN_RESTORE = sys.platform.startswith("linux")
"""Whether processes can be restored from snapshots: only Linux hands a forked process over to the launcher."""


class LauncherGone(RuntimeError):
    """The process that starts execution environments has died; the cloud has to be started anew."""


class RuntimeProcess:
    """The first process of an execution environment, leader of a session of its own."""

    def __init__(
        self, host: ProcessHost, number: int, log_fd: int, status_fd: int, *, is_restored: bool = False
    ) -> None:
        self._host = host
        self.number = number
        self._exit = ""
        self.log_fd = log_fd
        """Where the process's output and log frames arrive; non-blocking."""
        self.status_fd = status_fd
        """Readable when the process has ended."""
        self.pid = 0
        while self.pid == 0:
            if not self._hear():
                raise SnapshotGone if is_restored else LauncherGone(_LAUNCHER_GONE)
        self.tree = ProcessTree(self.pid)
        """All processes of the environment."""

    def freeze(self) -> None:
        """Stop every process of the environment; none of them gets any CPU until :meth:`thaw`."""
        self.tree.freeze()

    def thaw(self) -> None:
        """Let the environment's processes run on."""
        self.tree.thaw()

    def kill(self) -> None:
        """Kill the environment's processes; :attr:`status_fd` tells when they are gone."""
        self._host.kill(self.number)

    def terminate(self) -> None:
        """Ask the process itself, and nothing that it has started, to end: SIGTERM.

        It goes to the main thread, where it interrupts the waiting for an event. Another thread would take note of it too, but
        Python runs signal handlers in the main thread only, whenever that wakes up. So it also has to wait already: just thawed, it
        may be on its way there, and would miss the signal.
        """
        for _ in range(_TRIES):
            if self.tree.is_waiting():
                break
            time.sleep(0.001)
        if hasattr(_libc, "tgkill"):
            _libc.tgkill(self.pid, self.pid, signal.SIGTERM)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def end(self) -> None:
        """Kill the environment's processes and wait until they are gone."""
        self.kill()
        self.wait()

    def wait(self) -> str:
        """Wait for the end of the process; return ``exit CODE``, ``signal NUMBER``, or ``exec ERRNO`` when it never began."""
        while not self._exit:
            if not self._hear():
                self._exit = "signal 9"
        return self._exit

    def _hear(self) -> bool:
        """Read what the launcher says; return False when it says nothing more."""
        said = os.read(self.status_fd, _STATUS_BYTES).decode()
        for line in said.splitlines():
            if line.isdigit():
                self.pid = int(line)
            elif not self._exit:
                self._exit = line
        return bool(said)

    def close(self) -> None:
        """Give back the descriptors. The process has to be gone."""
        os.close(self.log_fd)
        os.close(self.status_fd)


class ProcessHost:
    """Starts processes for execution environments, all of them under one launcher.

    Args:
        root: the cloud's folder; the launcher removes it when the cloud goes.
        needs: what the processes have to find besides: their /tmp and /opt are their own unless something is below this
            machine's.
    """

    def __init__(self, root: Path, needs: Iterable[Path] = ()) -> None:
        self._control, launchers_end = socket.socketpair()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._can_mount: bool | None = None
        needed = [root, *needs]
        self._can_replace_tmp = not any(_is_below("/tmp", path) for path in needed)
        self._can_replace_opt = os.path.isdir("/opt") and not any(_is_below("/opt", path) for path in needed)
        self._no_layers = root / "no-layers"
        self._no_layers.mkdir()
        with launchers_end:
            self._launcher = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(Path(__file__).with_name("launcher.py")),
                    str(launchers_end.fileno()),
                    str(root),
                ],
                pass_fds=[launchers_end.fileno()],
                env=_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def name_of_tmp(self, folder: Path) -> Path:
        """Return the path under which processes that are spawned with this temporary directory find it.

        Where the machine allows it, it is a file system of its own, seen as /tmp.
        """
        with self._lock:
            if self._can_mount is None:
                self._can_mount = self._control.recv(1) == b"1"
        return Path("/tmp") if self._can_mount and self._can_replace_tmp else folder

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
    ) -> RuntimeProcess:
        """Start a process with exactly this environment.

        Args:
            tmp: the temporary directory that gets the size ``tmp_megabytes``; what is in it outlives the process.
            layers: what the process finds as /opt, where the machine allows it; nothing is there without layers.
            takes_snapshot: other processes will be restored from it.
            may_fork: ``argv`` ends with a script that a fork of a running Python may run as well.

        Raises:
            LauncherGone: the launcher has died.
        """
        message: dict[str, object] = {"argv": argv, "env": environment, "cwd": cwd, "snapshot": takes_snapshot}
        message["fork"] = may_fork and sys.platform.startswith("linux")
        if tmp is not None:
            is_root_tmp = self.name_of_tmp(tmp) != tmp
            message["tmp"] = {"folder": str(tmp), "megabytes": tmp_megabytes, "is_root_tmp": is_root_tmp}
        if self._can_replace_opt:
            message["opt"] = str(layers or self._no_layers)
        return self._start("spawn", message)

    def restore(
        self,
        snapshot: RuntimeProcess,
        environment: dict[str, str],
        replaces: dict[str, str],
        *,
        tmp_megabytes: int | None = None,
    ) -> RuntimeProcess:
        """Start a process as a fork of one that was spawned for it and has come to the point of its snapshot.

        Args:
            environment: the variables that the new process has otherwise than the snapshot.
            replaces: the same variables as the snapshot has them.
            tmp_megabytes: when the snapshot has a /tmp of its own, the size of the one that the new process gets, with the same
                files; it lasts as long as the process.

        Raises:
            LauncherGone: the launcher has died.
            SnapshotGone: the snapshot's process has died.
        """
        message = {"from": snapshot.number, "env": environment, "replaces": replaces, "tmp_megabytes": tmp_megabytes}
        return self._start("restore", message)

    def _start(self, how: str, message: dict[str, object]) -> RuntimeProcess:
        log_read, log_write = os.pipe()
        status_read, status_write = os.pipe()
        number = next(self._numbers)
        try:
            with self._lock:
                self._send(json.dumps({how: number, **message}).encode() + b"\n", [log_write, status_write])
            os.set_blocking(log_read, False)
        except BaseException:
            os.close(log_read)
            os.close(status_read)
            raise
        finally:
            os.close(log_write)
            os.close(status_write)
        try:
            return RuntimeProcess(self, number, log_read, status_read, is_restored=how == "restore")
        except BaseException:
            os.close(log_read)
            os.close(status_read)
            raise

    def kill(self, number: int) -> None:
        """Have the launcher kill one environment's processes."""
        with self._lock, contextlib.suppress(LauncherGone):
            self._send(json.dumps({"kill": number}).encode() + b"\n", [])

    def stop(self) -> None:
        """End every process and the launcher, and wait until they are gone."""
        self._control.close()
        self._launcher.wait()

    def _send(self, data: bytes, descriptors: list[int]) -> None:
        try:
            sent = socket.send_fds(self._control, [data], descriptors)
            self._control.sendall(data[sent:])
        except OSError as error:
            raise LauncherGone(_LAUNCHER_GONE) from error


def _is_below(folder: str, path: Path) -> bool:
    return f"{os.path.realpath(path)}/".startswith(f"{folder}/")
