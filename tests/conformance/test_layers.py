"""Layers: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html."""

from __future__ import annotations

import io
import itertools
import json
import urllib.request
import zipfile

import boto3
import pytest

from tests.conformance.conftest import zipped
from tests.conformance.test_versions_and_aliases import refused

_numbers = itertools.count(1)


@pytest.fixture
def publish(local_aws):
    """Publish a layer version: `publish({"python/labels.py": "..."}, name="labels")`."""
    client = boto3.client("lambda")

    def publish_layer(files, name=None, **parameters):
        return client.publish_layer_version(
            LayerName=name or f"layer-{next(_numbers)}", Content={"ZipFile": zipped(files)}, **parameters
        )

    return publish_layer


def test_layers_merge_in_their_order_under_opt(deploy, publish):
    """A later layer's file goes over an earlier one's: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html."""
    first = publish({"python/labels.py": "SIZE = 'A6'\n", "data/one.txt": "1", "data/both.txt": "first"})
    second = publish({"python/prices.py": "SMALL = 4\n", "data/two.txt": "2", "data/both.txt": "second"})
    code = """
import labels, prices
from pathlib import Path
data = Path(labels.__file__).parents[1] / "data"
def handler(event, context):
    return [labels.SIZE, prices.SMALL, *((data / f"{name}.txt").read_text() for name in ("one", "two", "both"))]
"""
    function = deploy(code, Layers=[first["LayerVersionArn"], second["LayerVersionArn"]])
    assert function.invoke()["Payload"] == ["A6", 4, "1", "2", "second"]
    shown = function.client.get_function_configuration(FunctionName=function.name)["Layers"]
    assert shown == [
        {"Arn": layer["LayerVersionArn"], "CodeSize": layer["Content"]["CodeSize"]} for layer in (first, second)
    ]
    function.client.update_function_configuration(
        FunctionName=function.name, Layers=[second["LayerVersionArn"], first["LayerVersionArn"]]
    )
    assert function.invoke()["Payload"][-1] == "first"
    function.client.update_function_configuration(FunctionName=function.name, Layers=[])
    assert "Layers" not in function.client.get_function_configuration(FunctionName=function.name)
    assert function.invoke()["Payload"]["errorType"] == "Runtime.ImportModuleError"


def test_layers_are_found_at_opt_by_that_name(deploy, publish):
    """https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html: layers are extracted into /opt."""
    layer = publish({"data/towns.txt": "Porto", "bin/label": "#!/bin/sh\necho printed\n"})
    code = """
import os, subprocess
def handler(event, context):
    if event:
        return sorted(os.listdir("/opt"))
    return [open("/opt/data/towns.txt").read(), subprocess.run("/opt/bin/label", capture_output=True, text=True).stdout.strip()]
"""
    with_layer = deploy(code, Layers=[layer["LayerVersionArn"]])
    assert with_layer.invoke()["Payload"] == ["Porto", "printed"]
    assert with_layer.invoke({"list": 1})["Payload"] == ["bin", "data"]
    assert deploy(code).invoke({"list": 1})["Payload"] == []


def test_versions_count_up_and_are_never_used_again(publish):
    client = boto3.client("lambda")
    first = publish({"a.txt": "1"}, Description="first", CompatibleRuntimes=["python3.14"], LicenseInfo="MIT")
    name = first["LayerArn"].rpartition(":")[2]
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (first["Version"], first["LayerVersionArn"]) == (1, f"{first['LayerArn']}:1")
    assert publish({"a.txt": "2"}, name=name)["Version"] == 2
    client.delete_layer_version(LayerName=name, VersionNumber=2)
    client.delete_layer_version(LayerName=name, VersionNumber=2)
    assert publish({"a.txt": "3"}, name=name)["Version"] == 3
    listed = client.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [version["Version"] for version in listed] == [3, 1]
    assert (listed[1]["Description"], listed[1]["LicenseInfo"]) == ("first", "MIT")
    fitting = client.list_layer_versions(LayerName=name, CompatibleRuntime="python3.14")["LayerVersions"]
    assert [version["Version"] for version in fitting] == [1]
    pages = client.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1})
    latest = {
        layer["LayerName"]: layer["LatestMatchingVersion"]["Version"] for page in pages for layer in page["Layers"]
    }
    assert latest[name] == 3
    found = refused(client.get_layer_version, LayerName=name, VersionNumber=2)
    assert found == ("ResourceNotFoundException", 404, "The resource you requested does not exist.")


def test_the_content_of_a_version_can_be_downloaded(publish):
    client = boto3.client("lambda")
    published = publish({"a.txt": "content"})
    found = client.get_layer_version_by_arn(Arn=published["LayerVersionArn"])
    assert found["Content"]["CodeSha256"] == published["Content"]["CodeSha256"]
    with urllib.request.urlopen(found["Content"]["Location"]) as download:
        archive = zipfile.ZipFile(io.BytesIO(download.read()))
    assert archive.read("a.txt") == b"content"


