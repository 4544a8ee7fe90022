"""What Parcel has when lesson 05 begins: the role of its functions, which may now also read queues and streams, and its topic."""

from __future__ import annotations

import contextlib
import json

import boto3

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICIES = (
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaKinesisExecutionRole",
)
NEWS = "parcel-news"


def make() -> None:
    """Make it, in the region of the session."""
    iam = boto3.client("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="parcel-functions", AssumeRolePolicyDocument=json.dumps(TRUST))
    for policy in POLICIES:
        iam.attach_role_policy(RoleName="parcel-functions", PolicyArn=f"arn:aws:iam::aws:policy/service-role/{policy}")
    boto3.client("sns").create_topic(Name=NEWS)
