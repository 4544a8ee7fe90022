"""DynamoDB as moto does it, corrected."""

from __future__ import annotations

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
