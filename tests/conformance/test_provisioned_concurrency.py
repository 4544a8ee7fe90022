"""Provisioned concurrency really initialises ahead.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html; when INIT_REPORT is written: lambda-facts 4.3.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError

CODE = """
import os, time
print("initialised for", os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"])
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return {"how": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "where": context.log_stream_name}
"""


def provision(local_aws, function, count):
    """Publish a version, provision it and wait; return its number and the configuration."""
    client = function.client
    version = client.publish_version(FunctionName=function.name)["Version"]
    asked = client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=version, ProvisionedConcurrentExecutions=count
    )
    assert asked["Status"] == "IN_PROGRESS"
    local_aws.clock.settle()
    return version, client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=version)


def test_environments_are_initialised_before_anybody_invokes(deploy, local_aws):
    function = deploy(CODE)
    version, config = provision(local_aws, function, 3)
    assert config["Status"] == "READY"
    assert config["RequestedProvisionedConcurrentExecutions"] == 3
    assert config["AvailableProvisionedConcurrentExecutions"] == 3
    assert config["AllocatedProvisionedConcurrentExecutions"] == 3
    lines = function.lines()
    assert lines.count("initialised for provisioned-concurrency\n") == 3
    assert sum(bool(re.match(r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\t\n", line)) for line in lines) == 3
    assert not any(line.startswith("START") for line in lines)
    answer = function.invoke(Qualifier=version)["Payload"]
    assert answer["how"] == "provisioned-concurrency"
    assert len(function.lines()) == len(lines) + 3  # START, END, REPORT


def test_the_init_is_reported_with_the_first_invocation_and_not_billed_with_it(deploy, local_aws):
    """Real logs: the first REPORT has an Init Duration though nobody waited; Billed Duration is without it."""
    function = deploy("import time\ntime.sleep(0.2)\n" + CODE)
    version, _ = provision(local_aws, function, 1)
    for _ in range(2):
        function.invoke(Qualifier=version)
    first, second = [line for line in function.lines() if line.startswith("REPORT")]
    assert float(re.search(r"\tInit Duration: ([\d.]+) ms", first)[1]) > 200
    assert int(re.search(r"\tBilled Duration: (\d+) ms", first)[1]) < 200
    assert "Init Duration" not in second


def test_what_is_too_much_spills_over_to_on_demand(deploy, local_aws):
    function = deploy(CODE, Timeout=30)
    version, _ = provision(local_aws, function, 2)
    client = boto3.client("lambda")

    def invoke(_):
        response = client.invoke(FunctionName=f"{function.name}:{version}", Payload=b'{"sleep": 0.7}')
        return json.loads(response["Payload"].read())

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(invoke, range(4)))
    how = sorted(answer["how"] for answer in answers)
    assert how == ["on-demand", "on-demand", "provisioned-concurrency", "provisioned-concurrency"]
    assert len({answer["where"] for answer in answers}) == 4
    assert function.invoke(Qualifier=version)["Payload"]["how"] == "provisioned-concurrency"


def test_an_init_that_fails_makes_the_configuration_fail(deploy, local_aws):
    function = deploy("raise RuntimeError('no table')")
    version, config = provision(local_aws, function, 2)
    assert config["Status"] == "FAILED"
    assert config["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert config["AvailableProvisionedConcurrentExecutions"] == 0
    assert function.invoke(Qualifier=version)["FunctionError"] == "Unhandled"


def test_a_provisioned_environment_that_dies_is_replaced(deploy, local_aws):
    function = deploy(CODE.replace("time.sleep", "event.get('exit') and os._exit(1); time.sleep"))
    version, _ = provision(local_aws, function, 1)
    first = function.invoke(Qualifier=version)["Payload"]["where"]
    assert function.invoke({"exit": True}, Qualifier=version)["Payload"]["errorType"] == "Runtime.ExitError"
    local_aws.clock.settle()
    again = function.invoke(Qualifier=version)["Payload"]
    assert again["how"] == "provisioned-concurrency"
    assert again["where"] != first


def test_they_stay_when_nobody_invokes_and_go_when_nobody_wants_them(deploy, local_aws):
    function = deploy(CODE)
    version, _ = provision(local_aws, function, 1)
    local_aws.clock.advance(hours=1)
    assert function.invoke(Qualifier=version)["Payload"]["how"] == "provisioned-concurrency"
    function.client.delete_provisioned_concurrency_config(FunctionName=function.name, Qualifier=version)
    local_aws.clock.settle()
    assert function.invoke(Qualifier=version)["Payload"]["how"] == "on-demand"
    with pytest.raises(ClientError, match="ProvisionedConcurrencyConfigNotFoundException"):
        function.client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=version)


def test_asking_for_fewer_ends_the_others(deploy, local_aws):
    function = deploy(CODE)
    version, _ = provision(local_aws, function, 3)
    function.client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=version, ProvisionedConcurrentExecutions=1
    )
    local_aws.clock.settle()
    config = function.client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=version)
    assert (config["Status"], config["AvailableProvisionedConcurrentExecutions"]) == ("READY", 1)
    kinds = [phase.kind for phase in local_aws._host.record.phases(function.name)]
    assert kinds == ["init"] * 3 + ["shutdown"] * 2


def test_provisioned_concurrency_cannot_exceed_the_reservation(deploy, local_aws):
    function = deploy(CODE)
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    with pytest.raises(ClientError, match="should not be greater than the reservedConcurrentExecution") as error:
        function.client.put_provisioned_concurrency_config(
            FunctionName=function.name, Qualifier=version, ProvisionedConcurrentExecutions=2
        )
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
