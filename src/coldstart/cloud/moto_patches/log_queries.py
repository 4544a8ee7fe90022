"""Logs Insights answers what is asked; moto 5.2.5 passes over filter, stats and parse, and has no statistics and no faulty queries.

Corrects ``moto/logs/logs_query``, ``moto/logs/models.py`` (LogQuery) and ``moto/logs/responses.py``.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html and API_GetQueryResults.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.core.utils import unix_time_millis, utcnow
from moto.logs.exceptions import InvalidParameterException, LogsClientError, ResourceNotFoundException
from moto.logs.models import LogGroup, LogQuery, LogsBackend
from moto.logs.responses import LogsResponse
from moto.moto_api._internal import mock_random

from coldstart.cloud.insights.execution import MOST_ROWS, run_query
from coldstart.cloud.insights.expressions import as_text
from coldstart.cloud.insights.fields import Event, EventRow
from coldstart.cloud.insights.syntax import MalformedQuery, read_query
from coldstart.cloud.moto_patches.log_events import expire

_MOST_GROUPS = 50
_FOR_EVER = 2**62


def apply() -> None:
    """Let our query language answer in moto's place."""
    LogsResponse.start_query = _start_query  # type: ignore[assignment, method-assign]
    LogsResponse.stop_query = _stop_query  # type: ignore[attr-defined]
    LogsResponse.get_log_record = _get_log_record  # type: ignore[attr-defined]
    LogsBackend.get_query_results = _get_query_results  # type: ignore[assignment, method-assign]


class _Query(LogQuery):
    """A query that has been run; it stands where moto keeps its own."""

    def __init__(self, text: str, groups: list[LogGroup], start: int, end: int, most: int) -> None:
        commands = read_query(text)
        self.query_id = str(mock_random.uuid4())
        self.query = text
        self.log_group_names = [group.name for group in groups]
        self.create_time = utcnow()
        self.start_time, self.end_time = start, end
        self._result = run_query(commands, _events(groups, start * 1000, end * 1000), most)
        self.results = self._result.rows
        self.status = "Complete"

    def to_json(self, log_group_name: str) -> dict[str, Any]:
        return {
            "queryLanguage": "CWLI",
            "queryId": self.query_id,
            "queryString": self.query,
            "status": self.status,
            "createTime": int(unix_time_millis(self.create_time)),
            "logGroupName": log_group_name,
        }

    def to_result_json(self) -> dict[str, Any]:
        return {
            "queryLanguage": "CWLI",
            "results": [[{"field": name, "value": value} for name, value in row.items()] for row in self._result.rows],
            "statistics": {
                "recordsMatched": float(self._result.matched),
                "recordsScanned": float(self._result.scanned),
                "bytesScanned": float(self._result.bytes_scanned),
                "estimatedRecordsSkipped": 0.0,
                "estimatedBytesSkipped": 0.0,
                "logGroupsScanned": float(len(self.log_group_names)),
            },
            "status": self.status,
        }


class _MalformedQueryException(LogsClientError):
    def __init__(self, error: MalformedQuery) -> None:
        super().__init__("MalformedQueryException", str(error))
        location = {"startCharOffset": error.start, "endCharOffset": error.end}
        document = {
            "__type": "MalformedQueryException",
            "message": str(error),
            "queryCompileError": {"location": location, "message": str(error)},
        }
        self.description = json.dumps(document)


def _start_query(response: LogsResponse) -> str:
    backend = response.logs_backend
    one, several, identifiers = (
        response._get_param(name) for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers")
    )
    if sum(bool(given) for given in (one, several, identifiers)) != 1:
        raise InvalidParameterException(
            "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must name the log groups."
        )
    names = [one] if one else [_name(given) for given in several or identifiers]
    if len(names) > _MOST_GROUPS:
        raise InvalidParameterException(f"At most {_MOST_GROUPS} log groups can be queried at once.")
    for name in names:
        if name not in backend.groups:
            raise ResourceNotFoundException(f"Log group '{name}' does not exist for account ID '{backend.account_id}'")
    start, end = response._get_int_param("startTime"), response._get_int_param("endTime")
    if start > end:
        raise InvalidParameterException("End time should not be less than start time.")
    if response._get_param("queryLanguage") not in (None, "CWLI"):
        raise InvalidParameterException("The local AWS only knows the query language CWLI.")
    most = response._get_int_param("limit") or MOST_ROWS
    try:
        query = _Query(response._get_param("queryString"), [backend.groups[name] for name in names], start, end, most)
    except MalformedQuery as error:
        raise _MalformedQueryException(error) from None
    backend.queries[query.query_id] = query
    return json.dumps({"queryId": query.query_id})


def _stop_query(response: LogsResponse) -> str:
    query = _get_query_results(response.logs_backend, response._get_param("queryId"))
    raise InvalidParameterException(f"Query with ID '{query.query_id}' has already ended.")


def _get_query_results(backend: LogsBackend, query_id: str) -> LogQuery:
    query = backend.queries.get(query_id)
    if query is None:
        raise ResourceNotFoundException(f"Query {query_id} does not exist.")
    return query


def _get_log_record(response: LogsResponse) -> str:
    """Answer GetLogRecord: the event that a row's @ptr points to, with all its fields."""
    pointer = response._get_param("logRecordPointer")
    for event in _events(list(response.logs_backend.groups.values()), 0, _FOR_EVER):
        if str(event.number) == pointer:
            return json.dumps({"logRecord": {name: as_text(value) for name, value in EventRow(event).all().items()}})
    raise ResourceNotFoundException(f"There is no log record {pointer}.")


def _name(identifier: str) -> str:
    """Return the name of a log group of which the name or the ARN is given."""
    return (
        identifier.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")
        if ":log-group:" in identifier
        else identifier
    )


def _events(groups: list[LogGroup], start_ms: int, end_ms: int) -> Iterator[Event]:
    for group in groups:
        for stream in list(group.streams.values()):
            expire(stream)
            for event in list(stream.events):
                if start_ms <= event.timestamp <= end_ms + 999:
                    yield Event(
                        event.event_id,
                        event.timestamp,
                        event.ingestion_time,
                        event.message,
                        f"{group.account_id}:{group.name}",
                        stream.log_stream_name,
                    )
