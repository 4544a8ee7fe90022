"""HTTP/1.1 as bytes: an incremental request parser and a response writer.

Both servers of the house use it: the Runtime API of an execution environment, and the cloud's front door. It is
our own because every invocation passes through it twice; the standard library's parser costs more than the rest
of the way together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
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
    trailers: Mapping[str, str] = MappingProxyType({})
    """Headers that came after a chunked body, names in lower case."""

    @property
    def header_pairs(self) -> list[tuple[str, str]]:
        """Names and values of the headers in the order and spelling in which they were sent."""
        pairs = (line.partition(":") for line in self.header_lines)
        return [(name, value.strip()) for name, _, value in pairs]

    @property
    def keeps_alive(self) -> bool:
        """Whether the peer will send another request on this connection."""
        return self.headers.get("connection", "").lower() != "close"

    @property
    def is_from_a_web_page(self) -> bool:
        """Whether a browser sends it for a page: pages may reach any port of this machine, but nobody asked them to."""
        return "origin" in self.headers or self.headers.get("sec-fetch-site", "none") != "none"


class RequestParser:
    """Turns the bytes of one connection into requests, however they were cut on the way."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str], tuple[str, ...]] | None = None
        self._chunks: list[bytes] = []
        self._trailers: dict[str, str] | None = None

    @property
    def has_more(self) -> bool:
        """Whether more has been received than the requests that were returned."""
        return bool(self._buffer)

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
        body: bytes | None
        if _is_chunked(headers):
            self._read_chunks()
            if self._trailers is None:
                return None
            body, trailers = b"".join(self._chunks), self._trailers
            self._chunks, self._trailers = [], None
        else:
            body, trailers = self._take_sized_body(headers.get("content-length", "0")), {}
            if body is None:
                return None
        self._head = None
        return HttpRequest(method, target, headers, body, header_lines, trailers)

    def begun_request(self) -> HttpRequest | None:
        """Return the request that is arriving, with none of its body; None when its head is not complete.

        Raises:
            MalformedRequest: the bytes are no HTTP/1.1 request.
        """
        if self._head is None and not self._parse_head():
            return None
        assert self._head is not None
        method, target, headers, header_lines = self._head
        return HttpRequest(method, target, headers, b"", header_lines)

    def take_body_part(self) -> bytes:
        """Return what has arrived of a chunked body; :meth:`next_request` then has the rest, and the trailers.

        Raises:
            MalformedRequest: the body is not cut into chunks.
        """
        self._read_chunks()
        part, self._chunks = b"".join(self._chunks), []
        return part

    def take_expectation(self) -> bool:
        """Return True once when the peer waits for ``100 Continue`` before it sends its body."""
        if self._head is None:
            return False
        return self._head[2].pop("expect", "").lower() == "100-continue"

    def take_rest(self) -> bytes:
        """Return what has come after the last request, for who goes on with another protocol."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

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
        except ValueError:
            raise MalformedRequest(f"not an HTTP/1.1 request: {lines[0][:80]!r}") from None
        self._head = (method, target, _fields(lines[1:]), tuple(lines[1:]))
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

    def _read_chunks(self) -> None:
        """Move complete chunks out of the buffer; at the last one, note the trailers."""
        if self._trailers is not None:
            return
        position = 0
        while (line_end := self._buffer.find(b"\r\n", position)) >= 0:
            try:
                size = int(bytes(self._buffer[position:line_end]).split(b";")[0], 16)
            except ValueError:
                raise MalformedRequest("a chunk has no size") from None
            start = line_end + 2
            if size == 0:
                if self._buffer.startswith(b"\r\n", start):
                    self._trailers = {}
                    position = start + 2
                elif (end := self._buffer.find(b"\r\n\r\n", start)) >= 0:
                    self._trailers = _fields(self._buffer[start:end].decode("latin-1").split("\r\n"))
                    position = end + 4
                break
            if len(self._buffer) < start + size + 2:
                break
            self._chunks.append(bytes(self._buffer[start : start + size]))
            position = start + size + 2
        del self._buffer[:position]


def _is_chunked(headers: dict[str, str]) -> bool:
    return headers.get("transfer-encoding", "").lower() == "chunked"


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedRequest(f"not a header: {line[:80]!r}")
        name, value = name.lower(), value.strip()
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


def response_bytes(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return a complete response with ``Content-Length``, ready for one ``sendall``."""
    return response_head(status, [*(headers or {}).items(), ("Content-Length", str(len(body)))]) + body


def response_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a response up to its body. Headers that are given repeatedly are sent repeatedly."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def parsed_response(response: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body of a complete response that was made here."""
    head, _, body = response.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(status_line.split(" ", 2)[1]), [(name, value) for name, _, value in pairs], body


def chunk(data: bytes) -> bytes:
    """Return a piece of a response with ``Transfer-Encoding: chunked``; the empty piece ends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)
