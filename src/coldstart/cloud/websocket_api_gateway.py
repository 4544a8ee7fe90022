"""WebSocket APIs: clients stay connected, their messages go to functions, and functions send messages to them.

moto holds the APIs. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html. The connections are
here; functions reach them by the operations of ``apigatewaymanagementapi``
(https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html).
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from coldstart.cloud.api_gateway import ApiGateway, GatewayParts, find_api
from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.gateway_invocation import (
    EventTooLarge,
    FunctionFailed,
    IntegrationRefused,
    IntegrationTimeout,
    function_of,
)
from coldstart.cloud.http_api_call import HttpApiFault
from coldstart.cloud.http_api_deployments import HttpApiSnapshot
from coldstart.cloud.public_addresses import PublicAddress, domain_name
from coldstart.cloud.service_api import ServiceApi
from coldstart.events.http_request import ClientRequest, GatewayContext
from coldstart.events.websocket_event import (
    CONNECT,
    DEFAULT,
    DISCONNECT,
    GOING_AWAY,
    MAX_MESSAGE_BYTES,
    NO_STATUS,
    NORMAL,
    ConnectionClosed,
    WebSocketClient,
    connect_event,
    disconnect_event,
    message_event,
    selected_route,
)
from coldstart.runtime.http_wire import HttpRequest

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Api, Integration, Route

if TYPE_CHECKING:  # the library behind it is loaded when the first client comes
    from coldstart.cloud.websocket_connection import WebSocketConnection

INTEGRATION_TIMEOUT_SECONDS = 29.0
IDLE_SECONDS = 600.0
LIFETIME_SECONDS = 7_200.0
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"""


class ConnectionsApi(ServiceApi):
    """The API for connections; its paths may begin with a stage."""

    def __init__(self) -> None:
        super().__init__("apigatewaymanagementapi", [], unchecked=["PostToConnectionRequest.Data"])

    def answer(self, request: HttpRequest, region: str) -> bytes | None:
        """Return the response, as every service's."""
        _, separator, rest = request.target.partition("/@connections/")
        return super().answer(request._replace(target=separator + rest), region)


@dataclass
class _Connected:
    api: Api
    stage: str
    stage_variables: dict[str, str]
    client: WebSocketClient
    connection: WebSocketConnection
    connected_at: float
    last_active: float


