"""What Parcel has when lesson 03 begins: the role, a table of orders with one order in it, and the count of orders."""

from __future__ import annotations

import contextlib
import json

import boto3

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ORDER = {"customer": {"name": "Ada"}, "items": 3}


def make() -> None:
    """Make it, in the region of the session."""
    make_role()
    dynamodb = boto3.client("dynamodb")
    make_table("parcel-counts", "name")
    dynamodb.put_item(TableName="parcel-counts", Item={"name": {"S": "orders"}, "how_many": {"N": "1042"}})
    make_table("parcel-orders", "order_id")
    dynamodb.put_item(
        TableName="parcel-orders", Item={"order_id": {"S": "P-1042"}, "document": {"S": json.dumps(ORDER)}}
    )


def make_role() -> None:
    """Make the role that functions act in, when it is not there."""
    iam = boto3.client("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="parcel-functions", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(
        RoleName="parcel-functions", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )


def make_table(name: str, key: str) -> None:
    """Make a table whose items are found by one text."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
