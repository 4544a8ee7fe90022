"""The process that starts functions' processes, on its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from coldstart.runtime import launcher
from coldstart.runtime.processes import ProcessHost


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are handed on")
def test_it_ends_in_silence_when_who_started_it_has_gone(tmp_path) -> None:
    folder = tmp_path / "cloud"
    folder.mkdir()
    ours, its = socket.socketpair()
    ours.close()
    descriptor = its.fileno()
    ended = subprocess.run(
        [sys.executable, launcher.__file__, str(descriptor), str(folder)],
        pass_fds=[descriptor],
        capture_output=True,
        timeout=30,
    )
    its.close()
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert not folder.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_it_sleeps_while_a_function_is_frozen_and_thawed(tmp_path) -> None:
    """That happens in every invocation, and would wake it up twice."""
    (tmp_path / "cloud").mkdir()
    host = ProcessHost(tmp_path / "cloud")
    try:
        process = host.spawn(["/bin/sleep", "60"], {}, "/")
        while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
            pass  # it does not lead its group yet
        starts_functions = host._launcher.pid
        _wait_for(starts_functions, "S")
        before = _times_woken_up(starts_functions)
        for _ in range(100):
            process.freeze()
            _wait_for(process.pid, "T")
            _wait_for(starts_functions, "S")
            process.thaw()
            _wait_for(process.pid, "SR")
            _wait_for(starts_functions, "S")
        assert _times_woken_up(starts_functions) - before < 50  # it looks around once a second
        process.end()
        process.close()
    finally:
        host.stop()


def _times_woken_up(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def _wait_for(pid: int, states: str) -> None:
    while Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in states:
        pass
