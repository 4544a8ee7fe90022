"""The events of WebSocket APIs for functions with proxy integration: a client connects, says something, disconnects.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-websocket-api-mapping-template-reference.html.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from coldstart.events.http_request import ClientRequest, GatewayContext
from coldstart.events.mapping_variables import json_path
from coldstart.events.payload_v1 import all_values, last_values

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"
MAX_MESSAGE_BYTES = 128 * 1024
MAX_FRAME_BYTES = 32 * 1024
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html"""
NORMAL, GOING_AWAY, PROTOCOL_ERROR, UNSUPPORTED, NO_STATUS, ABNORMAL, TOO_BIG = 1000, 1001, 1002, 1003, 1005, 1006, 1009
CLOSE_REASONS = {
    NORMAL: "Connection Closed Normally",
    GOING_AWAY: "Going away",
    PROTOCOL_ERROR: "Protocol error",
    UNSUPPORTED: "Unsupported Data",
    NO_STATUS: "Client-side close frame status not set",
    ABNORMAL: "Connection Closed Abnormally",
    TOO_BIG: "Message too long",
}


class ConnectionClosed(Exception):
    """A connection has ended, from whichever side; with the WebSocket protocol's code and text."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason or CLOSE_REASONS.get(status, "")


@dataclass(frozen=True)
class WebSocketClient:
    """A connection as its events describe it."""

    connection_id: str
    connected_at_ms: int
    request: ClientRequest
    """With which it was opened."""


def connect_event(client: WebSocketClient, context: GatewayContext) -> dict[str, Any]:
    """Return the event of the route ``$connect``, with headers and query string of the request."""
    query = client.request.query_pairs()
    event: dict[str, Any] = {
        "headers": last_values(client.request.headers),
        "multiValueHeaders": all_values(client.request.headers),
        "requestContext": _context(client, context, CONNECT, "CONNECT"),
        "isBase64Encoded": False,
    }
    if query:
        event |= {"queryStringParameters": last_values(query), "multiValueQueryStringParameters": all_values(query)}
    return _with_stage_variables(event, context)


def message_event(
    client: WebSocketClient, context: GatewayContext, route_key: str, message_id: str, body: str
) -> dict[str, Any]:
    """Return the event of a message."""
    request_context = {**_context(client, context, route_key, "MESSAGE"), "messageId": message_id}
    return _with_stage_variables({"requestContext": request_context, "body": body, "isBase64Encoded": False}, context)


def disconnect_event(client: WebSocketClient, context: GatewayContext, closed: ConnectionClosed) -> dict[str, Any]:
    """Return the event of the route ``$disconnect``."""
    host = {name: value for name, value in client.request.headers if name.lower() in ("host", "x-api-key")}
    event = {
        "headers": host,
        "multiValueHeaders": {name: [value] for name, value in host.items()},
        "requestContext": {
            **_context(client, context, DISCONNECT, "DISCONNECT"),
            "disconnectStatusCode": closed.status,
            "disconnectReason": closed.reason,
        },
        "isBase64Encoded": False,
    }
    return _with_stage_variables(event, context)


def selected_route(expression: str, message: str) -> str:
    """Return the route key that a message asks for; empty when it does not say.

    Args:
        expression: the API's route selection expression: ``$request.body.action`` or ``${request.body.action}``.
        message: the text that the client sent.
    """
    path = expression.replace("${", "$").replace("}", "").removeprefix("$request.body.")
    try:
        found = json_path(json.loads(message), f"$.{path}")
    except ValueError:
        return ""
    return found if isinstance(found, str) else ""


def _context(client: WebSocketClient, context: GatewayContext, route_key: str, event_type: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": context.request_id,
        "requestTime": context.time_text,
        "messageDirection": "IN",
        "stage": context.stage,
        "connectedAt": client.connected_at_ms,
        "requestTimeEpoch": context.time_ms,
        "identity": {"sourceIp": client.request.source_ip},
        "requestId": context.request_id,
        "domainName": context.domain_name,
        "connectionId": client.connection_id,
        "apiId": context.api_id,
    }
    if user_agent := client.request.header("user-agent"):
        document["identity"]["userAgent"] = user_agent
    return document


def _with_stage_variables(event: dict[str, Any], context: GatewayContext) -> dict[str, Any]:
    return {**event, "stageVariables": dict(context.stage_variables)} if context.stage_variables else event
