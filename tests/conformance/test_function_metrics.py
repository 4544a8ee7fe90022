"""Lambda's metrics in CloudWatch: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.conftest import Deployed, zipped

ORDERS = """
import time
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    if event.get("fails"):
        raise ValueError("no address")
"""


@pytest.fixture
def statistics(local_aws) -> Callable[..., dict[str, float]]:
    """One statistic of a metric of Lambda's over the last and the next ten minutes."""
    cloudwatch = boto3.client("cloudwatch")

    def ask(name: str, *wanted: str, **dimensions: str) -> dict[str, float]:
        now = local_aws.clock.now()
        extended = [one for one in wanted if one[0] == "p"]
        [point] = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - 600,
            EndTime=now + 600,
            Period=3600,
            Statistics=[one for one in wanted if one not in extended],
            **({"ExtendedStatistics": extended} if extended else {}),
        )["Datapoints"] or [{}]
        return {**{one: point.get(one) for one in wanted if one not in extended}, **point.get("ExtendedStatistics", {})}

    return ask


def test_invocations_errors_and_durations(deploy: Callable[..., Deployed], statistics) -> None:
    function = deploy(ORDERS)
    for fails in (True, False, False, False):
        function.invoke({"fails": fails})
    assert statistics("Invocations", "Sum", FunctionName=function.name) == {"Sum": 4}
    assert statistics("Errors", "Sum", "Average", "SampleCount", FunctionName=function.name) == {
        "Sum": 1,
        "Average": 0.25,
        "SampleCount": 4,
    }
    assert statistics("Throttles", "Sum", FunctionName=function.name) == {"Sum": 0}
    reported = sorted(
        float(line.split("Duration: ")[1].split()[0]) for line in function.lines() if line.startswith("REPORT")
    )
    found = statistics("Duration", "Minimum", "Maximum", "p50", "p99", FunctionName=function.name)
    assert found == {"Minimum": reported[0], "Maximum": reported[3], "p50": reported[1], "p99": reported[3]}


def test_throttles_are_neither_invocations_nor_errors(deploy: Callable[..., Deployed], statistics) -> None:
    function = deploy(ORDERS)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    once = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        once.invoke(FunctionName=function.name)
    assert statistics("Throttles", "Sum", FunctionName=function.name) == {"Sum": 1}
    assert statistics("Invocations", "Sum", FunctionName=function.name) == {"Sum": None}
    assert statistics("Errors", "Sum", FunctionName=function.name) == {"Sum": None}


def test_concurrent_executions(deploy: Callable[..., Deployed], statistics) -> None:
    function = deploy(ORDERS)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(function.invoke, [{"seconds": 0.4}] * 3))
    assert statistics("ConcurrentExecutions", "Maximum", FunctionName=function.name) == {"Maximum": 3}
    everywhere = statistics("UnreservedConcurrentExecutions", "Maximum")["Maximum"]
    assert everywhere >= 3
    assert statistics("ClaimedAccountConcurrency", "Maximum")["Maximum"] >= everywhere


def test_an_alias_and_the_version_it_chose_have_metrics_of_their_own(
    deploy: Callable[..., Deployed], statistics
) -> None:
    function = deploy(ORDERS)
    function.client.publish_version(FunctionName=function.name)
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    function.invoke()
    function.invoke(Qualifier="live")
    function.invoke(Qualifier="live")
    name = function.name
    assert statistics("Invocations", "Sum", FunctionName=name) == {"Sum": 3}
    assert statistics("Invocations", "Sum", FunctionName=name, Resource=name) == {"Sum": 1}
    assert statistics("Invocations", "Sum", FunctionName=name, Resource=f"{name}:live") == {"Sum": 2}
    versioned = statistics("Invocations", "Sum", FunctionName=name, Resource=f"{name}:live", ExecutedVersion="1")
    assert versioned == {"Sum": 2}


def test_provisioned_concurrency_and_its_spillover(deploy: Callable[..., Deployed], statistics, local_aws) -> None:
    function = deploy(ORDERS)
    function.client.publish_version(FunctionName=function.name)
    function.client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier="1", ProvisionedConcurrentExecutions=1
    )
    local_aws.settle()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda event: function.invoke(event, Qualifier="1"), [{"seconds": 0.4}] * 2))
    of = {"FunctionName": function.name, "Resource": f"{function.name}:1"}
    assert statistics("ProvisionedConcurrencyInvocations", "Sum", **of) == {"Sum": 1}
    assert statistics("ProvisionedConcurrencySpilloverInvocations", "Sum", **of) == {"Sum": 1}
    assert statistics("ProvisionedConcurrentExecutions", "Maximum", **of) == {"Maximum": 1}
    assert statistics("ProvisionedConcurrencyUtilization", "Maximum", **of) == {"Maximum": 1}


