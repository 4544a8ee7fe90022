"""A learner's ``client.invoke(...)`` reaches the front door without a socket, and runs in the thread of its caller.

The request and the answer are the ones that HTTP would carry; only the way over loopback is left out, which takes longer than a
warm invocation. All other calls take the socket, and so do other processes: functions, the AWS CLI, a forked child.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from coldstart.runtime import interrupts
from coldstart.runtime.http_wire import HttpRequest, parsed_response

_INVOCATIONS = "/invocations"


class DirectRoute:
    """The way of this process's botocore clients to one front door.

    Args:
        url: where the front door listens.
        answer: gives the response to a request, as bytes of HTTP.
    """

    def __init__(self, url: str, answer: Callable[[HttpRequest], bytes]) -> None:
        self._functions = f"{url}/2015-03-31/functions/"
        self._origin = len(url)
        self._host = urlsplit(url).netloc
        self._answer = answer
        self._process = os.getpid()

    def send(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """Return the response to an invocation; None when the request has to take the socket.

        Raises:
            KeyboardInterrupt: the caller was interrupted while it waited for the function; the execution environment has ended.
        """
        path = request.url.partition("?")[0]
        if not (path.startswith(self._functions) and path.endswith(_INVOCATIONS)) or os.getpid() != self._process:
            return None
        body = b"" if request.body is None else request.body
        if not isinstance(body, (bytes, bytearray)):
            return None
        with interrupts.held():
            answered = self._answer(self._as_sent(request, bytes(body)))
        status, headers, content = parsed_response(answered)
        return AWSResponse(request.url, status, headers, Body(content))

    def open(self) -> None:
        """Begin; nothing has to be done, since all but invocations take the socket."""

    def close(self) -> None:
        """End."""

    def _as_sent(self, request: AWSPreparedRequest, body: bytes) -> HttpRequest:
        pairs = [("Host", self._host)]
        for name, value in request.headers.items():
            pairs.append((name, value.decode("latin-1") if isinstance(value, bytes) else str(value)))
        headers = {name.lower(): value for name, value in pairs}
        lines = tuple(f"{name}: {value}" for name, value in pairs)
        return HttpRequest(request.method, request.url[self._origin :], headers, body, lines)


class Body(io.BytesIO):
    """A response's body, with the one method that botocore asks of urllib3's besides those of a file."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yield what has not been read."""
        if rest := self.read():
            yield rest
