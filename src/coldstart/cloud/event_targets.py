"""Hands an event to whatever an ARN names: a function, queue, topic, state machine, stream, log group, event bus or bucket.

S3's notifications, EventBridge's rules, EventBridge Scheduler and Lambda's destinations all deliver through here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.backends import get_backend
from moto.core.exceptions import ServiceException

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.policy_statements import allows, service_call
from coldstart.events.eventbridge_event import at_path
from coldstart.events.invoker import Invoker
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers


class TargetRefused(Exception):
    """The target did not take the event: it is not there, or does not let the sender in. Trying again would not help."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """As in the attribute ERROR_CODE of a dead-letter queue's message."""
        self.message = message


@dataclass(frozen=True)
class Delivery:
    """An event on its way to a target."""

    arn: str
    body: str
    principal: str = ""
    """The service that delivers, as in resource policies; empty when it does so with a role's permissions."""
    source_arn: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The target's own, as boto3 names them: ``{"SqsParameters": {"MessageGroupId": "a"}}``."""
    trace_id: str = ""

    @property
    def service(self) -> str:
        """The part of the ARN that names the service."""
        return self.arn.split(":")[2]

    @property
    def region(self) -> str:
        """The target's region."""
        return self.arn.split(":")[3]

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.split(":", 5)[5].rpartition("/")[2]


Sender = Callable[[Delivery], None]


class EventTargets:
    """Knows how to hand an event to every kind of target."""

    def __init__(self, invoker: Invoker, clock: Clock, identifiers: Identifiers, account_id: str) -> None:
        self._invoker = invoker
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._senders: dict[str, Sender] = {
            "lambda": self._invoke_function,
            "sqs": self._send_message,
            "sns": self._publish,
            "states": self._start_execution,
            "logs": self._put_log_event,
            "kinesis": self._put_record,
            "firehose": self._put_delivery_record,
            "s3": self._put_object,
        }

    def add(self, service: str, sender: Sender) -> None:
        """Let another service's ARNs be targets too."""
        self._senders[service] = sender

    def send(self, delivery: Delivery) -> None:
        """Hand the event over.

        Raises:
            TargetRefused: the target is not there, or does not let the sender in.
        """
        sender = self._senders.get(delivery.service)
        if sender is None:
            raise TargetRefused("SDK_CLIENT_ERROR", f"The local AWS has no targets of the kind {delivery.arn}.")
        try:
            sender(delivery)
        except (AwsError, ServiceException) as error:
            raise TargetRefused("SDK_CLIENT_ERROR", str(error)) from None

    def is_open(self, arn: str, principal: str, source_arn: str) -> bool:
        """Say whether a target is there and its resource policy lets the service in."""
        try:
            self._check(Delivery(arn, "", principal, source_arn))
        except TargetRefused:
            return False
        return True

    def _check(self, delivery: Delivery) -> None:
        if not delivery.principal:
            return
        if delivery.service == "lambda":
            action = "lambda:InvokeFunction"
            is_allowed = self._invoker.may_invoke(
                delivery.arn,
                delivery.principal,
                source_arn=delivery.source_arn,
                source_account=self._account_id,
            )
        else:
            if delivery.service == "sqs":
                action, policy = "sqs:SendMessage", self._queue(delivery)._policy_json
            else:
                action, policy = "sns:Publish", self._topic(delivery)._policy_json
            call = service_call(delivery.principal, action, delivery.arn, delivery.source_arn, self._account_id)
            is_allowed = allows(policy, call)
        if not is_allowed:
            raise TargetRefused(
                "NO_PERMISSIONS",
                f"{delivery.principal} is not authorized to perform: {action} on resource: {delivery.arn} "
                f"because no resource-based policy allows the {action} action",
            )

    def _invoke_function(self, delivery: Delivery) -> None:
        self._check(delivery)
        self._invoker.invoke_event(
            delivery.arn, delivery.body.encode(), region=delivery.region, trace_id=delivery.trace_id
        )

    def _queue(self, delivery: Delivery) -> Any:
        queue = get_backend("sqs")[self._account_id][delivery.region].queues.get(delivery.name)
        if queue is None:
            raise TargetRefused("NO_RESOURCE", "The specified queue does not exist.")
        return queue

    def _send_message(self, delivery: Delivery) -> None:
        queue = self._queue(delivery)
        self._check(delivery)
        group_id = delivery.parameters.get("SqsParameters", {}).get("MessageGroupId")
        if queue.fifo_queue and queue.attributes.get("ContentBasedDeduplication") != "true":
            raise TargetRefused(
                "SDK_CLIENT_ERROR",
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            )
        system_attributes = (
            {"AWSTraceHeader": {"DataType": "String", "StringValue": delivery.trace_id}} if delivery.trace_id else None
        )
        get_backend("sqs")[self._account_id][delivery.region].send_message(
            delivery.name,
            delivery.body,
            message_attributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in delivery.parameters.get("MessageAttributes", {}).items()
            },
            group_id=group_id,
            system_attributes=system_attributes,
        )

    def _topic(self, delivery: Delivery) -> Any:
        topic = get_backend("sns")[self._account_id][delivery.region].topics.get(delivery.arn)
        if topic is None:
            raise TargetRefused("NO_RESOURCE", "Topic does not exist")
        return topic

    def _publish(self, delivery: Delivery) -> None:
        self._topic(delivery)
        self._check(delivery)
        get_backend("sns")[self._account_id][delivery.region].publish(
            message=delivery.body,
            arn=delivery.arn,
            subject=delivery.parameters.get("Subject"),
            message_attributes={
                name: {"Type": "String", "Value": value}
                for name, value in delivery.parameters.get("MessageAttributes", {}).items()
            },
            group_id=delivery.parameters.get("SqsParameters", {}).get("MessageGroupId"),
        )

    def _start_execution(self, delivery: Delivery) -> None:
        from moto.stepfunctions import responses

        backend = responses.get_backend(self._account_id, delivery.region)
        backend.start_execution(delivery.arn, self._identifiers.uuid(), delivery.body)

    def _put_log_event(self, delivery: Delivery) -> None:
        group = delivery.arn.split(":log-group:")[-1].removesuffix(":*")
        backend = get_backend("logs")[self._account_id][delivery.region]
        if group not in backend.groups:
            raise TargetRefused("NO_RESOURCE", "The specified log group does not exist.")
        stream = self._identifiers.uuid()
        backend.create_log_stream(group, stream)
        backend.put_log_events(group, stream, [{"timestamp": self._clock.now_ms(), "message": delivery.body}])

    def _put_record(self, delivery: Delivery) -> None:
        parameters = delivery.parameters.get("KinesisParameters", {})
        key = parameters.get("PartitionKey") or self._identifiers.uuid()
        if path := parameters.get("PartitionKeyPath"):
            key = str(at_path(json.loads(delivery.body), path) or key)
        get_backend("kinesis")[self._account_id][delivery.region].put_record(
            delivery.arn, "", key, "", base64.b64encode(delivery.body.encode()).decode()
        )

    def _put_delivery_record(self, delivery: Delivery) -> None:
        get_backend("firehose")[self._account_id][delivery.region].put_record(
            delivery.name, {"Data": base64.b64encode(delivery.body.encode())}
        )

    def _put_object(self, delivery: Delivery) -> None:
        key = delivery.parameters.get("Key")
        if not key:
            raise TargetRefused("SDK_CLIENT_ERROR", f"{delivery.arn} needs the key of the object.")
        get_backend("s3")[self._account_id]["aws"].put_object(delivery.name, key, delivery.body.encode())
