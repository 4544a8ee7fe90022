"""SQS queues whose operations take the same time however many messages there are, in the order that SQS promises.

What it corrects in ``moto/sqs/models.py``:

- every send, receive and delete looks at all messages of the queue, so that a backlog costs its square;
- ``Queue.add_message`` runs Lambda functions itself, one message at a time, in the sender's request (line 577);
- FIFO queues: sequence numbers are random, and a message that was deleted may be sent again within the five minutes;
- messages past their retention period are counted, and end a receive;
- the trace header of the sender (``X-Amzn-Trace-Id``) does not become the message's ``AWSTraceHeader``, which is how Lambda
  recognises loops: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moto.core.utils import unix_time_millis
from moto.moto_api._internal import mock_random
from moto.sqs import models
from moto.sqs.constants import MAXIMUM_VISIBILITY_TIMEOUT
from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend
from moto.sqs.responses import SQSResponse

from coldstart.cloud.arrivals import arrivals

_FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000
_SEQUENCE_STEP = 256
_LONG_POLL_SECONDS = 1.0


class _Request(threading.local):
    """What is known of the request that this thread answers."""

    trace_header = ""


_request = _Request()


class QueueMessages:
    """The messages of one queue: which are visible, in which order, and when the others become so.

    Messages of a group of a FIFO queue are given out in order, and none while one of the group is being processed. A standard
    queue is one group that nobody waits for.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.lock = threading.RLock()
        self._positions = itertools.count()
        self._entries = itertools.count()
        self._sequence_numbers = itertools.count(_FIRST_SEQUENCE_NUMBER, _SEQUENCE_STEP)
        self._deduplicated: dict[tuple[str | None, str], float] = {}
        self.clear()

    def clear(self) -> None:
        """Forget all messages."""
        with self.lock:
            self._messages: dict[Message, int] = {}
            self._by_receipt: dict[str, Message] = {}
            self._hidden: dict[Message, float] = {}
            self._delayed: set[Message] = set()
            self._timetable: list[tuple[float, int, Message]] = []
            self._visible: dict[str | None, list[tuple[int, Message]]] = {}
            self._in_line: set[Message] = set()
            self._next_groups: list[tuple[int, str | None]] = []
            self._at_work: dict[str | None, set[Message]] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        with self.lock:
            return iter(list(self._messages))

    def visible(self) -> list[Message]:
        """Return the messages that are not hidden, oldest first."""
        with self.lock:
            self._update()
            return [message for message in self._messages if message not in self._hidden]

    def is_duplicate(self, message: Message) -> bool:
        """Say whether a FIFO queue took a message with this deduplication id in the last five minutes."""
        if not self._queue.fifo_queue or not message.deduplication_id:
            return False
        in_group = self._queue.deduplication_scope == "messageGroup"  # type: ignore[attr-defined]
        key = (message.group_id if in_group else None, message.deduplication_id)
        sent = unix_time_millis()
        with self.lock:
            before = self._deduplicated.get(key)
            if before is not None and sent - before < models.DEDUPLICATION_TIME_IN_SECONDS * 1000:
                return True
            self._deduplicated[key] = sent
        return False

    def append(self, message: Message) -> None:
        """Take a new message."""
        with self.lock:
            if self._queue.fifo_queue:
                message.sequence_number = str(next(self._sequence_numbers))
            self._messages[message] = next(self._positions)
            self._hide_or_show(message)

    def remove(self, message: Message) -> None:
        """Forget a message."""
        with self.lock:
            self._messages.pop(message, None)
            self._hidden.pop(message, None)
            self._delayed.discard(message)
            for handle in message.all_receipt_handles:
                self._by_receipt.pop(handle or "", None)
            self._work_ended(message)

    def with_receipt(self, handle: str) -> Message | None:
        """Return the message that was once received with this handle."""
        return self._by_receipt.get(handle)

    def receive(self, count: int, visibility_timeout: int) -> tuple[list[Message], list[Message]]:
        """Return up to so many visible messages, hidden from now on, and those that go to the dead-letter queue instead."""
        received: list[Message] = []
        dead: list[Message] = []
        redrive = self._queue.redrive_policy if self._queue.dead_letter_queue is not None else None
        with self.lock:
            self._update()
            while len(received) < count and (group := self._next_group()) is not _NONE:
                visible = self._visible[group]
                while visible and len(received) < count:
                    _, message = heapq.heappop(visible)
                    self._in_line.discard(message)
                    if message not in self._messages or message in self._hidden:
                        continue
                    if redrive and message.approximate_receive_count >= redrive["maxReceiveCount"]:
                        dead.append(message)
                        self.remove(message)
                        continue
                    message.mark_received(visibility_timeout=visibility_timeout)
                    self._by_receipt[str(message.receipt_handle)] = message
                    self._at_work.setdefault(group, set()).add(message)
                    received.append(message)
                if visible and not self._is_locked(group):
                    heapq.heappush(self._next_groups, (visible[0][0], group))
            together = max((message.visible_at for message in received), default=0.0)
            for message in received:
                message.visible_at = (
                    together  # moto looks at its clock for each, and a slow machine would split a batch
                )
                self._hide_or_show(message)
            return [copy.copy(message) for message in received], dead

    def change_visibility(self, message: Message, seconds: int) -> None:
        """Hide a message for so many seconds from now; 0 shows it."""
        with self.lock:
            message.change_visibility(seconds)
            self._hide_or_show(message)

    def counts(self) -> tuple[int, int, int]:
        """Return how many messages are visible, delayed since they were sent, and being processed."""
        with self.lock:
            self._update()
            hidden, delayed = len(self._hidden), len(self._delayed)
            return len(self._messages) - hidden, delayed, hidden - delayed

    def next_visible_at(self) -> float | None:
        """Return when the next hidden message becomes visible, in seconds since the epoch."""
        with self.lock:
            while self._timetable and self._hidden.get(self._timetable[0][2]) != self._timetable[0][0]:
                heapq.heappop(self._timetable)  # deleted, or hidden anew
            # a millisecond later: moto's time is cut to microseconds
            return self._timetable[0][0] / 1000 + 0.001 if self._timetable else None

    def _hide_or_show(self, message: Message) -> None:
        due = max(message.visible_at, message.delayed_until)
        if due <= unix_time_millis():
            self._show(message)
            return
        self._hidden[message] = due
        if message.approximate_receive_count == 0:
            self._delayed.add(message)
        heapq.heappush(self._timetable, (due, next(self._entries), message))

    def _show(self, message: Message) -> None:
        self._hidden.pop(message, None)
        self._delayed.discard(message)
        group = self._group_of(message)
        if message not in self._in_line:
            self._in_line.add(message)
            visible = self._visible.setdefault(group, [])
            heapq.heappush(visible, (self._messages[message], message))
            if visible[0][1] is message and not self._is_locked(group):
                heapq.heappush(self._next_groups, (self._messages[message], group))
        self._work_ended(message)

    def _group_of(self, message: Message) -> str | None:
        return message.group_id if self._queue.fifo_queue else None

    def _is_locked(self, group: str | None) -> bool:
        return self._queue.fifo_queue and bool(self._at_work.get(group))

    def _work_ended(self, message: Message) -> None:
        group = self._group_of(message)
        at_work = self._at_work.get(group)
        if at_work is None or message not in at_work:
            return
        at_work.discard(message)
        if not at_work:
            del self._at_work[group]
            if visible := self._visible.get(group):
                heapq.heappush(self._next_groups, (visible[0][0], group))

    def _next_group(self) -> Any:
        """Take the group whose first visible message has waited longest; ``_NONE`` when there is none."""
        while self._next_groups:
            position, group = heapq.heappop(self._next_groups)
            visible = self._visible.get(group)
            if visible and not self._is_locked(group) and visible[0][0] == position:
                return group
        return _NONE

    def _update(self) -> None:
        """Show the messages whose time has come, and drop those past their retention period."""
        now = unix_time_millis()
        while self._timetable and self._timetable[0][0] <= now:
            due, _, message = heapq.heappop(self._timetable)
            if self._hidden.get(message) == due:
                self._show(message)
        oldest = now - self._queue.message_retention_period * 1000  # type: ignore[attr-defined]
        for message in list(itertools.takewhile(lambda message: message.sent_timestamp <= oldest, self._messages)):
            self.remove(message)


