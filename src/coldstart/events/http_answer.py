"""What goes back to the client of an API or a function URL."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any


class MalformedAnswer(ValueError):
    """The function returned something that is no HTTP response in the format of its gateway."""


@dataclass(frozen=True)
class HttpAnswer:
    """One HTTP response."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header; None when there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def status_of(value: Any) -> int:
    """Return a function's ``statusCode``, which may be text, as a number.

    Raises:
        MalformedAnswer: it is no status code.
    """
    try:
        status = int(value)
    except (TypeError, ValueError):
        raise MalformedAnswer(f"statusCode is {value!r}") from None
    if isinstance(value, bool) or not 100 <= status <= 599:
        raise MalformedAnswer(f"statusCode is {value!r}")
    return status


def header_text(value: Any) -> str:
    """Return a header's value as it goes over the wire.

    Raises:
        MalformedAnswer: it is neither text, a number nor true or false.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise MalformedAnswer(f"a header's value is {value!r}")
    return " ".join(str(value).splitlines())


def decoded_body(text: str) -> bytes:
    """Return the bytes of a body in base64.

    Raises:
        MalformedAnswer: it is not base64.
    """
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise MalformedAnswer("isBase64Encoded is true, but the body is not base64") from None
