"""HTTP/1.1 as bytes: an incremental request parser and a response writer.

Both servers of the house use it: the Runtime API of an execution environment, and the cloud's front door. It is
our own because every invocation passes through it twice; the standard library's parser costs more than the rest
of the way together.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

MAX_HEADER_BYTES = 1024 * 1024
"""Lambda's own limit for the request line and headers together (AWS quotas page)."""

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class MalformedRequest(ValueError):
    """The peer did not speak HTTP/1.1; the connection cannot be used any further."""


class HttpRequest(NamedTuple):
    """One request as it came over the wire: header names in lower case, the body complete."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    header_lines: tuple[str, ...] = ()
    """The header lines as they were sent, for those to whom spelling and repetition matter."""

    @property
    def header_pairs(self) -> list[tuple[str, str]]:
        """Names and values of the headers in the order and spelling in which they were sent."""
        pairs = (line.partition(":") for line in self.header_lines)
        return [(name, value.strip()) for name, _, value in pairs]

    @property
    def keeps_alive(self) -> bool:
        """Whether the peer will send another request on this connection."""
        return self.headers.get("connection", "").lower() != "close"


class RequestParser:
    """Turns the bytes of one connection into requests, however they were cut on the way."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str], tuple[str, ...]] | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes as they were received."""
        self._buffer += data

    def next_request(self) -> HttpRequest | None:
        """Return the next complete request, or None when more bytes are needed.

        Raises:
            MalformedRequest: the bytes are no HTTP/1.1 request.
        """
        if self._head is None and not self._parse_head():
            return None
        assert self._head is not None
        method, target, headers, header_lines = self._head
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._take_chunked_body()
        else:
            body = self._take_sized_body(headers.get("content-length", "0"))
        if body is None:
            return None
        self._head = None
        return HttpRequest(method, target, headers, body, header_lines)

    def take_expectation(self) -> bool:
        """Return True once when the peer waits for ``100 Continue`` before it sends its body."""
        if self._head is None:
            return False
        return self._head[2].pop("expect", "").lower() == "100-continue"

    def _parse_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise MalformedRequest("request line and headers are larger than 1 MB")
            return False
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        try:
            method, target, _version = lines[0].split(" ")
            headers: dict[str, str] = {}
            for line in lines[1:]:
                name, value = line.split(":", 1)
                name = name.lower()
                value = value.strip()
                headers[name] = f"{headers[name]},{value}" if name in headers else value
        except ValueError:
            raise MalformedRequest(f"not an HTTP/1.1 request: {lines[0][:80]!r}") from None
        self._head = (method, target, headers, tuple(lines[1:]))
        return True

    def _take_sized_body(self, content_length: str) -> bytes | None:
        try:
            length = int(content_length)
        except ValueError:
            raise MalformedRequest(f"Content-Length is no number: {content_length!r}") from None
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _take_chunked_body(self) -> bytes | None:
        chunks: list[bytes] = []
        position = 0
        while True:
            line_end = self._buffer.find(b"\r\n", position)
            if line_end < 0:
                return None
            try:
                size = int(bytes(self._buffer[position:line_end]).split(b";")[0], 16)
            except ValueError:
                raise MalformedRequest("a chunk has no size") from None
            start = line_end + 2
            if size == 0:
                end = self._buffer.find(b"\r\n", start)
                if end < 0:
                    return None
                if end > start:  # trailers: they end with an empty line
                    end = self._buffer.find(b"\r\n\r\n", start)
                    if end < 0:
                        return None
                    end += 2
                del self._buffer[: end + 2]
                return b"".join(chunks)
            if len(self._buffer) < start + size + 2:
                return None
            chunks.append(bytes(self._buffer[start : start + size]))
            position = start + size + 2


def response_bytes(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return a complete response with ``Content-Length``, ready for one ``sendall``."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1") + body
