"""The queue of asynchronous invocations: a caller is answered at once, the event waits here until the function has taken it.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: after a function error two more attempts,
one minute and two minutes later; after a throttle, or an error of Lambda's own, attempts for as long as the event is not too
old, first after a second and then at growing intervals of up to five minutes. What cannot be delivered goes to the
dead-letter queue and to the on-failure destination.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from coldstart.events import invocation_record
from coldstart.events.lineage import MOST_RUNS, runs_of
from coldstart.runtime.clock import Clock
from coldstart.runtime.execution_environment import InvocationResult

RETRY_SECONDS = (60.0, 120.0)
"""Until the first and the second retry after a function error."""
LONGEST_BACKOFF_SECONDS = 300.0


@dataclass(frozen=True)
class EventInvokeSettings:
    """How a function's asynchronous invocations are handled.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
    """

    maximum_retry_attempts: int = 2
    maximum_event_age: int = 21_600
    """Seconds: six hours."""
    on_success: str = ""
    on_failure: str = ""
    """ARNs of destinations; empty without one."""
    dead_letter_target: str = ""
    """ARN of the dead-letter queue or topic; empty without one."""
    stops_loops: bool = True


@dataclass
class QueuedEvent:
    """An event on its way to a function."""

    function_arn: str
    """As it was invoked, perhaps with a qualifier."""
    event: bytes
    request_id: str
    queued_at: float
    """Seconds since the epoch, on the cloud's clock."""
    trace_id: str = ""
    client_context: str = ""
    tenant_id: str = ""
    runs: int = field(default=0, init=False)
    """How often the function has run with it."""
    refusals: int = field(default=0, init=False)
    """How often Lambda could not run it."""

    @property
    def unqualified_arn(self) -> str:
        """The function's ARN without version or alias."""
        return ":".join(self.function_arn.split(":")[:7])


class NotRun(Exception):
    """Lambda did not run the function: throttled, or not able to.

    Args:
        status: the HTTP status that a synchronous caller would get.
        message: AWS's message.
        reason: with a throttle, the reason.
        is_final: whether trying again is of no use.
    """

    def __init__(self, status: int, message: str, reason: str = "", *, is_final: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.is_final = is_final


class FunctionSide(Protocol):
    """What the queue asks of the Lambda service."""

    def run(self, event: QueuedEvent) -> InvocationResult:
        """Run the function once.

        Raises:
            NotRun: it could not be run.
        """
        ...

    def settings(self, function_arn: str) -> EventInvokeSettings:
        """Return how the function's asynchronous invocations are handled now."""
        ...


class Outbox(Protocol):
    """Where records and dead letters go."""

    def send_record(self, destination_arn: str, record: dict[str, Any], event: QueuedEvent) -> None:
        """Send a record to a destination; one that does not take it is the sender's loss."""
        ...

    def send_dead_letter(self, target_arn: str, event: QueuedEvent, attributes: dict[str, str]) -> None:
        """Send the event itself to a dead-letter queue or topic."""
        ...


class EventQueue:
    """Runs asynchronous invocations on the cloud's clock."""

    def __init__(self, clock: Clock, functions: FunctionSide, outbox: Outbox) -> None:
        self._clock = clock
        self._functions = functions
        self._outbox = outbox
        self.on_dropped: Callable[[QueuedEvent, str], None] = lambda event, condition: None
        """Told of each event that was given up, with the condition; for metrics."""

    def put(
        self,
        function_arn: str,
        event: bytes,
        *,
        request_id: str,
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
    ) -> None:
        """Queue an event; its first attempt is made at once, in the background."""
        queued = QueuedEvent(
            function_arn, event or b"{}", request_id, self._clock.now(), trace_id, client_context, tenant_id
        )
        self._clock.work(lambda: self._attempt(queued), f"asynchronous invocation of {function_arn}")

    def _attempt(self, event: QueuedEvent) -> None:
        settings = self._functions.settings(event.function_arn)
        if self._clock.now() - event.queued_at > settings.maximum_event_age:
            self._give_up(event, settings, invocation_record.EVENT_AGE_EXCEEDED, None, 200, "Event age exceeded")
            return
        if settings.stops_loops and runs_of(event.unqualified_arn, event.trace_id) >= MOST_RUNS:
            message = "Lambda has detected your function being invoked in a recursive loop and stopped it."
            self._give_up(event, settings, invocation_record.RECURSION, None, 200, message)
            return
        try:
            result = self._functions.run(event)
        except NotRun as refusal:
            self._after_refusal(event, settings, refusal)
            return
        event.runs += 1
        if result.function_error:
            self._after_error(event, settings, result)
        else:
            self._send(event, settings.on_success, invocation_record.SUCCESS, result)

    def _after_error(self, event: QueuedEvent, settings: EventInvokeSettings, result: InvocationResult) -> None:
        message = _error_message(result)
        if event.runs > settings.maximum_retry_attempts:
            self._give_up(event, settings, invocation_record.RETRIES_EXHAUSTED, result, 200, message)
            return
        delay = RETRY_SECONDS[event.runs - 1]
        if self._clock.now() + delay - event.queued_at > settings.maximum_event_age:
            self._give_up(event, settings, invocation_record.EVENT_AGE_EXCEEDED, result, 200, message)
            return
        self._again(event, delay)

    def _after_refusal(self, event: QueuedEvent, settings: EventInvokeSettings, refusal: NotRun) -> None:
        if refusal.is_final:
            condition = (
                invocation_record.ZERO_CONCURRENCY if refusal.status == 429 else invocation_record.RETRIES_EXHAUSTED
            )
            self._give_up(event, settings, condition, None, refusal.status, refusal.message)
            return
        delay = min(2.0**event.refusals, LONGEST_BACKOFF_SECONDS)
        event.refusals += 1
        if self._clock.now() + delay - event.queued_at > settings.maximum_event_age:
            condition = invocation_record.EVENT_AGE_EXCEEDED
            self._give_up(event, settings, condition, None, refusal.status, refusal.message)
            return
        self._again(event, delay)

    def _again(self, event: QueuedEvent, delay: float) -> None:
        self._clock.after(delay, lambda: self._attempt(event), f"retry of {event.function_arn}")

    def _give_up(
        self,
        event: QueuedEvent,
        settings: EventInvokeSettings,
        condition: str,
        result: InvocationResult | None,
        status: int,
        message: str,
    ) -> None:
        self.on_dropped(event, condition)
        if settings.dead_letter_target:
            attributes = invocation_record.dead_letter_attributes(event.request_id, status, message)
            self._outbox.send_dead_letter(settings.dead_letter_target, event, attributes)
        self._send(event, settings.on_failure, condition, result)

    def _send(self, event: QueuedEvent, destination: str, condition: str, result: InvocationResult | None) -> None:
        if not destination:
            return
        record = invocation_record.invocation_record(
            event.function_arn,
            event.request_id,
            event.event,
            condition=condition,
            invoke_count=event.runs,
            result=result,
            now=self._clock.now(),
        )
        self._outbox.send_record(destination, record, event)


def _error_message(result: InvocationResult) -> str:
    try:
        document = json.loads(result.payload)
    except ValueError:
        return ""
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""
