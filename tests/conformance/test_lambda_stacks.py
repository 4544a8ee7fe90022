"""CloudFormation makes Lambda's resources: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html."""

from __future__ import annotations

import copy
import itertools
import json

import boto3
import pytest

from tests.conformance.conftest import zipped

ROLE = "arn:aws:iam::123456789012:role/parcel-function"
_numbers = itertools.count(1)


@pytest.fixture
def stack(local_aws):
    """Create stacks from templates; they are deleted at the end."""
    client = boto3.client("cloudformation")
    names = []

    def create(resources, **parameters):
        name = f"parcel-stack-{next(_numbers)}"
        template = json.dumps({"Resources": resources, **parameters})
        client.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
        names.append(name)
        return name

    yield create
    for name in names:
        client.delete_stack(StackName=name)


def update(name, resources, **parameters):
    template = json.dumps({"Resources": resources, **parameters})
    boto3.client("cloudformation").update_stack(
        StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
    )


def outputs(name):
    stack = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def physical_id(name, logical_id):
    answer = boto3.client("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    return answer["StackResourceDetail"]["PhysicalResourceId"]


def a_function(answer="one", **properties):
    code = f"def handler(event, context):\n    return {answer!r}\n"
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.14",
            "Role": ROLE,
            "Handler": "index.handler",
            "Code": {"ZipFile": code},
            **properties,
        },
    }


def answer_of(function):
    return json.loads(boto3.client("lambda").invoke(FunctionName=function)["Payload"].read())


def test_a_function_has_everything_that_the_template_says(stack):
    properties = {
        "Description": "labels",
        "Timeout": "7",
        "MemorySize": "256",
        "EphemeralStorage": {"Size": 600},
        "Environment": {"Variables": {"SHOP": "Parcel", "LIMIT": 4, "FAST": True}},
        "TracingConfig": {"Mode": "Active"},
        "Architectures": ["arm64"],
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:lost"},
        "LoggingConfig": {"LogFormat": "JSON"},
        "Tags": [{"Key": "team", "Value": "labels"}],
        "ReservedConcurrentExecutions": 5,
    }
    name = stack(
        {"Labels": a_function(**properties)},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Labels", "Arn"]}}, "Name": {"Value": {"Ref": "Labels"}}},
    )
    client = boto3.client("lambda")
    found = client.get_function(FunctionName=outputs(name)["Arn"])
    configuration = found["Configuration"]
    assert configuration["FunctionName"] == outputs(name)["Name"] == physical_id(name, "Labels")
    assert configuration["FunctionName"].startswith(f"{name}-Labels-")
    assert (configuration["Timeout"], configuration["MemorySize"]) == (7, 256)
    assert configuration["Environment"]["Variables"] == {"SHOP": "Parcel", "LIMIT": "4", "FAST": "true"}
    for key in ("Description", "EphemeralStorage", "TracingConfig", "Architectures", "DeadLetterConfig"):
        assert configuration[key] == properties[key]
    assert configuration["LoggingConfig"]["LogFormat"] == "JSON"
    assert found["Tags"] == {"team": "labels"}
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert answer_of(configuration["FunctionName"]) == "one"


def test_an_update_changes_code_and_configuration_and_takes_back_what_is_gone(stack):
    function = a_function(FunctionName="stacked", Timeout=7, Tags=[{"Key": "team", "Value": "labels"}])
    name = stack({"Labels": function})
    update(name, {"Labels": a_function("two", FunctionName="stacked", MemorySize=512)})
    found = boto3.client("lambda").get_function(FunctionName="stacked")
    assert (found["Configuration"]["Timeout"], found["Configuration"]["MemorySize"]) == (3, 512)
    assert "Tags" not in found
    assert answer_of("stacked") == "two"


def test_versions_and_aliases_move_with_the_code(stack):
    """What SAM's AutoPublishAlias makes: a version of its own for each code, and an alias that moves."""
    resources = {
        "Labels": a_function(FunctionName="released"),
        "VersionA": {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Retain",
            "Properties": {"FunctionName": {"Ref": "Labels"}},
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Labels"},
                "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": ["VersionA", "Version"]},
            },
        },
    }
    name = stack(resources, Outputs={"Alias": {"Value": {"Ref": "Live"}}})
    assert outputs(name)["Alias"] == "arn:aws:lambda:us-east-1:123456789012:function:released:live"
    assert answer_of("released:live") == "one"
    newer = copy.deepcopy(resources)
    newer["Labels"] = a_function("two", FunctionName="released")
    newer["VersionB"] = newer.pop("VersionA")
    newer["Live"]["Properties"]["FunctionVersion"] = {"Fn::GetAtt": ["VersionB", "Version"]}
    newer["Live"]["Properties"]["RoutingConfig"] = {
        "AdditionalVersionWeights": [{"FunctionVersion": "1", "FunctionWeight": 0.5}]
    }
    update(name, newer)
    client = boto3.client("lambda")
    alias = client.get_alias(FunctionName="released", Name="live")
    assert (alias["FunctionVersion"], alias["RoutingConfig"]) == ("2", {"AdditionalVersionWeights": {"1": 0.5}})
    assert {answer_of("released:live") for _ in range(40)} == {"one", "two"}
    assert [answer_of(f"released:{version}") for version in (1, 2)] == ["one", "two"]


