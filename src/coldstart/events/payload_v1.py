"""Payload format 1.0: the event of REST APIs, and of HTTP APIs that ask for it, and the answer that they expect.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from coldstart.events.http_answer import HttpAnswer, MalformedAnswer, decoded_body, header_pair, status_of
from coldstart.events.http_request import ClientRequest, GatewayContext

_ANSWER_MEMBERS = frozenset(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"])
_IDENTITY = (
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "sourceIp",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "userAgent",
    "user",
)
_NOT_PASSED_ON = frozenset(["connection", "content-length", "transfer-encoding", "expect"])


def event(
    request: ClientRequest,
    context: GatewayContext,
    *,
    resource: str,
    resource_id: str | None,
    path: str,
    path_parameters: Mapping[str, str],
    is_binary: bool,
    extra_context: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Return the event for a function behind a REST API.

    Args:
        resource: the path of the resource as it is defined, such as ``/orders/{id}``.
        resource_id: the resource's id; None for HTTP APIs.
        path: the path of the request without the stage.
        path_parameters: what the resource's placeholders stand for.
        is_binary: whether the body goes to the function in base64.
        extra_context: further members of ``requestContext``.
    """
    headers = [(name, value) for name, value in request.headers if name.lower() not in _NOT_PASSED_ON]
    query = request.query_pairs()
    identity: dict[str, object] = dict.fromkeys(_IDENTITY)
    identity |= {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")}
    request_context: dict[str, object] = {
        "resourceId": resource_id,
        "resourcePath": resource,
        "httpMethod": request.method,
        "requestTime": context.time_text,
        "path": request.path,
        "accountId": context.account_id,
        "protocol": request.protocol,
        "stage": context.stage,
        "domainPrefix": context.domain_prefix,
        "requestTimeEpoch": context.time_ms,
        "requestId": context.request_id,
        "identity": identity,
        "domainName": context.domain_name,
        "apiId": context.api_id,
        **(extra_context or {}),
    }
    if context.authorizer is not None:
        request_context["authorizer"] = dict(context.authorizer)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": request.method,
        "headers": last_values(headers),
        "multiValueHeaders": all_values(headers),
        "queryStringParameters": last_values(query),
        "multiValueQueryStringParameters": all_values(query),
        "pathParameters": dict(path_parameters) or None,
        "stageVariables": dict(context.stage_variables) or None,
        "requestContext": request_context,
        "body": _body(request.body, is_binary),
        "isBase64Encoded": is_binary and bool(request.body),
    }


def http_api_event(
    request: ClientRequest,
    context: GatewayContext,
    *,
    resource: str,
    path: str,
    path_parameters: Mapping[str, str],
    is_binary: bool,
) -> dict[str, Any]:
    """Return the event in format 1.0 for a function behind an HTTP API; its path is decoded and has the stage in it."""
    document = event(
        request,
        context,
        resource=resource,
        resource_id=None,
        path=path,
        path_parameters=path_parameters,
        is_binary=is_binary,
        extra_context={
            "path": path,
            "extendedRequestId": context.request_id,
            "authorizer": context.authorizer or {"claims": None, "scopes": None},
        },
    )
    return {"version": "1.0", **document}


def answer(payload: bytes, *, decodes_base64: bool = True) -> HttpAnswer:
    """Read what a function returned.

    Args:
        payload: JSON.
        decodes_base64: whether a body in base64 is decoded for the client (REST APIs: a matter of binary media types).

    Raises:
        MalformedAnswer: it is not of the form that the format prescribes; unknown members are not allowed.
    """
    try:
        document = json.loads(payload)
    except ValueError:
        raise MalformedAnswer("not JSON") from None
    if not isinstance(document, dict) or not document.keys() <= _ANSWER_MEMBERS:
        raise MalformedAnswer("not an object with statusCode, headers, multiValueHeaders, body and isBase64Encoded")
    status = status_of(document["statusCode"]) if document.get("statusCode") is not None else 200
    body = document.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedAnswer("the body is not a string")
    is_base64 = document.get("isBase64Encoded") or False
    if not isinstance(is_base64, bool):
        raise MalformedAnswer("isBase64Encoded is neither true nor false")
    headers = _answered_headers(document.get("headers") or {}, document.get("multiValueHeaders") or {})
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    content = (body or "").encode()
    return HttpAnswer(status, tuple(headers), decoded_body(body or "") if is_base64 and decodes_base64 else content)


def _answered_headers(single: Any, multiple: Any) -> list[tuple[str, str]]:
    if not isinstance(single, dict) or not isinstance(multiple, dict):
        raise MalformedAnswer("the headers are no object")
    headers: list[tuple[str, str]] = []
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise MalformedAnswer("a value of multiValueHeaders is no list")
        headers += [header_pair(name, value) for value in values]
    named = {name.lower() for name in multiple}
    headers += [header_pair(name, value) for name, value in single.items() if name.lower() not in named]
    return headers


def _body(body: bytes, is_binary: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode() if is_binary else body.decode("utf-8", "replace")


def last_values(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """Return names with the last of their values; None when there are none."""
    return dict(pairs) or None


def all_values(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]] | None:
    """Return names with all of their values; None when there are none."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values or None
