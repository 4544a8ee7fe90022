"""Lambda's API for what is set beside code and configuration: tags, runtime updates, recursion, and the account's quotas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from coldstart.cloud.function_reference import FunctionReference, reference_in_region
from coldstart.cloud.lambda_layers import LayerApi
from coldstart.cloud.lambda_store import LambdaStore, StoredFunction
from coldstart.cloud.lambda_validation import check_tags, invalid
from coldstart.cloud.running_functions import RunningFunctions
from coldstart.runtime.function_package import MAX_UNZIPPED_BYTES

CODE_STORAGE_BYTES = 300 * 1024**3
"""300 GB (Lambda quotas page)."""
MAX_ZIPPED_BYTES = 52_428_800


class SettingsApi:
    """The operations on tags, runtime management, recursive loops and account settings."""

    def __init__(self, store: LambdaStore, running: RunningFunctions, layers: LayerApi) -> None:
        self._store = store
        self._running = running
        self._layers = layers
        self.tags_of_others: list[Callable[[str], dict[str, str] | None]] = []
        """Each returns the tags of a resource other than a function by its ARN, to be changed in place; None when it is not its."""

    def tag_resource(self, region: str, params: dict[str, Any]) -> None:
        """Add tags to a function or an event source mapping, or change them."""
        if not params["Tags"]:
            raise invalid("An error occurred and the request cannot be processed.")
        others = self._tags_of_other(params)
        if others is not None:
            check_tags({**others, **params["Tags"]})
            others.update(params["Tags"])
            return
        function = self._tagged(region, params)
        self._put_tags(function, {**function.tags, **params["Tags"]})

    def untag_resource(self, region: str, params: dict[str, Any]) -> None:
        """Take tags away."""
        others = self._tags_of_other(params)
        if others is not None:
            for key in params["TagKeys"]:
                others.pop(key, None)
            return
        function = self._tagged(region, params)
        self._put_tags(function, {key: value for key, value in function.tags.items() if key not in params["TagKeys"]})

    def list_tags(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the tags of a function or an event source mapping."""
        others = self._tags_of_other(params)
        return {"Tags": self._tagged(region, params).tags if others is None else others}

    def get_function_code_signing_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Say that a function's code is not signed, as AWS does. https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html."""
        function = self._store.function(reference_in_region(params["FunctionName"], region, self._store.account_id))
        return {"CodeSigningConfigArn": "", "FunctionName": function.name}

    def get_account_settings(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return quotas and their use. https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html."""
        functions = self._store.functions(region)
        size = sum(len(version.code.zipped) for function in functions for version in function.versions)
        concurrency = self._running.concurrency(region)
        return {
            "AccountLimit": {
                "TotalCodeSize": CODE_STORAGE_BYTES,
                "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
                "CodeSizeZipped": MAX_ZIPPED_BYTES,
                "ConcurrentExecutions": concurrency.limit,
                "UnreservedConcurrentExecutions": concurrency.unreserved,
            },
            "AccountUsage": {
                "TotalCodeSize": size + self._layers.code_size(region),
                "FunctionCount": len(functions),
            },
        }

    def put_runtime_management_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Say when a version gets a new runtime. The runtimes here are this machine's own, so it is only kept."""
        reference = self._reference(region, params)
        version = self._store.version(reference)
        mode = params["UpdateRuntimeOn"]
        chosen = params.get("RuntimeVersionArn")
        if (mode == "Manual") != bool(chosen):
            raise invalid(
                "You must provide a RuntimeVersionArn when UpdateRuntimeOn is Manual."
                if mode == "Manual"
                else "RuntimeVersionArn can only be provided when UpdateRuntimeOn is Manual."
            )
        current = self._running.runtime_version_arn(version)
        if chosen not in (None, current):
            raise invalid(f"Runtime version {chosen} is not available. The local AWS has {current}.")
        version.function.runtime_updates[version.version] = {"UpdateRuntimeOn": mode} | (
            {"RuntimeVersionArn": chosen} if chosen else {}
        )
        return self.get_runtime_management_config(region, params)

    def get_runtime_management_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return when a version gets a new runtime."""
        version = self._store.version(self._reference(region, params))
        kept = version.function.runtime_updates.get(version.version, {"UpdateRuntimeOn": "Auto"})
        return {**kept, "FunctionArn": f"{version.function.arn}:{version.version}"}

    def put_function_recursion_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Allow a function to be part of a loop, or let Lambda stop it."""
        function = self._function(region, params)
        function.recursive_loop = params["RecursiveLoop"]
        return {"RecursiveLoop": function.recursive_loop}

    def get_function_recursion_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return what Lambda does about loops."""
        return {"RecursiveLoop": self._function(region, params).recursive_loop}

    def _reference(self, region: str, params: Mapping[str, Any]) -> FunctionReference:
        return reference_in_region(params["FunctionName"], region, self._store.account_id, params.get("Qualifier"))

    def _function(self, region: str, params: Mapping[str, Any]) -> StoredFunction:
        return self._store.function(self._reference(region, params))

    def _tags_of_other(self, params: Mapping[str, Any]) -> dict[str, str] | None:
        found = (tags_of(params["Resource"]) for tags_of in self.tags_of_others)
        return next((tags for tags in found if tags is not None), None)

    def _tagged(self, region: str, params: Mapping[str, Any]) -> StoredFunction:
        reference = reference_in_region(params["Resource"], region, self._store.account_id)
        if reference.qualifier:
            raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
        return self._store.function(reference)

    def _put_tags(self, function: StoredFunction, tags: dict[str, str]) -> None:
        check_tags(tags)
        with function.lock:
            function.tags = tags
            function.latest.revision_id = self._store.new_revision()
