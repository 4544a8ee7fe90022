"""moto's Kinesis streams and DynamoDB streams as the streams of event source mappings."""

from __future__ import annotations

import bisect
import json
from collections.abc import Sequence
from typing import Any

from moto.core.utils import unix_time
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.models.utilities import DynamoJsonEncoder
from moto.kinesis.models import Record, kinesis_backends
from moto.kinesis.models import Shard as MotoShard
from moto.kinesis.models import Stream as MotoStream

from coldstart.cloud.moto_patches import kinesis_records
from coldstart.events.stream_mapping import Shard, StreamRecord

_DAY_SECONDS = 24 * 3600.0


def find_kinesis_stream(arn: str) -> MotoStream | None:
    """Return moto's Kinesis stream with this ARN, or the one of the consumer that it names."""
    _, _, _, region, account_id, resource = arn.split(":", 5)
    kind, _, path = resource.partition("/")
    name, is_consumer, _ = path.partition("/consumer/")
    stream = kinesis_backends[account_id][region].streams.get(name) if kind == "stream" else None
    if stream is not None and is_consumer and stream.get_consumer_by_arn(arn) is None:
        return None
    return stream


def find_table(stream_arn: str) -> Table | None:
    """Return moto's table whose present stream has this ARN."""
    _, _, _, region, account_id, resource = stream_arn.split(":", 5)
    _, name, _, label = resource.split("/", 3)
    table = dynamodb_backends[account_id][region].tables.get(name)
    return table if table is not None and table.latest_stream_label == label else None


class KinesisSource:
    """A Kinesis stream, which may have been deleted meanwhile: it has no shards then.

    Args:
        arn: of the stream or of a consumer with enhanced fan-out.
        role_arn: the function's role, which the records name as ``invokeIdentityArn``.
    """

    batch_info = "KinesisBatchInfo"
    shows_milliseconds = True

    def __init__(self, arn: str, role_arn: str) -> None:
        self.arn = arn
        self.region = arn.split(":")[3]
        self.role_arn = role_arn

    def stream(self) -> MotoStream | None:
        """Return moto's stream."""
        return find_kinesis_stream(self.arn)

    def shards(self) -> list[Shard]:
        """Return the shards, parents before children."""
        stream = self.stream()
        return [KinesisShard(self, shard) for shard in list(stream.shards.values())] if stream is not None else []

    def retention_seconds(self) -> float:
        """Return how long a record stays in the stream."""
        stream = self.stream()
        return (stream.retention_period_hours or 24) * 3600.0 if stream is not None else 0.0


class KinesisShard:
    """A shard of a Kinesis stream."""

    def __init__(self, source: KinesisSource, shard: MotoShard) -> None:
        self.id = shard.shard_id
        self.parents: Sequence[str] = [parent for parent in (shard.parent, shard.adjacent_parent) if parent]
        self._source = source
        self._shard = shard

    def is_closed(self) -> bool:
        """Say whether no more records will come."""
        stream = self._source.stream()
        return stream is None or not self._shard.is_open

    def latest(self) -> str | None:
        """Return the sequence number of the last record."""
        return _or_none(self._shard.get_max_sequence_number())

    def latest_before(self, time: float) -> str | None:
        """Return the sequence number of the last record that arrived before a time."""
        return _or_none(kinesis_records.sequence_number_before(self._shard, time))

    def records_after(self, sequence_number: str | None, limit: int) -> list[StreamRecord]:
        """Return up to so many records after a sequence number, or the first ones there are."""
        stream = self._source.stream()
        if stream is None:
            return []
        records = kinesis_records.records_after(self._shard, stream, int(sequence_number or 0), limit)
        return [self._record(record) for record in records]

    def _record(self, record: Record) -> StreamRecord:
        number = str(record.sequence_number)
        return StreamRecord(
            number,
            record.partition_key,
            record.created_at,
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": record.partition_key,
                    "sequenceNumber": number,
                    "data": record.data,
                    "approximateArrivalTimestamp": round(record.created_at, 3),
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{self.id}:{number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": self._source.role_arn,
                "awsRegion": self._source.region,
                "eventSourceARN": self._source.arn,
            },
        )


def _or_none(sequence_number: int) -> str | None:
    return str(sequence_number) if sequence_number else None


class DynamoDbSource:
    """The stream of a table; one that was disabled or whose table is gone has no shards."""

    batch_info = "DDBStreamBatchInfo"
    shows_milliseconds = False

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def shard(self) -> StreamShard | None:
        """Return moto's shard: it replaces it when it takes a transaction back."""
        table = find_table(self.arn)
        return table.stream_shard if table is not None else None

    def shards(self) -> list[Shard]:
        """Return the only shard there is."""
        shard = self.shard()
        return [DynamoDbShard(self, shard.id)] if shard is not None else []

    def retention_seconds(self) -> float:
        """Return how long a record stays in the stream."""
        return _DAY_SECONDS


class DynamoDbShard:
    """A shard of a DynamoDB stream."""

    parents: Sequence[str] = ()

    def __init__(self, source: DynamoDbSource, shard_id: str) -> None:
        self.id = shard_id
        self._source = source

    def is_closed(self) -> bool:
        """Say whether no more records will come."""
        return self._source.shard() is None

    def latest(self) -> str | None:
        """Return the sequence number of the last record."""
        shard = self._source.shard()
        return str(shard.starting_sequence_number + len(shard.items) - 1) if shard is not None and shard.items else None

    def latest_before(self, time: float) -> str | None:
        """Return the sequence number of the last record that arrived before a time."""
        shard = self._source.shard()
        if shard is None:
            return None
        before = [item for item in shard.items if _arrived_at(item.record) < time]
        return before[-1].record["dynamodb"]["SequenceNumber"] if before else None

    def records_after(self, sequence_number: str | None, limit: int) -> list[StreamRecord]:
        """Return up to so many records after a sequence number, or the first ones there are."""
        shard = self._source.shard()
        if shard is None:
            return []
        start = 0 if sequence_number is None else int(sequence_number) - shard.starting_sequence_number + 1
        oldest = unix_time() - self._source.retention_seconds()
        start = max(start, bisect.bisect_left(shard.items, oldest, key=lambda item: _arrived_at(item.record)))
        return [self._record(item.record) for item in shard.items[start : start + limit]]

    def _record(self, record: dict[str, Any]) -> StreamRecord:
        arrived_at = _arrived_at(record)
        change = record["dynamodb"] | {"ApproximateCreationDateTime": int(arrived_at)}
        keys = json.dumps(change["Keys"], cls=DynamoJsonEncoder, sort_keys=True)
        shown = json.loads(json.dumps(record | {"dynamodb": change}, cls=DynamoJsonEncoder))
        if identity := shown.get("userIdentity"):  # in Lambda's events its names are small
            shown["userIdentity"] = {"type": identity["Type"], "principalId": identity["PrincipalId"]}
        return StreamRecord(change["SequenceNumber"], keys, arrived_at, shown | {"eventSourceARN": self._source.arn})


def _arrived_at(record: dict[str, Any]) -> float:
    return unix_time(record["dynamodb"]["ApproximateCreationDateTime"])
