"""moto's SQS queues as the queues of event source mappings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, sqs_backends

from coldstart.cloud.arrivals import arrivals
from coldstart.cloud.moto_patches import queue_messages
from coldstart.events.queue_mapping import QueueMessage


def find_queue(arn: str) -> Queue | None:
    """Return moto's queue with this ARN."""
    parts = arn.split(":")
    if len(parts) != 6:
        return None
    return sqs_backends[parts[4]][parts[3]].queues.get(parts[5])


class QueueSource:
    """Receives from and deletes in a queue, which may have been deleted meanwhile: it is empty then."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.region = arn.split(":")[3]

    def receive(self, count: int) -> list[QueueMessage]:
        """Return up to so many visible messages, and hide them for the queue's visibility timeout."""
        queue = find_queue(self.arn)
        if queue is None:
            return []
        visibility_timeout: int = queue.visibility_timeout  # type: ignore[attr-defined]
        return [_message(message) for message in queue_messages.receive(queue, count, visibility_timeout)]

    def delete(self, messages: Iterable[QueueMessage]) -> None:
        """Remove messages; those that are gone already do not matter."""
        self._with_each(messages, lambda queue, handle: queue.delete_message(handle))

    def release(self, messages: Iterable[QueueMessage]) -> None:
        """Make messages visible again at once."""

        def show(queue: Queue, handle: str) -> None:
            sqs_backends[queue.account_id][queue.region].change_message_visibility(queue.name, handle, 0)

        self._with_each(messages, show)

    def _with_each(self, messages: Iterable[QueueMessage], action: Callable[[Queue, str], object]) -> None:
        queue = find_queue(self.arn)
        if queue is None:
            return
        with arrivals.held_back():
            for message in messages:
                with contextlib.suppress(ReceiptHandleIsInvalid):
                    action(queue, message.receipt_handle)

    def next_visible_at(self) -> float | None:
        """Return when the next hidden message becomes visible (seconds since the epoch), if there is one."""
        queue = find_queue(self.arn)
        return queue_messages.messages_of(queue).next_visible_at() if queue is not None else None


def _message(message: Message) -> QueueMessage:
    return QueueMessage(
        message_id=message.id,
        receipt_handle=str(message.receipt_handle),
        body=message.body,
        md5_of_body=message.body_md5,
        attributes=_attributes(message),
        message_attributes=message.message_attributes,
        md5_of_message_attributes=message.attribute_md5 if message.message_attributes else "",
    )


def _attributes(message: Message) -> dict[str, str]:
    optional: dict[str, Any] = {
        "AWSTraceHeader": message.system_attributes.get("AWSTraceHeader", {}).get("StringValue"),
        "SequenceNumber": message.sequence_number,
        "MessageGroupId": message.group_id,
        "MessageDeduplicationId": message.deduplication_id,
        "DeadLetterQueueSourceArn": getattr(message, "dead_letter_source_arn", None),
    }
    return {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        **{name: str(value) for name, value in optional.items() if value},
    }
