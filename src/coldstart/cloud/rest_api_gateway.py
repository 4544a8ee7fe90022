"""REST APIs: requests of clients go through what was deployed to a stage, to functions and other integrations.

moto holds the APIs; :mod:`coldstart.cloud.rest_api_snapshot` what was deployed. The way of a request:
https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from coldstart.cloud import gateway_response
from coldstart.cloud.api_gateway import ApiGateway, GatewayParts
from coldstart.cloud.gateway_response import GatewayFault
from coldstart.cloud.http_exchange import ChunkedResponse
from coldstart.cloud.public_addresses import PublicAddress, domain_name
from coldstart.cloud.rest_api_snapshot import Resource, RestApiSnapshot
from coldstart.cloud.rest_authorizers import RestAuthorizers
from coldstart.cloud.rest_integrations import ResponseStart, RestExchange, StreamBroken, extended_request_id, integrate
from coldstart.events.http_answer import HttpAnswer
from coldstart.events.http_request import ClientRequest, GatewayContext
from coldstart.events.http_routes import RouteTable

if TYPE_CHECKING:
    from moto.apigateway.models import APIGatewayBackend, RestAPI

MAX_PAYLOAD_BYTES = 10 * 1024 * 1024
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""


class RestApiGateway(ApiGateway):
    """The REST APIs of one account."""

    def __init__(self, parts: GatewayParts) -> None:
        super().__init__(parts)
        self._authorizers = RestAuthorizers(self._invoker, self._clock)

    def find(self, address: PublicAddress) -> RestAPI | None:
        """Return the API of an address; None when there is none."""
        for region, backend in get_backend("apigateway")[self._account_id].items():
            if address.region in ("", region) and address.identifier in backend.apis:
                return backend.apis[address.identifier]
        return None

    def answer(self, api: RestAPI, request: ClientRequest, stream: ChunkedResponse) -> HttpAnswer | None:
        """Answer a client; None when the response has gone out through the stream."""
        request_id = self._identifiers.uuid()
        stage_name, _, path = request.path.removeprefix("/").partition("/")
        stage = api.stages.get(stage_name)
        deployment = api.deployments.get(stage.deployment_id or "") if stage else None
        snapshot = getattr(deployment, "snapshot", None)
        if stage is None or snapshot is None or api.disableExecuteApiEndpoint:
            answer = gateway_response.answer(GatewayFault("INVALID_API_KEY", "Forbidden"), {}, {}, None)
            return _with_ids(answer, request, request_id)
        context = self._context(api, stage_name, request_id, stage.variables)
        start = ResponseStart(
            lambda status, headers: stream.start(status, [*headers, *_ids(request, request_id)]), stream.write
        )
        try:
            found = self._run(api, snapshot, stage.deployment_id or "", request, context, f"/{path}", start)
        except StreamBroken:
            return None
        if found is not None:
            return _with_ids(found, request, request_id)
        stream.end()
        return None

    def test(
        self, api: RestAPI, resource_id: str, request: ClientRequest, stage_variables: Mapping[str, str]
    ) -> HttpAnswer:
        """Answer a request to a resource as the API is now, without authorizer and API key."""
        snapshot = RestApiSnapshot.of(api)
        path, methods = snapshot.resources[resource_id]
        open_methods = [
            (name, path, Resource(resource_id, path, {**method, "authorizationType": "NONE", "apiKeyRequired": False}))
            for name, method in methods.items()
        ]
        snapshot = replace(snapshot, routes=RouteTable(open_methods))
        request_id = self._identifiers.uuid()
        stage_name, _, path = request.path.removeprefix("/").partition("/")
        context = self._context(api, stage_name, request_id, stage_variables)
        answer = self._run(api, snapshot, "", request, context, f"/{path}", None)
        assert answer is not None  # only a stream is no answer
        return _with_ids(answer, request, request_id)

    def _context(
        self, api: RestAPI, stage_name: str, request_id: str, stage_variables: Mapping[str, str]
    ) -> GatewayContext:
        return GatewayContext(
            self._account_id,
            api.id,
            stage_name,
            domain_name("execute-api", api.id, api.region_name),
            request_id,
            self._clock.now(),
            dict(stage_variables),
        )

    def _run(
        self,
        api: RestAPI,
        snapshot: RestApiSnapshot,
        deployment_id: str,
        request: ClientRequest,
        context: GatewayContext,
        path: str,
        stream: ResponseStart | None,
    ) -> HttpAnswer | None:
        variables: dict[str, Any] = {
            "context": {"requestId": context.request_id, "stage": context.stage, "apiId": context.api_id},
            "stageVariables": dict(context.stage_variables),
        }
        try:
            found = snapshot.routes.find(request.method, path.rstrip("/") or "/")
            if found is None:
                raise GatewayFault("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
            exchange = _exchange(found[0], found[1], request, context, path, snapshot, api, deployment_id)
            variables = exchange.variables()
            if len(request.body) > MAX_PAYLOAD_BYTES:
                raise GatewayFault("REQUEST_TOO_LARGE", f"HTTP content length exceeded {MAX_PAYLOAD_BYTES} bytes.")
            exchange = self._authorized(exchange, snapshot)
            backend = get_backend("apigateway")[self._account_id][api.region_name]
            if exchange.method.get("apiKeyRequired"):
                exchange.identity |= _api_key(exchange, backend)
            _validate(exchange, snapshot)
            return integrate(exchange, self._invoker, stream)
        except GatewayFault as fault:
            return gateway_response.answer(fault, snapshot.gateway_responses, variables, request.header("accept"))

    def _authorized(self, exchange: RestExchange, snapshot: RestApiSnapshot) -> RestExchange:
        kind = exchange.method.get("authorizationType") or "NONE"
        if kind == "AWS_IAM":
            key = self._signed_by(exchange.request)
            if not key:
                raise GatewayFault("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
            exchange.identity |= {"accessKey": key, "accountId": self._account_id}
        elif kind in ("CUSTOM", "COGNITO_USER_POOLS"):
            authorizer = snapshot.authorizers.get(exchange.method.get("authorizerId") or "")
            if authorizer is None:
                raise GatewayFault("AUTHORIZER_CONFIGURATION_ERROR", None)
            said = self._authorizers.authorize(exchange, authorizer)
            exchange.context = GatewayContext(**{**exchange.context.__dict__, "authorizer": said})
        elif kind != "NONE":
            raise GatewayFault(
                "AUTHORIZER_CONFIGURATION_ERROR", f"The local AWS does not know authorizers of type {kind}.", 501
            )
        return exchange


def _with_ids(answer: HttpAnswer, request: ClientRequest, request_id: str) -> HttpAnswer:
    return HttpAnswer(answer.status, (*answer.headers, *_ids(request, request_id)), answer.body)


def _ids(request: ClientRequest, request_id: str) -> list[tuple[str, str]]:
    trace_id = (request.header("x-amzn-trace-id") or "").partition(";")[0]
    ids = [("x-amzn-RequestId", request_id), ("x-amz-apigw-id", extended_request_id(request_id))]
    return [*ids, ("X-Amzn-Trace-Id", trace_id)] if trace_id else ids


def _exchange(
    resource: Resource,
    path_parameters: dict[str, str],
    request: ClientRequest,
    context: GatewayContext,
    path: str,
    snapshot: RestApiSnapshot,
    api: RestAPI,
    deployment_id: str,
) -> RestExchange:
    return RestExchange(
        request=request,
        context=context,
        resource_id=resource.resource_id,
        resource_path=resource.path,
        path=path,
        path_parameters=path_parameters,
        method=resource.method,
        binary_media_types=snapshot.binary_media_types,
        region=api.region_name,
        deployment_id=deployment_id,
    )


def _api_key(exchange: RestExchange, backend: APIGatewayBackend) -> dict[str, str]:
    """Return the caller's API key for ``requestContext.identity``; it counts in a usage plan with the stage only."""
    value = exchange.request.header("x-api-key") or ""
    stage = {"apiId": exchange.context.api_id, "stage": exchange.context.stage}
    for plan in backend.usage_plans.values():
        if any(stage.items() <= known.items() for known in plan.api_stages):
            for key_id in backend.usage_plan_keys.get(plan.id, {}):
                key = backend.keys.get(key_id)
                if key is not None and key.enabled and key.value == value:
                    return {"apiKey": key.value, "apiKeyId": key.id}
    raise GatewayFault("INVALID_API_KEY", "Forbidden")


