"""A function's response on its way to the caller: all at once, or piece by piece while the function makes it.

Response streaming: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html. Of the managed
runtimes only Node.js streams; Python's handlers answer at once, and what they return reaches a sink in one piece. AWS slows
a stream to 2 MB a second after its first 6 MB; here it is as fast as the reader.
"""

from __future__ import annotations

from typing import Protocol

MAX_RESPONSE_BYTES = 6_291_556
"""Largest response to a caller who waits for all of it: 6 MB and 100 bytes (seen in AWS's own error text)."""
MAX_STREAMED_BYTES = 209_715_200
"""Largest streamed response: 200 MB (Lambda quotas page)."""
STREAMING = "streaming"
"""The value of ``Lambda-Runtime-Function-Response-Mode`` with which a runtime announces a stream."""


class ResponseSink(Protocol):
    """Takes a response while it arrives. It is not called when the function fails before it has said anything.

    An OSError from it means that the caller has gone: the function runs on, and nobody hears the rest.
    """

    def begin(self, content_type: str) -> None:
        """Take the type of what will follow.

        ``application/vnd.awslambda.http-integration-response`` announces a JSON prelude with status and headers, then
        eight NUL bytes, then the body.
        """

    def write(self, part: bytes) -> None:
        """Take the next bytes."""


class ResponseStream:
    """Carries one response to its caller, and keeps it together for one who waits for all of it.

    Args:
        sink: where to pass it on; None to keep it.
    """

    def __init__(self, sink: ResponseSink | None) -> None:
        self._sink = sink
        self._kept = bytearray()
        self._length = 0
        self._has_begun = False
        self.limit = MAX_RESPONSE_BYTES
        """In bytes."""

    @property
    def is_too_large(self) -> bool:
        """Whether more came than a response may have."""
        return self._length > self.limit

    @property
    def kept(self) -> bytes:
        """What nobody has taken yet."""
        return bytes(self._kept)

    def begin_streaming(self) -> None:
        """Take note that the runtime sends its response piece by piece."""
        if self._sink is not None:
            self.limit = MAX_STREAMED_BYTES

    def take(self, content_type: str, part: bytes) -> None:
        """Pass bytes on, or keep them. What exceeds the limit is dropped."""
        self._length += len(part)
        if self.is_too_large:
            return
        if self._sink is None:
            self._kept += part
            return
        try:
            if not self._has_begun:
                self._has_begun = True
                self._sink.begin(content_type)
            if part:
                self._sink.write(part)
        except OSError:
            self._sink = _Nobody()


class _Nobody:
    def begin(self, content_type: str) -> None:
        pass

    def write(self, part: bytes) -> None:
        pass
