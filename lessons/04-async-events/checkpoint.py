"""What Parcel has when lesson 04 begins: the role of its functions, and the table of orders with one order in it."""

from __future__ import annotations

import contextlib
import json

import boto3

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ORDER = {"customer": {"name": "Ada", "email": "ada@example.com"}, "items": 3}


def make() -> None:
    """Make it, in the region of the session."""
    iam, dynamodb = boto3.client("iam"), boto3.client("dynamodb")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="parcel-functions", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(
        RoleName="parcel-functions", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
    dynamodb.create_table(
        TableName="parcel-orders",
        KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "order_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName="parcel-orders")
    dynamodb.put_item(
        TableName="parcel-orders", Item={"order_id": {"S": "P-1042"}, "document": {"S": json.dumps(ORDER)}}
    )
