"""An event source mapping from an SQS queue: it collects batches, invokes the function, deletes what succeeded.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html. Nothing polls: the queue says that messages have arrived, and a timer
on the cloud's clock says when hidden ones become visible or a batching window ends. What the function did not process stays
hidden until its visibility timeout ends, and then comes back; the queue itself moves it to a dead-letter queue.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from coldstart.events.batch_response import MAX_BATCH_BYTES, failed_items
from coldstart.events.event_filter import RecordFilter
from coldstart.events.mapping_target import Measure, Target
from coldstart.runtime.clock import Clock, Timer

DEFAULT_CONCURRENCY = 5
"""Batches at a time without MaximumConcurrency. Lambda starts with as many and then adds up to 300 a minute; here they stay
five, for the learner's machine."""
THROTTLED_SECONDS = 10.0
"""For how long nobody new begins after the function was throttled, so that the queue is not emptied in vain."""


@dataclass(frozen=True)
class QueueMessage:
    """A message that was received from a queue and is now hidden from others."""

    message_id: str
    receipt_handle: str
    body: str
    md5_of_body: str
    attributes: dict[str, str]
    """System attributes such as ``ApproximateReceiveCount``, by SQS's names; times in milliseconds."""
    message_attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The sender's attributes as SQS returns them: ``DataType``, and ``StringValue`` or ``BinaryValue`` (bytes)."""
    md5_of_message_attributes: str = ""

    def record(self, queue_arn: str, region: str) -> dict[str, Any]:
        """Return the message as the function sees it."""
        record: dict[str, Any] = {
            "messageId": self.message_id,
            "receiptHandle": self.receipt_handle,
            "body": self.body,
            "attributes": self.attributes,
            "messageAttributes": {name: _attribute(value) for name, value in self.message_attributes.items()},
            "md5OfBody": self.md5_of_body,
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        }
        if self.md5_of_message_attributes:
            record["md5OfMessageAttributes"] = self.md5_of_message_attributes
        return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {}
    if value.get("StringValue") is not None:
        attribute["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        binary = value["BinaryValue"]
        attribute["binaryValue"] = base64.b64encode(binary).decode() if isinstance(binary, bytes) else binary
    return {**attribute, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


class Queue(Protocol):
    """A queue that a mapping reads. All methods may be called from any thread."""

    arn: str
    region: str

    def receive(self, count: int) -> list[QueueMessage]:
        """Return up to so many visible messages, and hide them for the queue's visibility timeout."""
        ...

    def delete(self, messages: Iterable[QueueMessage]) -> None:
        """Remove messages; those that are gone already do not matter."""
        ...

    def release(self, messages: Iterable[QueueMessage]) -> None:
        """Make messages visible again at once."""
        ...

    def next_visible_at(self) -> float | None:
        """Return when the next hidden message becomes visible (seconds since the epoch), if there is one."""
        ...


@dataclass(frozen=True)
class QueueMappingSettings:
    """How a mapping reads its queue; times in seconds."""

    batch_size: int = 10
    batching_window: float = 0
    maximum_concurrency: int | None = None
    reports_batch_item_failures: bool = False
    record_filter: RecordFilter = field(default_factory=lambda: RecordFilter([]))


@dataclass
class _Batch:
    messages: list[QueueMessage] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    """The messages as JSON."""
    size: int = 0
    """Bytes of the records."""
    ends_at: float = 0.0
    """When the batching window ends."""

    def add(self, message: QueueMessage, record: str) -> None:
        self.messages.append(message)
        self.records.append(record)
        self.size += len(record)


class QueueMapping:
    """Reads a queue from :meth:`start` to :meth:`stop`.

    Args:
        queue: where the messages are.
        target: the function.
        clock: the cloud's.
        settings: may be replaced while the mapping runs.
        measure: told the counts of messages.
    """

    def __init__(
        self, queue: Queue, target: Target, clock: Clock, settings: QueueMappingSettings, measure: Measure
    ) -> None:
        self.settings = settings
        self._queue = queue
        self._target = target
        self._clock = clock
        self._measure = measure
        self._lock = threading.Lock()
        self._collecting = threading.Lock()
        self._batch = _Batch()
        """What is being collected."""
        self._is_running = False
        self._workers = 0
        self._something_arrived = False
        self._throttled_until = 0.0
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin with what the queue holds already."""
        self._is_running = True
        self.arrived()

    def stop(self) -> None:
        """Begin no more batches; those at work come to their end. What was being collected goes back to the queue."""
        self._is_running = False
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
        with self._collecting:
            batch, self._batch = self._batch, _Batch()
        self._queue.release(batch.messages)

    def arrived(self) -> None:
        """Take note that messages may have become visible. Returns at once."""
        limit = self.settings.maximum_concurrency or DEFAULT_CONCURRENCY
        with self._lock:
            if not self._is_running or self._something_arrived:
                return
            self._something_arrived = True
            if self._workers and (self._workers >= limit or self._clock.now() < self._throttled_until):
                return  # whoever of them is done first looks again
            self._workers += 1
        self._clock.work(self._work, f"event source mapping of {self._queue.arn}")

    def _work(self) -> None:
        """Process batches as long as there are any."""
        try:
            while self._goes_on():
                while batch := self._next_batch():
                    self._process(batch)
        finally:
            with self._lock:
                self._workers -= 1
        self._look_again()

    def _goes_on(self) -> bool:
        with self._lock:
            return self._something_arrived and self._is_running and self._clock.now() >= self._throttled_until

    def _next_batch(self) -> _Batch | None:
        """Return a batch that is due to be processed."""
        with self._collecting:
            if not self._is_running or self._clock.now() < self._throttled_until:
                return None
            with self._lock:
                self._something_arrived = False
            is_full = self._collect()
            batch = self._batch
            if not batch.messages or not (is_full or batch.ends_at <= self._clock.now()):
                return None
            self._batch = _Batch()
        if is_full:
            self.arrived()  # there may be more, for another worker
        return batch

    def _collect(self) -> bool:
        """Receive until the batch is full, or the queue shows no more."""
        settings = self.settings
        batch = self._batch
        waiting = {message.message_id: index for index, message in enumerate(batch.messages)}
        while len(batch.messages) < settings.batch_size:
            received = self._queue.receive(settings.batch_size - len(batch.messages))
            if not received:
                return False
            self._measure("PolledEventCount", len(received))
            refused = []
            for position, message in enumerate(received):
                record = message.record(self._queue.arn, self._queue.region)
                if not settings.record_filter.accepts(record):
                    refused.append(message)
                    continue
                text = json.dumps(record)
                if message.message_id in waiting:  # it waited for longer than its visibility timeout
                    index = waiting[message.message_id]
                    batch.messages[index], batch.records[index] = message, text
                    continue
                if batch.messages and batch.size + len(text) + 2 * len(batch.records) + 100 > MAX_BATCH_BYTES:
                    self._discard(refused)
                    self._queue.release(received[position:])
                    return True
                if not batch.messages:
                    batch.ends_at = self._clock.now() + settings.batching_window
                waiting[message.message_id] = len(batch.messages)
                batch.add(message, text)
            self._discard(refused)
        return True

    def _discard(self, refused: list[QueueMessage]) -> None:
        if refused:
            self._queue.delete(refused)
            self._measure("FilteredOutEventCount", len(refused))
            self._measure("DeletedEventCount", len(refused))

    def _process(self, batch: _Batch) -> None:
        event = ('{"Records": [' + ", ".join(batch.records) + "]}").encode()
        headers = (message.attributes.get("AWSTraceHeader", "") for message in batch.messages)
        trace_id = next(filter(None, headers), "")
        try:
            result = self._target(event, trace_id)
        except Exception:  # not run at all; the messages come back
            self._throttled_until = self._clock.now() + THROTTLED_SECONDS
            self._measure("FailedInvokeEventCount", len(batch.messages))
            return
        self._measure("InvokedEventCount", len(batch.messages))
        failed: set[str] | None = set()
        if result.function_error:
            failed = None
        elif self.settings.reports_batch_item_failures:
            failed = failed_items(result.payload, {message.message_id for message in batch.messages})
        if failed is None:
            self._measure("FailedInvokeEventCount", len(batch.messages))
            return
        done = [message for message in batch.messages if message.message_id not in failed]
        self._queue.delete(done)
        self._measure("DeletedEventCount", len(done))
        if failed:
            self._measure("FailedInvokeEventCount", len(failed))

    def _look_again(self) -> None:
        """Wake up at once when something has arrived meanwhile, else when a window ends or hidden messages become visible."""
        with self._collecting:
            times = [self._queue.next_visible_at(), self._batch.ends_at if self._batch.messages else None]
            with self._lock:
                if self._something_arrived:
                    times.append(self._throttled_until)
                due = min((time for time in times if time is not None), default=None)
                if self._timer is not None:
                    self._timer.cancel()
                if due is not None and self._is_running:
                    due = max(due, self._throttled_until)
                    self._timer = self._clock.at(due, self._wake, f"event source mapping of {self._queue.arn}")

    def _wake(self) -> None:
        with self._lock:
            self._something_arrived = False
        self.arrived()
