"""A peer that is a server on loopback: started, waited for, ended with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.environments import PeerMissing

START_SECONDS = 60


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def server(command: list[str], port: int, folder: Path, variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block runs; the block starts when its port answers.

    Args:
        command: what to run; its output goes to `server.log` in the folder.
        port: a loopback port that the server will listen on.
        folder: its working directory and home.
        variables: its environment, besides PATH and HOME.

    Raises:
        PeerMissing: it did not start.
    """
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_for(port, process, folder / "server.log")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def function_folder(files: dict[str, str]) -> Iterator[Path]:
    """Give a temporary folder with these files."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text)
        yield folder


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.002)
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    raise PeerMissing(f"it did not start: {lines[-1] if lines else 'it said nothing'}")
