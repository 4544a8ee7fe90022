"""Payload format 2.0: the event of HTTP APIs and function URLs, and what they make of a function's answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html and
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from coldstart.events.http_answer import HttpAnswer, MalformedAnswer, decoded_body, header_pair, status_of
from coldstart.events.http_request import ClientRequest, GatewayContext

_TEXT = re.compile(r"text/|application/(?:[^;]*\+)?(?:json|xml|javascript)(?:;|\s|$)", re.IGNORECASE)
_NOT_PASSED_ON = frozenset(["connection", "transfer-encoding", "expect", "cookie"])


def event(
    request: ClientRequest,
    context: GatewayContext,
    *,
    route_key: str,
    raw_path: str,
    path_parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the event for a function. What is empty is left out, not null.

    Args:
        route_key: the route that was chosen, such as ``GET /orders/{id}`` or ``$default``.
        raw_path: the path with the stage; HTTP APIs decode it, function URLs do not.
        path_parameters: what the route's placeholders stand for.
    """
    request_context: dict[str, Any] = {
        "accountId": context.account_id,
        "apiId": context.api_id,
        "domainName": context.domain_name,
        "domainPrefix": context.domain_prefix,
        "http": {
            "method": request.method,
            "path": raw_path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": context.request_id,
        "routeKey": route_key,
        "stage": context.stage,
        "time": context.time_text,
        "timeEpoch": context.time_ms,
    }
    if context.authorizer is not None:
        request_context["authorizer"] = dict(context.authorizer)
    document: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": raw_path,
        "rawQueryString": request.query_string,
    }
    cookies = [cookie.strip() for cookie in (request.header("cookie") or "").split(";") if cookie.strip()]
    if cookies:
        document["cookies"] = cookies
    document["headers"] = _joined(
        [(name.lower(), value) for name, value in request.headers if name.lower() not in _NOT_PASSED_ON]
    )
    if query := request.query_pairs():
        document["queryStringParameters"] = _joined(query)
    document["requestContext"] = request_context
    if path_parameters:
        document["pathParameters"] = dict(path_parameters)
    if context.stage_variables:
        document["stageVariables"] = dict(context.stage_variables)
    is_binary = is_binary_body(request)
    if request.body:
        document["body"] = base64.b64encode(request.body).decode() if is_binary else request.body.decode()
    document["isBase64Encoded"] = is_binary
    return document


def is_binary_body(request: ClientRequest) -> bool:
    """Say whether a body is handed over in base64: when its media type is not text, JSON, XML or JavaScript."""
    if not request.body:
        return False
    if not _TEXT.match(request.header("content-type") or ""):
        return True
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return True
    return False


def answer(payload: bytes, *, default_content_type: str = "application/json") -> HttpAnswer:
    """Read what a function returned; without ``statusCode`` it is the body of a 200 response in JSON.

    Args:
        payload: JSON.
        default_content_type: of a response with a ``statusCode`` and no such header.

    Raises:
        MalformedAnswer: it has a ``statusCode`` and is not of the form that the format prescribes.
    """
    try:
        document = json.loads(payload or b"null")
    except ValueError:
        raise MalformedAnswer("not JSON") from None
    if not isinstance(document, dict) or "statusCode" not in document:
        content = document if isinstance(document, str) else _compact(document)
        return HttpAnswer(200, (("Content-Type", "application/json"),), content.encode())
    returned = document.get("body", "")
    body = returned if isinstance(returned, str) else "" if returned is None else _compact(returned)
    is_base64 = document.get("isBase64Encoded") or False
    given = document.get("headers") or {}
    cookies = document.get("cookies") or []
    if not isinstance(is_base64, bool) or not isinstance(given, dict) or not isinstance(cookies, list):
        raise MalformedAnswer("headers, cookies or isBase64Encoded have the wrong type")
    headers = [header_pair(name, value) for name, value in given.items()]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", default_content_type))
    headers += [header_pair("Set-Cookie", cookie) for cookie in cookies]
    return HttpAnswer(
        status_of(document["statusCode"]), tuple(headers), decoded_body(body) if is_base64 else body.encode()
    )


def _compact(document: object) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
