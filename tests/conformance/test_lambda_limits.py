"""What Lambda refuses, and in which words: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.

The texts are AWS's own, as recorded from it, where nothing else is said.
"""

from __future__ import annotations

import base64
import json

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import zipped
from tests.conformance.test_versions_and_aliases import refused

HANDLER = "def handler(event, context):\n    return event\n"


@pytest.fixture
def create(deploy):
    """Try to create a function; return how it was refused."""

    def attempt(**parameters):
        with pytest.raises(ClientError) as error:
            deploy(HANDLER, **parameters)
        response = error.value.response
        return response["Error"]["Code"], response["Error"]["Message"]

    return attempt


INVALID = "InvalidParameterValueException"
VALIDATION = "ValidationException"
ONE = "1 validation error detected: "


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        (
            {"MemorySize": 10_241},
            INVALID,
            "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
        ),
        (
            {"MemorySize": 32_769},
            VALIDATION,
            ONE + "Value '32769' at 'memorySize' failed to satisfy constraint: "
            "Member must have value less than or equal to 32768",
        ),
        (
            {"Timeout": 901},
            INVALID,
            "'Timeout' value failed to satisfy constraint: Member must have value less than or equal to 900",
        ),
        (
            {"Runtime": ""},
            INVALID,
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ),
        (
            {"Handler": "two words"},
            VALIDATION,
            ONE + r"Value 'two words' at 'handler' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [^\s]+",
        ),
        (
            {"Role": "parcel"},
            VALIDATION,
            ONE
            + "Value 'parcel' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: "
            r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        ),
        (
            {"Role": "arn:aws:iam::123456789012:role/never-made"},
            INVALID,
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            {"Architectures": ["x86_64", "arm64"]},
            VALIDATION,
            ONE + "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: "
            "Member must have length less than or equal to 1",
        ),
        (
            {"Architectures": ["riscv"]},
            VALIDATION,
            ONE + "Value '[riscv]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
        ),
        (
            {"FunctionName": "p" * 65},
            INVALID,
            ONE + f"Value '{'p' * 65}' at 'functionName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
        (
            {"Environment": {"Variables": {"1ST": "a"}}},
            VALIDATION,
            "at 'environment.variables' failed to satisfy constraint",
        ),
        (
            {"Environment": {"Variables": {"AWS_REGION": "eu-west-1", "SHOP": "Parcel"}}},
            INVALID,
            "Lambda was unable to configure your environment variables because the environment variables you have provided "
            "contains reserved keys that are currently not supported for modification. "
            "Reserved keys used in this request: AWS_REGION",
        ),
        (
            {"SnapStart": {"ApplyOn": "PublishedVersions"}, "Runtime": "python3.11"},
            INVALID,
            "python3.11 is not supported for SnapStart enabled functions.",
        ),
        (
            {"Layers": [f"arn:aws:lambda:us-east-1:123456789012:layer:none-{number}:1" for number in range(6)]},
            INVALID,
            "Cannot reference more than 5 layers.",
        ),
        ({"Tags": {str(number): "" for number in range(51)}}, INVALID, "Number of tags exceeds resource tag limit."),
        ({"Code": {}}, INVALID, "Please provide a source for function code."),
        (
            {"Code": {"S3Bucket": "never-made", "S3Key": "code.zip"}},
            INVALID,
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. "
            "S3 Error Message: The specified bucket does not exist",
        ),
        (
            {"VpcConfig": {"SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"]}},
            INVALID,
            "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "
            "EC2 Error Message: The subnet ID 'subnet-0' does not exist",
        ),
    ],
)
def test_a_function_beyond_the_limits_is_not_created(create, parameters, code, message):
    found, text = create(**parameters)
    assert found == code
    assert message in text


def test_a_runtime_that_does_not_exist_is_named_with_those_that_do(create):
    code, message = create(Runtime="python9.9")
    assert code == INVALID
    assert message.startswith(
        "Value python9.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
    )
    assert "python3.14" in message
    assert "python3.7" not in message
    assert message.endswith("] or be a valid ARN")


