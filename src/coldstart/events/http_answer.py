"""What goes back to the client of an API or a function URL."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")


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


def header_pair(name: str, value: Any) -> tuple[str, str]:
    """Return a header's name and value as they go over the wire.

    Raises:
        MalformedAnswer: the name is not one, or the value is neither text, a number nor true or false.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise MalformedAnswer(f"a header's name is {name!r}")
    if isinstance(value, bool):
        return name, str(value).lower()
    if not isinstance(value, str | int | float):
        raise MalformedAnswer(f"the value of the header {name} is {value!r}")
    return name, _CONTROL_CHARACTERS.sub(" ", str(value)).encode().decode("latin-1")


def decoded_body(text: str) -> bytes:
    """Return the bytes of a body in base64.

    Raises:
        MalformedAnswer: it is not base64.
    """
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise MalformedAnswer("isBase64Encoded is true, but the body is not base64") from None
