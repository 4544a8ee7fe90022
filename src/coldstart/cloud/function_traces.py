"""Lambda's own segments in X-Ray: what the service did with a request, and what the function did with it.

https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html. A request whose header says ``Sampled=1`` is traced, and so is one
that nobody has decided about when the function's TracingConfig is Active. AWS samples the first such request of a second and 5 % of
the others; here every one is recorded, so that a trace is there when you look for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from coldstart.events.lineage import lineage_of
from coldstart.runtime.clock import Clock
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.execution_environment import InvocationResult
from coldstart.runtime.identifiers import Identifiers
from coldstart.runtime.trace_header import TraceHeader, trace_header

Document = dict[str, Any]
"""A segment document: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html."""


_SEED = 2_000
"""Of ids that are no request's."""


_MOST_EVENTS = 1_000
"""Whose attempts are remembered."""


@dataclass
class _Event:
    """What is known of an asynchronous invocation, whose attempts are parts of one segment."""

    queued_at: float
    service_segment: str
    attempts: list[Document] = field(default_factory=list)


@dataclass(frozen=True)
class FunctionTrace:
    """The trace of one invocation."""

    configuration: FunctionConfiguration
    request_id: str
    caller: TraceHeader
    """What the caller said."""
    root: str
    service_segment: str
    """Ids."""
    function_segment: str
    lineage: str
    started: float
    event: _Event | None
    """Of an asynchronous invocation."""
    attempt_segment: str

    @property
    def header(self) -> str:
        """The header that the function gets."""
        header = str(TraceHeader(self.root, self.function_segment, "1"))
        return f"{header};{self.lineage}" if self.lineage else header


class FunctionTraces:
    """Makes the segments of AWS::Lambda and AWS::Lambda::Function.

    Args:
        put: takes a region and a segment document.
    """

    def __init__(self, put: Callable[[str, Document], object], clock: Clock) -> None:
        self._put = put
        self._clock = clock
        self._identifiers = Identifiers(seed=_SEED)
        self._events: dict[str, _Event] = {}

    def begin(
        self, configuration: FunctionConfiguration, request_id: str, header: str, queued_at: float | None = None
    ) -> FunctionTrace | None:
        """Begin the trace of an invocation; None when it is not traced.

        Args:
            header: the caller's ``X-Amzn-Trace-Id``; empty without one.
            queued_at: since when an asynchronous invocation waits, in seconds since the epoch. Its attempts are one segment.
        """
        caller = trace_header(header) if header else TraceHeader()
        if not (caller.is_sampled or (configuration.tracing == "Active" and not caller.is_decided)):
            return None
        now = self._clock.now()
        event = None if queued_at is None else self._event(request_id, queued_at)
        return FunctionTrace(
            configuration,
            request_id,
            caller,
            caller.root or f"1-{int(now):08x}-{self._identifiers.hex(24)}",
            event.service_segment if event else self._identifiers.hex(16),
            self._identifiers.hex(16),
            "".join(part for part in lineage_of(header).split(";") if part.startswith("Lineage=")),
            now,
            event,
            self._identifiers.hex(16) if event else "",
        )

    def _event(self, request_id: str, queued_at: float) -> _Event:
        event = self._events.get(request_id)
        if event is None:
            event = self._events[request_id] = _Event(queued_at, self._identifiers.hex(16))
            if len(self._events) > _MOST_EVENTS:
                del self._events[next(iter(self._events))]
        return event

    def throttled(self, trace: FunctionTrace) -> None:
        """End the trace of an invocation that found no concurrency."""
        self._put_service_segment(trace, {"error": True, "throttle": True}, status=429)

    def ended(self, trace: FunctionTrace, result: InvocationResult) -> None:
        """End the trace of an invocation that ran."""
        self._put_service_segment(trace, {}, status=200, has_failed=result.function_error is not None)
        now = self._clock.now()
        report = result.report
        failure = _failure(result) if result.function_error else {}
        started = trace.started
        phases = []
        for name, milliseconds in (("Initialization", report.init_ms), ("Restore", report.restore_ms)):
            if milliseconds is not None:
                phases.append(self._subsegment(name, started, started + milliseconds / 1000))
                started += milliseconds / 1000
        invoked = min(started + report.duration_ms / 1000, max(now, started))
        phases.append(self._subsegment("Invocation", started, invoked) | failure)
        phases.append(self._subsegment("Overhead", invoked, max(now, invoked)))
        configuration = trace.configuration
        account = configuration.function_arn.split(":")[4]
        self._put(
            configuration.region,
            {
                "id": trace.function_segment,
                "trace_id": trace.root,
                "parent_id": trace.attempt_segment or trace.service_segment,
                "name": configuration.function_name,
                "origin": "AWS::Lambda::Function",
                "start_time": trace.started,
                "end_time": max(now, invoked),
                "aws": {
                    "account_id": account,
                    "function_arn": configuration.function_arn,
                    "request_id": trace.request_id,
                    "resource_names": [configuration.function_name],
                },
                "subsegments": phases,
                **failure,
            },
        )

    def _put_service_segment(
        self, trace: FunctionTrace, outcome: Document, status: int, *, has_failed: bool = False
    ) -> None:
        configuration, now, event = trace.configuration, self._clock.now(), trace.event
        document: Document = {
            "id": trace.service_segment,
            "trace_id": trace.root,
            "name": configuration.function_name,
            "origin": "AWS::Lambda",
            "start_time": event.queued_at if event else trace.started,
            "end_time": now,
            "http": {"response": {"status": 202 if event else status}},
            "resource_arn": configuration.function_arn,
            "aws": {
                "function_arn": configuration.function_arn,
                "request_id": trace.request_id,
                "resource_names": [configuration.function_name],
            },
        }
        if trace.caller.parent:
            document["parent_id"] = trace.caller.parent
        if event is None:
            document |= outcome
        else:
            fault = {"fault": True} if has_failed else {}
            name = f"Attempt #{len(event.attempts) + 1}"
            attempt = self._subsegment(name, trace.started, now) | outcome | fault | {"id": trace.attempt_segment}
            event.attempts.append(attempt)
            waited = self._subsegment("Dwell Time", event.queued_at, event.attempts[0]["start_time"])
            document["subsegments"] = [waited, *event.attempts]
        self._put(configuration.region, document)

    def _subsegment(self, name: str, start: float, end: float) -> Document:
        return {"id": self._identifiers.hex(16), "name": name, "start_time": start, "end_time": end}


def undecided(header: str) -> str:
    """Return the header of a new trace about whose recording nobody has decided."""
    return str(TraceHeader(trace_header(header).root))


def _failure(result: InvocationResult) -> Document:
    """Return what a segment says of a function's error."""
    try:
        error = json.loads(result.payload)
    except ValueError:
        error = {}
    exception: Document = {"id": result.request_id.replace("-", "")[:16], "working_directory": "/var/task"}
    if isinstance(error, dict):
        exception |= {"message": str(error.get("errorMessage", "")), "type": str(error.get("errorType", ""))}
    return {"fault": True, "cause": {"working_directory": "/var/task", "exceptions": [exception]}}
