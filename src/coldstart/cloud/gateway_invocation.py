"""How API Gateway calls a function: with permission, and no longer than the integration may take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

from coldstart.cloud.aws_error import AwsError
from coldstart.runtime.clock import Clock
from coldstart.runtime.execution_environment import InvocationResult
from coldstart.runtime.response_stream import ResponseSink

_INVOCATION_URI = re.compile(
    r"arn:[^:]+:apigateway:[^:]+:lambda:path/[\d-]+/functions/(.+)/(?:response-streaming-)?invocations"
)
_STAGE_VARIABLE = re.compile(r"\$\{?stageVariables\.(\w+)\}?")
PRINCIPAL = "apigateway.amazonaws.com"
MAX_EVENT_BYTES = 6_291_456
"""Of a synchronous invocation: less than the gateways take."""


class Functions(Protocol):
    """The part of the Lambda service that gateways need."""

    def invoke(
        self, function: str, event: bytes, *, region: str = ..., trace_id: str = ..., sink: ResponseSink | None = ...
    ) -> InvocationResult:
        """Invoke synchronously."""

    def may_invoke(
        self, function_arn: str, principal: str, *, source_arn: str = ..., source_account: str = ...
    ) -> bool:
        """Say whether the function's resource policy lets the principal in."""


class IntegrationTimeout(Exception):
    """The function has not answered in time; it goes on, but nobody waits for it."""


class IntegrationRefused(Exception):
    """The function could not be invoked: it is not there, may not be invoked or is throttled."""


class EventTooLarge(Exception):
    """The request makes an event that is larger than Lambda takes."""


class FunctionFailed(Exception):
    """The function was invoked and failed; the payload says how."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode("utf-8", "replace"))
        self.payload = payload


class GatewayInvoker:
    """Invokes functions for API Gateway."""

    def __init__(self, functions: Functions, clock: Clock) -> None:
        self._functions = functions
        self._clock = clock

    def invoke(
        self,
        function_arn: str,
        event: Mapping[str, Any] | bytes,
        *,
        source_arn: str,
        timeout: float,
        trace_id: str = "",
        sink: ResponseSink | None = None,
    ) -> bytes:
        """Run a function and return its payload.

        Args:
            function_arn: with or without a qualifier.
            event: a document, or JSON.
            source_arn: the ``execute-api`` ARN of what calls; empty when a role is used instead of a resource policy.
            timeout: in real seconds.
            trace_id: the request's ``X-Amzn-Trace-Id``.
            sink: takes the response while it arrives; the payload is empty then.

        Raises:
            EventTooLarge: the event is larger than Lambda takes.
            IntegrationRefused: it could not be invoked.
            IntegrationTimeout: it has not answered in time.
            FunctionFailed: it failed.
        """
        if source_arn and not self._functions.may_invoke(function_arn, PRINCIPAL, source_arn=source_arn):
            raise IntegrationRefused("Invalid permissions on Lambda function")
        payload = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > MAX_EVENT_BYTES:
            raise EventTooLarge
        result = self._within(timeout, function_arn, payload, trace_id, sink)
        if result.function_error:
            raise FunctionFailed(result.payload)
        return result.payload

    def _within(
        self, timeout: float, function_arn: str, event: bytes, trace_id: str, sink: ResponseSink | None
    ) -> InvocationResult:
        region = function_arn.split(":")[3] if function_arn.count(":") >= 6 else "us-east-1"
        outcome: list[InvocationResult | Exception] = []

        def invoke() -> None:
            try:
                result = self._functions.invoke(function_arn, event, region=region, trace_id=trace_id, sink=sink)
                outcome.append(result)
            except Exception as error:
                outcome.append(error)

        if not self._clock.do_within(timeout, invoke, "API Gateway's invocation of a function"):
            raise IntegrationTimeout
        if isinstance(outcome[0], AwsError):
            raise IntegrationRefused(f"Lambda invocation failed with status: {outcome[0].status}. {outcome[0].message}")
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]


def function_of(uri: str, stage_variables: Mapping[str, str]) -> str | None:
    """Return the function's ARN (or name) in an integration's URI; None when the integration is no function.

    Stage variables in it (``${stageVariables.alias}``) are replaced.
    """
    uri = _STAGE_VARIABLE.sub(lambda found: stage_variables.get(found[1], ""), uri)
    if found := _INVOCATION_URI.fullmatch(uri):
        return found[1]
    return uri if re.match(r"arn:[^:]+:lambda:", uri) else None
