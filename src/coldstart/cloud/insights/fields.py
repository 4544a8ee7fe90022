"""The fields that Logs Insights finds in log events by itself.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html: those of every event, those of
Lambda's START, END and REPORT lines, and the members of JSON events, nested ones with dots (``cart.items.0.sku``). Memory is in bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from coldstart.cloud.insights.expressions import Value, shown_time

MOST_JSON_FIELDS = 1_000
"""AWS finds 1,000 fields in an event at most."""
_BYTES = 1_000_000
_LAMBDA = re.compile(r"(START|END|REPORT) RequestId: ([0-9a-f-]{36})")
_REPORTED = re.compile(
    r"(Duration|Billed Duration|Memory Size|Max Memory Used|Init Duration|Restore Duration): ([\d.]+) (ms|MB)"
)
_XRAY = re.compile(r"XRAY TraceId: (\S+)\tSegmentId: (\S+)")


class Event(NamedTuple):
    """A log event, and where it is."""

    number: int
    """Events that came later have larger ones."""
    timestamp: int
    """Milliseconds since the epoch."""
    ingestion_time: int
    message: str
    log: str
    """Account and log group, such as ``123456789012:/aws/lambda/orders``."""
    log_stream: str


@dataclass
class EventRow:
    """A log event with its fields, and those that a query adds."""

    event: Event

    def __post_init__(self) -> None:
        self.added: dict[str, Value] = {}

    def get(self, name: str) -> Value:
        """Return the value of a field; None when it is missing."""
        if name in self.added:
            return self.added[name]
        event = self.event
        match name:
            case "@message":
                return event.message
            case "@timestamp":
                return shown_time(event.timestamp)
            case "@ingestionTime":
                return shown_time(event.ingestion_time)
            case "@log":
                return event.log
            case "@logStream":
                return event.log_stream
            case "@ptr":
                return str(event.number)
        return (self._of_lambda if name.startswith("@") else self._of_json).get(name)

    def all(self) -> dict[str, Value]:
        """Return every field that is there."""
        names = ("@timestamp", "@ingestionTime", "@message", "@log", "@logStream", "@ptr")
        found = {name: self.get(name) for name in names} | self._of_lambda | self._of_json
        return {name: value for name, value in found.items() if value is not None}

    def with_fields(self, fields: dict[str, Value]) -> EventRow:
        """Return the row with more fields."""
        self.added |= fields
        return self

    @cached_property
    def _of_lambda(self) -> dict[str, Value]:
        message = self.event.message
        found = _LAMBDA.match(message)
        if found is None:
            return {}
        fields: dict[str, Value] = {"@type": found[1], "@requestId": found[2]}
        if found[1] == "REPORT":
            for name, figure, unit in _REPORTED.findall(message):
                key = "@" + name[0].lower() + name.replace(" ", "")[1:]
                fields[key] = _as_java_does(float(figure) * (_BYTES if unit == "MB" else 1))
            if traced := _XRAY.search(message):
                fields |= {"@xrayTraceId": traced[1], "@xraySegmentId": traced[2]}
        return fields

    @cached_property
    def _of_json(self) -> dict[str, Value]:
        message = self.event.message
        if not message.lstrip().startswith("{"):
            return {}
        try:
            document = json.loads(message)
        except (ValueError, RecursionError):
            return {}
        fields: dict[str, Value] = {}
        for name, value in _flat(document):
            if len(fields) == MOST_JSON_FIELDS:
                break
            fields[name] = value
        return fields


def _flat(document: Any, prefix: str = "") -> Iterator[tuple[str, Value]]:
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for name, value in items:
            path = f"{prefix}.{name}" if prefix else str(name)
            if isinstance(value, dict | list):
                yield path, json.dumps(value, separators=(",", ":"))
                yield from _flat(value, path)
            else:
                yield path, _scalar(value)


def _scalar(value: Any) -> Value:
    if value is None:
        return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return json.dumps(value)
    return str(value)


def _as_java_does(value: float) -> str:
    """Return a figure of a REPORT line as results show it: 128 MB are 1.28E8."""
    if value < 1e7:
        return repr(float(value))
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa)!r}E{int(exponent)}"
