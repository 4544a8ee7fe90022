"""Puts the events of invocations into the local CloudWatch Logs, where ``boto3.client("logs")`` finds them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from moto.backends import get_backend

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.log_collector import LogEvent

if TYPE_CHECKING:
    from moto.logs.models import LogsBackend, LogStream

RoleMay = Callable[[str, str, str, str], bool]
"""Takes the ARNs of a role and its function, an action and a resource; says whether the role may do that."""
IS_OF_FUNCTION = "is_of_function"
"""Marks the events of functions, whose own figures are in the machine's time and not in the cloud's."""


class LogDelivery:
    """Delivers to the log groups of one account, in the function's region, with the permissions of the function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html: without them there is no log, and no error.
    """

    def __init__(self, account_id: str, role_may: RoleMay) -> None:
        self._account_id = account_id
        self._role_may = role_may
        self._lock = threading.Lock()

    def __call__(self, configuration: FunctionConfiguration, log_stream: str, events: list[LogEvent]) -> None:
        """Append the events, making group and stream when they are not there yet, as Lambda does."""
        with self._lock:
            stream = self._stream(configuration, log_stream)
            if stream is not None:
                # The stream's own method: the backend's checks are for requests, whose times may be years off.
                stream.put_log_events(
                    [{"timestamp": event.timestamp, "message": event.message, IS_OF_FUNCTION: True} for event in events]
                )

    def _stream(self, configuration: FunctionConfiguration, log_stream: str) -> LogStream | None:
        backend: LogsBackend = get_backend("logs")[self._account_id][configuration.region]
        name = configuration.log_group
        group = f"arn:aws:logs:{configuration.region}:{self._account_id}:log-group:{name}"

        def may(action: str, resource: str) -> bool:
            return self._role_may(configuration.role, configuration.function_arn, action, resource)

        if name not in backend.groups:
            if not may("logs:CreateLogGroup", f"{group}:*"):
                return None
            backend.create_log_group(name, {})
        streams = backend.groups[name].streams
        if log_stream not in streams:
            if not may("logs:CreateLogStream", f"{group}:*"):
                return None
            backend.create_log_stream(name, log_stream)
        return streams[log_stream] if may("logs:PutLogEvents", f"{group}:log-stream:{log_stream}") else None
