"""Errors in the form in which AWS's SDKs expect them."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from coldstart.runtime.http_wire import response_bytes


class AwsError(Exception):
    """AWS would refuse this request: HTTP status, error code and AWS's message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def as_json(self) -> bytes:
        """Return the response of a service that speaks JSON, such as Lambda."""
        body = json.dumps({"Type": "User", "Message": self.message, "message": self.message}).encode()
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": self.code}
        return response_bytes(self.status, headers, body)

    def as_xml(self) -> bytes:
        """Return the response of a service that speaks XML, such as S3, IAM or STS."""
        body = (
            f"<ErrorResponse><Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
            f"<Code>{self.code}</Code><Message>{escape(self.message)}</Message></ErrorResponse>"
        )
        return response_bytes(self.status, {"Content-Type": "text/xml"}, body.encode())
