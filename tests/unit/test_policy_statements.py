"""Which statements apply to a call: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html."""

from __future__ import annotations

import pytest

from coldstart.cloud.policy_statements import Call, allows, findings, names_of, service_call

QUEUE = "arn:aws:sqs:us-east-1:123456789012:labels"
REQUEST = service_call("s3.amazonaws.com", "sqs:SendMessage", QUEUE, "arn:aws:s3:::parcel", "123456789012")
ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}


def is_allowed(**changes) -> bool:
    return allows({"Statement": [{**ALLOW, **changes}]}, REQUEST)


def test_nothing_is_allowed_without_a_policy():
    assert not allows(None, REQUEST)
    assert not allows({"Statement": []}, REQUEST)
    assert allows({"Statement": ALLOW}, REQUEST)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "123456789012"}}, False),
        ({"Principal": {"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Action": "SQS:*"}, True),
        ({"Action": ["sqs:Receive*", "sqs:Send?essage"]}, True),
        ({"Action": "sqs:ReceiveMessage"}, False),
        ({"Resource": "arn:aws:sqs:*:123456789012:l*"}, True),
        ({"Resource": "arn:aws:sqs:us-east-1:123456789012:other"}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::p*"}}}, True),
        ({"Condition": {"ArnEquals": {"AWS:SourceArn": "arn:aws:s3:::other"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": ["1", "123456789012"]}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "123456789012"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceOwner": "123456789012"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceOwner": "123456789012"}}}, True),
        ({"Condition": {"Bool": {"aws:SourceArn": "true"}}}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_statements(changes, expected):
    assert is_allowed(**changes) is expected


def test_a_deny_wins():
    deny = {**ALLOW, "Effect": "Deny", "Condition": {"StringLike": {"aws:SourceArn": "*:parcel"}}}
    assert not allows({"Statement": [ALLOW, deny]}, REQUEST)
    assert allows(
        {"Statement": [ALLOW, deny]},
        service_call("s3.amazonaws.com", "sqs:SendMessage", QUEUE, "arn:aws:s3:::other", "123456789012"),
    )


CALL = Call(
    "dynamodb:PutItem",
    "arn:aws:dynamodb:us-east-1:123456789012:table/orders",
    names_of("arn:aws:sts::123456789012:assumed-role/parcel/orders"),
    {
        "aws:requestedregion": ("us-east-1",),
        "aws:principaltag/team": ("packing",),
        "dynamodb:leadingkeys": ("P-1", "P-2"),
        "aws:securetransport": ("false",),
        "aws:sourceip": ("127.0.0.1",),
        "aws:epochtime": ("1795000000",),
        "aws:currenttime": ("2026-11-25T12:00:00Z",),
        "s3:max-keys": ("10",),
    },
)
STATEMENT = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}


@pytest.mark.parametrize(
    ("changes", "mismatch"),
    [
        ({}, ""),
        ({"Action": ["dynamodb:Get*", "DYNAMODB:put*"]}, ""),
        ({"Action": "dynamodb:GetItem"}, "Action"),
        ({"Action": None, "NotAction": "s3:*"}, ""),
        ({"NotAction": ["dynamodb:*"]}, "NotAction"),
        ({"Resource": "arn:aws:dynamodb:*:*:table/orders"}, ""),
        ({"Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/order"}, "Resource"),
        ({"NotResource": "*/orders"}, "NotResource"),
        ({"Resource": "arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}"}, "Resource"),
        ({"Resource": "*/${aws:PrincipalTag/none, 'orders'}"}, ""),
        ({"Resource": "*/${aws:username}"}, "Resource"),
        ({"Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}, ""),
        (
            {"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}},
            "Condition StringEquals aws:RequestedRegion",
        ),
        ({"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}}, ""),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, ""),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, "Condition StringEquals aws:SourceVpc"),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}}, ""),
        ({"Condition": {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}}}, ""),
        ({"Condition": {"Null": {"aws:SourceVpc": "true"}}}, ""),
        ({"Condition": {"Null": {"aws:SourceIp": True}}}, "Condition Null aws:SourceIp"),
        ({"Condition": {"Bool": {"aws:SecureTransport": False}}}, ""),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, "Condition Bool aws:SecureTransport"),
        ({"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "P-*"}}}, ""),
        (
            {"Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["P-1"]}}},
            "Condition ForAllValues:StringEquals dynamodb:LeadingKeys",
        ),
        ({"Condition": {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["P-1"]}}}, ""),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}}}, ""),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}, "Condition NotIpAddress aws:SourceIp"),
        ({"Condition": {"NumericLessThanEquals": {"s3:max-keys": 10}}}, ""),
        ({"Condition": {"NumericGreaterThan": {"s3:max-keys": "10"}}}, "Condition NumericGreaterThan s3:max-keys"),
        ({"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-11-25T00:00:00Z"}}}, ""),
        (
            {"Condition": {"DateLessThan": {"aws:EpochTime": "2026-01-01T00:00:00Z"}}},
            "Condition DateLessThan aws:EpochTime",
        ),
        ({"Condition": {"SoundsLike": {"aws:SourceIp": "x"}}}, "Condition SoundsLike aws:SourceIp"),
    ],
)
def test_the_first_element_that_does_not_fit_is_named(changes, mismatch):
    statement = {name: value for name, value in {**STATEMENT, **changes}.items() if value is not None}
    [found] = findings("inline", {"Statement": statement}, CALL, has_principals=False)
    assert found.mismatch == mismatch
    assert found.applies is (mismatch == "")


def test_a_caller_has_the_names_of_its_account():
    assert findings("", {"Statement": {**STATEMENT, "Principal": {"AWS": "123456789012"}}}, CALL, has_principals=True)[
        0
    ].applies
    other = {**STATEMENT, "Principal": {"AWS": "arn:aws:iam::210987654321:root"}}
    assert findings("", {"Statement": other}, CALL, has_principals=True)[0].mismatch == "Principal"
    nobody = {**STATEMENT, "NotPrincipal": {"AWS": "123456789012"}}
    assert findings("", {"Statement": nobody}, CALL, has_principals=True)[0].mismatch == "NotPrincipal"
