"""The lines that Lambda itself writes into a function's log, in AWS's text format.

Format and field order: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and the lifecycle page; fields are
set apart by tabs, and REPORT ends with one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """The figures of one invocation; times in milliseconds, memory in MB."""

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
        return "\t".join(fields + _outcome(self.status, self.error_type)) + "\t\n"


def init_start(runtime_version: str, runtime_version_arn: str) -> str:
    """Return the line that opens every start of a runtime."""
    return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_version_arn}\n"


def init_report(duration_ms: float, phase: str, status: str = "", error_type: str = "") -> str:
    """Return the line about an init that failed or ran ahead; phase is ``init``, or ``invoke`` when it was tried again."""
    fields = [f"INIT_REPORT Init Duration: {duration_ms:.2f} ms", f"Phase: {phase}"]
    return "\t".join(fields + _outcome(status, error_type)) + "\t\n"


def restore_start(runtime_version: str, runtime_version_arn: str) -> str:
    """Return the line that opens a restore from a snapshot."""
    return f"RESTORE_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_version_arn}\n"


def restore_report(duration_ms: float, status: str = "", error_type: str = "") -> str:
    """Return the line that ends a restore; AWS puts no tab at its end when all went well."""
    return "\t".join([f"RESTORE_REPORT Restore Duration: {duration_ms:.2f} ms", *_outcome(status, error_type)]) + "\n"


def start(request_id: str, version: str) -> str:
    """Return the line before the handler's own."""
    return f"START RequestId: {request_id} Version: {version}\n"


def end(request_id: str) -> str:
    """Return the line after the handler's own."""
    return f"END RequestId: {request_id}\n"


def _outcome(status: str, error_type: str) -> list[str]:
    return [f"Status: {status}"] * bool(status) + [f"Error Type: {error_type}"] * bool(error_type)
