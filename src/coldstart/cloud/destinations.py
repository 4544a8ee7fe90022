"""Sends Lambda's records to destinations: about asynchronous invocations, and about batches that a mapping has given up.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html and
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html. Lambda sends with the permissions of the
function's execution role.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from coldstart.cloud.event_targets import Delivery, EventTargets, TargetRefused
from coldstart.events.eventbridge_event import envelope
from coldstart.events.invocation_record import detail_type
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

FunctionMay = Callable[[str, str, str], bool]
"""Takes a function's ARN, an action and a resource; says whether the function's role may do that."""

_ACTIONS = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "s3": "s3:PutObject",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}


class Destinations:
    """The queues, topics, functions, event buses and buckets to which functions send records."""

    def __init__(
        self,
        targets: EventTargets,
        function_may: FunctionMay,
        clock: Clock,
        identifiers: Identifiers,
        account_id: str,
    ) -> None:
        self._targets = targets
        self._function_may = function_may
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id

    def send_record(
        self, arn: str, record: dict[str, Any], function_arn: str, *, folder: str, trace_id: str = ""
    ) -> None:
        """Send a record.

        Args:
            arn: of the destination.
            record: the document that AWS sends.
            function_arn: of the function whose role has to be allowed to.
            folder: where in a bucket the record is put: ``async/`` and the function's name, or mapping and shard.
            trace_id: of the invocation.

        Raises:
            TargetRefused: the destination is not there, or the role may not send to it.
        """
        kind = arn.split(":")[2]
        parameters: dict[str, Any] = {}
        if kind == "events":
            parameters["Event"] = self._event(record, arn)
        elif kind == "s3":
            when = time.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S", time.gmtime(self._clock.now()))
            parameters["Key"] = f"aws/lambda/{folder}/{when}-{self._identifiers.uuid()}"
        self._send(Delivery(arn, json.dumps(record), parameters=parameters, trace_id=trace_id), function_arn)

    def send_dead_letter(
        self, arn: str, event: bytes, attributes: Mapping[str, str], function_arn: str, trace_id: str
    ) -> None:
        """Send an event itself to a dead-letter queue or topic.

        Raises:
            TargetRefused: as for a record.
        """
        parameters = {"MessageAttributes": attributes}
        self._send(Delivery(arn, event.decode(), parameters=parameters, trace_id=trace_id), function_arn)

    def _send(self, delivery: Delivery, function_arn: str) -> None:
        key = delivery.parameters.get("Key")
        action, resource = _ACTIONS[delivery.service], f"{delivery.arn}/{key}" if key else delivery.arn
        if not self._function_may(function_arn, action, resource):
            raise TargetRefused("NO_PERMISSIONS", f"The execution role does not allow {action} on {resource}.")
        self._targets.send(delivery)

    def _event(self, record: dict[str, Any], bus_arn: str) -> dict[str, Any]:
        return envelope(
            event_id=self._identifiers.uuid(),
            source="lambda",
            detail_type=detail_type(record),
            account=self._account_id,
            seconds=self._clock.now(),
            region=bus_arn.split(":")[3],
            detail=record,
            resources=[bus_arn, record["requestContext"]["functionArn"]],
        )
