"""One execution environment: a process with its own module state, its own temporary directory and its own log stream.

The phases follow https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: INIT before the first
invocation, at most 10 seconds, tried again inside the invocation when it failed; INVOKE, bounded by the function's timeout;
frozen in between. With SnapStart RESTORE takes the place of INIT, at most 10 seconds. After a timeout or a crash the process is started anew inside the next invocation, with the same temporary
directory and log stream.
"""

from __future__ import annotations

import base64
import errno
import json
import math
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.environment_variables import sandbox_variables
from coldstart.runtime.extensions import ExtensionFailure, Extensions
from coldstart.runtime.host import Host
from coldstart.runtime.log_collector import LogCollector, LogEvent
from coldstart.runtime.log_format import LogFormat
from coldstart.runtime.platform_events import (
    End,
    InitReport,
    InitStart,
    Report,
    RestoreReport,
    RestoreStart,
    RuntimeDone,
    Start,
)
from coldstart.runtime.response_stream import ResponseSink
from coldstart.runtime.runtime_api import Outcome, PostedError, RuntimeApi
from coldstart.runtime.sandbox_paths import SandboxPaths
from coldstart.runtime.sandboxes import ExternalExtensions, Limits, Sandbox, SnapshotGone
from coldstart.runtime.trace_header import trace_header

if TYPE_CHECKING:
    from coldstart.runtime.snapshot import Snapshot

INIT_LIMIT_SECONDS = 10.0
RESTORE_LIMIT_SECONDS = 10.0
"""For loading the runtime and the after-restore hooks."""
AHEAD_INIT_LIMIT_SECONDS = 130.0
"""With provisioned concurrency or SnapStart the INIT phase may take this long, or the function's timeout when longer."""
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
    invoked_arn: str = ""
    """The ARN that the caller used; empty when it is the version's own."""


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


