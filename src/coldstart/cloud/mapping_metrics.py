"""The metrics of event source mappings in CloudWatch: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

ITERATOR_AGE = "IteratorAge"


def put_mapping_metric(account_id: str, region: str, configuration: Mapping[str, Any], name: str, value: float) -> None:
    """Put one value: the iterator's age always, counts of events when the mapping's MetricsConfig asks for them.

    Args:
        account_id: whose mapping it is.
        region: where it is.
        configuration: EventSourceMappingConfiguration.
        name: of the metric, such as ``IteratorAge`` (milliseconds) or ``PolledEventCount``.
        value: to put.
    """
    if name == ITERATOR_AGE:
        dimension = {"Name": "FunctionName", "Value": str(configuration["FunctionArn"]).split(":")[6]}
    elif "EventCount" in configuration.get("MetricsConfig", {}).get("Metrics", ()):
        dimension = {"Name": "EventSourceMappingUUID", "Value": str(configuration["UUID"])}
    else:
        return
    datum = {
        "MetricName": name,
        "Value": value,
        "Unit": "Milliseconds" if name == ITERATOR_AGE else "Count",
        "Dimensions": [dimension],
    }
    cloudwatch_backends[account_id][region].put_metric_data(namespace="AWS/Lambda", metric_data=[datum])
