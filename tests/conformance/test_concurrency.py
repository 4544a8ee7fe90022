"""Reserved and account concurrency, as callers see them.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html and configuration-concurrency.html; the response to a throttled
invocation is recorded from AWS (lambda-facts 4.5). The limits' arithmetic is in tests/unit/test_concurrency.py.
"""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.conftest import zipped

WAIT = """
import os, socket
def handler(event, context):
    if "gate" in event:
        with socket.create_connection(("127.0.0.1", event["gate"])) as gate:
            gate.recv(1)
    return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
"""
"""Waits at the test's gate until the test lets it go on."""

ONE_TRY = Config(retries={"total_max_attempts": 1})


class Busy:
    """Invocations that last as long as the test wants: they come to a gate, which is a socket."""

    def __init__(self, client, name: str, count: int) -> None:
        self._gate = socket.create_server(("127.0.0.1", 0))
        self._gate.settimeout(30)
        self._pool = ThreadPoolExecutor(count)
        event = json.dumps({"gate": self._gate.getsockname()[1]}).encode()
        self._responses = [self._pool.submit(client.invoke, FunctionName=name, Payload=event) for _ in range(count)]
        self._arrived = [self._gate.accept()[0] for _ in range(count)]

    def end(self) -> list[str]:
        """Let them end; return the environments in which they ran."""
        for connection in (*self._arrived, self._gate):
            connection.close()
        answers = [json.loads(response.result()["Payload"].read()) for response in self._responses]
        self._pool.shutdown()
        return answers


def throttled(client, name: str) -> ClientError:
    with pytest.raises(ClientError) as error:
        client.invoke(FunctionName=name)
    return error.value


def test_reserving_nothing_switches_a_function_off(deploy):
    function = deploy(WAIT)
    client = boto3.client("lambda", config=ONE_TRY)
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    response = throttled(client, function.name).response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["Error"]["Message"] == "Rate Exceeded."
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["Type"] == "User"
    client.delete_function_concurrency(FunctionName=function.name)
    assert client.invoke(FunctionName=function.name)["StatusCode"] == 200


def test_a_reservation_is_the_most_a_function_gets_for_all_its_versions(deploy):
    function = deploy(WAIT, Timeout=30)
    client = boto3.client("lambda", config=ONE_TRY)
    version = client.publish_version(FunctionName=function.name)["Version"]
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=2)
    busy = Busy(client, function.name, 2)
    assert "ReservedFunctionConcurrentInvocationLimitExceeded" in str(throttled(client, function.name).response)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        client.invoke(FunctionName=function.name, Qualifier=version)
    assert len(set(busy.end())) == 2
    assert client.invoke(FunctionName=function.name, Qualifier=version)["ExecutedVersion"] == version


def test_the_account_has_a_limit_in_each_region(local_aws):
    region = local_aws._host.concurrency("ca-west-1")
    region.limit, before = 2, region.limit
    client = boto3.client("lambda", "ca-west-1", config=ONE_TRY)
    for name in ("region-orders", "region-labels"):
        client.create_function(
            FunctionName=name,
            Runtime="python3.14",
            Role="arn:aws:iam::123456789012:role/parcel-function",
            Handler="app.handler",
            Timeout=30,
            Code={"ZipFile": zipped({"app.py": WAIT})},
        )
    try:
        busy = Busy(client, "region-orders", 2)
        assert throttled(client, "region-labels").response["Reason"] == "ConcurrentInvocationLimitExceeded"
        assert region.executing == 2
        busy.end()
        assert client.invoke(FunctionName="region-labels")["StatusCode"] == 200
    finally:
        region.limit = before
        for name in ("region-orders", "region-labels"):
            client.delete_function(FunctionName=name)


def test_the_burst_rate_follows_the_clouds_clock(deploy, local_aws, monkeypatch):
    """scaling-behavior.html: so many environments every ten seconds, refilled continuously. AWS's 1,000 are 2 here."""
    monkeypatch.setattr("coldstart.runtime.concurrency.BURST", 2)
    function = deploy("def handler(event, context):\n    return 1\n")
    client = boto3.client("lambda", config=ONE_TRY)
    for _ in range(2):
        client.invoke(FunctionName=function.name)
        client.update_function_configuration(FunctionName=function.name, Description="a new environment is needed")
    assert throttled(client, function.name).response["Reason"] == "FunctionInvocationRateLimitExceeded"
    local_aws.clock.advance(seconds=5)
    assert client.invoke(FunctionName=function.name)["StatusCode"] == 200


def test_a_throttle_is_no_invocation_and_leaves_its_mark_on_the_record(deploy, local_aws):
    function = deploy(WAIT)
    client = boto3.client("lambda", config=ONE_TRY)
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    throttled(client, function.name)
    client.delete_function_concurrency(FunctionName=function.name)
    client.invoke(FunctionName=function.name)
    phases = local_aws._host.record.phases(function.name)
    assert [phase.kind for phase in phases] == ["throttle", "init", "invoke"]
    assert phases[0].outcome == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert phases[1].environment == phases[2].environment != ""
    assert phases[1].start_ms < phases[1].end_ms <= phases[2].start_ms < phases[2].end_ms
    assert sum("START RequestId" in line for line in function.lines()) == 1
