"""SQS refuses a queue's attributes that are no number, or none of its range; moto 5.2.5 answers HTTP 500, or takes them.

Corrects ``moto/sqs/models.py``: ``Queue._set_attributes`` hands them to ``int``.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html.
"""

from __future__ import annotations

from typing import Any

from moto.sqs.exceptions import InvalidAttributeValue
from moto.sqs.models import Queue

_RANGES = {
    "DelaySeconds": range(901),
    "KmsDataKeyReusePeriodSeconds": range(60, 86_401),
    "MaximumMessageSize": range(1024, 1_048_577),
    "MessageRetentionPeriod": range(60, 1_209_601),
    "ReceiveMessageWaitTimeSeconds": range(21),
    "VisibilityTimeout": range(43_201),
}
_set_attributes = Queue._set_attributes


def apply() -> None:
    """Look at the attributes before moto keeps them."""
    Queue._set_attributes = _checked  # type: ignore[method-assign, assignment]


def _checked(queue: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
    for name, allowed in _RANGES.items():
        if name in attributes and not _is_in(str(attributes[name]), allowed):
            raise InvalidAttributeValue(name)
    _set_attributes(queue, attributes, now)


def _is_in(value: str, allowed: range) -> bool:
    return value.isascii() and value.isdigit() and int(value) in allowed