class WebSocketApiGateway(ApiGateway):
    """The WebSocket APIs of one account, and the operations on their connections."""

    def __init__(self, parts: GatewayParts) -> None:
        super().__init__(parts)
        self._lock = threading.Lock()
        self._connected: dict[str, _Connected] = {}
        self._is_stopped = False

    def find(self, address: PublicAddress) -> Api | None:
        """Return the WebSocket API of an address; None when there is none."""
        return find_api(self._account_id, address, "WEBSOCKET")

    def serve(self, api: Api, request: ClientRequest, connection: WebSocketConnection) -> None:
        """Let a client connect, take its messages, and return when it has gone.

        Raises:
            HttpApiFault: it is not let in; nothing has been answered yet.
        """
        name = request.path.strip("/")
        stage = api.stages.get(name)
        if stage is None or HttpApiSnapshot.of_stage(api, stage) is None:
            raise HttpApiFault(403, "Forbidden")
        now = self._clock.now()
        client = WebSocketClient(self._new_id(), int(now * 1000), request)
        connected = _Connected(api, name, dict(stage.stage_variables or {}), client, connection, now, now)
        headers = self._let_in(connected)
        with self._lock:
            self._connected[client.connection_id] = connected
        connection.accept(request.header("sec-websocket-key") or "", headers)
        self._end_when_idle(connected, now + IDLE_SECONDS)
        try:
            while True:
                message = connection.receive()
                connected.last_active = self._clock.now()
                self._take(connected, message)
        except ConnectionClosed as closed:
            self._forget(
                connected, closed
            )  # before the client hears that it is over: what is due then can be waited for
            connection.close(NORMAL if closed.status == NO_STATUS else closed.status)

    def post_to_connection(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a message to a client.

        Raises:
            AwsError: the client has gone, or the message is too long.
        """
        connected = self._find(params["ConnectionId"])
        data = params["Data"]
        message = data.encode() if isinstance(data, str) else bytes(data)
        if len(message) > MAX_MESSAGE_BYTES:
            raise AwsError(413, "PayloadTooLargeException", "The data has exceeded the maximum size allowed.")
        try:
            connected.connection.send(message)
        except OSError:
            _gone()
        connected.last_active = self._clock.now()
        return {}

    def get_connection(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Tell of a client.

        Raises:
            AwsError: it has gone.
        """
        connected = self._find(params["ConnectionId"])
        request = connected.client.request
        return {
            "ConnectedAt": connected.connected_at,
            "Identity": {"SourceIp": request.source_ip, "UserAgent": request.header("user-agent") or ""},
            "LastActiveAt": connected.last_active,
        }

    def delete_connection(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Close the connection of a client.

        Raises:
            AwsError: it has gone.
        """
        connected = self._find(params["ConnectionId"])
        self._forget(connected, ConnectionClosed(NORMAL))
        connected.connection.close(NORMAL)
        return {}

    def stop(self) -> None:
        """Close all connections; nobody is told of it any more."""
        self._is_stopped = True
        with self._lock:
            left = list(self._connected.values())
        for connected in left:
            connected.connection.close(GOING_AWAY)

    def _find(self, connection_id: str) -> _Connected:
        with self._lock:
            return self._connected.get(connection_id) or _gone()

    def _forget(self, connected: _Connected, closed: ConnectionClosed) -> None:
        with self._lock:
            was_there = self._connected.pop(connected.client.connection_id, None) is not None
        route = self._routes(connected).get(DISCONNECT)
        if route is None or not was_there or self._is_stopped:
            return
        event = disconnect_event(connected.client, self._context(connected), closed)

        def tell() -> None:
            with contextlib.suppress(HttpApiFault):  # nobody is there to hear of it
                self._run(connected, route, event)

        self._clock.work(tell, f"$disconnect of {connected.client.connection_id}")

    def _let_in(self, connected: _Connected) -> list[tuple[str, str]]:
        """Ask the route ``$connect``; return headers for the handshake."""
        route = self._routes(connected).get(CONNECT)
        if route is None:
            return []
        kind = route.authorization_type or "NONE"
        if kind == "AWS_IAM" and not self._signed_by(connected.client.request):
            raise HttpApiFault(403, "Forbidden")
        if kind == "CUSTOM":
            raise HttpApiFault(501, "The local AWS has no Lambda authorizers for WebSocket APIs.")
        answer = self._run(connected, route, connect_event(connected.client, self._context(connected)))
        status = int(answer.get("statusCode", 500))
        if status >= 300:
            raise HttpApiFault(
                status, "Forbidden" if status == 403 else str(answer.get("body") or "Internal Server Error")
            )
        headers = answer.get("headers") or {}
        return [(name, str(value)) for name, value in headers.items() if name.lower() == "sec-websocket-protocol"]

    def _take(self, connected: _Connected, message: str) -> None:
        """Hand a message to its route, and the answer to the client when the route has one."""
        routes, context = self._routes(connected), self._context(connected)
        key = selected_route(connected.api.route_selection_expression, message)
        key = key if key in routes and key not in (CONNECT, DISCONNECT) else DEFAULT
        try:
            if key not in routes:
                raise HttpApiFault(403, "Forbidden")
            route = routes[key]
            event = message_event(connected.client, context, key, self._new_id(), message)
            answer = self._run(connected, route, event)
            if route.route_response_selection_expression and answer.get("body"):
                self._say(connected, str(answer["body"]).encode())
        except HttpApiFault as fault:
            error = {
                "message": fault.message,
                "connectionId": connected.client.connection_id,
                "requestId": context.request_id,
            }
            self._say(connected, json.dumps(error).encode())

    def _say(self, connected: _Connected, message: bytes) -> None:
        with contextlib.suppress(OSError):  # receive() will notice that the client has gone
            connected.connection.send(message)

    def _run(self, connected: _Connected, route: Route, event: dict[str, Any]) -> dict[str, Any]:
        """Run the route's function; return its answer, or one with status 200 when it is none.

        Raises:
            HttpApiFault: it cannot be run, or failed.
        """
        integration = self._integration(connected, route)
        if integration is None:
            raise HttpApiFault(500, "Internal server error")
        if integration.integration_type == "MOCK":
            return {"statusCode": 200}
        name = function_of(integration.integration_uri or "", connected.stage_variables)
        if integration.integration_type != "AWS_PROXY" or name is None:
            raise HttpApiFault(501, "The local AWS only runs the integrations AWS_PROXY and MOCK of WebSocket APIs.")
        api = connected.api
        arn = f"arn:aws:execute-api:{api.backend.region_name}:{self._account_id}:{api.api_id}"
        try:
            payload = self._invoker.invoke(
                name,
                event,
                source_arn="" if integration.credentials_arn else f"{arn}/{connected.stage}/{route.route_key}",
                timeout=float(integration.timeout_in_millis or INTEGRATION_TIMEOUT_SECONDS * 1000) / 1000,
            )
            answer = json.loads(payload or b"null")
        except (FunctionFailed, IntegrationRefused, IntegrationTimeout, EventTooLarge, ValueError):
            raise HttpApiFault(500, "Internal server error") from None
        if isinstance(answer, dict) and "statusCode" in answer:
            return answer
        if route.route_key == CONNECT:
            raise HttpApiFault(502, "Internal server error")
        return {"statusCode": 200}

    def _routes(self, connected: _Connected) -> dict[str, Route]:
        snapshot = self._snapshot(connected)
        return snapshot.by_key if snapshot else {}

    def _integration(self, connected: _Connected, route: Route) -> Integration | None:
        snapshot = self._snapshot(connected)
        return snapshot.integrations.get((route.target or "").removeprefix("integrations/")) if snapshot else None

    @staticmethod
    def _snapshot(connected: _Connected) -> HttpApiSnapshot | None:
        stage = connected.api.stages.get(connected.stage)
        return HttpApiSnapshot.of_stage(connected.api, stage) if stage else None

    def _context(self, connected: _Connected) -> GatewayContext:
        api = connected.api
        return GatewayContext(
            self._account_id,
            api.api_id,
            connected.stage,
            domain_name("execute-api", api.api_id, api.backend.region_name),
            self._new_id(),
            self._clock.now(),
            connected.stage_variables,
        )

    def _end_when_idle(self, connected: _Connected, due: float) -> None:
        """Close the connection after ten minutes without a message, and after two hours anyway, on the cloud's clock."""

        def look() -> None:
            ends = min(connected.last_active + IDLE_SECONDS, connected.connected_at + LIFETIME_SECONDS)
            if self._connected.get(connected.client.connection_id) is not connected:
                return
            if self._clock.now() >= ends:
                connected.connection.close(GOING_AWAY)
                self._forget(connected, ConnectionClosed(GOING_AWAY))
            else:
                self._end_when_idle(connected, ends)

        self._clock.at(due, look, f"idle connection {connected.client.connection_id}")

    def _new_id(self) -> str:
        return base64.b64encode(bytes.fromhex(self._identifiers.hex(22))).decode()


def _gone() -> NoReturn:
    raise AwsError(410, "GoneException", "")
