"""Kinesis shards that keep their records in order, and whose operations take the same time however many there are.

What it corrects in ``moto/kinesis/models.py``:

- ``Stream.put_record`` runs Lambda functions itself, one record at a time, in the sender's request (line 420);
- sequence numbers begin with 1 in every shard; on AWS they are unique in the stream and long;
- a split or a merge moves the records to the new shards, and new records go to the closed one. On AWS they stay where they
  are, and new ones go to the children: https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html;
- every read and every put walks through all records of the shard;
- records stay longer than the retention period.
"""

from __future__ import annotations

import bisect
import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from moto.core.utils import unix_time
from moto.kinesis.exceptions import InvalidArgumentError
from moto.kinesis.models import KinesisBackend, Record, Shard, Stream
from moto.utilities.utils import md5_hash

from coldstart.cloud.arrivals import arrivals

_sequence_numbers = itertools.count(49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898, 65_536)
_lock = threading.Lock()


def apply() -> None:
    """Replace the parts of moto's streams that deal with records."""
    if Shard.put_record is _put_in_shard:
        return
    replacements: list[tuple[type, str, object]] = [
        (Shard, "put_record", _put_in_shard),
        (Shard, "get_records", _get_records),
        (Shard, "get_max_sequence_number", _last_sequence_number),
        (Shard, "get_sequence_number_at", sequence_number_before),
        (Stream, "put_record", _put_in_stream),
        (KinesisBackend, "put_records", _together(KinesisBackend.put_records)),
        (Stream, "get_shard_for_key", _shard_for_key),
        (Stream, "split_shard", _keeping_records(Stream.split_shard)),
        (Stream, "merge_shards", _keeping_records(Stream.merge_shards)),
    ]
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)


def records_after(shard: Shard, stream: Stream | None, sequence_number: int, limit: int | None) -> list[Record]:
    """Return up to so many records after a sequence number that the stream still keeps."""
    log = _log_of(shard)
    start = bisect.bisect_right(log, sequence_number, key=lambda record: int(record.sequence_number))
    if stream is not None:
        oldest = unix_time() - (stream.retention_period_hours or 24) * 3600
        start = max(start, bisect.bisect_left(log, oldest, key=lambda record: record.created_at))
    return log[start : None if limit is None else start + limit]


def sequence_number_before(shard: Shard, at_timestamp: float) -> int:
    """Return the sequence number of the last record that arrived before a time (seconds since the epoch); 0 for none."""
    log = _log_of(shard)
    end = bisect.bisect_left(log, float(at_timestamp), key=lambda record: record.created_at)
    return int(log[end - 1].sequence_number) if end else 0


def _log_of(shard: Shard) -> list[Record]:
    """Return the records of a shard as a list in order; moto's own dictionary stays beside it."""
    log: list[Record] | None = shard.__dict__.get("_coldstart_log")
    if log is None:
        log = shard.__dict__["_coldstart_log"] = list(shard.records.values())
    return log


def _put_in_shard(shard: Shard, partition_key: str, data: str, explicit_hash_key: str) -> str:
    with _lock:
        log = _log_of(shard)
        number = next(_sequence_numbers)
        record = Record(partition_key, data, number, explicit_hash_key)
        shard.records[number] = record
        log.append(record)
    return str(number)


def _get_records(shard: Shard, last_sequence_id: str, limit: int | None) -> tuple[list[Record], int, int]:
    stream: Stream | None = shard.__dict__.get("_coldstart_stream")
    records = records_after(shard, stream, int(last_sequence_id), limit or 10_000)
    if not records:
        return [], int(last_sequence_id), 0
    behind = _log_of(shard)[-1].created_at - records[-1].created_at
    return records, int(records[-1].sequence_number), int(behind * 1000)


def _last_sequence_number(shard: Shard) -> int:
    log = _log_of(shard)
    return int(log[-1].sequence_number) if log else 0


def _shard_for_key(stream: Stream, partition_key: str, explicit_hash_key: str) -> Shard | None:
    if not isinstance(partition_key, str) or len(partition_key) > 256:
        raise InvalidArgumentError("partition_key")
    if explicit_hash_key:
        if not isinstance(explicit_hash_key, str) or int(explicit_hash_key) >= 2**128:
            raise InvalidArgumentError("explicit_hash_key")
        key = int(explicit_hash_key)
    else:
        key = int(md5_hash(partition_key.encode()).hexdigest(), 16)
    shards = stream.shards.values()
    return next((shard for shard in shards if shard.is_open and shard.starting_hash <= key <= shard.ending_hash), None)


def _put_in_stream(stream: Stream, partition_key: str, explicit_hash_key: str, data: str) -> tuple[str, str]:
    shard = _shard_for_key(stream, partition_key, explicit_hash_key)
    assert shard is not None, "the open shards cover all hash keys"
    shard.__dict__["_coldstart_stream"] = stream
    sequence_number = _put_in_shard(shard, partition_key, data, explicit_hash_key)
    arrivals.tell(stream.arn)
    return sequence_number, shard.shard_id


def _together(put_records: Callable[..., Any]) -> Callable[..., Any]:
    def together(*args: Any, **kwargs: Any) -> Any:
        with arrivals.held_back():
            return put_records(*args, **kwargs)

    return together


def _keeping_records(reshard: Callable[..., None]) -> Callable[..., None]:
    """Let moto split or merge shards that seem empty to it, so that it does not move their records."""

    def keeping_records(stream: Stream, *args: Any, **kwargs: Any) -> None:
        with _lock:
            kept = {shard_id: shard.records for shard_id, shard in stream.shards.items()}
            for shard in stream.shards.values():
                shard.records = OrderedDict()
            try:
                reshard(stream, *args, **kwargs)
            finally:
                for shard_id, records in kept.items():
                    stream.shards[shard_id].records = records
        arrivals.tell(stream.arn)

    return keeping_records
