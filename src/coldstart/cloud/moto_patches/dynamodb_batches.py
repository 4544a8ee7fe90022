"""BatchWriteItem takes 25 items; moto (dynamodb/responses.py) takes any number.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

# mypy: disable-error-code="method-assign, assignment"
from __future__ import annotations

from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.responses import DynamoHandler

MOST_ITEMS = 25


def apply() -> None:
    """Correct moto."""
    motos = DynamoHandler.batch_write_item
    if getattr(motos, "counts_items", False):
        return

    def batch_write_item(handler: DynamoHandler) -> Any:
        if sum(map(len, handler.body["RequestItems"].values())) > MOST_ITEMS:
            raise MockValidationException("Too many items requested for the BatchWriteItem call")
        return motos(handler)

    vars(batch_write_item)["counts_items"] = True
    DynamoHandler.batch_write_item = batch_write_item
