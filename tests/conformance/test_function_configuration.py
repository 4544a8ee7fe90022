"""Everything that is configured about a function is kept and given back: API_FunctionConfiguration, API_GetFunction."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import urllib.error
import urllib.request
import zipfile

import boto3
import pytest

from tests.conformance.conftest import zipped
from tests.conformance.test_versions_and_aliases import arn, refused

HANDLER = "def handler(event, context):\n    return event\n"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_what_is_not_said_has_awss_defaults(deploy):
    """As recorded from AWS for a function with nothing but what is required."""
    function = deploy(HANDLER)
    configuration = function.client.get_function_configuration(FunctionName=function.name)
    for name in ("ResponseMetadata", "LastModified", "RevisionId", "CodeSha256", "CodeSize", "RuntimeVersionConfig"):
        assert configuration.pop(name)
    assert configuration == {
        "FunctionName": function.name,
        "FunctionArn": arn(function),
        "Runtime": "python3.14",
        "Role": "arn:aws:iam::123456789012:role/parcel-function",
        "Handler": "app.handler",
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
    }


SETTINGS = {
    "Description": "prints labels",
    "Timeout": 9,
    "MemorySize": 256,
    "Architectures": ["arm64"],
    "Environment": {"Variables": {"SHOP": "Parcel"}},
    "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:lost"},
    "EphemeralStorage": {"Size": 1024},
    "KMSKeyArn": KEY,
    "TracingConfig": {"Mode": "Active"},
    "SnapStart": {"ApplyOn": "PublishedVersions"},
    "LoggingConfig": {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "DEBUG",
        "SystemLogLevel": "WARN",
        "LogGroup": "/parcel/labels",
    },
}
ONLY_AT_CREATION = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}


def without(snap_start, configuration):
    return {name: value for name, value in configuration.items() if name != "SnapStart" or snap_start}


@pytest.mark.parametrize("settings", [SETTINGS, without(False, {**SETTINGS, **ONLY_AT_CREATION})])
def test_everything_is_kept_from_creation(deploy, settings):
    size = settings["EphemeralStorage"]["Size"]
    if "SnapStart" in settings:  # it does not go with more than 512 MB of /tmp
        settings = {**settings, "EphemeralStorage": {"Size": 512}}
        size = 512
    function = deploy(HANDLER, **settings)
    found = function.client.get_function_configuration(FunctionName=function.name)
    for name, value in settings.items():
        expected = {**value, "OptimizationStatus": "Off"} if name == "SnapStart" else value
        assert found[name] == expected, name
    assert found["EphemeralStorage"]["Size"] == size


def test_everything_can_be_updated_one_by_one(deploy):
    function = deploy(HANDLER)
    before = function.client.get_function_configuration(FunctionName=function.name)
    for name, value in without(False, SETTINGS).items():
        if name == "Architectures":  # belongs to the code
            continue
        function.client.update_function_configuration(FunctionName=function.name, **{name: value})
        found = function.client.get_function_configuration(FunctionName=function.name)
        changed = {key for key in found if found[key] != before.get(key)} - {"ResponseMetadata"}
        assert changed <= {name, "LastModified", "RevisionId"}
        assert found[name] == value
        before = found
    function.client.update_function_code(
        FunctionName=function.name, ZipFile=zipped({"app.py": HANDLER}), Architectures=["arm64"]
    )
    found = function.client.get_function_configuration(FunctionName=function.name)
    assert found["Architectures"] == ["arm64"]


def test_settings_can_be_taken_back(deploy):
    function = deploy(HANDLER, **without(False, SETTINGS))
    changed = function.client.update_function_configuration(
        FunctionName=function.name,
        DeadLetterConfig={"TargetArn": ""},
        KMSKeyArn="",
        Environment={"Variables": {}},
        LoggingConfig={"LogFormat": "Text"},
    )
    assert not {"DeadLetterConfig", "KMSKeyArn"} & set(changed)
    assert changed["Environment"] == {"Variables": {}}
    assert changed["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/parcel/labels"}
    assert function.client.get_function_configuration(FunctionName=function.name)["Timeout"] == 9


def test_json_logs_come_with_level_info(deploy):
    function = deploy(HANDLER, LoggingConfig={"LogFormat": "JSON"})
    found = function.client.get_function_configuration(FunctionName=function.name)
    assert found["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "INFO",
        "LogGroup": f"/aws/lambda/{function.name}",
    }
    code, _, _ = refused(
        function.client.update_function_configuration,
        FunctionName=function.name,
        LoggingConfig={"LogFormat": "Text", "SystemLogLevel": "WARN"},
    )
    assert code == "InvalidParameterValueException"


def test_a_vpc_is_found_by_its_subnets(deploy):
    ec2 = boto3.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"][0]
    function = deploy(HANDLER, VpcConfig={"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [group["GroupId"]]})
    found = function.client.get_function_configuration(FunctionName=function.name)["VpcConfig"]
    assert (found["VpcId"], found["SubnetIds"]) == (subnet["VpcId"], [subnet["SubnetId"]])
    found = function.client.update_function_configuration(
        FunctionName=function.name, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}
    )["VpcConfig"]
    assert found == {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}


def test_the_code_can_be_downloaded_by_who_has_the_link(deploy, local_aws):
    """API_FunctionCodeLocation: a presigned URL that is good for ten minutes."""
    function = deploy(HANDLER, Publish=True)
    function.client.update_function_code(FunctionName=function.name, ZipFile=zipped({"app.py": "new = 1\n"}))
    for qualifier, text in (("1", HANDLER), ("$LATEST", "new = 1\n")):
        found = function.client.get_function(FunctionName=function.name, Qualifier=qualifier)
        assert found["Code"]["RepositoryType"] == "S3"
        content = urllib.request.urlopen(found["Code"]["Location"]).read()
        assert zipfile.ZipFile(io.BytesIO(content)).read("app.py").decode() == text
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert (found["Configuration"]["CodeSha256"], found["Configuration"]["CodeSize"]) == (digest, len(content))
    link = found["Code"]["Location"]
    for url in (link[:-1] + ("0" if link[-1] != "0" else "1"), link.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(url)
    local_aws.clock.advance(minutes=11)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(link)


def test_code_comes_from_s3(deploy):
    s3 = boto3.client("s3")
    bucket = "code-of-functions"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    answers = ("old", "new")
    versions = [
        s3.put_object(
            Bucket=bucket,
            Key="app.zip",
            Body=zipped({"app.py": f"def handler(event, context):\n    return {answer!r}\n"}),
        )["VersionId"]
        for answer in answers
    ]
    function = deploy("", Code={"S3Bucket": bucket, "S3Key": "app.zip"})
    assert function.invoke()["Payload"] == "new"
    function.client.update_function_code(
        FunctionName=function.name, S3Bucket=bucket, S3Key="app.zip", S3ObjectVersion=versions[0]
    )
    assert function.invoke()["Payload"] == "old"
    assert refused(function.client.update_function_code, FunctionName=function.name, S3Bucket=bucket, S3Key="no.zip")[
        2
    ] == (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    )
    s3.put_object(Bucket=bucket, Key="text.zip", Body=b"no zip")
    assert refused(function.client.update_function_code, FunctionName=function.name, S3Bucket=bucket, S3Key="text.zip")[
        2
    ] == ("Could not unzip uploaded file. Please check your file, then try to upload again.")
    elsewhere = boto3.client("s3", region_name="eu-west-1")
    elsewhere.create_bucket(Bucket="code-elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    message = refused(
        function.client.update_function_code, FunctionName=function.name, S3Bucket="code-elsewhere", S3Key="app.zip"
    )[2]
    assert "S3 Error Code: PermanentRedirect." in message
    assert function.invoke()["Payload"] == "old"


def test_a_dry_run_of_new_code_changes_nothing(deploy):
    function = deploy(HANDLER)
    before = function.client.get_function_configuration(FunctionName=function.name)
    new = zipped({"app.py": "def handler(event, context):\n    return 'new'\n"})
    planned = function.client.update_function_code(FunctionName=function.name, ZipFile=new, DryRun=True)
    assert planned["CodeSha256"] == base64.b64encode(hashlib.sha256(new).digest()).decode()
    after = function.client.get_function_configuration(FunctionName=function.name)
    assert (after["CodeSha256"], after["RevisionId"]) == (before["CodeSha256"], before["RevisionId"])
    assert function.invoke("old")["Payload"] == "old"


def test_a_role_has_to_trust_lambda(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html."""
    iam = boto3.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="for-machines", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    function = deploy(HANDLER)
    found = refused(function.client.update_function_configuration, FunctionName=function.name, Role=role)
    assert found == (
        "InvalidParameterValueException",
        400,
        "The role defined for the function cannot be assumed by Lambda.",
    )
    trust["Statement"][0]["Principal"]["Service"] = ["ec2.amazonaws.com", "lambda.amazonaws.com"]
    iam.update_assume_role_policy(RoleName="for-machines", PolicyDocument=json.dumps(trust))
    assert function.client.update_function_configuration(FunctionName=function.name, Role=role)["Role"] == role


