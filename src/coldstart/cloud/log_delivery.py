"""Puts the events of invocations into the local CloudWatch Logs, where ``boto3.client("logs")`` finds them."""

from __future__ import annotations

import threading

from moto.logs.models import logs_backends

from coldstart.runtime.log_collector import LogEvent


class LogDelivery:
    """Delivers to the log groups of one account and region."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region
        self._lock = threading.Lock()

    def __call__(self, log_group: str, log_stream: str, events: list[LogEvent]) -> None:
        """Append the events, making group and stream when they are not there yet, as Lambda does."""
        backend = logs_backends[self._account_id][self._region]
        with self._lock:
            if log_group not in backend.groups:
                backend.create_log_group(log_group, {})
            if log_stream not in backend.groups[log_group].streams:
                backend.create_log_stream(log_group, log_stream)
            backend.put_log_events(
                log_group,
                log_stream,
                [{"timestamp": event.timestamp, "message": event.message} for event in events],
            )
