"""HTTP APIs: requests of clients go through routes to functions and to servers on this machine.

moto holds the APIs. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from coldstart.cloud.api_gateway import ApiGateway, GatewayParts, find_api
from coldstart.cloud.gateway_invocation import (
    EventTooLarge,
    FunctionFailed,
    IntegrationRefused,
    IntegrationTimeout,
    function_of,
)
from coldstart.cloud.http_api_authorizers import HttpApiAuthorizers
from coldstart.cloud.http_api_call import HttpApiCall, HttpApiFault
from coldstart.cloud.http_api_deployments import HttpApiSnapshot
from coldstart.cloud.http_forwarding import ForwardingRefused, forward
from coldstart.cloud.http_service_integrations import call_service
from coldstart.cloud.public_addresses import PublicAddress, domain_name
from coldstart.cloud.role_clients import RoleClients
from coldstart.events import payload_v1, payload_v2
from coldstart.events.cors import CorsConfiguration, is_preflight
from coldstart.events.http_answer import HttpAnswer, MalformedAnswer
from coldstart.events.http_request import ClientRequest, GatewayContext

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Api, Integration, Stage

MAX_PAYLOAD_BYTES = 10 * 1024 * 1024
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""
DEFAULT_TIMEOUT_MS = 30_000
DEFAULT_CONTENT_TYPE = "text/plain;charset=UTF-8"
"""Of a function's response that does not say."""


class HttpApiGateway(ApiGateway):
    """The HTTP APIs of one account."""

    def __init__(self, parts: GatewayParts, clients: RoleClients) -> None:
        super().__init__(parts)
        self._clients = clients
        self._authorizers = HttpApiAuthorizers(self._invoker, self._clock)

    def find(self, address: PublicAddress) -> Api | None:
        """Return the HTTP API of an address; None when there is none."""
        return find_api(self._account_id, address, "HTTP")

    def answer(self, api: Api, request: ClientRequest) -> HttpAnswer:
        """Answer a client."""
        request_id = base64.b64encode(bytes.fromhex(self._identifiers.hex(22))).decode()
        settings: Any = api.cors_configuration
        cors = CorsConfiguration.of(settings) if settings else None
        try:
            if len(request.body) > MAX_PAYLOAD_BYTES:
                raise HttpApiFault(413, "Request Entity Too Large")
            answer = self._run(api, request, cors, request_id)
        except HttpApiFault as fault:
            answer = fault.answer()
        headers = [*answer.headers]
        if cors is not None and not is_preflight(request):
            # "API Gateway ignores CORS headers returned from your backend integration."
            headers = [pair for pair in headers if not pair[0].lower().startswith("access-control-")]
            headers += cors.headers(request)
        return HttpAnswer(answer.status, (*headers, ("Apigw-Requestid", request_id)), answer.body)

    def _run(self, api: Api, request: ClientRequest, cors: CorsConfiguration | None, request_id: str) -> HttpAnswer:
        stage, path = _stage_of(api, unquote(request.path))
        deployed = HttpApiSnapshot.of_stage(api, stage) if stage else None
        if stage is None or deployed is None or api.disable_execute_api_endpoint:
            raise HttpApiFault(404, "Not Found")
        if cors is not None and is_preflight(request):
            return HttpAnswer(204, tuple(cors.preflight_headers(request)))
        found = deployed.route(request.method, path)
        if found is None:
            raise HttpApiFault(404, "Not Found")
        route, parameters = found
        context = GatewayContext(
            self._account_id,
            api.api_id,
            stage.name,
            domain_name("execute-api", api.api_id, api.backend.region_name),
            request_id,
            self._clock.now(),
            dict(stage.stage_variables or {}),
        )
        call = HttpApiCall(api.backend.region_name, request, context, route, parameters, unquote(request.path), path)
        context = self._authorized(deployed, call)
        integration = deployed.integrations.get((route.target or "").removeprefix("integrations/"))
        if integration is None:
            raise HttpApiFault(500, "Internal Server Error")
        return self._integrated(replace(call, context=context), integration)

    def _authorized(self, deployed: HttpApiSnapshot, call: HttpApiCall) -> GatewayContext:
        kind = call.route.authorization_type or "NONE"
        if kind == "NONE":
            return call.context
        if kind == "AWS_IAM":
            key = self._signed_by(call.request)
            if not key:
                raise HttpApiFault(403, "Forbidden")
            return replace(call.context, authorizer={"iam": {"accessKey": key, "accountId": self._account_id}})
        authorizer = deployed.authorizers.get(call.route.authorizer_id or "")
        if authorizer is None:
            raise HttpApiFault(500, "Internal Server Error")
        return replace(call.context, authorizer=self._authorizers.authorize(call, authorizer))

    def _integrated(self, call: HttpApiCall, integration: Integration) -> HttpAnswer:
        timeout = float(integration.timeout_in_millis or DEFAULT_TIMEOUT_MS) / 1000
        try:
            if integration.integration_type == "HTTP_PROXY":
                return forward(
                    call.request,
                    uri=integration.integration_uri,
                    method=integration.integration_method,
                    path_parameters=call.path_parameters,
                    stage_variables=call.context.stage_variables,
                    timeout=timeout,
                )
            if integration.integration_subtype:
                return call_service(self._clients, call, integration)
            name = function_of(integration.integration_uri or "", call.context.stage_variables)
            if name is None:
                raise HttpApiFault(501, "The local AWS only runs integrations with functions and local servers.")
            version = integration.payload_format_version or "1.0"
            payload = self._invoker.invoke(
                name,
                call.event(version),
                source_arn="" if integration.credentials_arn else call.source_arn,
                timeout=timeout,
                trace_id=call.request.header("x-amzn-trace-id") or "",
            )
            if version == "1.0":
                return payload_v1.answer(payload)
            return payload_v2.answer(payload, default_content_type=DEFAULT_CONTENT_TYPE)
        except (IntegrationTimeout, TimeoutError):
            raise HttpApiFault(503, "Service Unavailable") from None
        except IntegrationRefused as refused:
            throttled = "status: 429" in str(refused)
            raise HttpApiFault(*(503, "Service Unavailable") if throttled else (500, "Internal Server Error")) from None
        except EventTooLarge:
            raise HttpApiFault(413, "Request Entity Too Large") from None
        except (FunctionFailed, MalformedAnswer):
            raise HttpApiFault(500, "Internal Server Error") from None
        except ForwardingRefused as refused:
            raise HttpApiFault(refused.status, str(refused)) from None


def _stage_of(api: Api, path: str) -> tuple[Stage | None, str]:
    """Return the stage that a decoded path is for, and what is left of the path for the routes."""
    first, _, rest = path.removeprefix("/").partition("/")
    if first in api.stages and first != "$default":
        return api.stages[first], f"/{rest}"
    return api.stages.get("$default"), path