def test_a_name_is_taken_once(deploy):
    function = deploy(HANDLER)
    found = refused(
        function.client.create_function,
        FunctionName=function.name,
        Runtime="python3.14",
        Role="arn:aws:iam::123456789012:role/parcel-function",
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": HANDLER})},
    )
    assert found == ("ResourceConflictException", 409, f"Function already exist: {function.name}")


def test_regions_do_not_know_each_others_functions(deploy):
    function = deploy(HANDLER)
    elsewhere = boto3.client("lambda", region_name="eu-west-1")
    code, _, message = refused(elsewhere.get_function, FunctionName=function.name)
    assert code == "ResourceNotFoundException"
    assert message == f"Function not found: {arn(function).replace('us-east-1', 'eu-west-1')}"
    assert function.name not in [found["FunctionName"] for found in elsewhere.list_functions()["Functions"]]


def test_tags(deploy):
    function = deploy(HANDLER, Tags={"team": "labels"})
    client = function.client
    client.tag_resource(Resource=arn(function), Tags={"stage": "prod"})
    assert client.list_tags(Resource=arn(function))["Tags"] == {"team": "labels", "stage": "prod"}
    assert client.get_function(FunctionName=function.name)["Tags"] == {"team": "labels", "stage": "prod"}
    client.untag_resource(Resource=arn(function), TagKeys=["team", "never-there"])
    assert client.list_tags(Resource=arn(function))["Tags"] == {"stage": "prod"}
    assert refused(client.tag_resource, Resource=arn(function, "1"), Tags={"a": "b"})[2] == (
        "Tags on function aliases and versions are not supported. Please specify a function ARN."
    )
    assert refused(client.tag_resource, Resource=arn(function), Tags={})[0] == "InvalidParameterValueException"
    found = boto3.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "stage", "Values": ["prod"]}], ResourceTypeFilters=["lambda:function"]
    )["ResourceTagMappingList"]
    assert arn(function) in [resource["ResourceARN"] for resource in found]


