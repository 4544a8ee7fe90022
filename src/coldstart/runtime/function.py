"""A function version at work: its execution environments, and the choice of one for each invocation."""

from __future__ import annotations

import threading

from coldstart.runtime.clock import Timer
from coldstart.runtime.concurrency import Throttled
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.execution_environment import ExecutionEnvironment, Invocation, InvocationResult
from coldstart.runtime.host import Host
from coldstart.runtime.provisioned_concurrency import ProvisionedConcurrency
from coldstart.runtime.response_stream import ResponseSink
from coldstart.runtime.snapshot import Snapshot

IDLE_SECONDS = 600.0
"""How long an environment waits for an invocation, on the cloud's clock. AWS does not publish it; minutes are usual."""
LIFETIME_SECONDS = 7_200.0
"""After what time an environment is replaced though it is in use. AWS: "every few hours"."""


class Function:
    """Invokes one function version, in a warm execution environment when one is free, else in a new one."""

    def __init__(self, configuration: FunctionConfiguration, host: Host) -> None:
        self.configuration = configuration
        self._host = host
        self._concurrency = host.concurrency(configuration.region).function(configuration.function_name)
        self.provisioned = ProvisionedConcurrency(configuration, host, self._concurrency)
        """What the version keeps initialised: the control plane calls ``function.provisioned.request(count)``."""
        self.snapshot = Snapshot(configuration, host) if configuration.snap_start else None
        """With SnapStart: the control plane calls ``function.snapshot.take()`` when it publishes the version."""
        self._lock = threading.Lock()
        self._idle: list[ExecutionEnvironment] = []  # the one that was used last comes last
        self._eviction: Timer | None = None
        self._retired = False

    def invoke(
        self,
        event: bytes,
        *,
        request_id: str | None = None,
        client_context: str = "",
        trace_id: str = "",
        tenant_id: str = "",
        invoked_arn: str = "",
        sink: ResponseSink | None = None,
    ) -> InvocationResult:
        """Run the function with an event (JSON) and wait for what comes of it.

        Args:
            event: the payload.
            request_id: the invocation's id; a new one without it.
            client_context: JSON text that the handler finds in ``context.client_context``.
            trace_id: the caller's ``X-Amzn-Trace-Id``; a new trace without it.
            tenant_id: whose invocation it is; tenants never share an environment.
            invoked_arn: the ARN that the caller used, when it is not the version's own: for ``context.invoked_function_arn``.
            sink: takes the response while it arrives; without one it is the result's payload. What a function returns that
                does not stream arrives in one piece. An error's document is always the result's payload, also when a part of
                the response has been said before.

        Raises:
            Throttled: no execution environment is free and none may be started.
            RestoreFailed: with SnapStart, an environment could not be restored.
            SnapshotFailed: with SnapStart, there was no snapshot yet, and it could not be taken.
            RuntimeMissing: this machine cannot run the function's language.
            EnvironmentRefused: a new environment is needed, and cannot be started.
        """
        invocation = Invocation(
            request_id or self._host.identifiers.uuid(), event, client_context, trace_id, tenant_id, sink, invoked_arn
        )
        environment = None if tenant_id else self.provisioned.take()
        if environment is not None:
            try:
                return _run(environment, invocation)
            finally:
                self.provisioned.give_back(environment)
        started_ms = self._host.clock.now() * 1000
        try:
            return self._invoke_on_demand(invocation)
        except Throttled as throttled:
            self._host.record.add(
                "throttle",
                self.configuration.function_name,
                self.configuration.version,
                "",
                started_ms,
                request_id=invocation.request_id,
                outcome=throttled.reason,
            )
            raise

    def retire(self) -> None:
        """Shut down the execution environments; those at work shut down after their invocation."""
        self.provisioned.retire()
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
            if self._eviction is not None:
                self._eviction.cancel()
        for environment in idle:
            environment.shut_down()
        if self.snapshot is not None:
            self.snapshot.discard()

    def _invoke_on_demand(self, invocation: Invocation) -> InvocationResult:
        self._concurrency.start_on_demand()
        try:
            environment = self._take_warm(invocation.tenant_id) or self._start(invocation.tenant_id)
            result = _run(environment, invocation)
            self._give_back(environment)
            return result
        finally:
            self._concurrency.end_on_demand()

    def _start(self, tenant_id: str) -> ExecutionEnvironment:
        self._host.check_start(self.configuration)
        self._concurrency.start_environment()
        return ExecutionEnvironment(self.configuration, self._host, tenant_id=tenant_id, snapshot=self.snapshot)

    def _take_warm(self, tenant_id: str) -> ExecutionEnvironment | None:
        with self._lock:
            for position in range(len(self._idle) - 1, -1, -1):
                if self._idle[position].tenant_id == tenant_id:
                    return self._idle.pop(position)
        return None

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        now = self._host.clock.now()
        environment.idle_since = now
        with self._lock:
            if not self._retired and now - environment.started < LIFETIME_SECONDS:
                self._idle.append(environment)
                if self._eviction is None:
                    self._evict_at(now + IDLE_SECONDS)
                return
        self._host.clock.work(environment.shut_down, f"shutdown {self.configuration.function_arn}")

    def _evict_at(self, due: float) -> None:
        self._eviction = self._host.clock.at(due, self._evict, f"eviction {self.configuration.function_arn}")

    def _evict(self) -> None:
        """Shut down the environments that were idle for too long; one timer waits for the oldest of the others."""
        long_ago = self._host.clock.now() - IDLE_SECONDS
        with self._lock:
            evicted = [environment for environment in self._idle if environment.idle_since <= long_ago]
            self._idle = self._idle[len(evicted) :]
            self._eviction = None
            if self._idle:
                self._evict_at(self._idle[0].idle_since + IDLE_SECONDS)
        for environment in evicted:
            environment.shut_down()


def _run(environment: ExecutionEnvironment, invocation: Invocation) -> InvocationResult:
    try:
        return environment.invoke(invocation)
    except BaseException:  # Ctrl-C in the middle of an invocation leaves an environment that nobody can use
        environment.shut_down()
        raise