class RestoreFailed(RuntimeError):
    """An environment could not be restored from its snapshot: the error of the API's Invoke."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ExecutionEnvironment:
    """Runs one invocation at a time; its user sees to that.

    Args:
        configuration: the function version that it belongs to.
        host: what all environments share.
        tenant_id: the only tenant whose invocations it will see, when the function isolates tenants
            (https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html).
        is_provisioned: it is initialised ahead, by :meth:`initialise_ahead`, and kept.
        takes_snapshot: it is initialised ahead, and runs no function: others are restored from it, by :meth:`fork`.
        snapshot: what it is restored from instead of being initialised.
    """

    def __init__(
        self,
        configuration: FunctionConfiguration,
        host: Host,
        *,
        tenant_id: str = "",
        is_provisioned: bool = False,
        takes_snapshot: bool = False,
        snapshot: Snapshot | None = None,
    ) -> None:
        self._configuration = configuration
        self._host = host
        self.tenant_id = tenant_id
        self._is_provisioned = is_provisioned
        self._takes_snapshot = takes_snapshot
        self._snapshot = snapshot
        self.started = self.idle_since = host.clock.now()
        self.id = host.identifiers.hex(32)
        date = time.strftime("%Y/%m/%d", time.gmtime(host.clock.now()))
        self.log_stream = f"{date}/[{configuration.version}]{self.id}"
        self._folder = host.root / "environments" / self.id
        self._tmp = self._folder / "tmp"
        self._tmp.mkdir(parents=True)
        self._name_of_tmp = host.sandboxes.name_of_tmp(self._tmp)
        paths = SandboxPaths(configuration, host.runtime_directory, self._name_of_tmp)
        self._as_on_aws = paths.rename
        log_format = LogFormat(
            configuration.log_format == "JSON", configuration.application_log_level, configuration.system_log_level
        )
        self._collector = LogCollector(host.clock.now_ms, self._as_on_aws, log_format)
        self._api: RuntimeApi | None = None
        self._process: Sandbox | None = None
        self._extensions: ExternalExtensions | None = None
        self._limits: Limits | None = None
        self._variables: dict[str, str] = {}
        self.init_failure: Failure | None = None
        """Why the last INIT phase failed."""
        self._has_been_initialised = False
        self._unreported_init_ms: float | None = None
        self._max_memory_used = 0
        self._runtime_done: float | None = None

    @property
    def _is_initialised_ahead(self) -> bool:
        return self._takes_snapshot or self._is_provisioned

    @property
    def _initialization_type(self) -> str:
        if self._takes_snapshot or self._snapshot is not None:
            return "snap-start"
        return "provisioned-concurrency" if self._is_provisioned else "on-demand"

    @property
    def is_initialised(self) -> bool:
        """Whether an invocation would be a warm one."""
        return self._process is not None

    def initialise_ahead(self) -> bool:
        """Run the INIT phase now, as provisioned concurrency and SnapStart do; return whether it succeeded.

        Its duration is logged at once, and again in the REPORT of the first invocation, which is not billed for it.

        Raises:
            RuntimeMissing: this machine cannot run the function's language.
        """
        limit = max(AHEAD_INIT_LIMIT_SECONDS, self._configuration.timeout)
        self._has_been_initialised = True
        started = time.monotonic()
        failure = self._initialise(started + limit, phase="init")
        if failure is None:
            assert self._process is not None
            self._process.freeze()
            self._unreported_init_ms = (time.monotonic() - started) * 1000
            self._collector.platform(
                InitReport(self._unreported_init_ms, self._initialization_type, "init", is_ahead=True)
            )
        self._deliver_logs()
        return failure is None

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Run the function with one event and return what came of it.

        Raises:
            RuntimeMissing: this machine cannot run the function's language.
            RestoreFailed: it could not be restored from its snapshot.
            SnapshotFailed: there was no snapshot to restore from, and it could not be taken.
        """
        init_ms, self._unreported_init_ms = self._unreported_init_ms, None
        restored: _Restored | None = None
        if self._snapshot is not None and self._process is None:
            restored = self._restore(self._snapshot)
        elif not self._has_been_initialised:
            init_ms = self._initialise_before_first_invocation()
        started = time.monotonic()
        started_ms = self._now_ms()
        deadline = started + self._configuration.timeout
        failure = None
        if self._process is None:
            failure = self._initialise(deadline, phase="invoke")
        configuration = self._configuration
        self._collector.platform(Start(invocation.request_id, configuration.version, configuration.function_arn))
        if failure is None:
            payload, failure = self._run_handler(invocation, deadline)
        else:
            payload = failure.payload(invocation.request_id)
        ended = time.monotonic()
        elapsed_ms = (ended - started) * 1000
        runtime_done, self._runtime_done = self._runtime_done, None
        if failure is not None and failure.status:
            if failure.status == "timeout":
                elapsed_ms = self._configuration.timeout * 1000.0
            self._end_process("timeout" if failure.status == "timeout" else "failure")
        elif self._api is not None and self._api.is_broken:
            self._end_process("failure")
        elif self._process is not None:
            self._process.freeze()
        report = Report(
            request_id=invocation.request_id,
            duration_ms=elapsed_ms,
            memory_size=self._configuration.memory_size,
            max_memory_used=self._max_memory_used,
            init_ms=init_ms,
            init_is_billed=not self._is_provisioned,
            restore_ms=restored.milliseconds if restored else None,
            billed_restore_ms=restored.billed_ms if restored else 0,
            status=failure.status if failure else "",
            error_type=failure.reported_type if failure else "",
            has_failed=failure is not None,
            extensions_ms=None if runtime_done is None else (ended - runtime_done) * 1000,
            trace=trace_header(invocation.trace_id),
        )
        self._collector.flush()
        self._collector.platform(End(invocation.request_id))
        self._collector.platform(report)
        outcome = (failure.status or failure.error_type) if failure else ""
        self._note("invoke", started_ms, request_id=invocation.request_id, outcome=outcome)
        events = self._deliver_logs()
        return InvocationResult(
            request_id=invocation.request_id,
            payload=payload,
            function_error="Unhandled" if failure and not failure.is_answered else None,
            report=report,
            events=events,
            executed_version=self._configuration.version,
        )

    def fork(self, variables: dict[str, str], tmp: Path) -> Sandbox:
        """Return a process restored from this one's, for another environment.

        Raises:
            SnapshotGone: the process has died.
        """
        if self._process is None:
            raise SnapshotGone
        has_root_tmp = self._name_of_tmp != self._tmp
        if not has_root_tmp:
            shutil.copytree(self._tmp, tmp, symlinks=True, dirs_exist_ok=True)
        changed = {name: value for name, value in variables.items() if self._variables.get(name) != value}
        replaced = {name: self._variables[name] for name in changed if name in self._variables}
        self._process.thaw()
        try:
            size = self._configuration.ephemeral_storage if has_root_tmp else None
            return self._host.sandboxes.restore(self._process, changed, replaced, tmp_megabytes=size)
        finally:
            self._process.freeze()

    def shut_down(self) -> None:
        """End the environment, with a SHUTDOWN phase when it has extensions: its processes and its folder."""
        if self._process is not None:
            started_ms = self._now_ms()
            self._end_process("spindown")
            self._note("shutdown", started_ms)
        if self._collector.has_events:
            self._deliver_logs()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _initialise_before_first_invocation(self) -> float | None:
        """Run the INIT phase; return its milliseconds, or None when it failed and has to be tried again."""
        self._has_been_initialised = True
        started = time.monotonic()
        failure = self._initialise(started + INIT_LIMIT_SECONDS, phase="init")
        return None if failure else (time.monotonic() - started) * 1000

    def _initialise(self, deadline: float, phase: str) -> Failure | None:
        """Start the runtime and wait until it asks for an event."""
        started_ms = self._now_ms()
        failure = self._start_runtime(deadline, phase)
        self._note("init", started_ms, outcome=failure.status if failure else "")
        return failure

    def _start_runtime(self, deadline: float, phase: str) -> Failure | None:
        runtime = self._host.sandboxes.language_runtime(self._configuration)
        started = time.monotonic()
        api = self._open_api()
        configuration = self._configuration
        names = (configuration.function_name, configuration.version)
        self._collector.platform(
            InitStart(runtime.version, runtime.version_arn, self._initialization_type, phase, *names)
        )
        in_time = self._takes_snapshot or self._start_extensions(api, deadline)
        if not in_time or api.is_broken:
            return self._end_failed_init(self._init_failure(in_time, api), started, phase)
        self._process = self._host.sandboxes.spawn(
            list(runtime.argv),
            self._variables,
            str(self._configuration.code),
            tmp=self._tmp,
            tmp_megabytes=self._configuration.ephemeral_storage,
            layers=self._configuration.layers,
            takes_snapshot=self._takes_snapshot,
            may_fork=runtime.may_fork,
        )
        self._limits = limits = self._host.sandboxes.limits(self._process, self._configuration.memory_size)
        api.attach(self._process, limits)
        if self._extensions is not None:
            self._extensions.accompany(self._process)
        limits.begin_init(started)
        in_time = api.serve_until(lambda: api.is_initialised or api.init_error is not None, deadline)
        is_out_of_memory = self._exceeded_memory(limits)
        if api.is_initialised and not api.is_broken and not is_out_of_memory:
            self._log_extensions(api)
            if not self._is_initialised_ahead:
                milliseconds = (time.monotonic() - started) * 1000
                self._collector.platform(InitReport(milliseconds, self._initialization_type, phase))
            api.end_init()
            return None
        failure = _out_of_memory() if is_out_of_memory else self._init_failure(in_time, api)
        return self._end_failed_init(failure, started, phase)

    def _end_failed_init(self, failure: Failure, started: float, phase: str) -> Failure:
        self.init_failure = failure
        if self._api is not None:
            self._log_extensions(self._api)
        self._end_process("timeout" if failure.status == "timeout" else "failure")
        milliseconds = (time.monotonic() - started) * 1000
        self._collector.flush()
        outcome = (failure.status, failure.reported_type)
        self._collector.platform(InitReport(milliseconds, self._initialization_type, phase, *outcome))
        return failure

    def _start_extensions(self, api: RuntimeApi, deadline: float) -> bool:
        """Start the external extensions; return whether they have registered in time."""
        self._extensions = self._host.sandboxes.extensions(self._configuration, api, self._tmp)
        return self._extensions is None or self._extensions.start(self._variables, deadline)

    def _log_extensions(self, api: RuntimeApi) -> None:
        for extension in api.extensions.all:
            self._collector.platform(extension.told())

    def _open_api(self) -> RuntimeApi:
        """Make a Runtime API, and the environment variables of the process that will talk to it."""
        configuration = self._configuration
        description = {
            "functionName": configuration.function_name,
            "functionVersion": configuration.version,
            "handler": configuration.handler,
        }
        account_id = configuration.function_arn.split(":")[4]
        extensions = Extensions(description, account_id, self._host.identifiers.uuid)
        self._api = api = self._host.sandboxes.open_api(self._collector, extensions)
        self._variables = sandbox_variables(
            self._configuration,
            log_stream=self.log_stream,
            runtime_api=api.address,
            runtime_directory=self._host.runtime_directory,
            tmp=self._name_of_tmp,
            cloud_variables=self._host.cloud_variables(self._configuration),
            initialization_type=self._initialization_type,
        )
        return api

    def _restore(self, snapshot: Snapshot) -> _Restored:
        """Run the RESTORE phase."""
        started_ms = self._now_ms()
        self._has_been_initialised = True
        runtime = self._host.sandboxes.language_runtime(self._configuration)
        snapshot.take()
        started = time.monotonic()
        api = self._open_api()
        names = (self._configuration.function_name, self._configuration.version)
        self._collector.platform(RestoreStart(runtime.version, runtime.version_arn, *names))
        self._start_extensions(api, started + RESTORE_LIMIT_SECONDS)
        self._process = snapshot.restore(self._variables, self._tmp)
        runs_since = time.monotonic()
        self._limits = self._host.sandboxes.limits(self._process, self._configuration.memory_size)
        api.attach(self._process, self._limits)
        if self._extensions is not None:
            self._extensions.accompany(self._process)
        self._limits.begin_init(started)
        in_time = api.serve_until(
            lambda: api.is_ready or api.restore_error is not None, started + RESTORE_LIMIT_SECONDS
        )
        now = time.monotonic()
        restored = _Restored((now - started) * 1000, math.ceil((now - runs_since) * 1000))
        self._log_extensions(api)
        if api.is_ready and not api.is_broken:
            self._collector.platform(RestoreReport(restored.milliseconds))
            api.end_init()
            self._note("restore", started_ms)
            return restored
        self._end_process("failure" if in_time else "timeout")
        self._collector.flush()
        outcome = ("error", "Runtime.ExitError") if in_time else ("timeout", "")
        self._collector.platform(RestoreReport(restored.milliseconds, *outcome))
        self._note("restore", started_ms, outcome=outcome[0])
        self._deliver_logs()
        if in_time:
            message = "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs."
            raise RestoreFailed(400, "SnapStartException", message)
        raise RestoreFailed(
            408, "SnapStartTimeoutException", "Lambda couldn't restore the snapshot within the timeout limit."
        )

    def _init_failure(self, in_time: bool, api: RuntimeApi) -> Failure:
        if not in_time:
            return _timed_out(self._configuration.timeout)
        if api.init_error is not None:
            return Failure("error", api.init_error.error_type, document=self._renamed(api.init_error))
        return _broken(api)

    def _run_handler(self, invocation: Invocation, deadline: float) -> tuple[bytes, Failure | None]:
        assert self._api is not None
        assert self._process is not None
        assert self._limits is not None
        api, limits = self._api, self._limits
        now = time.monotonic()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + deadline - now) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.invoked_arn or self._configuration.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id or self._trace_id(),
        }
        if invocation.tenant_id:
            headers["Lambda-Runtime-Aws-Tenant-Id"] = invocation.tenant_id
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        self._process.thaw()
        limits.begin_invocation(now)
        api.telemetry.deliver()
        try:
            outcome = api.send_event(invocation.request_id, headers, invocation.event, invocation.sink)
        except OSError:
            outcome = Outcome(invocation.request_id)  # it died while frozen; serve_until will say how
        in_time = api.serve_until(lambda: outcome.is_known and api.runtime_is_ready, deadline)
        if api.extensions.all or self._configuration.log_format == "JSON":
            self._tell_runtime_done(outcome, in_time, now)
        if api.extensions.all:
            self._runtime_done = time.monotonic()
            in_time = in_time and api.serve_until(lambda: api.is_ready, deadline)
        failure = _out_of_memory() if self._exceeded_memory(limits) else self._invoke_failure(outcome, in_time, api)
        if failure is not None:
            return failure.payload(invocation.request_id), failure
        return outcome.response or b"", None

    def _tell_runtime_done(self, outcome: Outcome, in_time: bool, started: float) -> None:
        assert self._api is not None
        error_type = outcome.error.error_type if outcome.error else ""
        status = "success" if outcome.response is not None else "error" if in_time else "timeout"
        milliseconds = (time.monotonic() - started) * 1000
        self._collector.platform(RuntimeDone(outcome.request_id, milliseconds, status, error_type))
        self._api.telemetry.deliver()

    def _invoke_failure(self, outcome: Outcome, in_time: bool, api: RuntimeApi) -> Failure | None:
        if outcome.too_large:
            return _response_too_large(outcome.stream.limit)
        if outcome.error is not None:
            return Failure("", outcome.error.error_type, document=self._renamed(outcome.error))
        if outcome.response is not None and (in_time or api.exit is not None) and api.extensions.failure is None:
            return None
        failure = _broken(api) if in_time else _timed_out(self._configuration.timeout)
        if outcome.response is not None and api.runtime_is_ready:  # only an extension has not come to its end
            failure.is_answered = True
            failure.document = outcome.response
        return failure

    def _now_ms(self) -> float:
        return self._host.clock.now() * 1000

    def _note(self, kind: str, started_ms: float, *, request_id: str = "", outcome: str = "") -> None:
        configuration = self._configuration
        self._host.record.add(
            kind,
            configuration.function_name,
            configuration.version,
            self.id,
            started_ms,
            request_id=request_id,
            outcome=outcome,
        )

    def _renamed(self, error: PostedError) -> bytes:
        return self._as_on_aws(error.body.decode("utf-8", "replace")).encode()

    def _trace_id(self) -> str:
        return self._host.identifiers.trace_header(self._host.clock.now())

    def _exceeded_memory(self, limits: Limits) -> bool:
        """Take note of the memory that was used, and return whether it was more than the function has."""
        limits.measure_peak()
        self._max_memory_used = max(self._max_memory_used, min(limits.peak_memory_mb, self._configuration.memory_size))
        return limits.out_of_memory

    def _end_process(self, reason: str) -> None:
        """End the processes: at once, unless there are extensions that may know the reason before."""
        api, process, extensions = self._api, self._process, self._extensions
        self._api = self._process = self._extensions = None
        if extensions is not None:
            extensions.shut_down(process, reason)
            extensions.end()
        if process is not None:
            process.end()
        if api is not None:
            api.close()
        if process is not None:
            process.close()
        if extensions is not None:
            extensions.close()

    def _deliver_logs(self) -> list[LogEvent]:
        events = self._collector.take()
        self._host.log_sink(self._configuration, self.log_stream, events)
        return events


