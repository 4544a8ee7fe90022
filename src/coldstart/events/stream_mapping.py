"""An event source mapping from a stream: it reads each shard in order, batch by batch, and holds on to what fails.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html. A
shard is read by as many lanes as the parallelization factor says, each for its share of the partition keys; a lane goes on only
when its batch has succeeded or is given up. Nothing polls: the stream says that records have arrived, timers on the cloud's clock
do what is left for later.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from coldstart.events.batch_response import MAX_BATCH_BYTES, failed_items
from coldstart.events.event_filter import RecordFilter
from coldstart.events.event_time import with_milliseconds, with_seconds
from coldstart.events.mapping_target import FUNCTION_FAILED, NO_RECORDS, OK, Measure, Target
from coldstart.runtime.clock import Clock, Timer
from coldstart.runtime.execution_environment import InvocationResult

RETRY_SECONDS = 1.0
"""Before the first retry; each further one waits twice as long. AWS does not say how long it waits."""
MAX_RETRY_SECONDS = 60.0
MAX_STATE_BYTES = 1_048_576
"""1 MB, the limit of the state of a tumbling window."""

_READ_AT_ONCE = 1000


@dataclass(frozen=True)
class StreamRecord:
    """A record of a shard."""

    sequence_number: str
    partition_key: str
    arrived_at: float
    """Seconds since the epoch."""
    record: dict[str, Any]
    """What the function sees."""


class Shard(Protocol):
    """A part of a stream, in which records stand in order."""

    id: str
    parents: Sequence[str]
    """The shards that it continues: they come first."""

    def is_closed(self) -> bool:
        """Say whether no more records will come."""
        ...

    def latest(self) -> str | None:
        """Return the sequence number of the last record."""
        ...

    def latest_before(self, time: float) -> str | None:
        """Return the sequence number of the last record that arrived before a time (seconds since the epoch)."""
        ...

    def records_after(self, sequence_number: str | None, limit: int) -> list[StreamRecord]:
        """Return up to so many records after a sequence number, or the first ones there are."""
        ...


class Stream(Protocol):
    """A stream that a mapping reads. All methods may be called from any thread."""

    arn: str
    batch_info: str
    """The name of the block about a batch in AWS's failure records."""
    shows_milliseconds: bool
    """Whether that block gives times with milliseconds."""

    def shards(self) -> list[Shard]:
        """Return the shards, parents before children."""
        ...

    def retention_seconds(self) -> float:
        """Return how long a record stays in the stream."""
        ...


@dataclass(frozen=True)
class StreamMappingSettings:
    """How a mapping reads its stream; times in seconds, -1 for no limit."""

    batch_size: int = 100
    batching_window: float = 0
    parallelization_factor: int = 1
    maximum_retry_attempts: int = -1
    maximum_record_age: float = -1
    bisects_batch: bool = False
    reports_batch_item_failures: bool = False
    tumbling_window: int = 0
    record_filter: RecordFilter = field(default_factory=lambda: RecordFilter([]))


@dataclass(frozen=True)
class DiscardedBatch:
    """Records that the mapping has given up, for the destination on failure."""

    condition: str
    """``RetryAttemptsExhausted`` or ``RecordAgeExceeded``."""
    shard_id: str
    records: Sequence[StreamRecord]
    event: bytes
    """The event that the function got or would have got."""
    invocations: int
    result: InvocationResult | None
    """Of the last invocation, if there was one."""

    def document(self, stream: Stream, function_arn: str, request_id: str, now: float) -> dict[str, Any]:
        """Return what AWS sends: https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html.

        Args:
            stream: where the records are.
            function_arn: of the mapping.
            request_id: for a batch that was never tried.
            now: the cloud's time in seconds since the epoch.
        """
        document: dict[str, Any] = {
            "requestContext": {
                "requestId": self.result.request_id if self.result else request_id,
                "functionArn": function_arn,
                "condition": self.condition,
                "approximateInvokeCount": self.invocations,
            },
        }
        if self.result is not None:
            document["responseContext"] = {"statusCode": 200, "executedVersion": self.result.executed_version}
            if self.result.function_error:
                document["responseContext"]["functionError"] = self.result.function_error
        first, last = self.records[0], self.records[-1]
        arrival_time = with_milliseconds if stream.shows_milliseconds else with_seconds
        document |= {
            "version": "1.0",
            "timestamp": with_milliseconds(now),
            stream.batch_info: {
                "shardId": self.shard_id,
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "approximateArrivalOfFirstRecord": arrival_time(first.arrived_at),
                "approximateArrivalOfLastRecord": arrival_time(last.arrived_at),
                "batchSize": len(self.records),
                "streamArn": stream.arn,
            },
        }
        return document


