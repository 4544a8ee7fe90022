"""Lets moto's other services find and run the functions that we store: SNS, Secrets Manager, CloudFormation and others.

They ask moto's own Lambda (``moto/awslambda/models.py``), whose storage is answered from here. They come through
``LambdaStorage`` for the function, then call its ``invoke``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import parse_reference
from coldstart.cloud.lambda_service import LambdaService
from coldstart.cloud.lambda_store import FunctionVersion, LambdaStore
from coldstart.cloud.replacements import Replacements

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaStorage


class MotoFunction:
    """A function version with what moto's services want of a function."""

    def __init__(self, version: FunctionVersion, arn: str, service: LambdaService) -> None:
        self._service = service
        self.function_name = version.function.name
        self.function_arn = self.arn = arn
        self.region = version.function.region
        self.function_version = version.version
        self.role = version.settings["Role"]
        self.timeout = version.settings["Timeout"]
        self.tags = version.function.tags

    def invoke(self, body: str | bytes | None, request_headers: Any, response_headers: Any) -> bytes:
        """Run the function, and tell of a failure in the response's headers as Lambda does."""
        event = body.encode() if isinstance(body, str) else body or b"{}"
        headers: Mapping[str, str] = {str(name).lower(): value for name, value in dict(request_headers or {}).items()}
        if headers.get("x-amz-invocation-type") == "Event":
            self._service.invoke_event(self.function_arn, event, region=self.region)
            return b""
        result = self._service.invoke(self.function_arn, event, region=self.region)
        if result.function_error:
            response_headers["x-amz-function-error"] = result.function_error
        return result.payload


def serve_moto(store: LambdaStore, service: LambdaService, moto: Replacements) -> None:
    """Answer moto's questions about functions from a store, from its first question until the replacements are undone."""
    moto.when_loaded("moto.awslambda.models", lambda: _take_over(store, service, moto))
    # Whoever looks for tagged resources of all services asks those that are loaded.
    moto.when_loaded("moto.resourcegroupstaggingapi.models", lambda: import_module("moto.awslambda.models"))


def _take_over(store: LambdaStore, service: LambdaService, moto: Replacements) -> None:
    from moto.awslambda.exceptions import UnknownFunctionException
    from moto.awslambda.models import LambdaStorage, lambda_backends

    def find(storage: LambdaStorage, name_or_arn: str, qualifier: str | None = None) -> MotoFunction:
        try:
            reference = parse_reference(name_or_arn, storage.region_name, store.account_id, qualifier)
            version = store.version(reference)
        except AwsError:
            raise storage.construct_unknown_function_exception(name_or_arn, qualifier) from None
        return MotoFunction(version, reference.arn(store.account_id), service)

    def find_arn(storage: LambdaStorage, arn: str) -> MotoFunction | None:
        try:
            return find(storage, arn)
        except UnknownFunctionException:
            return None

    def latest(storage: LambdaStorage) -> list[MotoFunction]:
        return [
            MotoFunction(function.latest, function.arn, service) for function in store.functions(storage.region_name)
        ]

    # moto looks for tagged resources only in backends that somebody has used.
    for region in store.regions():
        lambda_backends[store.account_id][region]
    store.on_created.append(lambda function: lambda_backends[store.account_id][function.region])
    moto.put(LambdaStorage, "get_function_by_name_or_arn_with_qualifier", find)
    moto.put(LambdaStorage, "get_arn", find_arn)
    moto.put(LambdaStorage, "latest", latest)
