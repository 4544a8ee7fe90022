"""Resource policies: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html."""

from __future__ import annotations

import json

import pytest

from tests.conformance.test_versions_and_aliases import arn, refused

HANDLER = "def handler(event, context): pass\n"


@pytest.fixture
def function(deploy):
    return deploy(HANDLER)


def add(function, sid, **parameters):
    return function.client.add_permission(
        **{
            "FunctionName": function.name,
            "StatementId": sid,
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            **parameters,
        }
    )


def test_a_statement_says_who_may_invoke_and_for_whom(function):
    answer = add(
        function,
        "photos",
        SourceArn="arn:aws:s3:::parcel-photos",
        SourceAccount="123456789012",
        EventSourceToken="token",
    )
    expected = {
        "Sid": "photos",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn(function),
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012", "lambda:EventSourceToken": "token"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::parcel-photos"},
        },
    }
    assert json.loads(answer["Statement"]) == expected
    policy = function.client.get_policy(FunctionName=function.name)
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [expected]}
    assert policy["RevisionId"] == function.client.get_function_configuration(FunctionName=function.name)["RevisionId"]


@pytest.mark.parametrize(
    ("principal", "written"),
    [
        ("*", "*"),
        ("210987654321", {"AWS": "arn:aws:iam::210987654321:root"}),
        ("arn:aws:iam::210987654321:user/mila", {"AWS": "arn:aws:iam::210987654321:user/mila"}),
        ("events.amazonaws.com", {"Service": "events.amazonaws.com"}),
    ],
)
def test_principals(function, principal, written):
    assert json.loads(add(function, "who", Principal=principal)["Statement"])["Principal"] == written


def test_what_makes_no_sense_is_refused(function):
    add(function, "photos")
    assert refused(lambda: add(function, "photos")) == (
        "ResourceConflictException",
        409,
        "The statement id (photos) provided already exists. Please provide a new statement id, "
        "or remove the existing statement.",
    )
    assert refused(lambda: add(function, "who", Principal="mila"))[::2] == (
        "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.",
    )
    assert refused(lambda: add(function, "latest", Qualifier="$LATEST"))[::2] == (
        "InvalidParameterValueException",
        "We currently do not support adding policies for $LATEST.",
    )
    assert refused(lambda: add(function, "nope", Qualifier="nope"))[::2] == (
        "ResourceNotFoundException",
        f"Cannot find alias arn: {arn(function, 'nope')}",
    )
    assert refused(lambda: add(function, "seven", Qualifier="7"))[2] == f"Function not found: {arn(function, '7')}"
    assert refused(lambda: add(function, "with blank"))[0] == "ValidationException"
    assert refused(lambda: add(function, "action", Action="sqs:SendMessage"))[0] == "ValidationException"
    assert refused(lambda: add(function, "stale", RevisionId="stale"))[:2] == ("PreconditionFailedException", 412)


def test_versions_and_aliases_have_policies_of_their_own(function, local_aws):
    client = function.client
    client.publish_version(FunctionName=function.name)
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    add(function, "photos", Qualifier="live")
    assert refused(client.get_policy, FunctionName=function.name) == (
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )
    policy = client.get_policy(FunctionName=function.name, Qualifier="live")
    assert json.loads(policy["Policy"])["Statement"][0]["Resource"] == arn(function, "live")
    assert policy["RevisionId"] == client.get_alias(FunctionName=function.name, Name="live")["RevisionId"]


def test_statements_can_be_taken_back(function):
    client = function.client
    assert refused(client.remove_permission, FunctionName=function.name, StatementId="photos")[::2] == (
        "ResourceNotFoundException",
        "No policy is associated with the given resource.",
    )
    add(function, "photos")
    add(function, "labels")
    assert refused(client.remove_permission, FunctionName=function.name, StatementId="nope")[2] == (
        "Statement nope is not found in resource policy."
    )
    client.remove_permission(FunctionName=function.name, StatementId="photos")
    statements = json.loads(client.get_policy(FunctionName=function.name)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["labels"]
    client.remove_permission(FunctionName=function.name, StatementId="labels")
    assert refused(client.get_policy, FunctionName=function.name)[1] == 404


def test_a_policy_has_at_most_20480_bytes(function):
    for number in range(200):
        try:
            add(function, f"statement-{number}", SourceArn="arn:aws:s3:::" + "b" * 900)
        except function.client.exceptions.PolicyLengthExceededException as error:
            text = str(error)
            break
    else:
        pytest.fail("no limit")
    assert "The final policy size (" in text
    assert "is bigger than the limit (20480)." in text
    policy = function.client.get_policy(FunctionName=function.name)["Policy"]
    assert 19_000 < len(policy) <= 20_480


def test_a_whole_policy_can_be_put_in_place(function):
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutResourcePolicy.html: it overwrites what AddPermission made."""
    add(function, "photos")
    statement = {
        "Sid": "queue",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn(function),
    }
    client = function.client
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    answer = client.put_resource_policy(ResourceArn=arn(function), Policy=policy)
    assert json.loads(answer["Policy"])["Statement"] == [statement]
    assert client.get_resource_policy(ResourceArn=arn(function))["RevisionId"] == answer["RevisionId"]
    client.delete_resource_policy(ResourceArn=arn(function))
    assert refused(client.get_policy, FunctionName=function.name)[1] == 404


@pytest.mark.parametrize(
    ("permission", "principal", "source_arn", "source_account", "expected"),
    [
        ({}, "s3.amazonaws.com", "arn:aws:s3:::any", "", True),
        ({}, "sns.amazonaws.com", "arn:aws:sns:us-east-1:123456789012:any", "", False),
        ({"SourceArn": "arn:aws:s3:::parcel-*"}, "s3.amazonaws.com", "arn:aws:s3:::parcel-photos", "", True),
        ({"SourceArn": "arn:aws:s3:::parcel-*"}, "s3.amazonaws.com", "arn:aws:s3:::other", "", False),
        ({"SourceArn": "arn:aws:s3:::parcel-*"}, "s3.amazonaws.com", "", "", False),
        ({"SourceAccount": "123456789012"}, "s3.amazonaws.com", "arn:aws:s3:::any", "123456789012", True),
        ({"SourceAccount": "210987654321"}, "s3.amazonaws.com", "arn:aws:s3:::any", "123456789012", False),
        ({"Action": "lambda:*"}, "s3.amazonaws.com", "", "", True),
        ({"Action": "lambda:GetFunction"}, "s3.amazonaws.com", "", "", False),
        ({"Principal": "*"}, "s3.amazonaws.com", "", "", True),
    ],
)
def test_who_may_invoke(function, local_aws, permission, principal, source_arn, source_account, expected):
    add(function, "photos", **permission)
    allowed = local_aws._lambda.service.may_invoke(
        arn(function), principal, source_arn=source_arn, source_account=source_account
    )
    assert allowed is expected
