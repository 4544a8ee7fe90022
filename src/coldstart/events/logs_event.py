"""What CloudWatch Logs sends to a subscription: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any


def data_message(
    *, owner: str, log_group: str, log_stream: str, filter_name: str, log_events: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return what a subscription gets; each of the events has id, timestamp (epoch milliseconds) and message."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": owner,
        "logGroup": log_group,
        "logStream": log_stream,
        "subscriptionFilters": [filter_name],
        "logEvents": list(log_events),
    }


def function_event(message: dict[str, Any]) -> dict[str, Any]:
    """Return the event of a function: the message as JSON, compressed and in base64."""
    data = gzip.compress(json.dumps(message).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(data).decode()}}