def test_asynchronous_events_their_age_and_what_becomes_of_them(
    deploy: Callable[..., Deployed], statistics, local_aws
) -> None:
    function = deploy(
        ORDERS, DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:nobody-made-this-queue"}
    )
    gone = "arn:aws:sqs:us-east-1:123456789012:nor-this-one"
    function.client.put_function_event_invoke_config(
        FunctionName=function.name,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": gone}},
    )
    function.invoke({"fails": True}, InvocationType="Event")
    local_aws.clock.advance(minutes=3)
    of = {"FunctionName": function.name}
    assert statistics("AsyncEventsReceived", "Sum", **of) == {"Sum": 1}
    assert statistics("AsyncEventsDropped", "Sum", **of) == {"Sum": 1}
    assert statistics("DeadLetterErrors", "Sum", **of) == {"Sum": 1}
    assert statistics("DestinationDeliveryFailures", "Sum", **of) == {"Sum": 1}
    age = statistics("AsyncEventAge", "Maximum", "SampleCount", **of)
    assert age["SampleCount"] == 2
    assert 60_000 <= age["Maximum"] < 120_000


LINGERING = """#!/usr/bin/env python3
import http.client, json, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, **headers):
    api.request(method, "/2020-01-01/extension/" + path, body, headers)
    response = api.getresponse()
    response.read()
    return response.headers
me = call("POST", "register", json.dumps({"events": ["INVOKE"]}), **{"Lambda-Extension-Name": "lingering"})
while True:
    call("GET", "event/next", **{"Lambda-Extension-Identifier": me["Lambda-Extension-Identifier"]})
    time.sleep(0.2)
"""


def test_what_extensions_take_afterwards_is_measured(deploy: Callable[..., Deployed], statistics) -> None:
    client = boto3.client("lambda")
    package = zipped({"extensions/lingering": LINGERING})
    layer = client.publish_layer_version(LayerName="lingering", Content={"ZipFile": package})["LayerVersionArn"]
    function = deploy(ORDERS, Layers=[layer])
    function.invoke()
    [afterwards] = statistics("PostRuntimeExtensionsDuration", "Maximum", FunctionName=function.name).values()
    [whole] = statistics("Duration", "Maximum", FunctionName=function.name).values()
    assert 190 <= afterwards < whole


def test_a_metric_is_listed_with_its_dimensions(deploy: Callable[..., Deployed]) -> None:
    function = deploy(ORDERS)
    function.invoke()
    listed = boto3.client("cloudwatch").list_metrics(
        Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName", "Value": function.name}]
    )["Metrics"]
    names = {one["MetricName"] for one in listed}
    assert {"Invocations", "Errors", "Duration", "Throttles", "ConcurrentExecutions"} <= names
    dimensions = [one["Dimensions"] for one in listed if one["MetricName"] == "Invocations"]
    own = {"Name": "FunctionName", "Value": function.name}
    assert dimensions == [[own], [own, {"Name": "Resource", "Value": function.name}]]


def test_an_empty_region_has_no_metrics(local_aws) -> None:
    cloudwatch = boto3.client("cloudwatch", region_name="eu-west-3")
    cloudwatch.put_metric_data(Namespace="Parcel", MetricData=[{"MetricName": "Orders", "Value": 1}])
    assert cloudwatch.list_metrics(Namespace="Parcel")["Metrics"]
    local_aws.empty_region("eu-west-3")
    assert cloudwatch.list_metrics(Namespace="Parcel")["Metrics"] == []


def _query(identifier: str, name: str, stat: str, **more: Any) -> dict[str, Any]:
    of = {"Namespace": "Parcel/Queries", "MetricName": name, "Dimensions": more.pop("dimensions", [])}
    return {"Id": identifier, "MetricStat": {"Metric": of, "Period": 60, "Stat": stat}, **more}


# GetMetricData: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html