@dataclass
class _Batch:
    records: list[StreamRecord] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """The records as JSON."""
    size: int = 0
    ends_at: float = 0.0
    """When the batching window ends."""
    window_start: float | None = None
    """Of the tumbling window that the records belong to."""
    closes_window: bool = False
    """It is the window's final invocation."""
    attempts: int = 0
    """Failures that count as retries."""
    invocations: int = 0
    throttles: int = 0
    result: InvocationResult | None = None

    def add(self, record: StreamRecord, text: str) -> None:
        self.records.append(record)
        self.texts.append(text)
        self.size += len(text) + 2

    def part(self, start: int, end: int | None = None) -> _Batch:
        """Return some of the records as a batch with the same past."""
        return _Batch(
            self.records[start:end],
            self.texts[start:end],
            window_start=self.window_start,
            attempts=self.attempts,
            invocations=self.invocations,
            result=self.result,
        )


@dataclass
class _Window:
    start: float
    state: dict[str, Any] = field(default_factory=dict)
    ended_early: bool = False


@dataclass(eq=False)
class _Lane:
    shard: Shard
    index: int
    position: str | None
    """The last record that was read."""
    checkpoint: str | None
    """The last record that is done with; all before it are, too."""
    batch: _Batch = field(default_factory=_Batch)
    """What is being collected."""
    to_do: deque[_Batch] = field(default_factory=deque)
    """What has to be done before anything new is read, in order."""
    due: float = 0.0
    """When the first of these may be tried."""
    window: _Window | None = None
    is_at_work: bool = False
    something_arrived: bool = False
    is_finished: bool = False
    timer: Timer | None = None


