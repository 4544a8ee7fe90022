"""The public addresses of APIs: finds the API that a request is for, a REST API, an HTTP API or a WebSocket API."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from coldstart.cloud.api_gateway import GatewayParts
from coldstart.cloud.api_metrics import ApiMetrics
from coldstart.cloud.gateway_invocation import Functions, GatewayInvoker
from coldstart.cloud.http_api_call import HttpApiFault
from coldstart.cloud.http_api_gateway import HttpApiGateway
from coldstart.cloud.http_exchange import ChunkedResponse, answer_bytes
from coldstart.cloud.public_addresses import PublicAddress, PublicAddresses
from coldstart.cloud.replacements import Replacements
from coldstart.cloud.rest_api_gateway import RestApiGateway
from coldstart.cloud.rest_api_operations import RestApiOperations
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.websocket_api_gateway import WebSocketApiGateway
from coldstart.events.http_answer import HttpAnswer
from coldstart.events.http_request import ClientRequest
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers


class ExecuteApi:
    """Every API of one account.

    Args:
        functions: the Lambda service.
        addresses: writes the addresses that APIs say they have.
        signed_by: returns the access key of this cloud that a request is signed with; empty when there is none.
        metrics: measures every request.
        clients: act for API Gateway in integrations with other services.
    """

    def __init__(
        self,
        account_id: str,
        functions: Functions,
        signed_by: Callable[[ClientRequest], str],
        clock: Clock,
        identifiers: Identifiers,
        addresses: PublicAddresses,
        metrics: ApiMetrics,
        clients: RoleClients,
    ) -> None:
        self._metrics = metrics
        self._moto = Replacements()
        self._moto.when_loaded("moto.apigatewayv2.models", lambda: _give_addresses(addresses, self._moto))
        parts = GatewayParts(account_id, GatewayInvoker(functions, clock), signed_by, clock, identifiers)
        self._rest_apis = RestApiGateway(parts)
        self.rest_api_operations = RestApiOperations(account_id, self._rest_apis)
        """The operations of API Gateway's own API that run something."""
        self._http_apis = HttpApiGateway(parts, clients)

        self.websocket_apis = WebSocketApiGateway(parts)
        """WebSocket APIs, and the operations on their connections."""

    def stop(self) -> None:
        """Close connections, and let moto give APIs its own addresses again."""
        self.websocket_apis.stop()
        self._moto.undo()

    def open(
        self, address: PublicAddress, request: ClientRequest, connection: socket.socket, take_rest: Callable[[], bytes]
    ) -> bool:
        """Serve a WebSocket until its client has gone; return False, and do nothing, when the address has no WebSocket API."""
        api = self.websocket_apis.find(address)
        if api is None:
            return False
        from coldstart.cloud.websocket_connection import WebSocketConnection

        try:
            self.websocket_apis.serve(api, request, WebSocketConnection(connection, take_rest()))
        except HttpApiFault as fault:
            connection.sendall(answer_bytes(fault.answer(), request.method))
        return True

    def answer(self, address: PublicAddress, request: ClientRequest, stream: ChunkedResponse) -> HttpAnswer | None:
        """Answer a client of the API that the address names."""
        rest_api = self._rest_apis.find(address)
        if rest_api is not None:
            first = request.path.removeprefix("/").partition("/")[0]
            with self._metrics.measure_rest(rest_api.region_name, rest_api.name, first) as measured:
                answer = self._rest_apis.answer(rest_api, request, stream)
                measured.status = answer.status if answer is not None else measured.status
            return answer
        http_api = self._http_apis.find(address)
        if http_api is not None:
            first = request.path.removeprefix("/").partition("/")[0]
            stage = first if first in http_api.stages else "$default"
            with self._metrics.measure_http(http_api.backend.region_name, http_api.api_id, stage) as measured:
                answer = self._http_apis.answer(http_api, request)
                measured.status = answer.status
            return answer
        headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", "ForbiddenException"))
        return HttpAnswer(403, headers, b'{"message":"Forbidden"}')


def _give_addresses(addresses: PublicAddresses, moto: Replacements) -> None:
    from moto.apigatewayv2.models import Api

    def init(api: Api, *given: Any, **named: Any) -> None:
        motos_init(api, *given, **named)
        address = addresses.websocket_endpoint if api.protocol_type == "WEBSOCKET" else addresses.api_endpoint
        api.api_endpoint = address(api.api_id, api.backend.region_name)

    motos_init = moto.put(Api, "__init__", init)
