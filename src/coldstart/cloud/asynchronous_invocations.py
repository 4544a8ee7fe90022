"""Puts the queue of asynchronous invocations (:mod:`coldstart.events.event_queue`) between the Lambda service and its targets."""

from __future__ import annotations

from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.destinations import Destinations
from coldstart.cloud.event_invoke_configs import EventInvokeConfigApi
from coldstart.cloud.event_targets import TargetRefused
from coldstart.cloud.function_metrics import FunctionMetrics
from coldstart.cloud.lambda_service import LambdaService
from coldstart.events.event_queue import EventInvokeSettings, EventQueue, NotRun, QueuedEvent
from coldstart.events.invocation_record import RECURSION
from coldstart.runtime.clock import Clock
from coldstart.runtime.execution_environment import InvocationResult

_THROTTLED = 429
_GONE = (400, 403, 404)
"""What trying again does not mend: the function is gone, or cannot be invoked so."""
_RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"


class AsynchronousInvocations:
    """The event queue of one account."""

    def __init__(
        self,
        service: LambdaService,
        configs: EventInvokeConfigApi,
        destinations: Destinations,
        clock: Clock,
        metrics: FunctionMetrics,
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._configs = configs
        self._destinations = destinations
        self._clock = clock
        self.queue = EventQueue(clock, self, self)
        self.queue.on_dropped = self._dropped
        service.event_queue = self.queue

    def settings(self, function_arn: str) -> EventInvokeSettings:
        """Return how the function's asynchronous invocations are handled now."""
        return self._configs.settings(function_arn)

    def run(self, event: QueuedEvent) -> InvocationResult:
        """Run the function once.

        Raises:
            NotRun: it could not be run.
        """
        age_ms = (self._clock.now() - event.queued_at) * 1000
        self._metrics.count(event.function_arn, "AsyncEventAge", age_ms, "Milliseconds")
        try:
            return self._service.invoke(
                event.function_arn,
                event.event,
                request_id=event.request_id,
                trace_id=event.trace_id,
                client_context=event.client_context,
                tenant_id=event.tenant_id,
                queued_at=event.queued_at,
            )
        except AwsError as error:
            reason = str(error.details.get("Reason", ""))
            is_final = error.status in _GONE or (
                reason == _RESERVED and self._service.has_no_concurrency(event.function_arn)
            )
            raise NotRun(error.status, error.message, reason, is_final=is_final) from None

    def send_record(self, destination_arn: str, record: dict[str, Any], event: QueuedEvent) -> None:
        """Send a record to a destination. One that is not there or does not take it loses it, as on AWS."""
        folder = f"async/{event.function_arn.split(':')[6]}"
        try:
            self._destinations.send_record(
                destination_arn, record, event.function_arn, folder=folder, trace_id=event.trace_id
            )
        except TargetRefused:
            self._metrics.count(event.function_arn, "DestinationDeliveryFailures")

    def send_dead_letter(self, target_arn: str, event: QueuedEvent, attributes: dict[str, str]) -> None:
        """Send the event itself to a dead-letter queue or topic."""
        try:
            self._destinations.send_dead_letter(target_arn, event.event, attributes, event.function_arn, event.trace_id)
        except TargetRefused:
            self._metrics.count(event.function_arn, "DeadLetterErrors")

    def _dropped(self, event: QueuedEvent, condition: str) -> None:
        self._metrics.count(event.function_arn, "AsyncEventsDropped")
        if condition == RECURSION:
            self._metrics.count(event.function_arn, "RecursiveInvocationsDropped")
