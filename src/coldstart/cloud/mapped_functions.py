"""The functions that event source mappings invoke, as moto stores them."""

from __future__ import annotations

from dataclasses import dataclass

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError

from coldstart.cloud.function_registry import FunctionRegistry
from coldstart.runtime.execution_environment import InvocationResult


@dataclass(frozen=True)
class MappedFunction:
    """What a mapping has to know of its function."""

    arn: str
    """With the qualifier that the mapping was made with."""
    name: str
    timeout: int
    """Seconds."""


class MappedFunctions:
    """Finds and invokes functions by name or ARN, perhaps with a qualifier."""

    def __init__(self, registry: FunctionRegistry, account_id: str) -> None:
        self._registry = registry
        self._account_id = account_id

    def find(self, name: str, region: str) -> MappedFunction | None:
        """Return the function; None when there is none."""
        try:
            found = lambda_backends[self._account_id][region].get_function(name)
        except (LambdaClientError, JsonRESTError):
            return None
        plain = name.rsplit(":function:", maxsplit=1)[-1]
        qualifier = plain.partition(":")[2]
        arn = f"arn:aws:lambda:{region}:{self._account_id}:function:{found.function_name}"
        return MappedFunction(f"{arn}:{qualifier}" if qualifier else arn, found.function_name, int(found.timeout))

    def invoke(self, arn: str, event: bytes, *, region: str, trace_id: str = "") -> InvocationResult:
        """Invoke and wait."""
        return self._registry.find(arn, None, region).invoke(event)
