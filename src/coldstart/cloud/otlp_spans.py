"""Spans of OpenTelemetry as X-Ray's segment documents.

What AWS's distribution of OpenTelemetry for Lambda sends to the daemon is ``T1S`` and an ExportTraceServiceRequest in base64
(https://opentelemetry.io/docs/specs/otlp/; field numbers from opentelemetry-proto). Attributes become metadata, and annotations where
``aws.xray.annotations`` lists them: https://aws-otel.github.io/docs/getting-started/x-ray#otel-span-attributes-translation.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from coldstart.cloud.protobuf_wire import MalformedMessage, fields

SAMPLED = "T1S"
"""What a datagram with spans of recorded traces begins with."""
_SERVER, _CLIENT, _PRODUCER, _CONSUMER = 2, 3, 4, 5
_ERROR = 2
_ANNOTATIONS = "aws.xray.annotations"

Document = dict[str, Any]


@dataclass
class _Span:
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    name: str = ""
    kind: int = 0
    start: float = 0.0
    end: float = 0.0
    status: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)
    exceptions: list[dict[str, Any]] = field(default_factory=list)


def segments(text: str) -> list[Document]:
    """Return the segment documents of what was sent after ``T1S``; none when it cannot be read."""
    try:
        data = base64.b64decode(text, validate=True)
        return [_document(span, resource) for resource, span in _spans(data)]
    except (binascii.Error, MalformedMessage, UnicodeDecodeError, struct.error, TypeError, ValueError):
        return []


def _spans(data: bytes) -> Iterator[tuple[dict[str, Any], _Span]]:
    for number, resource_spans in fields(data):
        if number != 1:
            continue
        resource: dict[str, Any] = {}
        found = []
        for part, value in fields(_bytes(resource_spans)):
            if part == 1:
                resource = _attributes(_bytes(value), 1)
            elif part == 2:
                found += [_span(_bytes(span)) for inner, span in fields(_bytes(value)) if inner == 2]
        for span in found:
            yield resource, span


def _span(data: bytes) -> _Span:
    span = _Span(attributes=_attributes(data, 9))
    for number, value in fields(data):
        match number:
            case 1:
                span.trace_id = _bytes(value).hex()
            case 2:
                span.span_id = _bytes(value).hex()
            case 4:
                span.parent_id = _bytes(value).hex()
            case 5:
                span.name = _bytes(value).decode()
            case 6:
                span.kind = int(value) if isinstance(value, int) else 0
            case 7:
                span.start = _nanoseconds(value)
            case 8:
                span.end = _nanoseconds(value)
            case 11:
                _take_exception(span, _bytes(value))
            case 15:
                span.status = next((int(code) for part, code in fields(_bytes(value)) if part == 3), 0)
    return span


def _take_exception(span: _Span, event: bytes) -> None:
    name = next((_bytes(value).decode() for number, value in fields(event) if number == 2), "")
    if name == "exception":
        told = _attributes(event, 3)
        span.exceptions.append(
            {
                "id": f"{span.span_id[:14]}{len(span.exceptions):02x}",
                "type": str(told.get("exception.type", "")),
                "message": str(told.get("exception.message", "")),
            }
        )


def _attributes(data: bytes, number_of_them: int) -> dict[str, Any]:
    """Return the KeyValues of a message that stand in the field of this number."""
    found = {}
    for number, pair in fields(data):
        if number == number_of_them:
            parts = dict(fields(_bytes(pair)))
            found[_bytes(parts.get(1, b"")).decode()] = _any_value(_bytes(parts.get(2, b"")))
    return found


def _any_value(data: bytes) -> Any:
    for number, value in fields(data):
        match number:
            case 1:
                return _bytes(value).decode()
            case 2:
                return bool(value)
            case 3 if isinstance(value, int):
                return value - 2**64 if value >= 2**63 else value
            case 4:
                return struct.unpack("<d", _bytes(value))[0]
            case 5:
                return [_any_value(_bytes(item)) for inner, item in fields(_bytes(value)) if inner == 1]
    return None


def _document(span: _Span, resource: dict[str, Any]) -> Document:
    attributes = dict(span.attributes)
    indexed = attributes.pop(_ANNOTATIONS, [])
    is_own = not span.parent_id
    document: Document = {
        "id": span.span_id,
        "trace_id": f"1-{span.trace_id[:8]}-{span.trace_id[8:]}",
        "name": str(resource.get("service.name", span.name)) if is_own else _name(span, attributes),
        "start_time": span.start,
        "end_time": span.end,
    }
    if not is_own:
        document |= {"type": "subsegment", "parent_id": span.parent_id}
    if span.kind in (_CLIENT, _PRODUCER):
        document["namespace"] = "aws" if attributes.get("rpc.system") == "aws-api" else "remote"
        if document["namespace"] == "aws":
            document["aws"] = _aws(attributes)
    if http := _http(attributes):
        document["http"] = http
    status = (http or {}).get("response", {}).get("status", 0)
    if span.status == _ERROR or status >= 400:
        kind = "error" if 400 <= status < 500 else "fault"
        document[kind] = True
        if status == 429:
            document["throttle"] = True
    if span.exceptions:
        document["cause"] = {"working_directory": "/var/task", "exceptions": span.exceptions}
    annotations = {
        name.replace(".", "_"): attributes[name]
        for name in indexed
        if isinstance(attributes.get(name), str | int | float | bool)
    }
    if annotations:
        document["annotations"] = annotations
    metadata = {name: value for name, value in attributes.items() if name not in indexed}
    if metadata:
        document["metadata"] = {"default": metadata}
    return document


def _name(span: _Span, attributes: dict[str, Any]) -> str:
    if span.kind in (_CLIENT, _PRODUCER):
        for name in ("rpc.service", "peer.service", "server.address", "net.peer.name"):
            if name in attributes:
                return str(attributes[name])
    return span.name


def _http(attributes: dict[str, Any]) -> Document:
    request = _named(
        attributes,
        method=("http.request.method", "http.method"),
        url=("url.full", "http.url"),
        user_agent=("user_agent.original", "http.user_agent"),
    )
    response = _named(attributes, status=("http.response.status_code", "http.status_code"))
    return ({"request": request} if request else {}) | ({"response": response} if response else {})


def _aws(attributes: dict[str, Any]) -> Document:
    aws = _named(
        attributes,
        operation=("rpc.method",),
        region=("aws.region", "cloud.region"),
        request_id=("aws.request_id", "aws.requestId"),
        table_names=("aws.dynamodb.table_names",),
        queue_url=("aws.sqs.queue.url", "aws.queue_url"),
    )
    tables = aws.pop("table_names", None)
    return aws | ({"table_name": tables[0]} if tables else {})


def _named(attributes: dict[str, Any], **names: tuple[str, ...]) -> Document:
    found = {}
    for key, options in names.items():
        value = next((attributes[name] for name in options if name in attributes), None)
        if value is not None:
            found[key] = value
    return found


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise MalformedMessage("a number where a message was expected")
    return value


def _nanoseconds(value: int | bytes) -> float:
    return float(struct.unpack("<Q", _bytes(value))[0]) / 1e9
