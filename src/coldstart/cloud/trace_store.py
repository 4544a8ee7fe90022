"""X-Ray's traces: segment documents as they come in, put together to traces when somebody asks.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html. Subsegments that came as documents of their own are
found inside the segment they belong to, and a call to a service that sends no segment itself becomes an inferred one.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Document = dict[str, Any]

MOST_TRACES = 10_000
"""In one region; the oldest goes when another one comes."""
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_SEGMENT_ID = re.compile(r"[0-9a-f]{16}")
_ORIGIN_OF_AWS = {
    "DynamoDB": "AWS::DynamoDB::Table",
    "dynamodb": "AWS::DynamoDB::Table",
    "Lambda": "AWS::Lambda",
    "lambda": "AWS::Lambda",
    "S3": "AWS::S3::Bucket",
    "s3": "AWS::S3::Bucket",
    "SNS": "AWS::SNS",
    "sns": "AWS::SNS",
    "SQS": "AWS::SQS::Queue",
    "sqs": "AWS::SQS::Queue",
}


class InvalidSegment(ValueError):
    """A segment document that X-Ray does not take in.

    Args:
        segment_id: the segment's id when it has one.
        code: X-Ray's, such as ``MissingId``.
    """

    def __init__(self, segment_id: str, code: str, message: str) -> None:
        super().__init__(message)
        self.segment_id = segment_id
        self.code = code


class TraceStore:
    """The traces of one region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._documents: dict[str, dict[str, Document]] = defaultdict(dict)

    def put_text(self, text: str, ahead: float = 0.0) -> None:
        """Take a segment document in.

        Args:
            ahead: how far the cloud's time is ahead of the one in the document, in seconds.

        Raises:
            InvalidSegment: it is none.
        """
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise InvalidSegment("", "ParseError", "Invalid segment. ErrorCode: ParseError")
        self.put(_checked(document), ahead)

    def put(self, document: Document, ahead: float = 0.0) -> None:
        """Take a segment document in that is known to be one; a finished segment takes the place of itself in progress."""
        if ahead:
            for part in all_parts(document):
                part |= {name: part[name] + ahead for name in ("start_time", "end_time") if name in part}
        with self._lock:
            self._documents[document["trace_id"]][document["id"]] = document
            if len(self._documents) > MOST_TRACES:
                del self._documents[next(iter(self._documents))]

    def find(self, trace_id: str) -> Trace | None:
        """Return a trace; None when nothing is known of it."""
        with self._lock:
            documents = list(self._documents[trace_id].values()) if trace_id in self._documents else []
        return Trace(trace_id, documents) if documents else None

    def between(self, start: float, end: float) -> list[Trace]:
        """Return the traces that began between two times (seconds since the epoch), the earliest first."""
        with self._lock:
            known = [(trace_id, list(documents.values())) for trace_id, documents in self._documents.items()]
        traces = [Trace(trace_id, documents) for trace_id, documents in known]
        return sorted((trace for trace in traces if start <= trace.start <= end), key=lambda trace: trace.start)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._documents.clear()


@dataclass
class Trace:
    """What is known of one request's way through all services."""

    id: str
    _documents: list[Document]

    @cached_property
    def segments(self) -> list[Document]:
        """The segments with all their subsegments, inferred ones included, in the order in which they began."""
        own = copy.deepcopy(self._documents)
        segments = [document for document in own if document.get("type") != "subsegment"]
        loose = sorted(
            (document for document in own if document.get("type") == "subsegment"), key=lambda one: one["start_time"]
        )
        parts = {part["id"]: part for document in own for part in all_parts(document)}
        for document in loose:
            parent = parts.get(document.get("parent_id", ""))
            if parent is None:
                segments.append(document)
            else:
                parent.setdefault("subsegments", []).append(document)
        called = {segment.get("parent_id") for segment in segments}
        inferred = [
            _inferred(part, self.id)
            for segment in segments
            for part in all_parts(segment)
            if part.get("namespace") in ("aws", "remote") and part["id"] not in called and part is not segment
        ]
        return sorted([*segments, *inferred], key=lambda segment: segment["start_time"])

    @property
    def start(self) -> float:
        """When it began, in seconds since the epoch."""
        return min(float(document["start_time"]) for document in self._documents)

    @property
    def end(self) -> float:
        """When the last of it that is known ended."""
        return max(end_of(document) for document in self._documents)

    @property
    def is_partial(self) -> bool:
        """Whether a part of it is still in progress."""
        return any(document.get("in_progress") for document in self._documents)

    @property
    def root(self) -> Document:
        """The segment that it began with."""
        ids = {segment["id"] for segment in self.segments}
        return next((segment for segment in self.segments if segment.get("parent_id") not in ids), self.segments[0])


def all_parts(segment: Document) -> Iterator[Document]:
    """Return a segment and all its subsegments, at any depth."""
    yield segment
    for part in segment.get("subsegments") or ():
        yield from all_parts(part)


def end_of(part: Document) -> float:
    """Return when a segment or subsegment ended, in seconds since the epoch; when it began while it is in progress."""
    return float(part["end_time"] if "end_time" in part else part["start_time"])


def segment_type(segment: Document) -> str:
    """Return what kind of service made a segment, such as ``AWS::Lambda``; ``remote`` when it is inferred from a call."""
    return segment.get("origin") or ("remote" if segment.get("inferred") else "")


def _inferred(part: Document, trace_id: str) -> Document:
    """Return the segment of a service that was called and tells nothing itself."""
    kept = ("start_time", "end_time", "http", "aws", "fault", "error", "throttle", "in_progress")
    segment: Document = {name: part[name] for name in kept if name in part}
    name = part["name"]
    if part["namespace"] == "aws":
        segment["origin"] = _ORIGIN_OF_AWS.get(name, f"AWS::{name}")
        if table := (part.get("aws") or {}).get("table_name"):
            name = table
    digest = hashlib.sha256(part["id"].encode()).hexdigest()[:16]
    return segment | {"id": digest, "name": name, "trace_id": trace_id, "parent_id": part["id"], "inferred": True}


def _checked(document: Document) -> Document:
    segment_id = str(document.get("id", ""))
    faults = [
        ("MissingId", bool(segment_id)),
        ("InvalidId", bool(_SEGMENT_ID.fullmatch(segment_id))),
        ("MissingTraceId", bool(document.get("trace_id"))),
        ("InvalidTraceId", bool(_TRACE_ID.fullmatch(str(document.get("trace_id", ""))))),
        ("MissingName", bool(document.get("name"))),
        ("MissingStartTime", isinstance(document.get("start_time"), int | float)),
        ("MissingEndTime", isinstance(document.get("end_time"), int | float) or bool(document.get("in_progress"))),
    ]
    for code, holds in faults:
        if not holds:
            raise InvalidSegment(segment_id, code, f"Invalid segment. ErrorCode: {code}")
    return document