def test_runtime_updates_and_loops(deploy):
    """API_PutRuntimeManagementConfig, API_PutFunctionRecursionConfig."""
    function = deploy(HANDLER)
    client = function.client
    assert client.get_runtime_management_config(FunctionName=function.name)["UpdateRuntimeOn"] == "Auto"
    client.put_runtime_management_config(FunctionName=function.name, UpdateRuntimeOn="FunctionUpdate")
    assert client.get_runtime_management_config(FunctionName=function.name)["UpdateRuntimeOn"] == "FunctionUpdate"
    code, _, _ = refused(client.put_runtime_management_config, FunctionName=function.name, UpdateRuntimeOn="Manual")
    assert code == "InvalidParameterValueException"
    current = client.get_function_configuration(FunctionName=function.name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
    pinned = client.put_runtime_management_config(
        FunctionName=function.name, UpdateRuntimeOn="Manual", RuntimeVersionArn=current
    )
    assert pinned["RuntimeVersionArn"] == current
    assert client.get_function_recursion_config(FunctionName=function.name)["RecursiveLoop"] == "Terminate"
    client.put_function_recursion_config(FunctionName=function.name, RecursiveLoop="Allow")
    assert client.get_function_recursion_config(FunctionName=function.name)["RecursiveLoop"] == "Allow"


def test_a_tenants_function_needs_the_tenant(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-invoke.html."""
    code = "import os\ndef handler(event, context):\n    return [context.tenant_id, os.getpid()]\n"
    function = deploy(code, TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
    for kind in ("RequestResponse", "Event"):
        found = refused(function.client.invoke, FunctionName=function.name, InvocationType=kind)
        assert found[:2] == ("InvalidParameterValueException", 400)
    blue, green = (function.invoke(TenantId=tenant)["Payload"] for tenant in ("blue", "green"))
    assert (blue[0], green[0]) == ("blue", "green")
    assert blue[1] != green[1]
    assert function.invoke(TenantId="blue")["Payload"] == blue
    ordinary = deploy(HANDLER)
    assert (
        refused(ordinary.client.invoke, FunctionName=ordinary.name, TenantId="blue")[0]
        == "InvalidParameterValueException"
    )


def test_invoke_async_is_what_event_was_before(deploy, local_aws):
    """https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html."""
    function = deploy("def handler(event, context):\n    print('GOT', event['a'])\n")
    assert function.client.invoke_async(FunctionName=function.name, InvokeArgs=b'{"a": 7}')["Status"] == 202
    local_aws.clock.settle()
    assert "GOT 7\n" in function.lines()


@pytest.mark.parametrize("name", ["SecretsManager", "SNS"])
def test_motos_other_services_find_and_run_the_functions(deploy, local_aws, name):
    function = deploy("import json\ndef handler(event, context):\n    print('EVENT', json.dumps(event))\n")
    function.client.add_permission(
        FunctionName=function.name,
        StatementId=name,
        Action="lambda:InvokeFunction",
        Principal=f"{name.lower()}.amazonaws.com",
    )
    if name == "SecretsManager":
        secrets = boto3.client("secretsmanager")
        secret = secrets.create_secret(Name=f"password-{function.name}", SecretString="old")["ARN"]
        secrets.rotate_secret(
            SecretId=secret, RotationLambdaARN=arn(function), RotationRules={"AutomaticallyAfterDays": 1}
        )
    else:
        sns = boto3.client("sns")
        topic = sns.create_topic(Name=f"orders-{function.name}")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn(function))
        sns.publish(TopicArn=topic, Message="hello")
    local_aws.clock.settle()
    assert [line for line in function.lines() if line.startswith("EVENT ")]


def test_no_code_is_signed(deploy):
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionCodeSigningConfig.html; what deployment tools ask."""
    function = deploy(HANDLER)
    found = function.client.get_function_code_signing_config(FunctionName=function.name)
    assert (found["CodeSigningConfigArn"], found["FunctionName"]) == ("", function.name)
