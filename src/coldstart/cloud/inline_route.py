"""Every request of a botocore client reaches the front door without a socket, where there are none to listen on.

The cells' clients come this way, and those of functions, which run in the same interpreter.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict

from coldstart.cloud.direct_route import Body, DirectRoute
from coldstart.cloud.front_door import FrontDoor
from coldstart.runtime import interrupts
from coldstart.runtime.inline_interpreter import outside


class InlineRoute(DirectRoute):
    """The way of this interpreter's botocore clients to the front door.

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

    def send(self, request: AWSPreparedRequest) -> AWSResponse | None:
        """Return the response to a request; None when it is for somebody else.

        Raises:
            KeyboardInterrupt: the caller was interrupted while it waited for a function; the execution environment has ended.
        """
        if not request.url.startswith(f"{self._url}/"):
            return None
        sent = self._as_sent(request, _whole(request.body))
        parts: list[bytes] = []
        with interrupts.held(), outside():
            is_part_of_another, self._is_answering = self._is_answering, True
            try:
                if not is_part_of_another:
                    self._catch_up()
                self._respond(sent, parts.append)
            finally:
                self._is_answering = is_part_of_another
        response = HTTPResponse(_Answered(b"".join(parts)), method=request.method)  # type: ignore[arg-type]
        response.begin()
        return AWSResponse(request.url, response.status, HeadersDict(response.getheaders()), Body(response.read()))


class _Answered:
    """What the standard library takes for the socket that a response comes from."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def makefile(self, _: str) -> io.BytesIO:
        """Return the response as a file."""
        return io.BytesIO(self._answer)


def _whole(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    elif not isinstance(body, (bytes, bytearray, str)):
        body = b"".join(body)
    return body.encode() if isinstance(body, str) else bytes(body)
