"""serverless-offline, the plugin of the Serverless Framework, under osls: https://github.com/dherault/serverless-offline.

It has an address for Lambda's Invoke, so boto3 reaches it too.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator

from benchmarks.local_functions import DeployedFunction, client_for
from benchmarks.peers.environments import PeerMissing, node_environment
from benchmarks.peers.server import free_port, function_folder, server

_SERVICE = """
service: bench
frameworkVersion: "3"
provider: {{name: aws, runtime: {runtime}, memorySize: 1769, timeout: 30}}
plugins: [serverless-offline]
custom:
  serverless-offline: {{host: 127.0.0.1, lambdaPort: {port}, httpPort: {http}}}
functions:
  echo: {{handler: app.handler}}
"""


class ServerlessOffline:
    """serverless-offline with a Python function."""

    name = "serverless-offline"

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None:
            raise PeerMissing("there is no node on this machine")
        self._node = node
        self._environment = node_environment("serverless-offline")

    @contextlib.contextmanager
    def running(self, code: str) -> Iterator[DeployedFunction]:
        """Serve a function while the block runs."""
        port = free_port()
        runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
        service = _SERVICE.format(runtime=runtime, port=port, http=free_port())
        with function_folder({"app.py": code, "serverless.yml": service}) as folder:
            (folder / "node_modules").symlink_to(self._environment / "node_modules")
            programs = folder / "programs"
            programs.mkdir()
            (programs / runtime).symlink_to(sys.executable)  # it looks for this name on PATH
            command = [self._node, str(self._environment / "node_modules/osls/bin/serverless.js"), "offline", "start"]
            path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
            with server(command, port, folder, {"PATH": path, "SLS_NOTIFICATIONS_MODE": "off"}):
                yield DeployedFunction(client_for("lambda", f"http://127.0.0.1:{port}"), "bench-dev-echo")
