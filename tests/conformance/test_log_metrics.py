"""Metrics that logs bring: the embedded metric format, and metric filters."""

from __future__ import annotations

import json
from collections.abc import Callable

import boto3
import pytest
from botocore.exceptions import ClientError

EMITTED = """
import json, time
def handler(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
            "Namespace": "Parcel/Embedded", "Dimensions": [["Shop"], ["Shop", "Country"]],
            "Metrics": [{"Name": "Orders", "Unit": "Count"}, {"Name": "Weight", "Unit": "Kilobytes"}]}]},
        "Shop": "Oslo", "Country": "NO", "Orders": 1, "Weight": [1, 2, 6], "order": "P-1042"}))
"""


@pytest.fixture
def total(local_aws) -> Callable[..., dict[str, float]]:
    """The statistics of a metric of the last and next ten minutes."""

    def ask(namespace: str, name: str, **dimensions: str) -> dict[str, float]:
        now = local_aws.clock.now()
        points = boto3.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - 600,
            EndTime=now + 600,
            Period=3600,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        return {name: points[0][name] for name in ("Sum", "SampleCount")} if points else {}

    return ask


@pytest.fixture
def put(local_aws) -> Callable[..., None]:
    """Put lines into a log group of the test's own."""
    logs = boto3.client("logs")

    def put_lines(group: str, *lines: str) -> None:
        events = [{"timestamp": local_aws.clock.now_ms(), "message": line} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)

    return put_lines


@pytest.fixture
def group(request) -> str:
    """A log group with a stream."""
    logs, name = boto3.client("logs"), f"/parcel/{request.node.originalname}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    yield name
    logs.delete_log_group(logGroupName=name)


def test_embedded_metrics_are_metrics_for_each_set_of_dimensions(deploy, total, local_aws) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html."""
    function = deploy(EMITTED)
    local_aws.clock.advance(hours=3)
    function.invoke()
    function.invoke()
    assert total("Parcel/Embedded", "Orders", Shop="Oslo") == {"Sum": 2, "SampleCount": 2}
    assert total("Parcel/Embedded", "Weight", Shop="Oslo", Country="NO") == {"Sum": 18, "SampleCount": 6}
    assert total("Parcel/Embedded", "Orders") == {}
    assert any('"order": "P-1042"' in line for line in function.lines())


def test_what_does_not_keep_to_the_format_is_a_log_line(group, put, total, local_aws) -> None:
    now_ms = local_aws.clock.now_ms()

    def line(directive: object, **members: object) -> str:
        return json.dumps({"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": directive}, "Orders": 1, **members})

    good = {"Namespace": "Parcel/Faulty", "Metrics": [{"Name": "Orders"}]}
    put(
        group,
        line([good], Orders="one"),
        line([{**good, "Namespace": "AWS/Lambda"}]),
        line([{**good, "Dimensions": [["Shop"]]}]),
        line("none"),
        line([good], _aws={"Timestamp": "now", "CloudWatchMetrics": [good]}),
        line([good])[:-1],
    )
    assert total("Parcel/Faulty", "Orders") == {}
    assert total("AWS/Lambda", "Orders") == {}
    put(group, line([good]))
    assert total("Parcel/Faulty", "Orders") == {"Sum": 1, "SampleCount": 1}


def test_metric_filters_count_and_measure(group, put, total) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html."""
    logs = boto3.client("logs")
    filters = {
        "errors": ("ERROR", {"metricName": "Errors", "metricValue": "1", "defaultValue": 0}),
        "latency": ('{ $.level = "INFO" }', {"metricName": "Latency", "metricValue": "$.ms", "unit": "Milliseconds"}),
        "shops": (
            "{ $.ms > 0 }",
            {"metricName": "Requests", "metricValue": "1", "dimensions": {"Shop": "$.shop"}},
        ),
        "bytes": ("[ip, path, size > 100]", {"metricName": "Bytes", "metricValue": "$size"}),
    }
    put(group, "ERROR before there was a filter")
    for name, (pattern, transformation) in filters.items():
        logs.put_metric_filter(
            logGroupName=group,
            filterName=name,
            filterPattern=pattern,
            metricTransformations=[{"metricNamespace": "Parcel/Logs", **transformation}],
        )
    put(group, "nothing")
    assert total("Parcel/Logs", "Errors") == {"Sum": 0, "SampleCount": 1}
    put(group, "ERROR no address", "ERROR no parcel", "all is well")
    put(group, json.dumps({"level": "INFO", "ms": 20, "shop": "Oslo"}), json.dumps({"level": "INFO", "ms": 5}))
    put(group, json.dumps({"level": "DEBUG", "ms": 1, "shop": "Lima"}), "127.0.0.1 /orders 200", "127.0.0.1 / 7")
    assert total("Parcel/Logs", "Errors")["Sum"] == 2
    assert total("Parcel/Logs", "Latency") == {"Sum": 25, "SampleCount": 2}
    assert total("Parcel/Logs", "Requests", Shop="Oslo") == {"Sum": 1, "SampleCount": 1}
    assert total("Parcel/Logs", "Requests", Shop="Lima") == {"Sum": 1, "SampleCount": 1}
    assert total("Parcel/Logs", "Bytes") == {"Sum": 200, "SampleCount": 1}


def test_a_metric_filter_of_a_name_is_one(group, put, total) -> None:
    logs = boto3.client("logs")
    for value in ("1", "10"):
        transformation = {"metricNamespace": "Parcel/Again", "metricName": "Lines", "metricValue": value}
        logs.put_metric_filter(
            logGroupName=group, filterName="lines", filterPattern="", metricTransformations=[transformation]
        )
    assert len(logs.describe_metric_filters(logGroupName=group)["metricFilters"]) == 1
    put(group, "one line")
    assert total("Parcel/Again", "Lines")["Sum"] == 10


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"metricValue": "many"}, "many"),
        ({"dimensions": {"Shop": "$.shop"}, "defaultValue": 0}, "mutually exclusive"),
        ({"dimensions": dict.fromkeys("abcd", "$.a")}, "at most 3"),
    ],
)
def test_a_faulty_metric_filter_is_refused(group, changed, names: str) -> None:
    transformation = {"metricNamespace": "Parcel/Faulty", "metricName": "Lines", "metricValue": "1", **changed}
    with pytest.raises(ClientError, match=names):
        boto3.client("logs").put_metric_filter(
            logGroupName=group, filterName="faulty", filterPattern="", metricTransformations=[transformation]
        )


def test_a_metric_filter_needs_its_group() -> None:
    transformation = {"metricNamespace": "Parcel/Faulty", "metricName": "Lines", "metricValue": "1"}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        boto3.client("logs").put_metric_filter(
            logGroupName="/nobody/made", filterName="x", filterPattern="", metricTransformations=[transformation]
        )
