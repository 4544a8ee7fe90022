"""The metrics of event source mappings in CloudWatch: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coldstart.cloud.function_metrics import FunctionMetrics

ITERATOR_AGE = "IteratorAge"


def put_mapping_metric(
    metrics: FunctionMetrics, region: str, configuration: Mapping[str, Any], name: str, value: float
) -> None:
    """Put one value: the iterator's age always, counts of events when the mapping's MetricsConfig asks for them.

    Args:
        metrics: where to put it.
        region: where the mapping is.
        configuration: EventSourceMappingConfiguration.
        name: of the metric, such as ``IteratorAge`` (milliseconds) or ``PolledEventCount``.
        value: to put.
    """
    if name == ITERATOR_AGE:
        metrics.count(str(configuration["FunctionArn"]), name, value, "Milliseconds")
    elif "EventCount" in configuration.get("MetricsConfig", {}).get("Metrics", ()):
        metrics.put(region, name, value, {"EventSourceMappingUUID": str(configuration["UUID"])})
