"""Lambda's API for aliases: https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import LATEST, FunctionReference, reference_in_region
from coldstart.cloud.lambda_concurrency import ConcurrencyApi
from coldstart.cloud.lambda_functions import revision_mismatch
from coldstart.cloud.lambda_store import Alias, LambdaStore, StoredFunction
from coldstart.cloud.lambda_validation import invalid
from coldstart.cloud.pagination import take_page


class AliasApi:
    """The operations on aliases."""

    def __init__(self, store: LambdaStore, concurrency: ConcurrencyApi) -> None:
        self._store = store
        self._concurrency = concurrency

    def create_alias(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Name a version. https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html."""
        function = self._function(region, params)
        name, number = params["Name"], params["FunctionVersion"]
        with function.lock:
            self._require_version(function, number)
            if name in function.aliases:
                raise AwsError(409, "ResourceConflictException", f"Alias already exists: {function.arn}:{name}")
            weights = self._weights(function, number, params.get("RoutingConfig"))
            alias = Alias(name, number, params.get("Description", ""), weights, self._store.new_revision())
            function.aliases[name] = alias
        return _shown(function, alias)

    def get_alias(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return an alias."""
        function = self._function(region, params)
        return _shown(function, self._alias(function, params["Name"]))

    def update_alias(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Point an alias elsewhere, or change its weights."""
        function = self._function(region, params)
        with function.lock:
            alias = self._alias(function, params["Name"])
            if params.get("RevisionId") and params["RevisionId"] != alias.revision_id:
                raise revision_mismatch()
            number = params.get("FunctionVersion", alias.version)
            self._require_version(function, number)
            weights = alias.weights
            if "RoutingConfig" in params:
                weights = self._weights(function, number, params["RoutingConfig"])
            elif number in weights:
                raise _already_routed(number)
            self._concurrency.follow_alias(function, alias.name, number)
            alias.version, alias.weights = number, weights
            alias.description = params.get("Description", alias.description)
            alias.revision_id = self._store.new_revision()
            return _shown(function, alias)

    def delete_alias(self, region: str, params: dict[str, Any]) -> None:
        """Delete an alias; deleting what is not there is no error."""
        function = self._function(region, params)
        with function.lock:
            self._concurrency.withdraw(function, params["Name"])
            function.aliases.pop(params["Name"], None)
            function.policies.pop(params["Name"], None)

    def list_aliases(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return a function's aliases, perhaps only those of a version."""
        function = self._function(region, params)
        wanted = params.get("FunctionVersion")
        aliases = [
            alias
            for _, alias in sorted(function.aliases.items())
            if wanted is None or wanted == alias.version or wanted in alias.weights
        ]
        page, marker = take_page(aliases, params, lambda alias: alias.name)
        return {"Aliases": [_shown(function, alias) for alias in page], "NextMarker": marker}

    def _function(self, region: str, params: Mapping[str, Any]) -> StoredFunction:
        return self._store.function(reference_in_region(params["FunctionName"], region, self._store.account_id))

    def _require_version(self, function: StoredFunction, number: str) -> None:
        if function.version(number) is None:
            raise self._store.not_found(FunctionReference(function.name, number, function.region))

    def _alias(self, function: StoredFunction, name: str) -> Alias:
        alias = function.aliases.get(name)
        if alias is None:
            raise AwsError(404, "ResourceNotFoundException", f"Cannot find alias arn: {function.arn}:{name}")
        return alias

    def _weights(self, function: StoredFunction, number: str, routing: Mapping[str, Any] | None) -> Mapping[str, float]:
        weights: dict[str, float] = (routing or {}).get("AdditionalVersionWeights", {})
        if len(weights) > 1:
            raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
        for additional in weights:
            if additional == number:
                raise _already_routed(number)
            if number == LATEST:
                raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
            self._require_version(function, additional)
        return weights


def _already_routed(number: str) -> AwsError:
    return invalid(
        f"Invalid function version {number}. Function version {number} is already included in routing configuration."
    )


def _shown(function: StoredFunction, alias: Alias) -> dict[str, Any]:
    return {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)} if alias.weights else None,
        "RevisionId": alias.revision_id,
    }
