"""The functions that event source mappings invoke."""

from __future__ import annotations

from dataclasses import dataclass

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import parse_reference
from coldstart.cloud.lambda_service import LambdaService
from coldstart.cloud.lambda_store import LambdaStore
from coldstart.runtime.execution_environment import InvocationResult


@dataclass(frozen=True)
class MappedFunction:
    """What a mapping has to know of its function."""

    arn: str
    """With the qualifier that the mapping was made with."""
    name: str
    timeout: int
    """Seconds."""
    role: str
    """The ARN of its execution role."""


class MappedFunctions:
    """Finds and invokes functions by name or ARN, perhaps with a qualifier."""

    def __init__(self, store: LambdaStore, service: LambdaService) -> None:
        self._store = store
        self._service = service

    def find(self, name: str, region: str) -> MappedFunction | None:
        """Return the function; None when there is none."""
        try:
            reference = parse_reference(name, region, self._store.account_id)
            version = self._store.version(reference)
        except AwsError:
            return None
        return MappedFunction(
            reference.arn(self._store.account_id),
            reference.name,
            version.settings["Timeout"],
            version.settings["Role"],
        )

    def invoke(self, arn: str, event: bytes, *, region: str, trace_id: str = "") -> InvocationResult:
        """Invoke and wait.

        Raises:
            AwsError: the function could not be run, because of throttling for one.
        """
        return self._service.invoke(arn, event, region=region, trace_id=trace_id)
