"""AWS's Runtime Interface Emulator, the program inside Lambda's container images, without the container.

The wheel of aws-sam-cli brings it for Linux; AWS's own `awslambdaric` runs the handler. One function, one invocation at a time:
two at once end it (https://github.com/aws/aws-lambda-runtime-interface-emulator/issues/97).
"""

from __future__ import annotations

import contextlib
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.local_functions import DeployedFunction, client_for
from benchmarks.peers.environments import PeerMissing
from benchmarks.peers.server import free_port, function_folder, server
from coldstart.lab import deployment_tools
from coldstart.lab.tool_environments import CannotInstall

_BINARIES = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}


class RuntimeInterfaceEmulator:
    """RIE + awslambdaric."""

    name = "RIE + awslambdaric"

    def __init__(self) -> None:
        if sys.platform != "linux" or platform.machine() not in _BINARIES:
            raise PeerMissing("it exists for Linux only")
        try:
            environment = deployment_tools.aws_environment()
        except CannotInstall as reason:
            raise PeerMissing(str(reason)) from reason
        self._program = next(environment.glob(f"lib/python*/site-packages/samcli/local/rapid/{self._binary}"))
        self._program.chmod(0o755)

    @property
    def _binary(self) -> str:
        return _BINARIES[platform.machine()]

    @contextlib.contextmanager
    def running(self, code: str) -> Iterator[DeployedFunction]:
        """Serve a function while the block runs. Its runtime starts at the first invocation."""
        with function_folder({"app.py": code}) as folder, self._server(folder) as port:
            yield DeployedFunction(client_for("lambda", f"http://127.0.0.1:{port}"), "function")

    @contextlib.contextmanager
    def _server(self, folder: Path) -> Iterator[int]:
        port, runtime_api = free_port(), free_port()
        command = [
            str(self._program),
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{port}",
            "--runtime-api-address",
            f"127.0.0.1:{runtime_api}",
            sys.executable,
            "-m",
            "awslambdaric",
            "app.handler",
        ]
        settings = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "60", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
        with server(command, port, folder, settings):
            yield port
