"""Lambda's API for reserved and provisioned concurrency; what it configures happens in :mod:`coldstart.runtime.concurrency`.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html and provisioned-concurrency.html.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import LATEST, is_version, reference_in_region
from coldstart.cloud.lambda_store import FunctionVersion, LambdaStore, StoredFunction
from coldstart.cloud.lambda_validation import invalid
from coldstart.cloud.pagination import take_page
from coldstart.cloud.running_functions import RunningFunctions
from coldstart.runtime.concurrency import ConcurrencyRefused


class ConcurrencyApi:
    """The operations on reserved and provisioned concurrency."""

    def __init__(self, store: LambdaStore, running: RunningFunctions) -> None:
        self._store = store
        self._running = running

    def put_function_concurrency(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Reserve concurrency. https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html."""
        function = self._unqualified(region, params)
        count = params["ReservedConcurrentExecutions"]
        try:
            self._running.concurrency(region).function(function.name).reserve(count)
        except ConcurrencyRefused as error:
            raise invalid(str(error)) from None
        return {"ReservedConcurrentExecutions": count}

    def get_function_concurrency(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return what is reserved; nothing when nothing is."""
        function = self._store.function(reference_in_region(params["FunctionName"], region, self._store.account_id))
        return {"ReservedConcurrentExecutions": self._running.reserved_concurrency(function)}

    def delete_function_concurrency(self, region: str, params: dict[str, Any]) -> None:
        """Give the reservation back."""
        function = self._unqualified(region, params)
        self._running.concurrency(region).function(function.name).unreserve()

    def put_provisioned_concurrency_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Keep environments of a version initialised.

        https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html.
        """
        if params["Qualifier"] == LATEST:
            raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        function, version = self._version(region, params)
        qualifier = params["Qualifier"]
        with function.lock:
            others = [other for other, number in function.provisioned.items() if number == version.version]
            if others and others != [qualifier]:
                if is_version(qualifier):
                    raise AwsError(
                        409, "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias"
                    )
                raise AwsError(
                    409,
                    "ResourceConflictException",
                    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
                )
            self._request(version, params["ProvisionedConcurrentExecutions"])
            function.provisioned[qualifier] = version.version
        return {**self._status(version), "Status": "IN_PROGRESS"}

    def get_provisioned_concurrency_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return how many environments are wanted and how many are there."""
        self._refuse_latest(params)
        function, _ = self._version(region, params)
        number = function.provisioned.get(params["Qualifier"])
        version = function.published.get(number) if number else None
        if version is None:
            raise AwsError(
                404,
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
            )
        return self._status(version)

    def delete_provisioned_concurrency_config(self, region: str, params: dict[str, Any]) -> None:
        """Keep no environments any more; no error when none were kept."""
        self._refuse_latest(params)
        function, _ = self._version(region, params)
        self.withdraw(function, params["Qualifier"])

    def list_provisioned_concurrency_configs(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return all of a function."""
        function = self._store.function(reference_in_region(params["FunctionName"], region, self._store.account_id))
        configs = [
            {"FunctionArn": f"{function.arn}:{qualifier}", **self._status(function.published[number])}
            for qualifier, number in function.provisioned.items()
            if number in function.published
        ]
        page, marker = take_page(configs, params, lambda config: config["FunctionArn"])
        return {"ProvisionedConcurrencyConfigs": page, "NextMarker": marker}

    def withdraw(self, function: StoredFunction, qualifier: str) -> None:
        """Keep no environments for a version or alias any more."""
        with function.lock:
            number = function.provisioned.pop(qualifier, None)
            version = function.published.get(number) if number else None
            if version is not None:
                self._running.of(version).provisioned.request(0)

    def follow_alias(self, function: StoredFunction, name: str, number: str) -> None:
        """Move what an alias keeps initialised to the version that it means now.

        Raises:
            AwsError: that version cannot be provisioned.
        """
        with function.lock:
            before = function.provisioned.get(name)
            if before is None or before == number:
                return
            if number == LATEST:
                raise invalid("Alias with weights or provisioned concurrency can not be used with $LATEST version")
            old, new = function.published.get(before), function.published[number]
            if old is not None:
                count = self._running.of(old).provisioned.requested
                self._running.of(old).provisioned.request(0)
                self._request(new, count)
            function.provisioned[name] = number

    def _request(self, version: FunctionVersion, count: int) -> None:
        try:
            self._running.of(version).provisioned.request(count)
        except ConcurrencyRefused as error:
            raise invalid(str(error)) from None

    def _status(self, version: FunctionVersion) -> dict[str, Any]:
        provisioned = self._running.of(version).provisioned
        modified = time.gmtime(provisioned.last_modified)
        return {
            "RequestedProvisionedConcurrentExecutions": provisioned.requested,
            "AvailableProvisionedConcurrentExecutions": provisioned.available,
            "AllocatedProvisionedConcurrentExecutions": provisioned.allocated,
            "Status": provisioned.status,
            "StatusReason": provisioned.status_reason or None,
            "LastModified": time.strftime("%Y-%m-%dT%H:%M:%S+0000", modified),
        }

    def _version(self, region: str, params: Mapping[str, Any]) -> tuple[StoredFunction, FunctionVersion]:
        reference = reference_in_region(params["FunctionName"], region, self._store.account_id, params["Qualifier"])
        function = self._store.require_qualifier(reference)
        version = self._store.version(reference)
        if version.version == LATEST:
            raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        return function, version

    def _refuse_latest(self, params: Mapping[str, Any]) -> None:
        if params["Qualifier"] == LATEST:
            raise invalid("The function resource provided must be an alias or a published version.")

    def _unqualified(self, region: str, params: Mapping[str, Any]) -> StoredFunction:
        reference = reference_in_region(params["FunctionName"], region, self._store.account_id)
        if reference.qualifier:
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
                "Please specify either a function name or an unqualified function ARN."
            )
        return self._store.function(reference)
