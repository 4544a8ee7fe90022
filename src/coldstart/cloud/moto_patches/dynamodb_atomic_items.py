"""Each request to DynamoDB is done before the next begins; moto (dynamodb/models) lets them run into each other.

It reads an item and writes it back, so that two updates at one moment counted once. On AWS the update of an item is atomic:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.AtomicCounters.
"""

# mypy: disable-error-code="method-assign, assignment"
from __future__ import annotations

import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler

_motos_call_action = DynamoHandler.call_action
_one_at_a_time = threading.RLock()


def apply() -> None:
    """Correct moto."""
    DynamoHandler.call_action = _call_action


def _call_action(handler: DynamoHandler) -> Any:
    with _one_at_a_time:
        return _motos_call_action(handler)
