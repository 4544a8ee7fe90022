"""What Lambda itself tells of an environment: each event as a line of the text log, and as the record of JSON logs and telemetry.

Text format and field order: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and the lifecycle page; fields are
set apart by tabs, and REPORT ends with one. Records: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from coldstart.runtime.trace_header import TraceHeader


class PlatformEvent(Protocol):
    """Something that Lambda tells."""

    @property
    def kind(self) -> str:
        """The ``type``, such as ``platform.start``; empty when only the text log tells of it."""

    def line(self) -> str:
        """Return the line of the text log; empty when it has none."""

    def record(self) -> dict[str, Any]:
        """Return the ``record`` of the JSON event."""


@dataclass(frozen=True)
class InitStart:
    """A runtime is started: the first event of every start."""

    kind: ClassVar[str] = "platform.initStart"
    runtime_version: str
    runtime_version_arn: str
    initialization_type: str
    phase: str
    """``init``, or ``invoke`` when it is tried again."""
    function_name: str
    function_version: str

    def line(self) -> str:
        """Return the INIT_START line."""
        return f"INIT_START {_runtime(self.runtime_version, self.runtime_version_arn)}"

    def record(self) -> dict[str, Any]:
        """Return the record."""
        return {
            "initializationType": self.initialization_type,
            "phase": self.phase,
            "runtimeVersion": self.runtime_version,
            "runtimeVersionArn": self.runtime_version_arn,
            "functionName": self.function_name,
            "functionVersion": self.function_version,
        }


@dataclass(frozen=True)
class InitReport:
    """An init is over. The text log tells of it when it failed or ran ahead of an invocation."""

    kind: ClassVar[str] = "platform.initReport"
    duration_ms: float
    initialization_type: str
    phase: str
    status: str = ""
    error_type: str = ""
    is_ahead: bool = False

    def line(self) -> str:
        """Return the INIT_REPORT line."""
        if not self.status and not self.is_ahead:
            return ""
        fields = [f"INIT_REPORT Init Duration: {self.duration_ms:.2f} ms", f"Phase: {self.phase}"]
        return "\t".join(fields + _outcome(self.status, self.error_type)) + "\t\n"

    def record(self) -> dict[str, Any]:
        """Return the record."""
        return {
            "initializationType": self.initialization_type,
            "phase": self.phase,
            **_status(self.status, self.error_type),
            "metrics": {"durationMs": round(self.duration_ms, 3)},
        }


@dataclass(frozen=True)
class RestoreStart:
    """A restore from a snapshot begins."""

    kind: ClassVar[str] = "platform.restoreStart"
    runtime_version: str
    runtime_version_arn: str
    function_name: str
    function_version: str

    def line(self) -> str:
        """Return the RESTORE_START line."""
        return f"RESTORE_START {_runtime(self.runtime_version, self.runtime_version_arn)}"

    def record(self) -> dict[str, Any]:
        """Return the record."""
        return {
            "runtimeVersion": self.runtime_version,
            "runtimeVersionArn": self.runtime_version_arn,
            "functionName": self.function_name,
            "functionVersion": self.function_version,
        }


@dataclass(frozen=True)
class RestoreReport:
    """A restore is over."""

    kind: ClassVar[str] = "platform.restoreReport"
    duration_ms: float
    status: str = ""
    error_type: str = ""

    def line(self) -> str:
        """Return the RESTORE_REPORT line; AWS puts no tab at its end."""
        fields = [
            f"RESTORE_REPORT Restore Duration: {self.duration_ms:.2f} ms",
            *_outcome(self.status, self.error_type),
        ]
        return "\t".join(fields) + "\n"

    def record(self) -> dict[str, Any]:
        """Return the record."""
        metrics = {"durationMs": round(self.duration_ms, 3)}
        return {**_status(self.status, self.error_type), "metrics": metrics}


@dataclass(frozen=True)
class ExtensionState:
    """What has become of an extension when INIT ends."""

    kind: ClassVar[str] = "platform.extension"
    name: str
    state: str
    events: tuple[str, ...]
    error_type: str = ""

    def line(self) -> str:
        """Return the EXTENSION line."""
        error = f"\tError Type: {self.error_type}" if self.error_type else ""
        return f"EXTENSION\tName: {self.name}\tState: {self.state}\tEvents: [{', '.join(self.events)}]{error}\n"

    def record(self) -> dict[str, Any]:
        """Return the record."""
        error = {"errorType": self.error_type} if self.error_type else {}
        return {"name": self.name, "state": self.state, "events": list(self.events), **error}


@dataclass(frozen=True)
class TelemetrySubscription:
    """An extension has subscribed to telemetry."""

    kind: ClassVar[str] = "platform.telemetrySubscription"
    name: str
    types: tuple[str, ...]

    def line(self) -> str:
        """Return the TELEMETRY line."""
        types = ", ".join(kind.capitalize() for kind in self.types)
        return f"TELEMETRY\tName: {self.name}\tState: Subscribed\tTypes: [{types}]\n"

    def record(self) -> dict[str, Any]:
        """Return the record."""
        return {"name": self.name, "state": "Subscribed", "types": list(self.types)}


@dataclass(frozen=True)
class Start:
    """An invocation begins."""

    kind: ClassVar[str] = "platform.start"
    request_id: str
    version: str
    function_arn: str

    def line(self) -> str:
        """Return the line before the handler's own."""
        return f"START RequestId: {self.request_id} Version: {self.version}\n"

    def record(self) -> dict[str, Any]:
        """Return the record."""
        return {"requestId": self.request_id, "functionArn": self.function_arn, "version": self.version}