def test_a_function_keeps_a_layer_that_was_deleted(deploy, publish):
    layer = publish({"python/labels.py": "SIZE = 'A6'\n"})
    function = deploy(
        "import labels\ndef handler(event, context):\n    return labels.SIZE\n", Layers=[layer["LayerVersionArn"]]
    )
    function.client.delete_layer_version(LayerName=layer["LayerArn"], VersionNumber=1)
    assert function.invoke()["Payload"] == "A6"
    function.client.update_function_configuration(FunctionName=function.name, Timeout=5)
    assert function.invoke()["Payload"] == "A6"


def test_a_published_function_version_keeps_its_layers(deploy, publish):
    old, new = publish({"python/labels.py": "SIZE = 'A6'\n"}), publish({"python/labels.py": "SIZE = 'A5'\n"})
    function = deploy(
        "import labels\ndef handler(event, context):\n    return labels.SIZE\n", Layers=[old["LayerVersionArn"]]
    )
    function.client.publish_version(FunctionName=function.name)
    function.client.update_function_configuration(FunctionName=function.name, Layers=[new["LayerVersionArn"]])
    assert [function.invoke(Qualifier=qualifier)["Payload"] for qualifier in ("1", "$LATEST")] == ["A6", "A5"]


def test_layers_that_cannot_be_used_are_refused(deploy, publish):
    function = deploy("def handler(event, context): pass\n")
    layer = publish({"a.txt": "1"})
    name = layer["LayerArn"].rpartition(":")[2]
    second = publish({"a.txt": "2"}, name=name)["LayerVersionArn"]
    arn = layer["LayerVersionArn"]

    def attach(*arns):
        return refused(function.client.update_function_configuration, FunctionName=function.name, Layers=list(arns))

    missing = arn[:-1] + "9"
    assert attach(missing) == ("InvalidParameterValueException", 400, f"Layer version {missing} does not exist.")
    assert attach(arn, second)[2] == (
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{arn} and {second} are versions of the same layer."
    )
    assert attach(arn.replace("us-east-1", "eu-west-1"))[2] == (
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."
    )
    assert attach(arn.replace("123456789012", "210987654321"))[:2] == ("AccessDeniedException", 403)
    assert attach("labels")[0] == "ValidationException"
    assert (
        refused(function.client.publish_layer_version, LayerName="broken", Content={"ZipFile": b"no zip"})[2]
        == "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


def test_function_and_layers_have_250_megabytes_together(deploy, publish):
    def zeros(megabytes):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", bytes(megabytes * 1024 * 1024))
        return buffer.getvalue()

    client = boto3.client("lambda")
    arns = [
        client.publish_layer_version(LayerName=f"large-{number}", Content={"ZipFile": zeros(90)})["LayerVersionArn"]
        for number in range(3)
    ]
    function = deploy("def handler(event, context): pass\n")
    code, _, message = refused(client.update_function_configuration, FunctionName=function.name, Layers=arns)
    assert (code, message) == (
        "InvalidParameterValueException",
        "Layers consume more than the available size of 262144000 bytes",
    )
    client.update_function_configuration(FunctionName=function.name, Layers=arns[:2])
    code, _, message = refused(client.update_function_code, FunctionName=function.name, ZipFile=zeros(90))
    assert message == (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
        f"The actual size is {270 * 1024 * 1024} bytes."
    )


def test_a_layers_permissions(publish):
    """https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html."""
    client = boto3.client("lambda")
    name = publish({"a.txt": "1"})["LayerArn"].rpartition(":")[2]
    version = {"LayerName": name, "VersionNumber": 1}
    assert refused(client.get_layer_version_policy, **version)[2] == "No policy is associated with the given resource."
    added = client.add_layer_version_permission(
        **version, StatementId="everybody", Action="lambda:GetLayerVersion", Principal="*"
    )
    assert json.loads(added["Statement"])["Principal"] == "*"
    again = refused(
        client.add_layer_version_permission,
        **version,
        StatementId="everybody",
        Action="lambda:GetLayerVersion",
        Principal="*",
    )
    assert again[:2] == ("ResourceConflictException", 409)
    policy = client.get_layer_version_policy(**version)
    assert [statement["Sid"] for statement in json.loads(policy["Policy"])["Statement"]] == ["everybody"]
    stale = refused(client.remove_layer_version_permission, **version, StatementId="everybody", RevisionId="stale")
    assert stale[:2] == ("PreconditionFailedException", 412)
    client.remove_layer_version_permission(**version, StatementId="everybody", RevisionId=policy["RevisionId"])
    assert refused(client.get_layer_version_policy, **version)[1] == 404
