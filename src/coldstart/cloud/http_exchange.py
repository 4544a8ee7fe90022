"""One request to an API or a function URL, on its way in and out of the front door."""

from __future__ import annotations

from collections.abc import Callable

from coldstart.events.http_answer import HttpAnswer
from coldstart.events.http_request import ClientRequest
from coldstart.runtime.http_wire import HttpRequest, chunk, response_head

_OURS = frozenset(["content-length", "transfer-encoding", "connection"])
_WITHOUT_BODY = frozenset([204, 304])


def client_request(request: HttpRequest, target: str, trace_id: str) -> ClientRequest:
    """Return a request as a gateway sees it, with the headers that AWS's front ends add.

    Args:
        target: path and query string.
        trace_id: for ``X-Amzn-Trace-Id``, when the client did not send one.
    """
    path, _, query_string = target.partition("?")
    headers = request.header_pairs
    if "x-amzn-trace-id" not in request.headers:
        headers.append(("X-Amzn-Trace-Id", trace_id))
    forwarded = [value for name, value in headers if name.lower() == "x-forwarded-for"]
    headers = [
        pair for pair in headers if pair[0].lower() not in ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto")
    ]
    headers.append(("X-Forwarded-For", ", ".join([*forwarded, "127.0.0.1"])))
    headers.append(("X-Forwarded-Port", request.headers.get("host", "").rpartition(":")[2]))
    headers.append(("X-Forwarded-Proto", "http"))
    return ClientRequest(request.method, path, query_string, tuple(headers), request.body)


class ChunkedResponse:
    """Sends a response piece by piece, as a function streams it.

    Every method raises OSError when the client has gone.
    """

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send
        self.is_complete = True
        """Whether the client has all of it; if not, the connection must be closed, so that it notices."""

    def start(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send what comes before the body."""
        self.is_complete = False
        kept = [pair for pair in headers if pair[0].lower() not in _OURS]
        self._send(response_head(status, [*kept, ("Transfer-Encoding", "chunked")]))

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if data:
            self._send(chunk(data))

    def end(self) -> None:
        """Say that the body is complete."""
        self._send(chunk(b""))
        self.is_complete = True


def answer_bytes(answer: HttpAnswer, method: str) -> bytes:
    """Return an answer as it goes over the wire."""
    headers = [pair for pair in answer.headers if pair[0].lower() not in _OURS]
    if answer.status in _WITHOUT_BODY:
        return response_head(answer.status, headers)
    head = response_head(answer.status, [*headers, ("Content-Length", str(len(answer.body)))])
    return head if method == "HEAD" else head + answer.body
