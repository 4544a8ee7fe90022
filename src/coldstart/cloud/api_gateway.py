"""What the gateways for REST, HTTP and WebSocket APIs share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.backends import get_backend

from coldstart.cloud.gateway_invocation import GatewayInvoker
from coldstart.cloud.public_addresses import PublicAddress
from coldstart.events.http_request import ClientRequest
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Api


@dataclass(frozen=True)
class GatewayParts:
    """What a gateway works with."""

    account_id: str
    invoker: GatewayInvoker
    signed_by: Callable[[ClientRequest], str]
    """Returns the access key of this cloud that a request is signed with; empty when there is none."""
    clock: Clock
    identifiers: Identifiers


class ApiGateway:
    """The APIs of one kind in one account."""

    def __init__(self, parts: GatewayParts) -> None:
        self._account_id = parts.account_id
        self._invoker = parts.invoker
        self._signed_by = parts.signed_by
        self._clock = parts.clock
        self._identifiers = parts.identifiers


def find_api(account_id: str, address: PublicAddress, protocol: str) -> Api | None:
    """Return the HTTP or WebSocket API of an address; None when there is none.

    Args:
        account_id: whose API it is.
        address: where the request came to.
        protocol: ``HTTP`` or ``WEBSOCKET``.
    """
    for region, backend in get_backend("apigatewayv2")[account_id].items():
        api = backend.apis.get(address.identifier)
        if address.region in ("", region) and api is not None and api.protocol_type == protocol:
            return api
    return None
