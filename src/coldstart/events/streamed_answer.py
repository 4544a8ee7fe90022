"""What a function streams, as an HTTP response: status and headers first, then the body as it comes.

https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html: ``HttpResponseStream.from`` sends a JSON prelude and
eight NUL bytes before the body.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from coldstart.events.http_answer import MalformedAnswer, header_pair, status_of

PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
_END_OF_PRELUDE = b"\0" * 8
_MAX_PRELUDE_BYTES = 1024 * 1024


class StreamedAnswer:
    """Takes a response from the runtime (as its ``ResponseSink``) and hands on its head, then its body.

    Args:
        start: takes status and headers, once.
        write: takes a piece of the body.
        needs_prelude: whether a response without status and headers is malformed.
    """

    def __init__(
        self,
        start: Callable[[int, list[tuple[str, str]]], object],
        write: Callable[[bytes], object],
        *,
        needs_prelude: bool = False,
    ) -> None:
        self._start = start
        self._needs_prelude = needs_prelude
        self._write = write
        self._prelude: bytearray | None = None
        self.is_started = False
        """Whether the head has been handed on."""
        self.is_malformed = False
        """Whether the function sent a prelude that is none; nothing has been handed on then."""

    def begin(self, content_type: str) -> None:
        """Take the type of what will follow."""
        if content_type.partition(";")[0].strip() == PRELUDE_TYPE:
            self._prelude = bytearray()
        elif self._needs_prelude:
            self.is_malformed = True
        else:
            self._begin(200, [("Content-Type", content_type or "application/octet-stream")])

    def write(self, part: bytes) -> None:
        """Take the next bytes."""
        if self.is_malformed:
            return
        if self._prelude is None:
            self._write(part)
            return
        self._prelude += part
        prelude, end, body = self._prelude.partition(_END_OF_PRELUDE)
        if not end:
            self.is_malformed = len(prelude) > _MAX_PRELUDE_BYTES
            return
        try:
            head = head_of(bytes(prelude))
        except MalformedAnswer:
            self.is_malformed = True
            return
        self._prelude = None
        self._begin(*head)
        if body:
            self._write(bytes(body))

    def _begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.is_started = True
        self._start(status, headers)


def head_of(prelude: bytes) -> tuple[int, list[tuple[str, str]]]:
    """Return the status and the headers that a prelude asks for.

    Raises:
        MalformedAnswer: it is not an object with a status code, headers and cookies.
    """
    try:
        document: Any = json.loads(prelude)
        headers = [header_pair(name, value) for name, value in (document.get("headers") or {}).items()]
        headers += [header_pair("Set-Cookie", cookie) for cookie in document.get("cookies") or []]
        status = status_of(document.get("statusCode", 200))
    except (ValueError, AttributeError, TypeError) as error:
        raise MalformedAnswer(f"the prelude of the stream: {error}") from None
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/octet-stream"))
    return status, headers
