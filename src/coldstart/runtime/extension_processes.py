"""The processes of external extensions, and the SHUTDOWN phase, which there is only for their sake.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html. Extensions are started before the runtime and have to
register; they run in the environment's own conditions (CPU, memory, temporary directory), are frozen and thawed with it.
"""

from __future__ import annotations

import time
from pathlib import Path

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.environment_variables import extension_variables
from coldstart.runtime.extensions import MAX_EXTENSIONS
from coldstart.runtime.processes import ProcessHost, RuntimeProcess
from coldstart.runtime.runtime_api_server import RuntimeApiServer

RUNTIME_SHARE = 0.3
"""The part of the time for a shutdown that the runtime may take before the external extensions are told."""


class ExtensionProcesses:
    """The external extensions of one start of an environment.

    Args:
        configuration: of the function, whose layers may have extensions.
        host: starts processes.
        api: what they will talk to.
        tmp: the environment's temporary directory.
    """

    def __init__(
        self, configuration: FunctionConfiguration, host: ProcessHost, api: RuntimeApiServer, tmp: Path
    ) -> None:
        self._configuration = configuration
        self._host = host
        self._api = api
        self._tmp = tmp
        self._processes: dict[str, RuntimeProcess] = {}

    def start(self, variables: dict[str, str], deadline: float) -> bool:
        """Start the executables in the layers' ``extensions`` folder and wait until they have registered.

        Args:
            variables: the runtime's environment variables; extensions get most of them.
            deadline: in monotonic seconds.

        Returns:
            False when the deadline passed first. What else went wrong is in ``api.extensions.failure``.
        """
        layers = self._configuration.layers
        folder = layers / "extensions" if layers else None
        if folder is None or not folder.is_dir():
            return True
        found = sorted(path for path in folder.iterdir() if path.is_file())
        if len(found) > MAX_EXTENSIONS:
            self._api.extensions.refuse_more()
            return True
        for path in found:
            self._api.extensions.expect(path.name)
            process = self._host.spawn(
                [str(path)],
                extension_variables(variables),
                "/",
                tmp=self._tmp,
                tmp_megabytes=self._configuration.ephemeral_storage,
                layers=self._configuration.layers,
            )
            self._processes[path.name] = process
            self._api.attach_extension(path.name, process)
        return self._api.serve_until(lambda: self._api.extensions.have_registered, deadline)

    def accompany(self, runtime: RuntimeProcess) -> None:
        """Let the extensions share the limits of the runtime's process, and be frozen with it."""
        for process in self._processes.values():
            runtime.tree.accompany(process.pid)

    def shut_down(self, runtime: RuntimeProcess | None, reason: str) -> None:
        """Run the SHUTDOWN phase: SIGTERM for the runtime, then the Shutdown event for the extensions that want it.

        Returns when all of them have ended or their time is over; what is left has to be killed. Without any extension, internal or
        external, there is no such phase.

        Args:
            reason: ``spindown``, ``timeout`` or ``failure``.
        """
        extensions = self._api.extensions
        seconds = extensions.shutdown_seconds
        if seconds == 0.0:
            return
        started = time.monotonic()
        if runtime is not None and self._api.exit is None:
            runtime.thaw()
            runtime.terminate()
            share = RUNTIME_SHARE if self._processes else 1.0
            if not self._api.serve_ending(lambda: self._api.exit is not None, started + seconds * share):
                runtime.kill()
        for process in self._processes.values():
            process.thaw()
        self._api.telemetry.deliver()
        self._api.serve_ending(lambda: self._api.telemetry.is_delivered, started + seconds / 2)
        told = extensions.shut_down(reason, int((time.time() + seconds) * 1000))
        waited_for = [name for name in told if name in self._processes]
        self._api.serve_ending(lambda: self._api.ended_extensions.issuperset(waited_for), started + seconds)

    def end(self) -> None:
        """Kill what is left and wait until it is gone."""
        for process in self._processes.values():
            process.end()

    def close(self) -> None:
        """Give back the descriptors. The processes have to be gone."""
        for process in self._processes.values():
            process.close()