class StreamMapping:
    """Reads a stream from :meth:`start` to :meth:`stop`, and after another start from where it was.

    Args:
        stream: where the records are.
        target: the function.
        clock: the cloud's.
        settings: how to read.
        position: ``TRIM_HORIZON``, ``LATEST`` or ``AT_TIMESTAMP``; counts for the shards that there are now.
        timestamp: for ``AT_TIMESTAMP``, in seconds since the epoch.
        discard: takes the batches that are given up.
        measure: told the counts of records and the iterator's age.
    """

    def __init__(
        self,
        stream: Stream,
        target: Target,
        clock: Clock,
        settings: StreamMappingSettings,
        *,
        position: str,
        timestamp: float = 0.0,
        discard: Callable[[DiscardedBatch], None],
        measure: Measure,
    ) -> None:
        self.last_result = NO_RECORDS
        """``LastProcessingResult``."""
        self._settings = settings
        self._stream = stream
        self._target = target
        self._clock = clock
        self._discard = discard
        self._measure = measure
        self._lock = threading.Lock()
        self._is_running = False
        self._lanes: dict[str, list[_Lane]] = {}
        self._positions: dict[str, str | None] = {}
        for shard in stream.shards():
            if position == "LATEST":
                self._positions[shard.id] = shard.latest()
            elif position == "AT_TIMESTAMP":
                self._positions[shard.id] = shard.latest_before(timestamp)

    @property
    def settings(self) -> StreamMappingSettings:
        """How the stream is read.

        Another parallelization factor makes the lanes of a shard begin anew after the last record that all are done with.
        """
        return self._settings

    @settings.setter
    def settings(self, settings: StreamMappingSettings) -> None:
        with self._lock:
            if settings.parallelization_factor != self._settings.parallelization_factor:
                for shard_id, lanes in list(self._lanes.items()):
                    if not all(lane.is_finished for lane in lanes):
                        self._positions[shard_id] = min((lane.checkpoint for lane in lanes), key=_order)
                        del self._lanes[shard_id]
                    for lane in lanes:
                        lane.is_finished = True
            self._settings = settings
        self.arrived()

    def start(self) -> None:
        """Begin, or go on."""
        self._is_running = True
        self.arrived()

    def stop(self) -> None:
        """Begin no more batches; those at work come to their end."""
        with self._lock:
            self._is_running = False
            for lane in self._all_lanes():
                if lane.timer is not None:
                    lane.timer.cancel()

    def arrived(self) -> None:
        """Take note that there may be records. Returns at once."""
        with self._lock:
            if not self._is_running:
                return
            self._open_lanes()
            lanes = [lane for lane in self._all_lanes() if not lane.is_finished and self._has_something(lane)]
        for lane in lanes:
            self._wake(lane)

    def _all_lanes(self) -> list[_Lane]:
        return [lane for lanes in self._lanes.values() for lane in lanes]

    def _open_lanes(self) -> None:
        """Begin with the shards whose parents are done with."""
        shards = self._stream.shards()
        known = {shard.id for shard in shards}
        for shard in shards:
            if shard.id in self._lanes or any(
                parent in known and not self._is_done_with(parent) for parent in shard.parents
            ):
                continue
            position = self._positions.get(shard.id)
            self._lanes[shard.id] = [
                _Lane(shard, index, position, position) for index in range(self._settings.parallelization_factor)
            ]

    def _is_done_with(self, shard_id: str) -> bool:
        lanes = self._lanes.get(shard_id)
        return lanes is not None and all(lane.is_finished for lane in lanes)

    def _has_something(self, lane: _Lane) -> bool:
        return bool(
            lane.to_do
            or lane.batch.records
            or lane.window
            or lane.shard.is_closed()
            or lane.shard.latest() != lane.position
        )

    def _wake(self, lane: _Lane) -> None:
        with self._lock:
            if not self._is_running:
                return
            lane.something_arrived = True
            if lane.is_at_work:
                return
            lane.is_at_work = True
        self._clock.work(lambda: self._work(lane), f"event source mapping of {self._stream.arn}")

    def _work(self, lane: _Lane) -> None:
        """Process batches as long as there are any; nobody else works on the lane meanwhile."""
        try:
            while True:
                with self._lock:
                    lane.something_arrived = False
                batch = self._next_batch(lane)
                if batch is not None:
                    self._process(lane, batch)
                    continue
                with self._lock:
                    if lane.something_arrived and self._is_running:
                        continue
                    lane.is_at_work = False
                    self._look_again_later(lane)
                    break
        except BaseException:
            lane.is_at_work = False
            raise
        if lane.is_finished:
            self.arrived()  # the shard's children are next

    def _look_again_later(self, lane: _Lane) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
        if lane.to_do:
            due: float | None = lane.due
        else:
            ends = [lane.batch.ends_at] if lane.batch.records else []
            if lane.window is not None:
                ends.append(lane.window.start + self._settings.tumbling_window)
            due = min(ends, default=None)
        if due is not None and self._is_running:
            lane.timer = self._clock.at(due, lambda: self._wake(lane), f"event source mapping of {self._stream.arn}")

    def _next_batch(self, lane: _Lane) -> _Batch | None:
        """Return the first batch that is due; it stays the first to do until it is done with."""
        if not self._is_running or lane.is_finished:
            return None
        now = self._clock.now()
        if not lane.to_do:
            is_full = self._collect(lane)
            batch = lane.batch
            if lane.window is not None and self._is_over(lane, lane.window, now):
                lane.to_do.append(_Batch(window_start=lane.window.start, closes_window=True))
            elif batch.records and (is_full or batch.ends_at <= now or lane.shard.is_closed()):
                lane.batch = _Batch()
                if lane.window is None and batch.window_start is not None:
                    lane.window = _Window(batch.window_start)
                lane.to_do.append(batch)
            elif not batch.records and lane.shard.is_closed() and not lane.shard.records_after(lane.position, 1):
                lane.is_finished = True
            lane.due = 0.0
        return lane.to_do[0] if lane.to_do and lane.due <= now else None

    def _is_over(self, lane: _Lane, window: _Window, now: float) -> bool:
        """Say whether a tumbling window is complete: no more records can belong to it, or its state has become too large."""
        if window.ended_early:
            return True
        if lane.batch.records:
            return lane.batch.window_start != window.start
        return now >= window.start + self._settings.tumbling_window or lane.shard.is_closed()

    def _collect(self, lane: _Lane) -> bool:
        """Read on until the batch is full, or there is no more."""
        settings, batch = self._settings, lane.batch
        while True:
            records = lane.shard.records_after(lane.position, min(settings.batch_size, _READ_AT_ONCE))
            for record in records:
                if not self._is_for(lane, record):
                    lane.position = record.sequence_number
                    continue
                if not settings.record_filter.accepts(record.record):
                    self._measure("PolledEventCount", 1)
                    self._measure("FilteredOutEventCount", 1)
                    lane.position = record.sequence_number
                    continue
                window_start = None
                if settings.tumbling_window:
                    window_start = record.arrived_at // settings.tumbling_window * settings.tumbling_window
                text = json.dumps(record.record)
                if batch.records and (
                    window_start != batch.window_start or batch.size + len(text) + 100 > MAX_BATCH_BYTES
                ):
                    return True
                if not batch.records:
                    batch.window_start = window_start
                    batch.ends_at = self._clock.now() + settings.batching_window
                    if window_start is not None:
                        batch.ends_at = min(batch.ends_at, window_start + settings.tumbling_window)
                self._measure("PolledEventCount", 1)
                batch.add(record, text)
                lane.position = record.sequence_number
                if len(batch.records) >= settings.batch_size:
                    return True
            if not batch.records and not lane.to_do:
                lane.checkpoint = lane.position
            if not records:
                return False

    def _is_for(self, lane: _Lane, record: StreamRecord) -> bool:
        factor = self._settings.parallelization_factor
        return factor == 1 or zlib.crc32(record.partition_key.encode()) % factor == lane.index

    def _process(self, lane: _Lane, batch: _Batch) -> None:
        """Try the first batch to do once."""
        if self._drop_expired(lane, batch):
            return
        event = self._event(lane, batch)
        now = self._clock.now()
        if batch.records:
            self._measure("IteratorAge", max(0.0, now - batch.records[-1].arrived_at) * 1000)
        try:
            result = self._target(event, "")
        except Exception as error:  # not run at all: this does not count as a retry
            batch.throttles += 1
            self.last_result = f"PROBLEM: {error}"
            self._measure("FailedInvokeEventCount", len(batch.records))
            lane.due = now + _backoff(batch.throttles)
            return
        batch.invocations += 1
        batch.result = result
        self._measure("InvokedEventCount", len(batch.records))
        done = self._records_done(lane, batch, result)
        if done == len(batch.records) and done is not None:
            self.last_result = OK
            self._done(lane, batch)
            return
        self.last_result = FUNCTION_FAILED
        self._measure("FailedInvokeEventCount", len(batch.records) - (done or 0))
        if done:
            lane.checkpoint = batch.records[done - 1].sequence_number
            batch = lane.to_do[0] = batch.part(done)
        elif done is None and self._settings.bisects_batch and len(batch.records) > 1:
            middle = len(batch.records) // 2  # splitting does not count as a retry
            lane.to_do.popleft()
            lane.to_do.extendleft([batch.part(middle), batch.part(0, middle)])
            return
        batch.attempts += 1
        if 0 <= self._settings.maximum_retry_attempts < batch.attempts:
            if batch.records:
                self._give_up(lane, batch, "RetryAttemptsExhausted")
            self._done(lane, batch)
        else:
            lane.due = self._clock.now() + _backoff(batch.attempts)

    def _records_done(self, lane: _Lane, batch: _Batch, result: InvocationResult) -> int | None:
        """Return how many records from the first on the function is done with; None when it failed as a whole."""
        if result.function_error or (lane.window is not None and not self._keep_state(lane, batch, result)):
            return None
        if not self._settings.reports_batch_item_failures:
            return len(batch.records)
        positions = {record.sequence_number: index for index, record in enumerate(batch.records)}
        failed = failed_items(result.payload, positions)
        if failed is None:
            return None
        return min((positions[identifier] for identifier in failed), default=len(batch.records))

    def _keep_state(self, lane: _Lane, batch: _Batch, result: InvocationResult) -> bool:
        """Keep the state that a function returns for its tumbling window; without one, the invocation has failed."""
        assert lane.window is not None
        try:
            response = json.loads(result.payload or b"null")
        except ValueError:
            return batch.closes_window
        state = response.get("state") if isinstance(response, dict) else None
        if state is None:
            return batch.closes_window
        lane.window.state = state
        lane.window.ended_early = len(json.dumps(state)) > MAX_STATE_BYTES
        return True

    def _done(self, lane: _Lane, batch: _Batch) -> None:
        if lane.to_do and lane.to_do[0] is batch:
            lane.to_do.popleft()
        lane.due = 0.0
        if batch.records:
            lane.checkpoint = batch.records[-1].sequence_number
        if batch.closes_window:
            lane.window = None

    def _drop_expired(self, lane: _Lane, batch: _Batch) -> bool:
        """Give up the records that have become too old; say whether that was all of the batch."""
        limit = self._stream.retention_seconds()
        if self._settings.maximum_record_age >= 0:
            limit = min(limit, self._settings.maximum_record_age)
        oldest = self._clock.now() - limit
        expired = sum(1 for record in batch.records if record.arrived_at < oldest)
        if not expired:
            return False
        self._give_up(lane, batch.part(0, expired), "RecordAgeExceeded")
        if expired == len(batch.records):
            self._done(lane, batch)
            return True
        lane.checkpoint = batch.records[expired - 1].sequence_number
        del batch.records[:expired], batch.texts[:expired]
        return False

    def _give_up(self, lane: _Lane, batch: _Batch, condition: str) -> None:
        self._measure("DroppedEventCount", len(batch.records))
        event = self._event(lane, batch)
        self._discard(DiscardedBatch(condition, lane.shard.id, batch.records, event, batch.invocations, batch.result))

    def _event(self, lane: _Lane, batch: _Batch) -> bytes:
        records = '"Records": [' + ", ".join(batch.texts) + "]"
        if lane.window is None:
            return f"{{{records}}}".encode()
        more = {
            "window": {
                "start": with_seconds(lane.window.start),
                "end": with_seconds(lane.window.start + self._settings.tumbling_window),
            },
            "state": lane.window.state,
            "shardId": lane.shard.id,
            "eventSourceARN": self._stream.arn,
            "isFinalInvokeForWindow": batch.closes_window,
            "isWindowTerminatedEarly": batch.closes_window and lane.window.ended_early,
        }
        return f"{{{records}, {json.dumps(more)[1:]}".encode()


def _order(sequence_number: str | None) -> int:
    return -1 if sequence_number is None else int(sequence_number)


def _backoff(times: int) -> float:
    return min(RETRY_SECONDS * 2 ** min(times - 1, 10), MAX_RETRY_SECONDS)