@dataclass(frozen=True)
class RuntimeDone:
    """The runtime has ended its part of an invocation; only telemetry and JSON logs tell of it."""

    kind: ClassVar[str] = "platform.runtimeDone"
    request_id: str
    duration_ms: float
    status: str
    error_type: str = ""

    def line(self) -> str:
        """Return nothing."""
        return ""

    def record(self) -> dict[str, Any]:
        """Return the record."""
        metrics = {"durationMs": round(self.duration_ms, 3)}
        return {"requestId": self.request_id, **_status(self.status, self.error_type), "metrics": metrics}


@dataclass(frozen=True)
class End:
    """An invocation is over; only the text log tells of it."""

    kind: ClassVar[str] = ""
    request_id: str

    def line(self) -> str:
        """Return the line after the handler's own."""
        return f"END RequestId: {self.request_id}\n"

    def record(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


@dataclass(frozen=True)
class Report:
    """The figures of one invocation; times in milliseconds, memory in MB."""

    kind: ClassVar[str] = "platform.report"
    request_id: str
    duration_ms: float
    memory_size: int
    max_memory_used: int
    init_ms: float | None = None
    init_is_billed: bool = True
    """False for provisioned concurrency, whose environments are paid for while they wait."""
    restore_ms: float | None = None
    """With SnapStart: from the snapshot to the first invocation."""
    billed_restore_ms: int = 0
    """The part of it from when the process runs again: loading the runtime, after-restore hooks."""
    status: str = ""
    """Empty when all went well, else ``timeout`` or ``error``."""
    error_type: str = ""
    has_failed: bool = field(default=False, compare=False)
    """Whether the handler raised; REPORT lines do not tell of that, records do."""
    extensions_ms: float | None = field(default=None, compare=False)
    """What extensions did after the runtime had ended its part; part of the duration, and told by a metric alone."""
    trace: TraceHeader = field(default_factory=TraceHeader)
    """What the function's ``X-Amzn-Trace-Id`` says; told when the trace is recorded."""

    @property
    def billed_ms(self) -> int:
        """What is paid for: the duration and, since 2025-08-01, the init, rounded up together to 1 ms.

        The sum is that of the figures as the line shows them, so that a reader who adds them up gets this one. A restore's billed
        part comes on top, rounded up by itself.
        """
        init_ms = (self.init_ms or 0) if self.init_is_billed else 0
        return math.ceil(round(round(self.duration_ms, 2) + round(init_ms, 2), 2)) + self.billed_restore_ms

    def line(self) -> str:
        """Return the REPORT line."""
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms} ms",
            f"Memory Size: {self.memory_size} MB",
            f"Max Memory Used: {self.max_memory_used} MB",
        ]
        if self.init_ms is not None:
            fields.append(f"Init Duration: {self.init_ms:.2f} ms")
        if self.restore_ms is not None:
            fields.append(f"Restore Duration: {self.restore_ms:.2f} ms")
            fields.append(f"Billed Restore Duration: {self.billed_restore_ms} ms")
        line = "\t".join(fields + _outcome(self.status, self.error_type)) + "\t\n"
        if self.trace.is_sampled:
            line += f"XRAY TraceId: {self.trace.root}\tSegmentId: {self.trace.parent}\tSampled: true\t\n"
        return line

    def record(self) -> dict[str, Any]:
        """Return the record."""
        metrics: dict[str, float] = {
            "durationMs": round(self.duration_ms, 3),
            "billedDurationMs": self.billed_ms,
            "memorySizeMB": self.memory_size,
            "maxMemoryUsedMB": self.max_memory_used,
        }
        if self.init_ms is not None:
            metrics["initDurationMs"] = round(self.init_ms, 3)
        if self.restore_ms is not None:
            metrics["restoreDurationMs"] = round(self.restore_ms, 3)
            metrics["billedRestoreDurationMs"] = self.billed_restore_ms
        status = self.status or ("error" if self.has_failed else "")
        return {
            "requestId": self.request_id,
            "metrics": metrics,
            **_status(status, self.error_type),
            **_tracing(self.trace),
        }


def _runtime(version: str, arn: str) -> str:
    return f"Runtime Version: {version}\tRuntime Version ARN: {arn}\n"


def _outcome(status: str, error_type: str) -> list[str]:
    return [f"Status: {status}"] * bool(status) + [f"Error Type: {error_type}"] * bool(error_type)


def _tracing(trace: TraceHeader) -> dict[str, Any]:
    if not trace.is_sampled:
        return {}
    return {"tracing": {"spanId": trace.parent, "type": "X-Amzn-Trace-Id", "value": str(trace)}}


def _status(status: str, error_type: str) -> dict[str, str]:
    return {"status": status or "success"} | ({"errorType": error_type} if error_type else {})
