"""What a client sent to an API or a function URL, and what the gateway knows about it.

The payload formats (:mod:`coldstart.events.payload_v1`, :mod:`coldstart.events.payload_v2`) make events of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus


@dataclass(frozen=True)
class ClientRequest:
    """One HTTP request as the client sent it."""

    method: str
    path: str
    """With its percent-encoding, without the query string."""
    query_string: str = ""
    """As it was sent, without the question mark."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values in the client's order and spelling; a repeated header stands here repeatedly."""
    body: bytes = b""
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"

    def header(self, name: str) -> str | None:
        """Return the values of a header joined with commas; None when it was not sent."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ",".join(values) if values else None

    def query_pairs(self) -> list[tuple[str, str]]:
        """Return the decoded parameters of the query string, in order, with empty ones."""
        pairs = (part.partition("=") for part in self.query_string.split("&") if part)
        return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


@dataclass(frozen=True)
class GatewayContext:
    """What the gateway knows about a request: the part of ``requestContext`` that all payload formats share."""

    account_id: str
    api_id: str
    stage: str
    domain_name: str
    request_id: str
    time: float
    """When the request came, in seconds since the epoch."""
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    authorizer: Mapping[str, object] | None = None
    """What an authorizer found out; None when there is none."""

    @property
    def domain_prefix(self) -> str:
        """The first label of the domain name."""
        return self.domain_name.partition(".")[0]

    @property
    def time_ms(self) -> int:
        """When the request came, in milliseconds since the epoch."""
        return int(self.time * 1000)

    @property
    def time_text(self) -> str:
        """When the request came, in the form of web servers' logs: ``23/Nov/2026:09:12:03 +0000``."""
        moment = time.gmtime(self.time)
        month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[moment.tm_mon - 1]
        return time.strftime(f"%d/{month}/%Y:%H:%M:%S +0000", moment)