@pytest.mark.parametrize(
    "parameters",
    [
        {"PackageType": "Image", "Code": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:b"}},
        {
            "FileSystemConfigs": [
                {
                    "Arn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-01234567890123456",
                    "LocalMountPath": "/mnt/a",
                }
            ]
        },
        {"CodeSigningConfigArn": "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0"},
        {"DurableConfig": {"ExecutionTimeout": 3600}},
    ],
)
def test_what_cannot_run_here_is_refused_and_the_reason_said(create, parameters):
    """Ours, not AWS's: the local AWS has no containers, file systems, signing or durable executions."""
    code, message = create(**parameters)
    assert code == INVALID
    assert "in the local AWS" in message


def test_four_kilobytes_of_variables_fit_and_no_more(deploy, create):
    room = 4_096 - len(json.dumps({"TEXT": ""}, separators=(",", ":")))
    fits = {"TEXT": "a" * room}
    function = deploy(
        "import os\ndef handler(event, context):\n    return os.environ['TEXT']\n", Environment={"Variables": fits}
    )
    assert function.invoke()["Payload"] == "a" * room
    code, message = create(Environment={"Variables": {"TEXT": "a" * (room + 1)}})
    assert code == INVALID
    assert message == (
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        'exceeded the 4KB limit. String measured: {"TEXT":"' + "a" * (room + 1) + '"}'
    )
    with pytest.raises(ClientError, match="exceeded the 4KB limit"):
        function.client.update_function_configuration(
            FunctionName=function.name, Environment={"Variables": {"TEXT": "é" * (room // 2 + 1)}}
        )


def test_a_package_of_more_than_fifty_megabytes_is_too_large(deploy):
    function = deploy(HANDLER)
    code, status, message = refused(
        function.client.update_function_code, FunctionName=function.name, ZipFile=bytes(52_428_801)
    )
    assert (code, status) == ("RequestEntityTooLargeException", 413)
    assert message == "Zipped size must be smaller than 52428800 bytes"


def test_a_payload_of_six_megabytes_arrives_and_one_byte_more_does_not(deploy):
    function = deploy("def handler(event, context):\n    return len(event)\n", MemorySize=512)
    payload = b'"' + b"x" * (6_291_456 - 2) + b'"'
    assert (
        json.loads(function.client.invoke(FunctionName=function.name, Payload=payload)["Payload"].read()) == 6_291_454
    )
    code, status, message = refused(function.client.invoke, FunctionName=function.name, Payload=payload + b" ")
    assert (code, status) == ("RequestEntityTooLargeException", 413)
    assert message == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


def test_a_response_may_have_6_291_556_bytes(deploy):
    function = deploy("def handler(event, context):\n    return 'x' * event\n", MemorySize=1024)
    assert len(function.invoke(6_291_554)["Payload"]) == 6_291_554
    response = function.invoke(6_291_555)
    assert response["FunctionError"] == "Unhandled"
    assert response["Payload"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_an_asynchronous_payload_of_one_megabyte_is_queued_and_one_byte_more_is_not(deploy, local_aws):
    function = deploy("def handler(event, context):\n    print('LENGTH', len(event))\n", MemorySize=512)
    payload = b'"' + b"x" * (1_048_576 - 2) + b'"'
    response = function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=payload)
    assert (response["StatusCode"], response["Payload"].read()) == (202, b"")
    assert "ExecutedVersion" not in response
    local_aws.clock.settle()
    assert "LENGTH 1048574\n" in function.lines()
    code, status, _ = refused(
        function.client.invoke, FunctionName=function.name, InvocationType="Event", Payload=payload + b" "
    )
    assert (code, status) == ("RequestEntityTooLargeException", 413)


def test_the_log_result_is_the_last_four_kilobytes(deploy):
    function = deploy("def handler(event, context):\n    print('a' * 9000)\n    print('the end')\n")
    response = function.invoke(LogType="Tail")
    tail = base64.b64decode(response["LogResult"])
    assert len(tail) == 4_096
    assert b"the end\n" in tail
    assert b"START RequestId" not in tail
    assert "LogResult" not in function.invoke()


def test_a_client_context_has_at_most_3583_bytes(deploy):
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, ClientContext. The text is ours."""
    function = deploy("def handler(event, context):\n    return len(context.client_context.custom['a'])\n")
    custom = {"custom": {"a": "x" * 2_650}}
    context = base64.b64encode(json.dumps(custom).encode()).decode()
    assert len(context) <= 3_583
    assert function.invoke(ClientContext=context)["Payload"] == 2_650
    code, status, _ = refused(function.client.invoke, FunctionName=function.name, ClientContext=context + "A" * 60)
    assert (code, status) == ("InvalidRequestContentException", 400)


def test_reserving_leaves_a_hundred_to_the_others(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html."""
    client = boto3.client("lambda", region_name="eu-central-1")
    function = deploy(HANDLER)
    client.create_function(
        FunctionName=function.name,
        Runtime="python3.14",
        Role="arn:aws:iam::123456789012:role/parcel-function",
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": HANDLER})},
    )
    limits = client.get_account_settings()["AccountLimit"]
    assert (limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]) == (1000, 1000)
    assert limits["TotalCodeSize"] == 300 * 1024**3
    code, status, message = refused(
        client.put_function_concurrency, FunctionName=function.name, ReservedConcurrentExecutions=901
    )
    assert (code, status) == (INVALID, 400)
    assert message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [100]."
    )
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=900)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    assert client.get_function(FunctionName=function.name)["Concurrency"] == {"ReservedConcurrentExecutions": 900}
    client.delete_function(FunctionName=function.name)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 1000


def test_nothing_reserved_is_a_brake_that_can_be_let_go(deploy, local_aws):
    """A reservation of 0 throttles everything: 429 with AWS's reason."""
    function = deploy(HANDLER)
    client = boto3.client("lambda", config=boto3.session.Config(retries={"max_attempts": 0}))
    client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as throttled:
        client.invoke(FunctionName=function.name)
    response = throttled.value.response
    assert response["Error"]["Message"] == "Rate Exceeded."
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert client.get_function_concurrency(FunctionName=function.name)["ReservedConcurrentExecutions"] == 0
    client.delete_function_concurrency(FunctionName=function.name)
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=function.name)
    assert function.invoke({"a": 1})["Payload"] == {"a": 1}
    code, _, message = refused(
        client.put_function_concurrency, FunctionName=f"{function.name}:1", ReservedConcurrentExecutions=1
    )
    assert (code, message.partition(".")[0]) == (INVALID, "This operation is permitted on Lambda functions only")


