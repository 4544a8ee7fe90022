"""Errors in the form in which AWS's SDKs expect them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from xml.sax.saxutils import escape

from coldstart.runtime.http_wire import response_bytes


class AwsError(Exception):
    """AWS would refuse this request: HTTP status, error code and AWS's message.

    Args:
        details: other members of the error's shape, such as the ``Reason`` of a TooManyRequestsException.
    """

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}

    def as_json(self) -> bytes:
        """Return the response of a service that speaks JSON, such as Lambda."""
        document = {"Type": "User", "Message": self.message, "message": self.message, **self.details}
        headers = {
            "Content-Type": "application/json",
            "x-amzn-ErrorType": self.code,
            "x-amzn-RequestId": str(uuid.uuid4()),
        }
        return response_bytes(self.status, headers, json.dumps(document).encode())

    def as_json_rpc(self) -> bytes:
        """Return the response of a service that names operations in ``X-Amz-Target``, such as DynamoDB or Cognito."""
        document = {"__type": self.code, "message": self.message, **self.details}
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": self.code}
        return response_bytes(self.status, headers, json.dumps(document).encode())

    def as_xml(self) -> bytes:
        """Return the response of a service that speaks XML, such as S3, IAM or STS."""
        body = (
            f"<ErrorResponse><Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
            f"<Code>{self.code}</Code><Message>{escape(self.message)}</Message></ErrorResponse>"
        )
        return response_bytes(self.status, {"Content-Type": "text/xml"}, body.encode())
