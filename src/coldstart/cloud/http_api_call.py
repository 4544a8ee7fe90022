"""One request to an HTTP API, with the route that was chosen for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coldstart.events import payload_v1, payload_v2
from coldstart.events.http_answer import HttpAnswer
from coldstart.events.http_request import ClientRequest, GatewayContext

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Route


class HttpApiFault(Exception):
    """A request ends here: with a status, a message, and perhaps a challenge (``WWW-Authenticate``)."""

    def __init__(self, status: int, message: str, challenge: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.challenge = challenge

    def answer(self) -> HttpAnswer:
        """Return what the client gets."""
        body = json.dumps({"message": self.message}, separators=(",", ":")).encode()
        headers = [("Content-Type", "application/json")]
        if self.challenge:
            headers.append(("WWW-Authenticate", self.challenge))
        return HttpAnswer(self.status, tuple(headers), body)


@dataclass(frozen=True)
class HttpApiCall:
    """A request on its way to an authorizer or an integration."""

    region: str
    request: ClientRequest
    context: GatewayContext
    route: Route
    path_parameters: dict[str, str]
    raw_path: str
    """Decoded, with the stage."""
    path: str
    """Decoded, without the stage."""

    @property
    def resource(self) -> str:
        """The path of the route: ``/orders/{id}`` or ``$default``."""
        return str(self.route.route_key).rpartition(" ")[2]

    @property
    def execute_api(self) -> str:
        """The beginning of the API's ``execute-api`` ARNs."""
        return f"arn:aws:execute-api:{self.region}:{self.context.account_id}:{self.context.api_id}"

    @property
    def source_arn(self) -> str:
        """The ARN of the route, as resource policies name it."""
        if self.resource == "$default":
            return f"{self.execute_api}/{self.context.stage}/$default"
        return f"{self.execute_api}/{self.context.stage}/{self.request.method}{self.resource}"

    def event(self, version: str) -> dict[str, Any]:
        """Return the request in a payload format: ``1.0`` or ``2.0``."""
        if version == "1.0":
            return payload_v1.http_api_event(
                self.request,
                self.context,
                resource=self.resource,
                path=self.raw_path,
                path_parameters=self.path_parameters,
                is_binary=payload_v2.is_binary_body(self.request),
            )
        return payload_v2.event(
            self.request,
            self.context,
            route_key=self.route.route_key,
            raw_path=self.raw_path,
            path_parameters=self.path_parameters,
        )
