"""Knows for every function in moto the :class:`~coldstart.runtime.function.Function` that runs it.

moto holds the configuration; here a function version gets its execution environments, and new ones when its code or
configuration has changed.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.function import Function
from coldstart.runtime.host import Host


class FunctionRegistry:
    """The functions of one account."""

    def __init__(self, host: Host, account_id: str) -> None:
        self._host = host
        self._account_id = account_id
        self._lock = threading.Lock()
        self._functions: dict[str, Function] = {}
        self._roles: dict[str, str] = {}
        self._motos_invoke = LambdaFunction.invoke

    def find(self, name_or_arn: str, qualifier: str | None, region: str) -> Function:
        """Return the function version that an invocation names.

        Raises:
            moto.awslambda.exceptions.LambdaClientError: there is none (ResourceNotFoundException).
        """
        return self._running(lambda_backends[self._account_id][region].get_function(name_or_arn, qualifier))

    def retire_replaced(self) -> None:
        """Shut down the execution environments of functions that were changed or deleted."""
        stored = {
            function.function_arn: function
            for backend in lambda_backends[self._account_id].values()
            for versions in backend._lambdas._functions.values()
            for function in [versions["latest"], *versions["versions"]]
        }
        with self._lock:
            gone = [
                arn
                for arn, function in self._functions.items()
                if arn not in stored or self._configuration(stored[arn]) != function.configuration
            ]
            functions = [self._functions.pop(arn) for arn in gone]
        for function in functions:
            function.retire()

    def role_of(self, configuration: FunctionConfiguration) -> str:
        """Return the ARN of the execution role of a function that was found here."""
        return self._roles[configuration.function_arn]

    def serve_moto(self) -> None:
        """Let moto's other services (SNS, S3, Step Functions ...) run functions here instead of in Docker."""
        registry = self

        def invoke(stored: LambdaFunction, body: str, request_headers: Any, response_headers: Any) -> bytes:
            return registry._running(stored).invoke((body or "{}").encode()).payload

        LambdaFunction.invoke = invoke  # type: ignore[method-assign, assignment]

    def stop(self) -> None:
        """Forget all functions and give moto its own way back."""
        LambdaFunction.invoke = self._motos_invoke  # type: ignore[method-assign]
        with self._lock:
            self._functions.clear()

    def _running(self, stored: LambdaFunction) -> Function:
        configuration = self._configuration(stored)
        with self._lock:
            running = self._functions.get(configuration.function_arn)
            if running is not None and running.configuration == configuration:
                return running
            self._roles[configuration.function_arn] = stored.role
            function = Function(configuration, self._host)
            self._functions[configuration.function_arn] = function
        if running is not None:
            running.retire()
        return function

    def _configuration(self, stored: LambdaFunction) -> FunctionConfiguration:
        layers = [self._layer_zip(layer["Arn"], stored.region) for layer in stored.layers]
        return FunctionConfiguration(
            function_name=stored.function_name,
            function_arn=stored.function_arn,
            version=str(stored.version),
            runtime=stored.run_time or "",
            handler=stored.handler or "",
            code=self._host.packages.unpack(stored.code_bytes),
            memory_size=int(stored.memory_size),
            timeout=int(stored.timeout),
            ephemeral_storage=int(stored.ephemeral_storage),
            region=stored.region,
            environment=dict(stored.environment_vars),
            log_group=stored.logs_group_name,
            layers=self._host.packages.unpack(*layers) if layers else None,
        )

    def _layer_zip(self, version_arn: str, region: str) -> bytes:
        arn, _, version = version_arn.rpartition(":")
        layer = lambda_backends[self._account_id][region]._layers.get_layer_version(arn.rpartition(":")[2], version)
        return layer.code_bytes
