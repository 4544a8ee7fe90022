"""Every request to the local AWS reaches the front door without a socket, where there are none to listen on.

The clients of cells come this way, and those of functions, which run in the same interpreter: botocore's, and by
:meth:`InlineRoute.connect` whatever makes its connections as the standard library or urllib3 does, such as requests.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict

from coldstart.cloud.direct_route import Body, DirectRoute
from coldstart.cloud.front_door import FrontDoor
from coldstart.cloud.public_addresses import is_local
from coldstart.cloud.replacements import Replacements
from coldstart.runtime import interrupts
from coldstart.runtime.http_wire import HttpRequest, RequestParser
from coldstart.runtime.inline_interpreter import outside

NOBODYS_PORT = 9
"""In the addresses of a cloud that listens on no port (RFC 863 throws away what comes there)."""


class InlineRoute(DirectRoute):
    """The way of this interpreter's clients to the front door.

    Args:
        door: answers.
        catch_up: does what is due on the cloud's clock; called before a request that does not belong to another one.
    """

    def __init__(self, door: FrontDoor, catch_up: Callable[[], None]) -> None:
        super().__init__(door.url, door.answer)
        self._url = door.url
        self._respond = door.respond
        self._catch_up = catch_up
        self._is_answering = False
        self._replacements = Replacements()

    def send(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """Return the response to a botocore client's request; None when it is for somebody else.

        Raises:
            KeyboardInterrupt: the caller was interrupted while it waited for a function; the execution environment has ended.
        """
        if not request.url.startswith(f"{self._url}/"):
            return None
        answered = _Connection(self.answer)
        answered.take(self._as_sent(request, _whole(request.body)))
        response = HTTPResponse(answered, method=request.method)  # type: ignore[arg-type]
        response.begin()
        return AWSResponse(request.url, response.status, HeadersDict(response.getheaders()), Body(response.read()))

    def answer(self, request: HttpRequest) -> bytes:
        """Return the response to any request that is meant for the front door."""
        parts: list[bytes] = []
        with interrupts.held(), outside():
            is_part_of_another, self._is_answering = self._is_answering, True
            try:
                if not is_part_of_another:
                    self._catch_up()
                self._respond(request, parts.append)
            finally:
                self._is_answering = is_part_of_another
        return b"".join(parts)

    def open(self) -> None:
        """Lead all connections to the front door this way, from now on, and let the SDK do without threads."""
        import socket

        import urllib3.connectionpool
        import urllib3.util.connection
        from s3transfer.futures import BoundedExecutor, NonThreadedExecutor

        for module in (socket, urllib3.util.connection):
            self._replacements.put(module, "create_connection", self._connecting(module.create_connection))
        self._replacements.put(
            BoundedExecutor, "EXECUTOR_CLS", NonThreadedExecutor
        )  # S3's upload_file and download_file
        if sys.platform == "emscripten":  # urllib3 leaves connections to the browser there
            pool = urllib3.connectionpool
            self._replacements.put(pool.HTTPConnectionPool, "ConnectionCls", pool.HTTPConnection)

    def close(self) -> None:
        """Undo that."""
        self._replacements.undo()

    def _connecting(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def create_connection(address: tuple[str, int], *arguments: Any, **options: Any) -> Any:
            host, port = address
            if port == NOBODYS_PORT and is_local(host):
                return _Connection(self.answer)
            return really(address, *arguments, **options)

        return create_connection


class _Connection:
    """What HTTP clients take for a socket: what is sent through it is answered on the spot, one request for each.

    Args:
        answer: returns the response to a request.
    """

    def __init__(self, answer: Callable[[HttpRequest], bytes]) -> None:
        self._answer = answer
        self._parser = RequestParser()
        self._response = b""

    def take(self, request: HttpRequest) -> None:
        """Let a request be answered."""
        self._response = self._answer(request)

    def sendall(self, data: bytes) -> None:
        """Take bytes of a request."""
        self._parser.feed(data)
        if request := self._parser.next_request():
            self.take(request)
            # The next request takes another connection: a client that keeps this one would ask the system about it.
            self._response = self._response.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        """Return the response as a file."""
        return io.BytesIO(self._response)

    def settimeout(self, _: float | None) -> None:
        """Do nothing: the answer is there."""

    def setsockopt(self, *_: object) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _whole(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    elif not isinstance(body, (bytes, bytearray, str)):
        body = b"".join(body)
    return body.encode() if isinstance(body, str) else bytes(body)
