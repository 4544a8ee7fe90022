"""The process that starts functions' processes, on its own."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from coldstart.runtime import launcher


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
