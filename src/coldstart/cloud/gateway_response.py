"""What a REST API says itself when a request does not get to its integration, or the integration fails.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html. Status, headers and body can be
changed per type (PutGatewayResponse), also for ``DEFAULT_4XX`` and ``DEFAULT_5XX``: how APIs put CORS headers on errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coldstart.events.http_answer import HttpAnswer
from coldstart.events.mapping_template import TemplateError, render
from coldstart.events.mapping_variables import Input, Util

_TYPES = {
    "ACCESS_DENIED": (403, "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "AuthorizerConfigurationException"),
    "BAD_REQUEST_BODY": (400, "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException"),
    "INTEGRATION_FAILURE": (504, "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException"),
    "INVALID_API_KEY": (403, "ForbiddenException"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "MissingAuthenticationTokenException"),
    "REQUEST_TOO_LARGE": (413, "RequestTooLargeException"),
    "UNAUTHORIZED": (401, "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "BadRequestException"),
    "DEFAULT_5XX": (500, "InternalServerErrorException"),
}


class GatewayFault(Exception):
    """A request ends here: response type, message, and the status when it is not the type's own."""

    def __init__(self, response_type: str, message: str | None, status: int | None = None) -> None:
        super().__init__(message)
        self.response_type = response_type
        self.message = message
        self.status = status or _TYPES[response_type][0]
        self.error_type = _TYPES[response_type][1]


def malformed_answer() -> GatewayFault:
    """Return the fault for a function that failed or answered in another format: 502."""
    return GatewayFault("DEFAULT_5XX", "Internal server error", 502)


def answer(
    fault: GatewayFault, customised: Mapping[str, Mapping[str, Any]], variables: Mapping[str, Any], accept: str | None
) -> HttpAnswer:
    """Return what the client gets.

    Args:
        fault: why the request ends.
        customised: the API's gateway responses by type.
        variables: ``context`` and ``stageVariables`` for templates.
        accept: the request's header, which chooses between templates.
    """
    default = "DEFAULT_4XX" if fault.status < 500 else "DEFAULT_5XX"
    custom = customised.get(fault.response_type) or customised.get(default) or {}
    templates = custom.get("responseTemplates") or {}
    content_type = next((name for name in templates if name in (accept or "")), "application/json")
    error = {
        "message": fault.message,
        "messageString": json.dumps(fault.message),
        "responseType": fault.response_type,
    }
    template = templates.get(content_type) or _default_template(fault)
    context = {**variables.get("context", {}), "error": error}
    try:
        body = render(template, {**variables, "context": context, "input": Input("", {}, {}, {}), "util": Util()})
    except TemplateError as problem:
        body = json.dumps({"message": f"The template of the gateway response is broken: {problem}"})
    headers = [("Content-Type", content_type), ("x-amzn-ErrorType", fault.error_type)]
    for name, value in (custom.get("responseParameters") or {}).items():
        text = parameter_value(value, {})
        if text is not None:
            headers.append((name.removeprefix("gatewayresponse.header."), text))
    status = int(custom.get("statusCode") or fault.status)
    return HttpAnswer(status, tuple(headers), body.encode())


def _default_template(fault: GatewayFault) -> str:
    # As seen on AWS: a blank after the colon of what fails in the integration, a capital in what an authorizer refuses.
    if fault.status >= 500:
        return '{"message": $context.error.messageString}'
    name = "Message" if fault.response_type == "ACCESS_DENIED" else "message"
    return f'{{"{name}":$context.error.messageString}}'


def parameter_value(expression: str, sources: Mapping[str, Any]) -> str | None:
    """Return the value of a parameter mapping: a literal in single quotes, or what a source has under that name."""
    if len(expression) >= 2 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    value = sources.get(expression)
    return None if value is None else str(value)
