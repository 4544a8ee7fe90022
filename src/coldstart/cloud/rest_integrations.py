"""What stands behind the methods of a REST API: functions, mock answers, and HTTP servers on this machine.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html. Integrations with AWS services
other than Lambda are not run; they answer 501 and say so.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from coldstart.cloud.gateway_invocation import (
    EventTooLarge,
    FunctionFailed,
    GatewayInvoker,
    IntegrationRefused,
    IntegrationTimeout,
    function_of,
)
from coldstart.cloud.gateway_response import GatewayFault, malformed_answer, parameter_value
from coldstart.cloud.http_forwarding import ForwardingRefused, forward
from coldstart.events import payload_v1
from coldstart.events.http_answer import HttpAnswer, MalformedAnswer
from coldstart.events.http_request import ClientRequest, GatewayContext
from coldstart.events.mapping_template import TemplateError, render
from coldstart.events.mapping_variables import Input, Util, json_path
from coldstart.events.streamed_answer import StreamedAnswer

_REMAPPED = frozenset(["authorization", "connection", "content-length", "date", "host", "server", "www-authenticate"])
"""Headers of a function that come to the client as ``x-amzn-Remapped-...``."""


class ResponseStart(NamedTuple):
    """Where a streamed response goes."""

    start: Callable[[int, list[tuple[str, str]]], object]
    """Takes status and headers, once."""
    write: Callable[[bytes], object]
    """Takes a piece of the body."""


class StreamBroken(Exception):
    """A streamed response has begun and will not be complete."""


@dataclass
class RestExchange:
    """One request to a REST API, with the method that was chosen for it."""

    request: ClientRequest
    context: GatewayContext
    resource_id: str
    resource_path: str
    path: str
    """Without the stage."""
    path_parameters: dict[str, str]
    method: dict[str, Any]
    binary_media_types: tuple[str, ...]
    region: str
    deployment_id: str
    identity: dict[str, Any] = field(default_factory=dict)
    """What was found out about the caller."""

    @property
    def integration(self) -> dict[str, Any]:
        """The method's integration; empty when it has none."""
        return self.method.get("methodIntegration") or {}

    @property
    def source_arn(self) -> str:
        """The ARN of the method, as resource policies name it."""
        context = self.context
        return (
            f"arn:aws:execute-api:{self.region}:{context.account_id}:{context.api_id}/{context.stage}"
            f"/{self.request.method}{self.resource_path}"
        )

    def event(self) -> dict[str, Any]:
        """Return the request in payload format 1.0."""
        extra: dict[str, object] = {
            "deploymentId": self.deployment_id,
            "extendedRequestId": extended_request_id(self.context.request_id),
        }
        if self.method.get("operationName"):
            extra["operationName"] = self.method["operationName"]
        document = payload_v1.event(
            self.request,
            self.context,
            resource=self.resource_path,
            resource_id=self.resource_id,
            path=self.path,
            path_parameters=self.path_parameters,
            is_binary=is_binary(self.request.header("content-type"), self.binary_media_types),
            extra_context=extra,
        )
        document["requestContext"]["identity"] |= self.identity
        return document

    def variables(self) -> dict[str, Any]:
        """Return what templates may name beside ``$input``."""
        context = self.event()["requestContext"]
        return {"context": context, "stageVariables": dict(self.context.stage_variables), "util": Util()}

    def input(self, body: str) -> Input:
        """Return ``$input`` with a body and the request's parameters."""
        return Input(body, self.path_parameters, dict(self.request.query_pairs()), dict(self.request.headers))


def extended_request_id(request_id: str) -> str:
    """Return an id of the form that API Gateway gives in ``x-amz-apigw-id``, the same for the same request."""
    return base64.b64encode(bytes.fromhex(request_id.replace("-", ""))[:11]).decode()


