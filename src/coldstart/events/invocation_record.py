"""What Lambda sends to destinations about an asynchronous invocation.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html.
"""

from __future__ import annotations

import json
from typing import Any

from coldstart.events.event_time import with_milliseconds
from coldstart.runtime.execution_environment import InvocationResult

SUCCESS = "Success"
RETRIES_EXHAUSTED = "RetriesExhausted"
EVENT_AGE_EXCEEDED = "EventAgeExceeded"
ZERO_CONCURRENCY = "ZeroReservedConcurrency"
RECURSION = "RecursiveInvocation"


def invocation_record(
    function_arn: str,
    request_id: str,
    event: bytes,
    *,
    condition: str,
    invoke_count: int,
    result: InvocationResult | None,
    now: float,
) -> dict[str, Any]:
    """Return the JSON document that a destination gets.

    Args:
        function_arn: the function's ARN as it was invoked; without a qualifier ``$LATEST`` is meant.
        request_id: the invocation's id, the same on every attempt.
        event: the event as it was sent.
        condition: why the record is sent, one of this module's constants.
        invoke_count: how often the function was run.
        result: what came of the last run; None when the function was never run.
        now: seconds since the epoch.
    """
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": with_milliseconds(now),
        "requestContext": {
            "requestId": request_id,
            "functionArn": qualified(function_arn),
            "condition": condition,
            "approximateInvokeCount": invoke_count,
        },
        "requestPayload": json.loads(event or b"{}"),
    }
    if result is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": result.executed_version}
        if result.function_error:
            context["functionError"] = result.function_error
        record["responseContext"] = context
        record["responsePayload"] = json.loads(result.payload) if result.payload else None
    return record


def dead_letter_attributes(request_id: str, status: int, message: str) -> dict[str, str]:
    """Return the message attributes that a dead-letter queue's copy of the event has.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (dead-letter queues)
    """
    return {"RequestID": request_id, "ErrorCode": str(status), "ErrorMessage": message[:1024]}


def detail_type(record: dict[str, Any]) -> str:
    """Return the detail type of the event that an EventBridge destination gets."""
    outcome = "Success" if record["requestContext"]["condition"] == SUCCESS else "Failure"
    return f"Lambda Function Invocation Result - {outcome}"


def qualified(function_arn: str) -> str:
    """Return the ARN with its qualifier; ``$LATEST`` when it has none."""
    return function_arn if function_arn.count(":") > 6 else f"{function_arn}:$LATEST"
