"""Where APIs and function URLs are reached on this machine, and which names the front door answers to.

On AWS each has a host name of its own. Here it is the same name under ``localhost``, which browsers and curl resolve to this
machine by themselves (RFC 6761, section 6.3), and Python too while the local AWS runs
(:mod:`coldstart.cloud.learner_environment`)::

    http://<api id>.execute-api.<region>.localhost:<port>/<stage>/orders
    http://<url id>.lambda-url.<region>.localhost:<port>/orders

For programs that cannot resolve such names there are paths::

    http://127.0.0.1:<port>/_aws/execute-api/<api id>/<stage>/orders
    http://127.0.0.1:<port>/_aws/lambda-url/<url id>/orders
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

_HOST = re.compile(r"([a-z0-9-]+)\.(execute-api|lambda-url)\.([a-z0-9-]+)\.localhost", re.IGNORECASE)
_CONNECTIONS = re.compile(r"/[^/]+/@connections/")
_PATH = re.compile(r"/_aws/(execute-api|lambda-url)/([A-Za-z0-9-]+)(?=[/?]|$)")


class PublicAddress(NamedTuple):
    """What a request to an API or a function URL names."""

    kind: str
    """``execute-api`` or ``lambda-url``."""
    identifier: str
    region: str
    """Empty when the address does not tell."""
    target: str
    """Path and query string, as if the API had a host of its own."""


class PublicAddresses:
    """Writes addresses with the port that the front door listens on."""

    def __init__(self, port: int) -> None:
        self._port = port

    def api_endpoint(self, api_id: str, region: str) -> str:
        """Return the address of an API without a stage: what HTTP APIs call ``ApiEndpoint``."""
        return f"http://{domain_name('execute-api', api_id, region)}:{self._port}"

    def websocket_endpoint(self, api_id: str, region: str) -> str:
        """Return the address of a WebSocket API without a stage."""
        return f"ws://{domain_name('execute-api', api_id, region)}:{self._port}"

    def function_url(self, url_id: str, region: str) -> str:
        """Return a function's URL."""
        return f"http://{domain_name('lambda-url', url_id, region)}:{self._port}/"


def domain_name(kind: str, identifier: str, region: str) -> str:
    """Return the host name of an API or a function URL."""
    return f"{identifier}.{kind}.{region}.localhost"


def addressed(host: str, target: str) -> PublicAddress | None:
    """Return the API or function URL that a request is for; None when it is for AWS itself.

    Args:
        host: the Host header.
        target: the request's path with its query string.
    """
    if found := _HOST.fullmatch(_name(host)):
        return PublicAddress(found[2].lower(), found[1].lower(), found[3].lower(), target)
    if found := _PATH.match(target):
        rest = target[found.end() :]
        return PublicAddress(found[1], found[2], "", rest if rest.startswith("/") else f"/{rest}")
    return None


def is_connections_request(address: PublicAddress) -> bool:
    """Say whether a request to a WebSocket API is for AWS: about one of its connections, signed like other requests to AWS."""
    return address.kind == "execute-api" and _CONNECTIONS.match(address.target) is not None


def is_local(host: str) -> bool:
    """Say whether a Host header names this machine.

    A web page can give its own name the address 127.0.0.1 and so reach this port as its own origin (DNS rebinding); then
    the Host header still has its name.
    """
    name = _name(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower().rstrip(".")
