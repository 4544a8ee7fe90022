"""Deletes the items of DynamoDB tables when their time to live is over; moto only keeps the setting.

On AWS that takes up to a few days, and a stream's record of it says that DynamoDB itself has deleted the item:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html. Here it happens at that second of
the cloud's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coldstart.cloud.replacements import Replacements
from coldstart.runtime.clock import Clock

if TYPE_CHECKING:
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.dynamo_type import Item
    from moto.dynamodb.models.table import Table

OLDEST_SECONDS = 5 * 365 * 24 * 3600.0
"""An item whose time is longer past than five years stays, in case the attribute is something else than a time."""


class TimeToLive:
    """Watches what is written into tables that have a time to live."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moto = Replacements()
        self._moto.when_loaded("moto.dynamodb.models", self._take_over)

    def stop(self) -> None:
        """Give moto its own way back."""
        self._moto.undo()

    def _take_over(self) -> None:
        from moto.dynamodb.models import DynamoDBBackend

        for name in ("put_item", "update_item"):
            self._watch_writes(DynamoDBBackend, name)
        self._watch_setting(DynamoDBBackend)

    def _watch_writes(self, owner: type[DynamoDBBackend], name: str) -> None:
        def write(backend: DynamoDBBackend, table_name: str, *args: Any, **kwargs: Any) -> Item:
            item = original(backend, table_name, *args, **kwargs)
            self._plan(backend, backend.get_table(table_name), item)
            return item

        original = self._moto.put(owner, name, write)

    def _watch_setting(self, owner: type[DynamoDBBackend]) -> None:
        def update_time_to_live(backend: DynamoDBBackend, table_name: str, ttl_spec: dict[str, Any]) -> None:
            original(backend, table_name, ttl_spec)
            table = backend.get_table(table_name)
            for item in table.all_items():
                self._plan(backend, table, item)

        original = self._moto.put(owner, "update_time_to_live", update_time_to_live)

    def _plan(self, backend: DynamoDBBackend, table: Table, item: Item) -> None:
        expires_at = _expires_at(table, item)
        if expires_at is None or expires_at < self._clock.now() - OLDEST_SECONDS:
            return

        def expire() -> None:
            from coldstart.cloud.moto_patches.dynamodb_stream_records import expiry

            current = backend.tables.get(table.name)
            stored = current.get_item(item.hash_key, item.range_key) if current is not None else None
            if current is None or stored is None:
                return
            due = _expires_at(current, stored)
            if due is not None and due <= self._clock.now():
                with expiry():
                    current.delete_item(item.hash_key, item.range_key)

        self._clock.at(expires_at, expire, f"time to live in {table.name}")


def _expires_at(table: Table, item: Item) -> float | None:
    """Return when an item's time is over, in seconds since the epoch."""
    attribute = (
        item.attrs.get(table.ttl.get("AttributeName", "")) if table.ttl["TimeToLiveStatus"] == "ENABLED" else None
    )
    return float(attribute.value) if attribute is not None and attribute.type == "N" else None