def test_without_retain_the_old_version_goes_after_the_alias_has_moved(stack):
    def resources(answer, version):
        return {
            version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Labels"}}},
            "Live": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "Labels"},
                    "Name": "live",
                    "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                },
            },
            "Labels": a_function(answer, FunctionName="tidy"),
        }

    name = stack(resources("one", "VersionA"))
    update(name, resources("two", "VersionB"))
    versions = boto3.client("lambda").list_versions_by_function(FunctionName="tidy")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "2"]
    assert answer_of("tidy:live") == "two"


def test_a_function_follows_a_layer_that_was_replaced(stack):
    def resources(size):
        content = {"S3Bucket": "replaced-layers", "S3Key": f"{size}.zip"}
        function = a_function(FunctionName="following", Layers=[{"Ref": "Sizes"}])
        function["Properties"]["Code"]["ZipFile"] = (
            "import sizes\ndef handler(event, context):\n    return sizes.SIZE\n"
        )
        return {"Labels": function, "Sizes": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": content}}}

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="replaced-layers")
    for size in ("A6", "A5"):
        s3.put_object(
            Bucket="replaced-layers", Key=f"{size}.zip", Body=zipped({"python/sizes.py": f"SIZE = {size!r}\n"})
        )
    name = stack(resources("A6"))
    assert answer_of("following") == "A6"
    update(name, resources("A5"))
    assert answer_of("following") == "A5"


def test_layers_permissions_urls_queues_and_invocation_settings(stack, local_aws):
    layer = boto3.client("s3")
    layer.create_bucket(Bucket="stacked-layers")
    layer.put_object(Bucket="stacked-layers", Key="layer.zip", Body=zipped({"python/sizes.py": "SIZE = 'A6'\n"}))
    function = a_function(FunctionName="connected", Layers=[{"Ref": "Sizes"}])
    function["Properties"]["Code"]["ZipFile"] = (
        "import sizes\ndef handler(event, context):\n    print('GOT', event)\n    return sizes.SIZE\n"
    )
    resources = {
        "Sizes": {
            "Type": "AWS::Lambda::LayerVersion",
            "Properties": {"Content": {"S3Bucket": "stacked-layers", "S3Key": "layer.zip"}},
        },
        "Labels": function,
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stacked-orders"}},
        "FromQueue": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Labels"},
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "BatchSize": "5",
            },
        },
        "FromTopic": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Fn::GetAtt": ["Labels", "Arn"]},
                "Action": "lambda:InvokeFunction",
                "Principal": "sns.amazonaws.com",
            },
        },
        "Retries": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {"FunctionName": {"Ref": "Labels"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": 1},
        },
        "Address": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"TargetFunctionArn": {"Fn::GetAtt": ["Labels", "Arn"]}, "AuthType": "NONE"},
        },
    }
    name = stack(resources, Outputs={"Url": {"Value": {"Fn::GetAtt": ["Address", "FunctionUrl"]}}})
    client = boto3.client("lambda")
    assert answer_of("connected") == "A6"
    assert outputs(name)["Url"] == client.get_function_url_config(FunctionName="connected")["FunctionUrl"]
    (mapping,) = client.list_event_source_mappings(FunctionName="connected")["EventSourceMappings"]
    assert (mapping["UUID"], mapping["BatchSize"]) == (physical_id(name, "FromQueue"), 5)
    policy = json.loads(client.get_policy(FunctionName="connected")["Policy"])
    assert [statement["Principal"] for statement in policy["Statement"]] == [{"Service": "sns.amazonaws.com"}]
    assert client.get_function_event_invoke_config(FunctionName="connected")["MaximumRetryAttempts"] == 1
    boto3.client("cloudformation").delete_stack(StackName=name)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="connected")
    local_aws.clock.settle()
    assert client.list_event_source_mappings(FunctionName="connected")["EventSourceMappings"] == []


def test_a_resource_that_lambda_refuses_makes_the_stack_fail(stack):
    name = stack({"Labels": a_function(Runtime="python9.9")})
    events = boto3.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert (failed["LogicalResourceId"], failed["ResourceType"]) == ("Labels", "AWS::Lambda::Function")
    assert "Value python9.9 at 'runtime' failed to satisfy constraint" in failed["ResourceStatusReason"]
