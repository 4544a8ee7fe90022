"""Passes requests on to HTTP servers on this machine: the integrations ``HTTP`` and ``HTTP_PROXY`` of API Gateway."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from coldstart.cloud.public_addresses import is_local
from coldstart.events.http_answer import HttpAnswer
from coldstart.events.http_request import ClientRequest

_HOP_BY_HOP = frozenset(["host", "connection", "content-length", "transfer-encoding", "expect", "keep-alive"])


class ForwardingRefused(Exception):
    """The request is not passed on: the server is not on this machine, or does not answer; with the status to tell it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def forward(
    request: ClientRequest,
    *,
    uri: str,
    method: str,
    path_parameters: Mapping[str, str],
    stage_variables: Mapping[str, str],
    timeout: float,
) -> HttpAnswer:
    """Send a request to the server of an integration and return its response.

    Args:
        request: of the client.
        uri: with placeholders for path parameters (``{id}``, ``{proxy}``) and stage variables.
        method: HTTP method; ``ANY`` for the request's own.
        path_parameters: what the route's placeholders stand for.
        stage_variables: of the stage.
        timeout: in seconds.

    Raises:
        ForwardingRefused: it is not sent, or there is no response.
        TimeoutError: there is none in time.
    """
    for name, value in path_parameters.items():
        uri = uri.replace(f"{{{name}}}", value)
    uri = re.sub(r"\$\{stageVariables\.(\w+)\}", lambda found: stage_variables.get(found[1], ""), uri)
    parts = urlsplit(uri)
    if parts.scheme != "http" or not is_local(parts.netloc):
        raise ForwardingRefused(501, f"Local mode does not talk to {parts.hostname}: only to servers on this machine.")
    query = "&".join(part for part in (parts.query, request.query_string) if part)
    target = (parts.path or "/") + (f"?{query}" if query else "")
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=timeout)
    try:
        connection.putrequest(request.method if method == "ANY" else method, target, skip_host=True)
        connection.putheader("Host", parts.netloc)
        for name, value in request.headers:
            if name.lower() not in _HOP_BY_HOP:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body)
        response = connection.getresponse()
        headers = tuple(pair for pair in response.getheaders() if pair[0].lower() not in _HOP_BY_HOP)
        return HttpAnswer(response.status, headers, response.read())
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        raise ForwardingRefused(502, "Network error communicating with endpoint") from None
    finally:
        connection.close()
