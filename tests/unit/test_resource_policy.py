"""Which services a resource policy lets in: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coldstart.cloud.resource_policy import ServiceRequest, allows

QUEUE = "arn:aws:sqs:us-east-1:123456789012:labels"
REQUEST = ServiceRequest("s3.amazonaws.com", "sqs:SendMessage", QUEUE, "arn:aws:s3:::parcel", "123456789012")
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
    assert allows({"Statement": [ALLOW, deny]}, replace(REQUEST, source_arn="arn:aws:s3:::other"))