def integrate(
    exchange: RestExchange, invoker: GatewayInvoker, stream: ResponseStart | None = None
) -> HttpAnswer | None:
    """Let the integration answer; None when it has streamed its response.

    Args:
        exchange: the request.
        invoker: runs functions.
        stream: takes a response piece by piece, for integrations that stream.

    Raises:
        GatewayFault: it did not.
    """
    kind = exchange.integration.get("type")
    try:
        match kind:
            case "AWS_PROXY":
                if exchange.integration.get("responseTransferMode") == "STREAM" and stream is not None:
                    _function_stream(exchange, invoker, stream)
                    return None
                return _function_proxy(exchange, invoker)
            case "AWS":
                return _function(exchange, invoker)
            case "MOCK":
                return _mock(exchange)
            case "HTTP_PROXY":
                return _http_proxy(exchange)
            case "HTTP":
                return _http(exchange)
    except EventTooLarge:
        raise GatewayFault("REQUEST_TOO_LARGE", "Request Too Long") from None
    except IntegrationTimeout:
        raise GatewayFault("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
    except IntegrationRefused:
        raise GatewayFault("API_CONFIGURATION_ERROR", "Internal server error") from None
    except TemplateError:
        raise GatewayFault("API_CONFIGURATION_ERROR", "Internal server error") from None
    raise GatewayFault("API_CONFIGURATION_ERROR", "Internal server error")


def is_binary(content_type: str | None, binary_media_types: tuple[str, ...]) -> bool:
    """Say whether a media type is one of an API's binary ones."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    return any(
        known == "*/*" or known.lower() == media_type or (known.endswith("/*") and media_type.startswith(known[:-1]))
        for known in binary_media_types
    )


def _timeout(exchange: RestExchange) -> float:
    return float(exchange.integration.get("timeoutInMillis") or 29_000) / 1000


def _function_name(exchange: RestExchange) -> str:
    integration = exchange.integration
    name = function_of(integration.get("uri") or "", exchange.context.stage_variables)
    if name is None:
        service = (integration.get("uri") or ":::::").split(":")[4]
        raise GatewayFault(
            "API_CONFIGURATION_ERROR", f"The local AWS does not run integrations with the service {service!r}.", 501
        )
    if integration.get("httpMethod") != "POST":  # Lambda's Invoke is a POST
        raise GatewayFault("API_CONFIGURATION_ERROR", "Internal server error")
    return name


def _source_arn(exchange: RestExchange) -> str:
    return "" if exchange.integration.get("credentials") else exchange.source_arn


def _function_proxy(exchange: RestExchange, invoker: GatewayInvoker) -> HttpAnswer:
    name = _function_name(exchange)
    try:
        payload = invoker.invoke(
            name,
            exchange.event(),
            source_arn=_source_arn(exchange),
            timeout=_timeout(exchange),
            trace_id=exchange.request.header("x-amzn-trace-id") or "",
        )
        accepted = (exchange.request.header("accept") or "").partition(",")[0]
        answer = payload_v1.answer(payload, decodes_base64=is_binary(accepted, exchange.binary_media_types))
    except (FunctionFailed, MalformedAnswer):
        raise malformed_answer() from None
    headers = tuple(
        (f"x-amzn-Remapped-{name}", value) if name.lower() in _REMAPPED else (name, value)
        for name, value in answer.headers
    )
    return HttpAnswer(answer.status, headers, answer.body)


def _function_stream(exchange: RestExchange, invoker: GatewayInvoker, stream: ResponseStart) -> None:
    """Pass a response on while the function makes it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html: it has to begin with a JSON
    prelude and eight NUL bytes.
    """
    sink = StreamedAnswer(*stream, needs_prelude=True)
    try:
        invoker.invoke(
            _function_name(exchange),
            exchange.event(),
            source_arn=_source_arn(exchange),
            timeout=_timeout(exchange),
            trace_id=exchange.request.header("x-amzn-trace-id") or "",
            sink=sink,
        )
    except (FunctionFailed, IntegrationTimeout) as error:
        if not sink.is_started:
            raise malformed_answer() if isinstance(error, FunctionFailed) else error from None
        raise StreamBroken from None
    if not sink.is_started:
        raise malformed_answer()


def _function(exchange: RestExchange, invoker: GatewayInvoker) -> HttpAnswer:
    name = _function_name(exchange)
    event = _request_body(exchange).encode() or b"{}"
    try:
        payload = invoker.invoke(
            name,
            event,
            source_arn=_source_arn(exchange),
            timeout=_timeout(exchange),
            trace_id=exchange.request.header("x-amzn-trace-id") or "",
        )
        message = ""
    except FunctionFailed as failed:
        payload = failed.payload
        message = str(json.loads(payload).get("errorMessage") or "")
    return _mapped_response(exchange, message, payload, {})


def _mock(exchange: RestExchange) -> HttpAnswer:
    try:
        status = int(json.loads(_request_body(exchange))["statusCode"])
    except (ValueError, TypeError, KeyError):
        raise GatewayFault("API_CONFIGURATION_ERROR", "Internal server error") from None
    return _mapped_response(exchange, str(status), b"", {})


def _http_proxy(exchange: RestExchange) -> HttpAnswer:
    return _forwarded(exchange, exchange.request)


def _http(exchange: RestExchange) -> HttpAnswer:
    content_type = exchange.request.header("content-type") or "application/json"
    request = replace(
        exchange.request,
        headers=(("Content-Type", content_type),),
        query_string="",
        body=_request_body(exchange).encode(),
    )
    answer = _forwarded(exchange, request)
    return _mapped_response(exchange, str(answer.status), answer.body, dict(answer.headers))


def _forwarded(exchange: RestExchange, request: ClientRequest) -> HttpAnswer:
    try:
        return forward(
            request,
            uri=exchange.integration.get("uri") or "",
            method=exchange.integration.get("httpMethod") or "ANY",
            path_parameters=exchange.path_parameters,
            stage_variables=exchange.context.stage_variables,
            timeout=_timeout(exchange),
        )
    except TimeoutError:
        raise IntegrationTimeout from None
    except ForwardingRefused as refused:
        raise GatewayFault("INTEGRATION_FAILURE", str(refused), refused.status) from None


def _request_body(exchange: RestExchange) -> str:
    """Return the body of a request after the mapping template for its media type.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
    """
    integration = exchange.integration
    templates = integration.get("requestTemplates") or {}
    body = exchange.request.body.decode("utf-8", "replace")
    media_type = (exchange.request.header("content-type") or "application/json").partition(";")[0].strip().lower()
    if media_type in templates:
        return render(templates[media_type] or "", {**exchange.variables(), "input": exchange.input(body)})
    behaviour = integration.get("passthroughBehavior") or "WHEN_NO_MATCH"
    if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and templates):
        raise GatewayFault("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
    return body


def _mapped_response(
    exchange: RestExchange, selected_by: str, payload: bytes, given_headers: Mapping[str, str]
) -> HttpAnswer:
    """Choose the integration response and make the client's response with it.

    Args:
        exchange: the request.
        selected_by: what selection patterns are compared with: a function's error message, or a status.
        payload: the integration's body.
        given_headers: the integration's headers.
    """
    response = _integration_response(exchange.integration, selected_by)
    if response is None:
        raise GatewayFault("API_CONFIGURATION_ERROR", "Internal server error")
    text = payload.decode("utf-8", "replace")
    sources = dict(_response_sources(text, given_headers))
    variables = exchange.variables()
    override: dict[str, Any] = {"header": {}}
    variables["context"] = {**variables["context"], "responseOverride": override}
    templates = response.get("responseTemplates") or {}
    content_type = next(iter(templates), "application/json")
    if templates.get(content_type):
        text = render(templates[content_type], {**variables, "input": exchange.input(text)})
    headers = [("Content-Type", content_type)]
    for name, expression in (response.get("responseParameters") or {}).items():
        value = parameter_value(expression, sources)
        if value is not None:
            headers.append((name.removeprefix("method.response.header."), value))
    headers += [(name, str(value)) for name, value in override["header"].items()]
    given = {name.lower() for name, _ in headers[1:]}
    if "content-type" in given:
        headers = headers[1:]
    return HttpAnswer(int(override.get("status") or response["statusCode"]), tuple(headers), text.encode())


def _integration_response(integration: Mapping[str, Any], selected_by: str) -> dict[str, Any] | None:
    responses = list((integration.get("integrationResponses") or {}).values())
    for response in responses:
        pattern = response.get("selectionPattern")
        if pattern and selected_by and re.fullmatch(pattern, selected_by, re.DOTALL):
            return dict(response)
    return next((dict(response) for response in responses if not response.get("selectionPattern")), None)


def _response_sources(body: str, headers: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    yield "integration.response.body", body
    for name, value in headers.items():
        yield f"integration.response.header.{name}", value
    try:
        document = json.loads(body)
    except ValueError:
        return
    yield from _paths(document, "integration.response.body")


def _paths(document: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(document, dict):
        for name in document:
            value = json_path(document, f"$['{name}']")
            yield f"{prefix}.{name}", value
            yield from _paths(value, f"{prefix}.{name}")
