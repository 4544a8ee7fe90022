"""Authorizers of REST APIs: functions, and the tokens of Cognito user pools.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html. What an authorizer returned is
kept for its caller (by default 300 seconds of the cloud's time), as a policy: a call to another method is compared with it anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from coldstart.cloud.gateway_invocation import (
    FunctionFailed,
    GatewayInvoker,
    IntegrationRefused,
    IntegrationTimeout,
    function_of,
)
from coldstart.cloud.gateway_response import GatewayFault
from coldstart.cloud.rest_integrations import RestExchange
from coldstart.cloud.user_pool_tokens import InvalidToken, issuer_of, missing_scopes, verified_claims
from coldstart.events.authorizer_policy import InvalidPolicy, decision
from coldstart.runtime.clock import Clock

TIMEOUT_SECONDS = 30.0
DEFAULT_TTL_SECONDS = 300


class RestAuthorizers:
    """Asks Lambda authorizers, and remembers what they said."""

    def __init__(self, invoker: GatewayInvoker, clock: Clock) -> None:
        self._invoker = invoker
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, dict[str, Any]]] = {}

    def authorize(self, exchange: RestExchange, authorizer: Mapping[str, Any]) -> dict[str, object]:
        """Let a call through and return ``requestContext.authorizer`` for it.

        Raises:
            GatewayFault: the caller is not let in, or the authorizer is broken.
        """
        sources = [source.strip() for source in (authorizer.get("identitySource") or "").split(",") if source.strip()]
        identity = [_source_value(exchange, source) for source in sources]
        expression = authorizer.get("identityValidationExpression")
        if not all(identity) or (expression and not re.match(expression, identity[0] or "")):
            raise GatewayFault("UNAUTHORIZED", "Unauthorized")
        if authorizer.get("type") == "COGNITO_USER_POOLS":
            return self._with_token(exchange, authorizer, identity[0] or "")
        answer = self._answer(exchange, authorizer, [value or "" for value in identity])
        try:
            said = decision(answer.get("policyDocument"), _method_arn(exchange))
            context = _context(answer)
        except InvalidPolicy:
            raise GatewayFault("AUTHORIZER_CONFIGURATION_ERROR", None) from None
        if said != "allow":
            explicitly = " with an explicit deny" if said == "deny" else ""
            raise GatewayFault("ACCESS_DENIED", f"User is not authorized to access this resource{explicitly}")
        return context

    def _with_token(self, exchange: RestExchange, authorizer: Mapping[str, Any], token: str) -> dict[str, object]:
        """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html."""
        wanted = list(exchange.method.get("authorizationScopes") or [])
        try:
            claims = verified_claims(token, exchange.context.account_id, self._clock.now())
        except InvalidToken as error:
            expired = "The incoming token has expired" if "expired" in str(error) else "Unauthorized"
            raise GatewayFault("UNAUTHORIZED", expired) from None
        issuers = [issuer_of(arn) for arn in authorizer.get("providerARNs") or []]
        # An API that wants scopes takes access tokens, one that does not takes ID tokens.
        is_right_kind = claims.get("token_use") == ("access" if wanted else "id")
        if claims["iss"] not in issuers or not is_right_kind or missing_scopes(claims, wanted):
            raise GatewayFault("UNAUTHORIZED", "Unauthorized")
        return {"claims": {name: str(value) for name, value in claims.items()}}

    def _answer(self, exchange: RestExchange, authorizer: Mapping[str, Any], identity: list[str]) -> dict[str, Any]:
        context = exchange.context
        ttl = authorizer.get("authorizerResultTtlInSeconds")
        ttl = DEFAULT_TTL_SECONDS if ttl is None else int(ttl)
        key = (context.api_id, context.stage, exchange.deployment_id, str(authorizer.get("id")), *identity)
        kept = self._kept.get(key)
        if kept is not None and identity and self._clock.now() < kept[0]:
            return kept[1]
        name = function_of(authorizer.get("authorizerUri") or "", context.stage_variables)
        if name is None:
            raise GatewayFault("AUTHORIZER_CONFIGURATION_ERROR", None)
        arn = f"arn:aws:execute-api:{exchange.region}:{context.account_id}:{context.api_id}/authorizers/{authorizer.get('id')}"
        try:
            payload = self._invoker.invoke(
                name,
                _event(exchange, authorizer, identity),
                source_arn="" if authorizer.get("authorizerCredentials") else arn,
                timeout=TIMEOUT_SECONDS,
                trace_id=exchange.request.header("x-amzn-trace-id") or "",
            )
            answer = json.loads(payload)
        except FunctionFailed as failed:
            if json.loads(failed.payload).get("errorMessage") == "Unauthorized":
                raise GatewayFault("UNAUTHORIZED", "Unauthorized") from None
            raise GatewayFault("AUTHORIZER_CONFIGURATION_ERROR", None) from None
        except (IntegrationRefused, IntegrationTimeout):
            raise GatewayFault("AUTHORIZER_CONFIGURATION_ERROR", None) from None
        if not isinstance(answer, dict) or not answer.get("principalId"):
            raise GatewayFault("AUTHORIZER_CONFIGURATION_ERROR", None)
        if ttl > 0 and identity:
            self._kept[key] = (self._clock.now() + ttl, answer)
        return answer


def _event(exchange: RestExchange, authorizer: Mapping[str, Any], identity: list[str]) -> dict[str, Any]:
    if authorizer.get("type") == "TOKEN":
        return {"type": "TOKEN", "authorizationToken": identity[0], "methodArn": _method_arn(exchange)}
    document = exchange.event()
    del document["body"], document["isBase64Encoded"]
    return {"type": "REQUEST", "methodArn": _method_arn(exchange), **document}


def _method_arn(exchange: RestExchange) -> str:
    context = exchange.context
    return (
        f"arn:aws:execute-api:{exchange.region}:{context.account_id}:{context.api_id}/{context.stage}"
        f"/{exchange.request.method}{exchange.path}"
    )


def _source_value(exchange: RestExchange, source: str) -> str | None:
    kind, _, name = source.removeprefix("method.request.").partition(".")
    if kind == "header":
        return exchange.request.header(name)
    if kind == "querystring":
        return dict(exchange.request.query_pairs()).get(name)
    if source.startswith("stageVariables."):
        return exchange.context.stage_variables.get(name)
    if source.startswith("context."):
        found = exchange.event()["requestContext"].get(source.removeprefix("context."))
        return None if found is None else str(found)
    return None


def _context(answer: Mapping[str, Any]) -> dict[str, object]:
    context: dict[str, object] = {"principalId": answer["principalId"]}
    for name, value in (answer.get("context") or {}).items():
        if isinstance(value, dict | list):
            raise InvalidPolicy(f"the context's {name} is neither text, a number nor true or false")
        context[name] = str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
    return {**context, "integrationLatency": 0}