@pytest.fixture(scope="module")
def ask(local_aws) -> Callable[..., dict[str, list[float]]]:
    """Two minutes with values: three orders by two shops, then one; all latencies without a shop."""
    cloudwatch = boto3.client("cloudwatch")
    start = local_aws.clock.now() // 60 * 60 - 600
    for minute, shop, value in ((0, "Oslo", 1), (0, "Oslo", 1), (0, "Lima", 1), (1, "Oslo", 1)):
        dimensions = [{"Name": "Shop", "Value": shop}]
        datum = {"MetricName": "Orders", "Value": value, "Dimensions": dimensions, "Unit": "Count"}
        cloudwatch.put_metric_data(
            Namespace="Parcel/Queries", MetricData=[{**datum, "Timestamp": start + 60 * minute + 7}]
        )
    cloudwatch.put_metric_data(
        Namespace="Parcel/Queries",
        MetricData=[
            {
                "MetricName": "Latency",
                "Values": [float(value) for value in range(1, 101)],
                "Counts": [1.0] * 100,
                "Timestamp": start,
                "Unit": "Milliseconds",
            }
        ],
    )

    def ask(*queries: dict[str, Any]) -> dict[str, list[float]]:
        found = cloudwatch.get_metric_data(
            MetricDataQueries=list(queries),
            StartTime=start,
            EndTime=start + 180,
            ScanBy="TimestampAscending",
        )
        return {result["Id"]: result["Values"] for result in found["MetricDataResults"]}

    return ask


def test_dimensions_are_part_of_the_metric(ask) -> None:
    of_oslo = _query("oslo", "Orders", "Sum", dimensions=[{"Name": "Shop", "Value": "Oslo"}])
    assert ask(of_oslo, _query("all", "Orders", "Sum")) == {"oslo": [2, 1], "all": []}


@pytest.mark.parametrize(
    ("stat", "value"),
    [
        ("Average", 50.5),
        ("SampleCount", 100),
        ("p50", 50),
        ("p99", 99),
        ("p99.9", 100),
        ("tm50", 25.5),
        ("TC(90%:100%)", 11),
        ("IQM", 50),
    ],
)
def test_statistics_and_percentiles(ask, stat: str, value: float) -> None:
    assert ask(_query("latency", "Latency", stat)) == {"latency": [value]}


def test_an_expression_over_metrics(ask) -> None:
    oslo = _query("oslo", "Orders", "Sum", dimensions=[{"Name": "Shop", "Value": "Oslo"}], ReturnData=False)
    lima = _query("lima", "Orders", "Sum", dimensions=[{"Name": "Shop", "Value": "Lima"}], ReturnData=False)
    share = {"Id": "share", "Expression": "100 * lima / (lima + oslo)"}
    filled = {"Id": "filled", "Expression": "oslo - FILL(lima, 0)"}
    either = {"Id": "either", "Expression": "IF(oslo > 1, 1, 0)"}
    found = ask(oslo, lima, share, filled, either)
    assert found == {"share": [pytest.approx(100 / 3)], "filled": [1, 1], "either": [1, 0]}


@pytest.mark.parametrize(
    ("expression", "names"), [("1 +", "Syntax error"), ("nobody * 2", "nobody"), ("SELECT AVG(x) FROM y", "Insights")]
)
def test_a_faulty_expression_is_refused(ask, expression: str, names: str) -> None:
    with pytest.raises(ClientError, match=names):
        ask(_query("latency", "Latency", "Sum"), {"Id": "wrong", "Expression": expression})


def test_an_unknown_statistic_is_refused(ask) -> None:
    with pytest.raises(ClientError, match="q99"):
        ask(_query("latency", "Latency", "q99"))


def test_namespaces_of_aws_are_reserved() -> None:
    with pytest.raises(ClientError, match="The value AWS/ for parameter Namespace is invalid"):
        boto3.client("cloudwatch").put_metric_data(
            Namespace="AWS/Lambda/Custom", MetricData=[{"MetricName": "Orders", "Value": 1}]
        )


def test_values_that_were_summed_up_have_no_percentile(local_aws) -> None:
    cloudwatch, now = boto3.client("cloudwatch"), local_aws.clock.now()
    summed = {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}
    cloudwatch.put_metric_data(
        Namespace="Parcel/Summed", MetricData=[{"MetricName": "Weight", "StatisticValues": summed}]
    )
    found = cloudwatch.get_metric_statistics(
        Namespace="Parcel/Summed",
        MetricName="Weight",
        StartTime=now - 120,
        EndTime=now + 120,
        Period=300,
        Statistics=["Average"],
        ExtendedStatistics=["p90"],
    )["Datapoints"]
    assert [(point["Average"], point.get("ExtendedStatistics")) for point in found] == [(2.5, {})]
    assert found[0]["Unit"] == "None"
