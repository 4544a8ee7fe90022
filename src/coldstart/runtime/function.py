"""A function version at work: its execution environments, and the choice of one for each invocation."""

from __future__ import annotations

import threading

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.execution_environment import ExecutionEnvironment, Invocation, InvocationResult
from coldstart.runtime.host import Host


class Function:
    """Invokes one function version, in a warm execution environment when one is free, else in a new one."""

    def __init__(self, configuration: FunctionConfiguration, host: Host) -> None:
        self.configuration = configuration
        self._host = host
        self._lock = threading.Lock()
        self._idle: list[ExecutionEnvironment] = []
        self._retired = False

    def invoke(self, event: bytes, *, request_id: str | None = None, client_context: str = "") -> InvocationResult:
        """Run the function with an event (JSON) and wait for what comes of it.

        Raises:
            RuntimeMissing: this machine cannot run the function's language.
        """
        invocation = Invocation(request_id or self._host.identifiers.uuid(), event, client_context)
        environment = self._take_warm() or ExecutionEnvironment(self.configuration, self._host)
        try:
            result = environment.invoke(invocation)
        except BaseException:
            environment.shut_down()
            raise
        self._give_back(environment)
        return result

    def retire(self) -> None:
        """Shut down the execution environments; those at work shut down after their invocation."""
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
        for environment in idle:
            environment.shut_down()

    def _take_warm(self) -> ExecutionEnvironment | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            if not self._retired:
                self._idle.append(environment)
                return
        environment.shut_down()
