"""Puts the events of invocations into the local CloudWatch Logs, where ``boto3.client("logs")`` finds them."""

from __future__ import annotations

import threading

from moto.logs.models import LogStream, logs_backends

from coldstart.runtime.log_collector import LogEvent

IS_OF_FUNCTION = "is_of_function"
"""Marks the events of functions, whose own figures are in the machine's time and not in the cloud's."""


class LogDelivery:
    """Delivers to the log groups of one account, in the function's region."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._lock = threading.Lock()

    def __call__(self, region: str, log_group: str, log_stream: str, events: list[LogEvent]) -> None:
        """Append the events, making group and stream when they are not there yet, as Lambda does."""
        with self._lock:
            # The stream's own method: the backend's checks are for requests, whose times may be years off.
            self._stream(region, log_group, log_stream).put_log_events(
                [{**event._asdict(), IS_OF_FUNCTION: True} for event in events]
            )

    def _stream(self, region: str, log_group: str, log_stream: str) -> LogStream:
        backend = logs_backends[self._account_id][region]
        if log_group not in backend.groups:
            backend.create_log_group(log_group, {})
        streams = backend.groups[log_group].streams
        if log_stream not in streams:
            backend.create_log_stream(log_group, log_stream)
        return streams[log_stream]
