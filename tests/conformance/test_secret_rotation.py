"""Secrets Manager invokes functions: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html."""

from __future__ import annotations

import itertools
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import events_of, function_arn

_numbers = itertools.count(1)
# The steps of AWS's rotation function template.
ROTATE = """
import json
import boto3
secrets = boto3.client("secretsmanager")
def handler(event, context):
    print("EVENT", json.dumps(event))
    arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    versions = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSPENDING" not in versions[token]:
        raise ValueError("not set as AWSPENDING for rotation")
    if step == "createSecret":
        current = secrets.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"]
        try:
            secrets.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
        except secrets.exceptions.ResourceNotFoundException:
            secrets.put_secret_value(
                SecretId=arn, ClientRequestToken=token, SecretString=current + "!", VersionStages=["AWSPENDING"]
            )
    elif step == "testSecret":
        secrets.get_secret_value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")
    elif step == "finishSecret":
        [current] = [version for version, stages in versions.items() if "AWSCURRENT" in stages]
        secrets.update_secret_version_stage(
            SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
"""


@pytest.fixture
def secrets(local_aws):
    return boto3.client("secretsmanager")


@pytest.fixture
def secret(secrets):
    arn = secrets.create_secret(Name=f"parcel-key-{next(_numbers)}", SecretString="key")["ARN"]
    yield arn
    secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def permit(function: Any, secret: str) -> None:
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="secrets",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceArn=secret,
    )


def value(secrets, secret: str) -> str:
    return secrets.get_secret_value(SecretId=secret)["SecretString"]


def test_a_secret_is_rotated_now_and_again(local_aws, deploy, secrets, secret):
    function = deploy(ROTATE, Timeout=30)
    permit(function, secret)
    answer = secrets.rotate_secret(
        SecretId=secret, RotationLambdaARN=function_arn(function), RotationRules={"AutomaticallyAfterDays": 7}
    )
    local_aws.clock.settle()
    assert events_of(function) == [
        {"Step": step, "SecretId": secret, "ClientRequestToken": answer["VersionId"]}
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret")
    ]
    assert value(secrets, secret) == "key!"
    described = secrets.describe_secret(SecretId=secret)
    assert described["RotationEnabled"] is True
    assert described["RotationRules"] == {"AutomaticallyAfterDays": 7}
    assert "AWSCURRENT" in described["VersionIdsToStages"][answer["VersionId"]]
    local_aws.clock.advance(days=6)
    assert value(secrets, secret) == "key!"
    local_aws.clock.advance(days=2)
    assert value(secrets, secret) == "key!!"
    secrets.cancel_rotate_secret(SecretId=secret)
    local_aws.clock.advance(days=30)
    assert value(secrets, secret) == "key!!"


def test_a_step_that_fails_ends_the_rotation(local_aws, deploy, secrets, secret):
    function = deploy("def handler(event, context):\n    raise RuntimeError(event['Step'])\n")
    permit(function, secret)
    secrets.rotate_secret(SecretId=secret, RotationLambdaARN=function_arn(function))
    local_aws.clock.settle()
    assert value(secrets, secret) == "key"
    with pytest.raises(ClientError, match="A previous rotation isn't complete"):
        secrets.rotate_secret(SecretId=secret)


def test_the_function_has_to_let_secrets_manager_in(deploy, secrets, secret):
    function = deploy(ROTATE)
    for arn in (function_arn(function), "arn:aws:lambda:us-east-1:123456789012:function:none"):
        with pytest.raises(ClientError) as refusal:
            secrets.rotate_secret(SecretId=secret, RotationLambdaARN=arn)
        assert refusal.value.response["Error"] == {
            "Code": "AccessDeniedException",
            "Message": "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
            "grants access to the principal secretsmanager.amazonaws.com.",
        }
    with pytest.raises(ClientError, match="No Lambda rotation function ARN is associated with this secret"):
        secrets.rotate_secret(SecretId=secret)
