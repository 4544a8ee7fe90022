"""DynamoDB streams that keep their records, and tell the truth in them.

What it corrects in ``moto/dynamodb/models/table.py: StreamShard.add`` (line 222):

- it runs Lambda functions itself, in the writer's request, and then forgets all records, so that every record has the same
  sequence number and GetRecords finds none;
- a write that changes nothing makes a record; on AWS it does not
  (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html);
- the region is always us-east-1, the event version 1.0, the size that of some JSON.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamRecord, StreamShard
from moto.dynamodb.responses import DynamoHandler

from coldstart.cloud.arrivals import arrivals

_lock = threading.Lock()


class _Request(threading.local):
    """What is known of the write that this thread does."""

    is_expiry = False


_request = _Request()


@contextmanager
def expiry() -> Iterator[None]:
    """Let records say that DynamoDB itself deletes the items, as their time to live is over."""
    _request.is_expiry = True
    try:
        yield
    finally:
        _request.is_expiry = False


def apply() -> None:
    """Replace how streams take records."""
    if StreamShard.add is _add:
        return
    replacements: list[tuple[type, str, object]] = [
        (StreamShard, "add", _add),
        (DynamoDBBackend, "transact_write_items", _together(DynamoDBBackend.transact_write_items)),
        (DynamoHandler, "batch_write_item", _together(DynamoHandler.batch_write_item)),
    ]
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)


def _add(shard: StreamShard, old: Item | None, new: Item | None) -> None:
    if old is not None and new is not None and old == new:
        return
    table = shard.table
    event_name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    with _lock:
        sequence_number = shard.starting_sequence_number + len(shard.items)
        specification: dict[str, Any] = table.stream_specification or {}
        record = StreamRecord(table, specification["StreamViewType"], event_name, old, new, sequence_number)
        record.record |= {"eventVersion": "1.1", "awsRegion": table.region_name}
        if _request.is_expiry:
            record.record["userIdentity"] = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
        change = record.record["dynamodb"]
        images = [change[name] for name in ("Keys", "NewImage", "OldImage") if name in change]
        change["SizeBytes"] = sum(_size({"M": image}) for image in images)
        shard.items.append(record)
    arn = f"{table.table_arn}/stream/{table.latest_stream_label}"
    arrivals.tell(arn)


def _size(attribute: Any) -> int:
    """Return how many bytes an attribute value counts for.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    kind, value = next(iter(_plain(attribute).items()))
    if kind == "M":
        return sum(len(name.encode()) + _size(member) for name, member in value.items())
    if kind == "L":
        return sum(_size(member) for member in value)
    if kind in ("SS", "NS", "BS"):
        return sum(_size({kind[0]: member}) for member in value)
    if kind == "N":
        return (len(str(value).lstrip("-").replace(".", "")) + 1) // 2 + 1
    return 1 if kind in ("BOOL", "NULL") else len(str(value).encode())


def _plain(attribute: Any) -> dict[str, Any]:
    return attribute if isinstance(attribute, dict) else {attribute.type: attribute.value}


def _together(write: Callable[..., Any]) -> Callable[..., Any]:
    """Tell of all records of a request at its end; moto takes back those of a transaction that fails."""

    def together(*args: Any, **kwargs: Any) -> Any:
        with arrivals.held_back():
            return write(*args, **kwargs)

    return together