def test_provisioned_concurrency_is_initialised_before_anybody_invokes(deploy, local_aws):
    """https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html."""
    function = deploy(
        "import os\nkind = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\ndef handler(event, context):\n    return kind\n"
    )
    client = function.client
    client.publish_version(FunctionName=function.name)
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    asked = client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier="live", ProvisionedConcurrentExecutions=2
    )
    assert (asked["ResponseMetadata"]["HTTPStatusCode"], asked["Status"]) == (202, "IN_PROGRESS")
    local_aws.clock.settle()
    ready = client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier="live")
    assert (ready["Status"], ready["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    assert function.invoke(Qualifier="live")["Payload"] == "provisioned-concurrency"
    assert function.invoke()["Payload"] == "on-demand"
    listed = client.list_provisioned_concurrency_configs(FunctionName=function.name)["ProvisionedConcurrencyConfigs"]
    assert [config["FunctionArn"].rpartition(":")[2] for config in listed] == ["live"]
    assert refused(
        client.put_provisioned_concurrency_config,
        FunctionName=function.name,
        Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    ) == ("ResourceConflictException", 409, "Version is pointed by a Provisioned Concurrency alias")
    client.update_function_code(
        FunctionName=function.name, ZipFile=zipped({"app.py": "def handler(event, context):\n    return 2\n"})
    )
    client.publish_version(FunctionName=function.name)
    client.update_alias(FunctionName=function.name, Name="live", FunctionVersion="2")
    local_aws.clock.settle()
    moved = client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier="live")
    assert (moved["RequestedProvisionedConcurrentExecutions"], moved["AvailableProvisionedConcurrentExecutions"]) == (
        2,
        2,
    )
    assert function.invoke(Qualifier="live")["Payload"] == 2
    client.delete_provisioned_concurrency_config(FunctionName=function.name, Qualifier="live")
    found = refused(client.get_provisioned_concurrency_config, FunctionName=function.name, Qualifier="live")
    assert found == (
        "ProvisionedConcurrencyConfigNotFoundException",
        404,
        "No Provisioned Concurrency Config found for this function",
    )


def test_latest_cannot_be_provisioned(deploy):
    function = deploy(HANDLER)
    found = refused(
        function.client.put_provisioned_concurrency_config,
        FunctionName=function.name,
        Qualifier="$LATEST",
        ProvisionedConcurrentExecutions=1,
    )
    assert found[::2] == (
        INVALID,
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )
