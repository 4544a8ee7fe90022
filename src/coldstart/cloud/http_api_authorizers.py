"""Authorizers of HTTP APIs: functions, and the tokens of Cognito user pools.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html and http-api-jwt-authorizer.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from coldstart.cloud.gateway_invocation import (
    FunctionFailed,
    GatewayInvoker,
    IntegrationRefused,
    IntegrationTimeout,
    function_of,
)
from coldstart.cloud.http_api_call import HttpApiCall, HttpApiFault
from coldstart.cloud.user_pool_tokens import InvalidToken, missing_scopes, verified_claims
from coldstart.events.authorizer_policy import InvalidPolicy, decision
from coldstart.runtime.clock import Clock

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Authorizer

TIMEOUT_SECONDS = 10.0


class HttpApiAuthorizers:
    """Asks Lambda authorizers, and remembers what they said for as long as they allow."""

    def __init__(self, invoker: GatewayInvoker, clock: Clock) -> None:
        self._invoker = invoker
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, Any]] = {}

    def authorize(self, call: HttpApiCall, authorizer: Authorizer) -> dict[str, object]:
        """Let a call through and return ``requestContext.authorizer`` for it.

        Raises:
            HttpApiFault: the caller is not let in, or the authorizer is broken.
        """
        if authorizer.authorizer_type == "JWT":
            return self._with_token(call, authorizer)
        sources = [str(source) for source in authorizer.identity_source or []]
        identity = [_source_value(call, source) for source in sources]
        if not all(identity):
            raise HttpApiFault(401, "Unauthorized")
        values = [value or "" for value in identity]
        answer = self._answer(call, authorizer, values)
        version = authorizer.auth_payload_format_version or "2.0"
        try:
            if authorizer.enable_simple_response and version == "2.0":
                is_allowed = isinstance(answer, dict) and answer.get("isAuthorized") is True
            else:
                policy = answer.get("policyDocument") if isinstance(answer, dict) else None
                is_allowed = decision(policy, _route_arn(call)) == "allow"
        except InvalidPolicy:
            raise HttpApiFault(500, "Internal Server Error") from None
        if not is_allowed:
            raise HttpApiFault(403, "Forbidden")
        context = answer.get("context") or {}
        return {"lambda": context} if version == "2.0" else {"principalId": answer.get("principalId"), **context}

    def _with_token(self, call: HttpApiCall, authorizer: Authorizer) -> dict[str, object]:
        sources = authorizer.identity_source or ["$request.header.Authorization"]
        token = _source_value(call, str(sources[0]))
        if not token:
            raise HttpApiFault(401, "Unauthorized", 'Bearer scope=""')
        settings: Any = authorizer.jwt_config or {}
        try:
            claims = verified_claims(token, call.context.account_id, self._clock.now())
            if claims["iss"] != str(settings.get("issuer") or "").rstrip("/"):
                raise InvalidToken("unable to verify the issuer")
            if not {claims.get("aud"), claims.get("client_id")} & set(settings.get("audience") or []):
                raise InvalidToken("the token does not have a valid audience")
        except InvalidToken as error:
            challenge = f'Bearer scope="" error="invalid_token" error_description="{error}"'
            raise HttpApiFault(401, "Unauthorized", challenge) from None
        wanted = list(call.route.authorization_scopes or [])
        if missing_scopes(claims, wanted):
            challenge = f'Bearer scope="{" ".join(wanted)}" error="insufficient_scope"'
            raise HttpApiFault(403, "Forbidden", challenge)
        texts = {name: f"[{' '.join(map(str, v))}]" if isinstance(v, list) else str(v) for name, v in claims.items()}
        return {"jwt": {"claims": texts, "scopes": wanted or None}}

    def _answer(self, call: HttpApiCall, authorizer: Authorizer, identity: list[str]) -> Any:
        ttl = int(authorizer.auth_result_ttl or 0)
        key = (call.context.api_id, call.context.stage, authorizer.id, *identity)
        kept = self._kept.get(key)
        if kept is not None and self._clock.now() < kept[0]:
            return kept[1]
        name = function_of(authorizer.authorizer_uri or "", call.context.stage_variables)
        if name is None:
            raise HttpApiFault(500, "Internal Server Error")
        try:
            payload = self._invoker.invoke(
                name,
                _event(call, authorizer, identity),
                source_arn="" if authorizer.auth_creds_arn else f"{call.execute_api}/authorizers/{authorizer.id}",
                timeout=TIMEOUT_SECONDS,
                trace_id=call.request.header("x-amzn-trace-id") or "",
            )
            answer = json.loads(payload)
        except FunctionFailed as failed:
            if json.loads(failed.payload).get("errorMessage") == "Unauthorized":
                raise HttpApiFault(401, "Unauthorized") from None
            raise HttpApiFault(500, "Internal Server Error") from None
        except (IntegrationRefused, IntegrationTimeout):
            raise HttpApiFault(500, "Internal Server Error") from None
        if ttl > 0 and identity:
            self._kept[key] = (self._clock.now() + ttl, answer)
        return answer


def _route_arn(call: HttpApiCall) -> str:
    return f"{call.execute_api}/{call.context.stage}/{call.request.method}{call.path}"


def _event(call: HttpApiCall, authorizer: Authorizer, identity: list[str]) -> dict[str, Any]:
    version = authorizer.auth_payload_format_version or "2.0"
    document = call.event(version)
    document.pop("body", None)
    document.pop("isBase64Encoded", None)
    if version == "2.0":
        return {**document, "type": "REQUEST", "routeArn": _route_arn(call), "identitySource": identity}
    return {
        **document,
        "type": "REQUEST",
        "methodArn": _route_arn(call),
        "identitySource": ",".join(identity),
        "authorizationToken": ",".join(identity),
    }


def _source_value(call: HttpApiCall, source: str) -> str | None:
    kind, _, name = source.removeprefix("$").removeprefix("request.").partition(".")
    if kind == "header":
        return call.request.header(name)
    if kind == "querystring":
        return dict(call.request.query_pairs()).get(name)
    if kind == "stageVariables":
        return call.context.stage_variables.get(name)
    if kind == "context":
        found = call.event("2.0")["requestContext"].get(name)
        return None if found is None else str(found)
    return None
