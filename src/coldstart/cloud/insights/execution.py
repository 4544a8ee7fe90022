"""Runs a query over log events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from coldstart.cloud.insights.expressions import Row, Value, as_text, evaluate, is_true, order
from coldstart.cloud.insights.fields import Event, EventRow
from coldstart.cloud.insights.syntax import Column, Command, Dedup, Display, Fields, Filter, Limit, Parse, Sort, Stats

MOST_ROWS = 10_000
"""Of a result, unless the query limits it."""
_SHOWN_WITHOUT_FIELDS = ["@timestamp", "@message"]


class Result(NamedTuple):
    """What a query found."""

    rows: list[dict[str, str]]
    """Values by the name of the field; a log event's has ``@ptr`` too."""
    matched: int
    """How many events passed the filters."""
    scanned: int
    bytes_scanned: int


@dataclass
class _GroupRow:
    """A row that stands for several events."""

    values: dict[str, Value]

    def get(self, name: str) -> Value:
        return self.values.get(name)

    def with_fields(self, fields: dict[str, Value]) -> _GroupRow:
        self.values |= fields
        return self


def run_query(commands: Sequence[Command], events: Iterable[Event], most: int = MOST_ROWS) -> Result:
    """Return what a query finds in log events.

    Args:
        commands: of the query.
        events: in whatever order; results begin with the latest unless the query sorts them.
        most: how many rows at most.
    """
    found = sorted(events, key=lambda event: (event.timestamp, event.number), reverse=True)
    query = _Query([EventRow(event) for event in found])
    for command in commands:
        query.run(command)
    bytes_scanned = sum(len(event.message.encode()) for event in found)
    is_limited = any(isinstance(command, Limit) for command in commands)
    rows = query.shown() if is_limited else query.shown()[:most]
    return Result(rows, query.matched, len(found), bytes_scanned)


class _Query:
    """The rows on their way through the commands."""

    def __init__(self, rows: list[EventRow]) -> None:
        self._rows: list[EventRow | _GroupRow] = list(rows)
        self._names: list[str] = []
        self._displayed: list[str] | None = None
        self._is_grouped = False
        self.matched = len(rows)

    def run(self, command: Command) -> None:
        match command:
            case Filter(condition):
                self._rows = [row for row in self._rows if is_true(evaluate(condition, row))]
                if not self._is_grouped:
                    self.matched = len(self._rows)
            case Fields(columns):
                for row in self._rows:
                    row.with_fields({column.name: evaluate(column.expression, row) for column in columns})
                self._show(column.name for column in columns)
            case Display(names):
                self._displayed = names
            case Parse():
                self._parse(command)
            case Stats():
                self._group(command)
            case Sort(keys):
                for column, is_descending in reversed(keys):
                    self._sort(column, is_descending)
            case Dedup(names):
                self._dedup(names)
            case Limit(count):
                self._rows = self._rows[:count]

    def shown(self) -> list[dict[str, str]]:
        """Return the rows with the fields that the query asks for."""
        names = self._displayed or self._names or _SHOWN_WITHOUT_FIELDS
        rows = []
        for row in self._rows:
            values = {name: row.get(name) for name in names}
            shown = {name: as_text(value) for name, value in values.items() if value is not None}
            if isinstance(row, EventRow):
                shown["@ptr"] = str(row.event.number)
            rows.append(shown)
        return rows

    def _show(self, names: Iterable[str]) -> None:
        self._names += [name for name in names if name not in self._names]

    def _parse(self, command: Parse) -> None:
        for row in self._rows:
            text = evaluate(command.source, row)
            found = None if text is None else command.pattern.search(as_text(text))
            if found is not None:
                values = found.groupdict() or dict(zip(command.names, found.groups(), strict=True))
                row.with_fields(dict(values))
        if not self._names:
            self._show(_SHOWN_WITHOUT_FIELDS)
        self._show(command.names)

    def _group(self, command: Stats) -> None:
        groups: dict[tuple[Value, ...], list[Row]] = {}
        for row in self._rows:
            key = tuple(evaluate(column.expression, row) for column in command.by)
            groups.setdefault(key, []).append(row)
        if not command.by and not groups:
            groups[()] = []
        rows: list[EventRow | _GroupRow] = []
        for key, group in groups.items():
            values: dict[str, Value] = {column.name: value for column, value in zip(command.by, key, strict=True)}
            first: Row = group[0] if group else _GroupRow({})
            values |= {column.name: evaluate(column.expression, first, group) for column in command.columns}
            rows.append(_GroupRow(values))
        self._rows, self._is_grouped = rows, True
        self._names, self._displayed = [column.name for column in [*command.by, *command.columns]], None

    def _sort(self, by: Column, is_descending: bool) -> None:
        """Sort by a column; rows without a value come last."""

        def value(row: Row) -> Value:
            if isinstance(row, _GroupRow) and by.name in row.values:
                return row.values[by.name]  # bin(5m), computed by stats
            return evaluate(by.expression, row)

        present = [row for row in self._rows if value(row) is not None]
        missing = [row for row in self._rows if value(row) is None]
        present.sort(key=lambda row: order(value(row)), reverse=is_descending)
        self._rows = [*present, *missing]

    def _dedup(self, names: list[str]) -> None:
        seen: set[tuple[Value, ...]] = set()
        kept = []
        for row in self._rows:
            key = tuple(row.get(name) for name in names)
            if key not in seen:
                seen.add(key)
                kept.append(row)
        self._rows = kept