def _validate(exchange: RestExchange, snapshot: RestApiSnapshot) -> None:
    """Compare a request with what its method asks for.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html

    Raises:
        GatewayFault: something is missing, or the body does not fit its model.
    """
    checks_body, checks_parameters = snapshot.validators.get(
        exchange.method.get("requestValidatorId") or "", (False, False)
    )
    if checks_parameters:
        missing = [name for name in _required_parameters(exchange.method) if not _is_sent(exchange, *name)]
        if missing:
            names = ", ".join(name for _, name in missing)
            raise GatewayFault("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{names}]")
    models = exchange.method.get("requestModels") or {}
    media_type = (exchange.request.header("content-type") or "application/json").partition(";")[0].strip()
    schema = snapshot.models.get(models.get(media_type) or models.get("$default") or "")
    if checks_body and schema is not None:
        import jsonschema  # takes a second, and few lessons need it

        try:
            jsonschema.Draft4Validator(json.loads(schema)).validate(json.loads(exchange.request.body or b"null"))
        except (ValueError, jsonschema.ValidationError, jsonschema.SchemaError):
            raise GatewayFault("BAD_REQUEST_BODY", "Invalid request body") from None


def _required_parameters(method: dict[str, Any]) -> list[tuple[str, str]]:
    required = [name for name, is_required in (method.get("requestParameters") or {}).items() if is_required]
    found = [name.removeprefix("method.request.").partition(".") for name in required]
    return [(kind, name) for kind, _, name in found]


def _is_sent(exchange: RestExchange, kind: str, name: str) -> bool:
    if kind == "header":
        return bool(exchange.request.header(name))
    if kind == "querystring":
        return bool(dict(exchange.request.query_pairs()).get(name))
    return bool(exchange.path_parameters.get(name))
