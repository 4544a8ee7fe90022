"""Metrics of APIs: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html and http-api-metrics.html."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.conformance.conftest import Deployed, http

ANSWER = """
def handler(event, context):
    query = event.get("queryStringParameters") or {}
    if "fails" in query:
        raise ValueError("no address")
    return {"statusCode": int(query.get("status", 200)), "body": "labels"}
"""


@pytest.fixture
def function(deploy) -> Deployed:
    """A function that answers what the query asks for, open to all APIs."""
    function = deploy(ANSWER)
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="apis",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    return function


@pytest.fixture
def sums(local_aws) -> Callable[..., dict[str, float]]:
    """The sums of some metrics of an API."""

    def ask(names: tuple[str, ...], **dimensions: str) -> dict[str, float]:
        now = local_aws.clock.now()
        found = {}
        for name in names:
            points: list[Any] = boto3.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/ApiGateway",
                MetricName=name,
                Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
                StartTime=now - 600,
                EndTime=now + 600,
                Period=3600,
                Statistics=["Sum", "SampleCount"],
            )["Datapoints"]
            found[name] = points[0]["SampleCount" if name == "Latency" else "Sum"] if points else 0
        return found

    return ask


def arn_of(function: Deployed) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{function.name}"


def test_an_http_api_counts_requests_and_errors(function: Deployed, sums) -> None:
    client = boto3.client("apigatewayv2")
    api = client.create_api(Name="labels", ProtocolType="HTTP", Target=arn_of(function))
    for query in ("", "?status=404", "?fails=1"):
        http(f"{api['ApiEndpoint']}/{query}")
    expected = {"Count": 3, "4xx": 1, "5xx": 1, "Latency": 3}
    assert sums(tuple(expected), ApiId=api["ApiId"]) == expected
    assert sums(("Count",), ApiId=api["ApiId"], Stage="$default") == {"Count": 3}
    client.delete_api(ApiId=api["ApiId"])


def test_a_rest_api_counts_them_by_its_name(function: Deployed, sums, local_aws) -> None:
    client = boto3.client("apigateway")
    api = client.create_rest_api(name="parcel-labels")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(
        restApiId=api,
        resourceId=root,
        httpMethod="GET",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn_of(function)}/invocations",
    )
    client.create_deployment(restApiId=api, stageName="live")
    for query in ("", "?status=404", "?fails=1"):
        http(f"{local_aws.url}/_aws/execute-api/{api}/live/{query}")
    expected = {"Count": 3, "4XXError": 1, "5XXError": 1, "Latency": 3}
    assert sums(tuple(expected), ApiName="parcel-labels", Stage="live") == expected
    assert sums(("Count",), ApiName="parcel-labels") == {"Count": 3}
    client.delete_rest_api(restApiId=api)
