"""Invokes functions asynchronously for other services, until the Lambda service offers it."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_registry import FunctionRegistry
from coldstart.cloud.resource_policy import ServiceRequest, allows
from coldstart.runtime.clock import Clock
from coldstart.runtime.execution_environment import InvocationResult
from coldstart.runtime.identifiers import Identifiers


class InterimInvoker:
    """What the events floor's Invoker asks for, with the functions that moto stores."""

    def __init__(self, functions: FunctionRegistry, identifiers: Identifiers, clock: Clock, account_id: str) -> None:
        self._functions = functions
        self._identifiers = identifiers
        self._clock = clock
        self._account_id = account_id

    def invoke(self, function: str, event: bytes, *, region: str = "us-east-1", **more: Any) -> InvocationResult:
        """Invoke and wait."""
        return self._functions.find(function, None, region).invoke(event, request_id=self._identifiers.uuid())

    def invoke_event(self, function: str, event: bytes, *, region: str = "us-east-1", trace_id: str = "") -> str:
        """Invoke in the background, with two retries."""
        try:
            running = self._functions.find(function, None, region)
        except (LambdaClientError, JsonRESTError) as error:
            raise AwsError(404, "ResourceNotFoundException", str(error)) from None
        request_id = self._identifiers.uuid()

        def run(delays: tuple[int, ...] = (60, 120)) -> None:
            if running.invoke(event, request_id=request_id).function_error and delays:
                self._clock.after(delays[0], lambda: run(delays[1:]))

        self._clock.work(run, f"invocation {request_id}")
        return request_id

    def may_invoke(self, function_arn: str, principal: str, *, source_arn: str = "", source_account: str = "") -> bool:
        """Ask the policy that moto stores."""
        region = function_arn.split(":")[3]
        try:
            stored = lambda_backends[self._account_id][region].get_function(function_arn)
        except (LambdaClientError, JsonRESTError):
            return False
        policy = json.loads(json.dumps({"Statement": stored.policy.statements}))
        request = ServiceRequest(principal, "lambda:InvokeFunction", function_arn, source_arn, source_account)
        return allows(policy, request)