_NONE = object()


def apply() -> None:
    """Replace the parts of moto's queues that deal with messages."""
    if isinstance(Queue.__dict__.get("_messages"), property):
        return
    replacements: list[tuple[type, str, object]] = [
        (Queue, "_messages", property(_messages_of, _replace_messages)),
        (Queue, "approximate_number_of_messages", _count(0)),
        (Queue, "approximate_number_of_messages_delayed", _count(1)),
        (Queue, "approximate_number_of_messages_not_visible", _count(2)),
        (Queue, "add_message", _add_message),
        (Queue, "delete_message", _delete_message),
        (SQSBackend, "receive_message", _receive_message),
        (SQSBackend, "change_message_visibility", _change_message_visibility),
        (SQSBackend, "send_message_batch", _arriving_together(SQSBackend.send_message_batch)),
        (SQSResponse, "send_message", _carrying_trace_header(SQSResponse.send_message)),
        (SQSResponse, "send_message_batch", _carrying_trace_header(SQSResponse.send_message_batch)),
    ]
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)


def messages_of(queue: Queue) -> QueueMessages:
    """Return the messages of one of moto's queues."""
    return queue.__dict__["_coldstart_messages"]


def receive(queue: Queue, count: int, visibility_timeout: int) -> list[Message]:
    """Receive messages at once, as copies; those that were received too often go to the dead-letter queue."""
    received, dead = messages_of(queue).receive(count, visibility_timeout)
    for message in dead:
        message.visible_at = 0.0
        message.dead_letter_source_arn = queue.queue_arn  # type: ignore[attr-defined]
        assert queue.dead_letter_queue is not None
        _take(queue.dead_letter_queue, message)
    return received


