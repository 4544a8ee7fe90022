"""How events reach functions: what the cloud's Lambda service offers to everything that calls one."""

from __future__ import annotations

from typing import Protocol

from coldstart.runtime.execution_environment import InvocationResult


class Invoker(Protocol):
    """Runs functions by name or ARN, with or without a qualifier."""

    def invoke(
        self,
        function: str,
        event: bytes,
        *,
        region: str = "us-east-1",
        request_id: str = "",
        client_context: str = "",
        trace_id: str = "",
        tenant_id: str = "",
    ) -> InvocationResult:
        """Invoke synchronously and return what came of it; a function that failed is a result, not an exception."""
        ...

    def invoke_event(self, function: str, event: bytes, *, region: str = "us-east-1", trace_id: str = "") -> str:
        """Invoke asynchronously: queue the event and return the request id."""
        ...

    def may_invoke(self, function_arn: str, principal: str, *, source_arn: str = "", source_account: str = "") -> bool:
        """Say whether the function's resource policy lets a service such as ``s3.amazonaws.com`` invoke it."""
        ...
