"""DynamoDB as moto does it, corrected."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError


def test_a_batch_has_25_items(local_aws: Any) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName="batches",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    puts = [{"PutRequest": {"Item": {"id": {"S": f"P-{number}"}}}} for number in range(26)]
    with pytest.raises(ClientError, match="Too many items requested for the BatchWriteItem call") as refused:
        client.batch_write_item(RequestItems={"batches": puts})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert client.scan(TableName="batches")["Count"] == 0
    client.batch_write_item(RequestItems={"batches": puts[:25]})
    assert client.scan(TableName="batches")["Count"] == 25
    client.delete_table(TableName="batches")


TABLE = "atomic-counters"
COUNT = "SET how_many = if_not_exists(how_many, :none) + :one"


@pytest.fixture
def often_switching():
    """Let threads take turns after every few instructions, as they may."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_an_update_is_atomic(local_aws, often_switching):
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.AtomicCounters."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def count(_: int) -> int:
        updated = client.update_item(
            TableName=TABLE,
            Key={"name": {"S": "orders"}},
            UpdateExpression=COUNT,
            ExpressionAttributeValues={":none": {"N": "0"}, ":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(updated["Attributes"]["how_many"]["N"])

    with ThreadPoolExecutor(8) as callers:
        numbers = list(callers.map(count, range(100)))
    client.delete_table(TableName=TABLE)
    assert sorted(numbers) == list(range(1, 101))