def move(source: Queue, destination_of: Callable[[str], Queue | None]) -> int:
    """Move the visible messages of a dead-letter queue, as new messages, and return how many.

    Args:
        source: the dead-letter queue.
        destination_of: takes the ARN of the queue that a message came from, empty when it came from none; returns where it
            goes, or None when it stays.
    """
    store, moved = messages_of(source), 0
    with arrivals.held_back():
        for message in store.visible():
            destination = destination_of(getattr(message, "dead_letter_source_arn", ""))
            if destination is None:
                continue
            store.remove(message)
            again = copy.copy(message)
            again.__dict__.pop("dead_letter_source_arn", None)
            again.id = str(mock_random.uuid4())
            again.approximate_receive_count, again.approximate_first_receive_timestamp = 0, None
            again.receipt_handle, again._old_receipt_handles, again.visible_at = None, [], 0.0
            again.mark_sent()
            _take(destination, again)
            moved += 1
    return moved


def _messages_of(queue: Queue) -> QueueMessages:
    return messages_of(queue)


def _replace_messages(queue: Queue, messages: Iterable[Message]) -> None:
    store = queue.__dict__.setdefault("_coldstart_messages", None) or QueueMessages(queue)
    queue.__dict__["_coldstart_messages"] = store
    store.clear()
    for message in messages:
        store.append(message)


def _count(index: int) -> property:
    return property(lambda queue: messages_of(queue).counts()[index])


def _add_message(queue: Queue, message: Message) -> None:
    if not messages_of(queue).is_duplicate(message):
        _take(queue, message)


def _take(queue: Queue, message: Message) -> None:
    header = _request.trace_header
    if header and "AWSTraceHeader" not in message.system_attributes:
        message.system_attributes["AWSTraceHeader"] = {"DataType": "String", "StringValue": header}
    messages_of(queue).append(message)
    with queue._messages_lock:
        queue._messages_lock.notify_all()
    arrivals.tell(queue.queue_arn)


def _delete_message(queue: Queue, receipt_handle: str) -> None:
    if receipt_handle in queue.deleted_messages:
        return
    message = messages_of(queue).with_receipt(receipt_handle)
    if message is None:
        raise ReceiptHandleIsInvalid()
    queue.deleted_messages.update(handle for handle in message.all_receipt_handles if handle)
    messages_of(queue).remove(message)
    if queue.fifo_queue:
        arrivals.tell(queue.queue_arn)  # others of its group may be received now


def _receive_message(
    backend: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    ends = time.monotonic() + int(wait_seconds_timeout or 0)
    while True:
        queue = backend.get_queue(queue_name)
        received = receive(queue, int(count), int(visibility_timeout))
        remaining = ends - time.monotonic()
        if received or remaining <= 0:
            break
        with queue._messages_lock:
            queue._messages_lock.wait(min(remaining, _LONG_POLL_SECONDS))
    for message in received:
        models._filter_message_attributes(message, message_attribute_names or [])
    return received


def _change_message_visibility(
    backend: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
) -> None:
    queue = backend.get_queue(queue_name)
    message = messages_of(queue).with_receipt(receipt_handle)
    if message is None:
        raise ReceiptHandleIsInvalid()
    until = unix_time_millis() + int(visibility_timeout) * 1000
    if until - message.sent_timestamp > MAXIMUM_VISIBILITY_TIMEOUT * 1000:  # type: ignore[operator]
        raise InvalidParameterValue(
            f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the "
            "message is beyond the limit [43200 seconds]"
        )
    messages_of(queue).change_visibility(message, int(visibility_timeout))
    arrivals.tell(queue.queue_arn)


def _carrying_trace_header(send: Any) -> Any:
    def carrying_trace_header(response: SQSResponse) -> Any:
        _request.trace_header = response.headers.get("X-Amzn-Trace-Id", "")
        try:
            return send(response)
        finally:
            _request.trace_header = ""

    return carrying_trace_header


def _arriving_together(send: Any) -> Any:
    """Tell of the messages of a batch when all of them are there."""

    def arriving_together(*args: Any, **kwargs: Any) -> Any:
        with arrivals.held_back():
            return send(*args, **kwargs)

    return arriving_together
