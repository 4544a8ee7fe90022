"""One execution environment: a process with its own module state, its own temporary directory and its own log stream.

The phases follow https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: INIT before the first
invocation, at most 10 seconds, tried again inside the invocation when it failed; INVOKE, bounded by the function's timeout;
frozen in between. After a timeout or a crash the process is started anew inside the next invocation, with the same temporary
directory and log stream.
"""

from __future__ import annotations

import base64
import json
import shutil
import time
from dataclasses import dataclass

from coldstart.runtime import log_lines
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.environment_variables import sandbox_variables
from coldstart.runtime.host import Host
from coldstart.runtime.language_runtimes import language_runtime
from coldstart.runtime.log_collector import LogCollector, LogEvent
from coldstart.runtime.log_lines import Report
from coldstart.runtime.processes import RuntimeProcess
from coldstart.runtime.resource_limits import ResourceLimits
from coldstart.runtime.response_stream import ResponseSink
from coldstart.runtime.runtime_api import Outcome, PostedError, RuntimeApi
from coldstart.runtime.sandbox_paths import SandboxPaths

INIT_LIMIT_SECONDS = 10.0
PROVISIONED_INIT_LIMIT_SECONDS = 130.0
"""With provisioned concurrency the INIT phase may take this long, or the function's timeout when that is longer."""
LOG_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Invocation:
    """One event on its way to a function."""

    request_id: str
    event: bytes
    client_context: str = ""
    """JSON text, as the caller gave it (decoded from base64)."""
    trace_id: str = ""
    """The caller's ``X-Amzn-Trace-Id``; empty to start a trace."""
    tenant_id: str = ""
    sink: ResponseSink | None = None
    """Takes the response while it arrives; the result's payload is then empty."""


@dataclass(frozen=True)
class InvocationResult:
    """What came of an invocation."""

    request_id: str
    payload: bytes
    function_error: str | None
    """``Unhandled`` when the function failed, else None: the header ``X-Amz-Function-Error``."""
    report: Report
    events: list[LogEvent]
    executed_version: str

    @property
    def log_tail(self) -> str:
        """The last 4 KB of the invocation's log in base64: the header ``X-Amz-Log-Result``."""
        log = "".join(event.message for event in self.events).encode()
        return base64.b64encode(log[-LOG_TAIL_BYTES:]).decode()


