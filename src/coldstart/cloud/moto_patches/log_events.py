"""Log events past their retention are gone, and events of several streams come in the order of time.

moto 5.2.5 (``moto/logs/models.py``) keeps events for ever, and returns those of one stream after those of another.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html and API_FilterLogEvents.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.utils import unix_time_millis, utcnow
from moto.logs.models import LogGroup, LogStream

_DAY_MS = 86_400_000


def apply() -> None:
    """Correct how events are read."""
    if vars(LogGroup)["filter_log_events"].__module__ == __name__:
        return
    for name in ("get_log_events", "filter_log_events", "to_describe_dict"):
        setattr(LogStream, name, _after_expiry(vars(LogStream)[name]))
    LogGroup.filter_log_events = _in_order(LogGroup.filter_log_events)  # type: ignore[method-assign]


def expire(stream: LogStream) -> None:
    """Forget the events of a stream that are older than its group keeps them."""
    days = stream.log_group.retention_in_days
    if days and stream.events:
        earliest = unix_time_millis(utcnow()) - int(days) * _DAY_MS
        if any(event.timestamp < earliest for event in stream.events):
            stream.events = [event for event in stream.events if event.timestamp >= earliest]


def _after_expiry(read: Callable[..., Any]) -> Callable[..., Any]:
    def checked(stream: LogStream, *arguments: Any, **named: Any) -> Any:
        expire(stream)
        return read(stream, *arguments, **named)

    return checked


def _in_order(filter_log_events: Callable[..., Any]) -> Callable[..., Any]:
    """Interleave always: the parameter of that name is of no consequence any more."""
    parameters = 7

    def ordered(group: LogGroup, *arguments: Any, **named: Any) -> Any:
        return filter_log_events(group, *arguments[:parameters], **named | {"interleaved": True})

    return ordered
