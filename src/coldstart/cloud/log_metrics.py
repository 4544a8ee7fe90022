"""Metrics that come out of logs: embedded ones, and those that metric filters make.

moto 5.2.5 (``moto/logs/models.py``) keeps metric filters and makes no metric.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogsBackend, LogStream, logs_backends

from coldstart.cloud.embedded_metrics import embedded_metrics
from coldstart.cloud.log_delivery import IS_OF_FUNCTION
from coldstart.cloud.metric_store import MetricStore, MetricStores, metric
from coldstart.cloud.moto_patches.log_filter_patterns import known_pattern
from coldstart.cloud.replacements import Replacements
from coldstart.events.log_filter_pattern import FilterPattern
from coldstart.runtime.clock import Clock

_MOST_DIMENSIONS = 3


class LogMetrics:
    """Looks at what comes into the log groups of one account."""

    def __init__(self, stores: MetricStores, clock: Clock, account_id: str) -> None:
        self._stores = stores
        self._clock = clock
        self._account_id = account_id

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""

        def put_log_events(stream: LogStream, log_events: list[dict[str, Any]]) -> str:
            token: str = put(stream, log_events)
            self._measure(stream, log_events)
            return token

        def put_metric_filter(
            backend: LogsBackend,
            filter_name: str,
            filter_pattern: str,
            log_group_name: str,
            metric_transformations: list[dict[str, Any]],
        ) -> None:
            if log_group_name not in backend.groups:
                raise ResourceNotFoundException("The specified log group does not exist.")
            for transformation in metric_transformations:
                _check(transformation)
            backend.filters.delete_filter(filter_name, log_group_name)  # one of this name takes its place
            put_filter(backend, filter_name, filter_pattern, log_group_name, metric_transformations)

        put = moto.put(LogStream, "put_log_events", put_log_events)
        put_filter = moto.put(LogsBackend, "put_metric_filter", put_metric_filter)

    def _measure(self, stream: LogStream, log_events: Iterable[Mapping[str, Any]]) -> None:
        store = self._stores.write(stream.region)
        has_changed = False
        for event in log_events:
            ahead = self._clock.ahead if event.get(IS_OF_FUNCTION) else 0.0
            for one in embedded_metrics(event["message"]):
                store.add(
                    one.metric, one.seconds + ahead, [(value, 1) for value in one.values], one.unit, one.resolution
                )
                has_changed = True
        filters = logs_backends[self._account_id][stream.region].filters.metric_filters
        for metric_filter in [one for one in filters if one["logGroupName"] == stream.log_group.name]:
            pattern = known_pattern(metric_filter["filterPattern"])
            for event in log_events:
                for transformation in metric_filter["metricTransformations"]:
                    _transform(store, event, pattern, transformation)
            has_changed = True
        if has_changed:
            self._stores.changed(stream.region)


def _transform(
    store: MetricStore, event: Mapping[str, Any], pattern: FilterPattern, transformation: Mapping[str, Any]
) -> None:
    """Put the value that a metric filter makes of an event; its default counts in a minute without any."""
    message, seconds = event["message"], event["timestamp"] / 1000
    namespace, name = transformation["metricNamespace"], transformation["metricName"]
    unit = transformation.get("unit") or "None"
    if pattern.match(message) is None:
        default = transformation.get("defaultValue")
        if default is not None:
            store.add_default(metric(namespace, name, {}), seconds, float(default), unit)
        return
    dimensions = {}
    for dimension, selector in (transformation.get("dimensions") or {}).items():
        value = pattern.value(message, selector)
        if value is None:  # AWS publishes nothing when a dimension is missing
            return
        dimensions[dimension] = value
    wanted = str(transformation["metricValue"])
    text = pattern.value(message, wanted) if wanted.startswith("$") else wanted
    try:
        measured = float(text) if text is not None else None
    except ValueError:
        measured = None
    if measured is not None:
        store.add(metric(namespace, name, dimensions), seconds, [(measured, 1)], unit)


def _check(transformation: Mapping[str, Any]) -> None:
    dimensions = transformation.get("dimensions") or {}
    if len(dimensions) > _MOST_DIMENSIONS:
        raise InvalidParameterException(f"A metric filter can have at most {_MOST_DIMENSIONS} dimensions.")
    if dimensions and transformation.get("defaultValue") is not None:
        raise InvalidParameterException(
            "Invalid metric transformation: dimensions and default value are mutually exclusive."
        )
    value = str(transformation["metricValue"])
    try:
        is_value = value.startswith("$") or bool(float(value) or True)
    except ValueError:
        is_value = False
    if not is_value:
        raise InvalidParameterException(
            f"Invalid metric value: '{value}' is neither a number nor a field such as $.latency."
        )