class ExecutionEnvironment:
    """Runs one invocation at a time; its user sees to that.

    Args:
        configuration: the function version that it belongs to.
        host: what all environments share.
        tenant_id: the only tenant whose invocations it will see, when the function isolates tenants
            (https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html).
        is_provisioned: it is initialised ahead, by :meth:`initialise_ahead`, and kept.
    """

    def __init__(
        self,
        configuration: FunctionConfiguration,
        host: Host,
        *,
        tenant_id: str = "",
        is_provisioned: bool = False,
    ) -> None:
        self._configuration = configuration
        self._host = host
        self.tenant_id = tenant_id
        self._is_provisioned = is_provisioned
        self.started = self.idle_since = host.clock.now()
        self.id = host.identifiers.hex(32)
        date = time.strftime("%Y/%m/%d", time.gmtime(host.clock.now()))
        self.log_stream = f"{date}/[{configuration.version}]{self.id}"
        self._folder = host.root / "environments" / self.id
        self._tmp = self._folder / "tmp"
        self._tmp.mkdir(parents=True)
        paths = SandboxPaths(configuration, host.runtime_directory, self._tmp)
        self._as_on_aws = paths.rename
        self._collector = LogCollector(host.clock.now_ms, self._as_on_aws)
        self._api: RuntimeApi | None = None
        self._process: RuntimeProcess | None = None
        self._limits: ResourceLimits | None = None
        self._has_been_initialised = False
        self._unreported_init_ms: float | None = None
        self._max_memory_used = 0

    @property
    def is_initialised(self) -> bool:
        """Whether an invocation would be a warm one."""
        return self._process is not None

    def initialise_ahead(self) -> bool:
        """Run the INIT phase now, as provisioned concurrency does; return whether it succeeded.

        Its duration is logged at once, and again in the REPORT of the first invocation, which is not billed for it.

        Raises:
            RuntimeMissing: this machine cannot run the function's language.
        """
        limit = max(PROVISIONED_INIT_LIMIT_SECONDS, self._configuration.timeout)
        self._has_been_initialised = True
        started = time.monotonic()
        failure = self._initialise(started + limit, phase="init")
        if failure is None:
            assert self._process is not None
            self._process.freeze()
            self._unreported_init_ms = (time.monotonic() - started) * 1000
            self._collector.platform(log_lines.init_report(self._unreported_init_ms, "init"))
        self._deliver_logs()
        return failure is None

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Run the function with one event and return what came of it.

        Raises:
            RuntimeMissing: this machine cannot run the function's language.
        """
        init_ms, self._unreported_init_ms = self._unreported_init_ms, None
        if not self._has_been_initialised:
            init_ms = self._initialise_before_first_invocation()
        started = time.monotonic()
        deadline = started + self._configuration.timeout
        failure = None
        if self._process is None:
            failure = self._initialise(deadline, phase="invoke")
        self._collector.platform(log_lines.start(invocation.request_id, self._configuration.version))
        if failure is None:
            payload, failure = self._run_handler(invocation, deadline)
        else:
            payload = failure.payload(invocation.request_id)
        elapsed_ms = (time.monotonic() - started) * 1000
        if failure is not None and failure.status:
            if failure.status == "timeout":
                elapsed_ms = self._configuration.timeout * 1000.0
            self._end_process()
        elif self._api is not None and self._api.exit is not None:
            self._end_process()
        elif self._process is not None:
            self._process.freeze()
        report = Report(
            request_id=invocation.request_id,
            duration_ms=elapsed_ms,
            memory_size=self._configuration.memory_size,
            max_memory_used=self._max_memory_used,
            init_ms=init_ms,
            init_is_billed=not self._is_provisioned,
            status=failure.status if failure else "",
            error_type=failure.reported_type if failure else "",
        )
        self._collector.flush()
        self._collector.platform(log_lines.end(invocation.request_id))
        self._collector.platform(report.line())
        events = self._deliver_logs()
        return InvocationResult(
            request_id=invocation.request_id,
            payload=payload,
            function_error="Unhandled" if failure else None,
            report=report,
            events=events,
            executed_version=self._configuration.version,
        )

    def shut_down(self) -> None:
        """End the environment: its processes and its folder."""
        self._end_process()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initialise_before_first_invocation(self) -> float | None:
        """Run the INIT phase; return its milliseconds, or None when it failed and has to be tried again."""
        self._has_been_initialised = True
        started = time.monotonic()
        failure = self._initialise(started + INIT_LIMIT_SECONDS, phase="init")
        return None if failure else (time.monotonic() - started) * 1000

    def _initialise(self, deadline: float, phase: str) -> _Failure | None:
        """Start the runtime and wait until it asks for an event."""
        runtime = language_runtime(self._configuration.runtime)
        started = time.monotonic()
        self._collector.platform(log_lines.init_start(runtime.version, runtime.version_arn))
        self._api = api = RuntimeApi(self._collector)
        variables = sandbox_variables(
            self._configuration,
            log_stream=self.log_stream,
            runtime_api=api.address,
            runtime_directory=self._host.runtime_directory,
            tmp=self._tmp,
            cloud_variables=self._host.cloud_variables(self._configuration),
            initialization_type="provisioned-concurrency" if self._is_provisioned else "on-demand",
        )
        self._process = self._host.processes.spawn(list(runtime.argv), variables, str(self._configuration.code))
        self._limits = limits = ResourceLimits(self._process, self._configuration.memory_size)
        api.attach(self._process, limits)
        limits.begin_init(started)
        in_time = api.serve_until(lambda: api.is_ready or api.init_error is not None, deadline)
        is_out_of_memory = self._exceeded_memory(limits)
        if api.is_ready and not is_out_of_memory:
            return None
        failure = _out_of_memory() if is_out_of_memory else self._init_failure(in_time, api)
        self._end_process()
        milliseconds = (time.monotonic() - started) * 1000
        self._collector.flush()
        self._collector.platform(log_lines.init_report(milliseconds, phase, failure.status, failure.reported_type))
        return failure

    def _init_failure(self, in_time: bool, api: RuntimeApi) -> _Failure:
        if not in_time:
            return _timed_out(self._configuration.timeout)
        if api.init_error is not None:
            return _Failure("error", api.init_error.error_type, document=self._renamed(api.init_error))
        return _exited(api.exit or "exit 0")

    def _run_handler(self, invocation: Invocation, deadline: float) -> tuple[bytes, _Failure | None]:
        assert self._api is not None
        assert self._process is not None
        assert self._limits is not None
        api, limits = self._api, self._limits
        now = time.monotonic()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + deadline - now) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._configuration.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id or self._trace_id(),
        }
        if invocation.tenant_id:
            headers["Lambda-Runtime-Aws-Tenant-Id"] = invocation.tenant_id
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        self._process.thaw()
        limits.begin_invocation(now)
        try:
            outcome = api.send_event(invocation.request_id, headers, invocation.event, invocation.sink)
        except OSError:
            outcome = Outcome(invocation.request_id)  # it died while frozen; serve_until will say how
        in_time = api.serve_until(lambda: outcome.is_known and api.is_ready, deadline)
        failure = _out_of_memory() if self._exceeded_memory(limits) else self._invoke_failure(outcome, in_time, api)
        if failure is not None:
            return failure.payload(invocation.request_id), failure
        return outcome.response or b"", None

    def _invoke_failure(self, outcome: Outcome, in_time: bool, api: RuntimeApi) -> _Failure | None:
        if outcome.too_large:
            return _response_too_large(outcome.stream.limit)
        if outcome.error is not None:
            return _Failure("", outcome.error.error_type, document=self._renamed(outcome.error))
        if outcome.response is not None and (in_time or api.exit is not None):
            return None
        return _exited(api.exit or "exit 0") if in_time else _timed_out(self._configuration.timeout)

    def _renamed(self, error: PostedError) -> bytes:
        return self._as_on_aws(error.body.decode("utf-8", "replace")).encode()

    def _trace_id(self) -> str:
        identifiers = self._host.identifiers
        epoch = f"{int(self._host.clock.now()):08x}"
        return f"Root=1-{epoch}-{identifiers.hex(24)};Parent={identifiers.hex(16)};Sampled=0"

    def _exceeded_memory(self, limits: ResourceLimits) -> bool:
        """Take note of the memory that was used, and return whether it was more than the function has."""
        limits.measure_peak()
        self._max_memory_used = max(self._max_memory_used, min(limits.peak_memory_mb, self._configuration.memory_size))
        return limits.out_of_memory

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.end()
            if self._api is not None:
                self._api.close()
            self._process.close()
        self._process = self._api = None

    def _deliver_logs(self) -> list[LogEvent]:
        events = self._collector.take()
        self._host.log_sink(self._configuration.log_group, self.log_stream, events)
        return events


@dataclass
class _Failure:
    """Why an invocation or an init failed."""

    status: str
    """``timeout`` or ``error`` when the process is lost with it, empty when the handler raised."""
    error_type: str
    message: str = ""
    document: bytes | None = None
    """The runtime's own error document, when it posted one."""
    cause: str = ""
    """The type in REPORT and INIT_REPORT, where it is not the document's."""

    @property
    def reported_type(self) -> str:
        return self.cause or (self.error_type if self.status == "error" else "")

    def payload(self, request_id: str) -> bytes:
        if self.document is not None:
            return self.document
        message = self.message.format(request_id=request_id)
        return json.dumps({"errorType": self.error_type, "errorMessage": message}).encode()


def _timed_out(timeout: int) -> _Failure:
    message = f"RequestId: {{request_id}} Error: Task timed out after {timeout:.2f} seconds"
    return _Failure("timeout", "Sandbox.Timedout", message)


def _exited(how: str) -> _Failure:
    kind, _, code = how.partition(" ")
    if kind == "signal":
        reason = (
            "Runtime exited with error: signal: killed" if code == "9" else f"Runtime exited with error: signal: {code}"
        )
    elif code == "0":
        reason = "Runtime exited without providing a reason"
    else:
        reason = f"Runtime exited with error: exit status {code}"
    return _Failure("error", "Runtime.ExitError", f"RequestId: {{request_id}} Error: {reason}")


def _out_of_memory() -> _Failure:
    failure = _exited("signal 9")
    failure.cause = "Runtime.OutOfMemory"
    return failure


def _response_too_large(limit: int) -> _Failure:
    message = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    return _Failure("error", "Function.ResponseSizeTooLarge", message)