@dataclass(frozen=True)
class _Restored:
    """How long a restore took, in milliseconds."""

    milliseconds: float
    billed_ms: int


@dataclass
class Failure:
    """Why an invocation or an init failed."""

    status: str
    """``timeout`` or ``error`` when the process is lost with it, empty when the handler raised."""
    error_type: str
    message: str = ""
    document: bytes | None = None
    """The runtime's own error document, when it posted one."""
    cause: str = ""
    """The type in REPORT and INIT_REPORT, where it is not the document's."""
    is_answered: bool = False
    """Whether the function itself has answered: the document is its response, and the caller hears of no failure."""

    @property
    def reported_type(self) -> str:
        """The type in REPORT and INIT_REPORT; empty when they name none."""
        return self.cause or (self.error_type if self.status == "error" else "")

    def payload(self, request_id: str) -> bytes:
        """Return the error document (JSON)."""
        if self.document is not None:
            return self.document
        message = self.message.format(request_id=request_id)
        return json.dumps({"errorType": self.error_type, "errorMessage": message}).encode()


def _timed_out(timeout: int) -> Failure:
    message = f"RequestId: {{request_id}} Error: Task timed out after {timeout:.2f} seconds"
    return Failure("timeout", "Sandbox.Timedout", message)


def _broken(api: RuntimeApi) -> Failure:
    if api.extensions.failure is not None:
        return _extension_failed(api.extensions.failure)
    return _exited(api.exit or "exit 0")


