"""CloudWatch Logs' filter patterns mean what they say; moto 5.2.5 knows single words and phrases, and returns everything for others.

Corrects ``moto/logs/utils.py`` (EventMessageFilter), and adds TestMetricFilter and the refusal of faulty patterns to
``moto/logs/models.py`` and ``responses.py``. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from moto.logs import models
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from coldstart.events.log_filter_pattern import FilterPattern, InvalidFilterPattern, filter_pattern


def apply() -> None:
    """Let moto ask our filter patterns wherever it has one."""
    names = vars(models)
    if names["EventMessageFilter"] is _EventMessageFilter:
        return
    names["EventMessageFilter"] = _EventMessageFilter
    _refuse_faulty(LogsBackend, "filter_log_events", 6)
    _refuse_faulty(LogsBackend, "put_metric_filter", 1)
    _refuse_faulty(LogsBackend, "put_subscription_filter", 2)
    LogGroup.put_subscription_filter = _put_subscription_filter(LogGroup.put_subscription_filter)  # type: ignore[method-assign]
    LogsResponse.test_metric_filter = _test_metric_filter  # type: ignore[attr-defined]


@lru_cache(maxsize=256)
def known_pattern(text: str) -> FilterPattern:
    """Return the pattern of a text, read once.

    Raises:
        InvalidParameterException: CloudWatch Logs would refuse it.
    """
    try:
        return filter_pattern(text or "")
    except InvalidFilterPattern as error:
        raise InvalidParameterException(str(error)) from None


class _EventMessageFilter:
    """Stands in for moto's class of that name."""

    def __init__(self, pattern: str | None) -> None:
        self._pattern = known_pattern(pattern or "")

    def matches(self, message: str) -> bool:
        return self._pattern.match(message) is not None


def _refuse_faulty(owner: type, name: str, position: int) -> None:
    original = getattr(owner, name)

    def checked(backend: Any, *arguments: Any, **named: Any) -> Any:
        text = named["filter_pattern"] if "filter_pattern" in named else arguments[position]
        known_pattern(text or "")
        return original(backend, *arguments, **named)

    setattr(owner, name, checked)


def _put_subscription_filter(original: Callable[..., None]) -> Callable[..., None]:
    def put(group: LogGroup, filter_name: str, filter_pattern: str, destination_arn: str, role_arn: str) -> None:
        existing = group.subscription_filters.get(filter_name)
        if existing is not None:  # moto refuses to change one of two
            existing.update(filter_pattern, destination_arn, role_arn)
        else:
            original(group, filter_name, filter_pattern, destination_arn, role_arn)

    return put


def _test_metric_filter(response: LogsResponse) -> str:
    """Answer TestMetricFilter: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html."""
    pattern = known_pattern(response._get_param("filterPattern") or "")
    matches = []
    for number, message in enumerate(response._get_param("logEventMessages") or (), 1):
        values = pattern.match(message)
        if values is not None:
            matches.append({"eventNumber": number, "eventMessage": message, "extractedValues": values})
    return json.dumps({"matches": matches})
