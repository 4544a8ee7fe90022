"""SQS keeps the lineage that Lambda's recursion detection needs.

On AWS a message sent by a handler carries its trace header to the function that a mapping feeds. moto (moto/sqs/models.py,
``send_message``) keeps only the trace header that a sender names itself as a system attribute.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

from typing import Any

from flask import has_request_context
from flask import request as http_request
from moto.sqs.models import Message, SQSBackend

from coldstart.events.lineage import lineage_of

_send_message = SQSBackend.send_message


def apply() -> None:
    """Let messages keep the lineage of the request that sends them."""

    def send_message(backend: SQSBackend, *arguments: Any, **named: Any) -> Message:
        trace_id = lineage_of(http_request.headers.get("X-Amzn-Trace-Id", "")) if has_request_context() else ""
        if trace_id:
            header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace_id}}
            named["system_attributes"] = {**header, **(named.get("system_attributes") or {})}
        return _send_message(backend, *arguments, **named)

    SQSBackend.send_message = send_message  # type: ignore[method-assign, assignment]
