"""MiniStack, an emulator of AWS in Python whose Lambda needs no Docker, ministack on PyPI."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.local_functions import client_for, create_function
from benchmarks.peers.environments import python_environment
from benchmarks.peers.server import free_port, function_folder, server


class MiniStackServer:
    """A running MiniStack."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str, **settings: Any) -> Any:
        """Return a boto3 client for one of its services."""
        return client_for(service, self.url, **settings)

    def deploy(self, name: str, code: str, **parameters: Any) -> Any:
        """Create a function in it, for the Python it runs itself."""
        return create_function(self.client("lambda"), name, code, **parameters)


class MiniStack:
    """MiniStack with nothing but its defaults."""

    name = "MiniStack"

    def __init__(self) -> None:
        self._environment = python_environment("ministack")

    @contextlib.contextmanager
    def running(self) -> Iterator[MiniStackServer]:
        """Run it while the block runs."""
        port = free_port()
        with function_folder({}) as folder:
            settings = {
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                "TMPDIR": str(folder),
                "LOG_LEVEL": "ERROR",
            }
            with server([str(self._environment / "bin/ministack")], port, folder, settings):
                yield MiniStackServer(f"http://127.0.0.1:{port}")
