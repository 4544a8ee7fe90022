"""The embedded metric format: log lines that are metrics too.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html. A line that does not
keep to it is a log line and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from coldstart.cloud.metric_store import Metric, metric

MOST_METRICS = 100
"""Of one directive, and values of one metric."""
MOST_DIMENSIONS = 30
_MARK = '"CloudWatchMetrics"'
_RESERVED = "AWS/"


class EmbeddedMetric(NamedTuple):
    """One metric of a log line."""

    metric: Metric
    seconds: float
    """When, since the epoch."""
    values: list[float]
    unit: str
    resolution: int


def embedded_metrics(message: str) -> Sequence[EmbeddedMetric]:
    """Return the metrics in the message of a log event."""
    if _MARK not in message:
        return ()
    try:
        root = json.loads(message)
        metadata = root["_aws"]
        seconds, directives = metadata["Timestamp"] / 1000, metadata["CloudWatchMetrics"]
        return [one for directive in directives for one in _of_directive(root, directive, seconds)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def _of_directive(root: Mapping[str, Any], directive: Mapping[str, Any], seconds: float) -> Iterator[EmbeddedMetric]:
    namespace, definitions = directive["Namespace"], directive["Metrics"]
    if not namespace or namespace.startswith(_RESERVED) or len(definitions) > MOST_METRICS:
        return
    for names in directive.get("Dimensions") or [[]]:
        if len(names) > MOST_DIMENSIONS or not all(isinstance(root.get(name), str) for name in names):
            continue
        dimensions = {name: root[name] for name in names}
        for definition in definitions:
            values = root.get(definition["Name"])
            values = values if isinstance(values, list) else [values]
            if len(values) > MOST_METRICS or not all(_is_number(value) for value in values):
                continue
            resolution = 1 if definition.get("StorageResolution") == 1 else 60
            of = metric(namespace, definition["Name"], dimensions)
            yield EmbeddedMetric(
                of, seconds, [float(one) for one in values], definition.get("Unit", "None"), resolution
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