def _extension_failed(failure: ExtensionFailure) -> Failure:
    reason = failure.message.replace("{", "{{").replace("}", "}}")
    return Failure("error", failure.error_type, f"RequestId: {{request_id}} Error: {reason}")


def _exited(how: str) -> Failure:
    kind, _, code = how.partition(" ")
    if kind == "exec":
        return _not_executable(int(code))
    if kind == "signal":
        reason = (
            "Runtime exited with error: signal: killed" if code == "9" else f"Runtime exited with error: signal: {code}"
        )
    elif code == "0":
        reason = "Runtime exited without providing a reason"
    else:
        reason = f"Runtime exited with error: exit status {code}"
    return Failure("error", "Runtime.ExitError", f"RequestId: {{request_id}} Error: {reason}")


def _not_executable(number: int) -> Failure:
    if number == errno.ENOENT:
        reason = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    else:
        reason = f"fork/exec /var/task/bootstrap: {os.strerror(number).lower()}"
    return Failure("error", "Runtime.InvalidEntrypoint", f"RequestId: {{request_id}} Error: {reason}")


def _out_of_memory() -> Failure:
    failure = _exited("signal 9")
    failure.cause = "Runtime.OutOfMemory"
    return failure


def _response_too_large(limit: int) -> Failure:
    message = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    return Failure("error", "Function.ResponseSizeTooLarge", message)
