"""Lambda's API for how asynchronous invocations are handled: retries, age, destinations.

https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html and its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import LATEST, FunctionReference, function_arn, reference_in_region
from coldstart.cloud.lambda_store import LambdaStore, StoredFunction
from coldstart.cloud.lambda_validation import invalid
from coldstart.cloud.pagination import take_page
from coldstart.events.event_queue import EventInvokeSettings
from coldstart.runtime.clock import Clock

_KINDS = {"OnSuccess": ("lambda", "sqs", "sns", "events"), "OnFailure": ("lambda", "sqs", "sns", "events", "s3")}
_SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


class EventInvokeConfigApi:
    """The operations on EventInvokeConfigs, and what they say about a function."""

    def __init__(self, store: LambdaStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        # By function, then by qualifier: a function that is deleted takes its configurations with it.
        self._kept: WeakKeyDictionary[StoredFunction, dict[str, dict[str, Any]]] = WeakKeyDictionary()

    def put_function_event_invoke_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Set everything; what is not given goes back to its default."""
        reference = self._reference(region, params)
        self._check(reference, params)
        return self._keep(reference, {name: params[name] for name in _SETTINGS if name in params})

    def update_function_event_invoke_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Change what is given."""
        reference = self._reference(region, params)
        self._check(reference, params)
        before = self._found(reference)
        changed = {name: params[name] for name in _SETTINGS if name in params}
        return self._keep(reference, {name: before[name] for name in _SETTINGS if name in before} | changed)

    def get_function_event_invoke_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return one configuration."""
        return self._found(self._reference(region, params))

    def list_function_event_invoke_configs(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the configurations of a function, of all its versions and aliases."""
        function = self._store.function(self._reference(region, params))
        kept = self._kept.get(function, {})
        configs, marker = take_page(
            [kept[qualifier] for qualifier in sorted(kept)], params, lambda config: config["FunctionArn"]
        )
        return {"FunctionEventInvokeConfigs": configs, "NextMarker": marker}

    def delete_function_event_invoke_config(self, region: str, params: dict[str, Any]) -> None:
        """Go back to the defaults."""
        reference = self._reference(region, params)
        self._found(reference)
        del self._kept[self._store.function(reference)][reference.qualifier or LATEST]

    def settings(self, function: str) -> EventInvokeSettings:
        """Return how asynchronous invocations by this ARN are handled; the defaults when the function is gone."""
        reference = reference_in_region(function, function.split(":")[3], self._store.account_id)
        try:
            stored = self._store.function(reference)
            version = self._store.version(reference)
        except AwsError:
            return EventInvokeSettings()
        kept = self._kept.get(stored, {}).get(reference.qualifier or LATEST, {})
        destinations = kept.get("DestinationConfig", {})
        defaults = EventInvokeSettings()
        return EventInvokeSettings(
            maximum_retry_attempts=kept.get("MaximumRetryAttempts", defaults.maximum_retry_attempts),
            maximum_event_age=kept.get("MaximumEventAgeInSeconds", defaults.maximum_event_age),
            on_success=destinations.get("OnSuccess", {}).get("Destination", ""),
            on_failure=destinations.get("OnFailure", {}).get("Destination", ""),
            dead_letter_target=(version.settings.get("DeadLetterConfig") or {}).get("TargetArn", ""),
            stops_loops=stored.recursive_loop == "Terminate",
        )

    def _reference(self, region: str, params: Mapping[str, Any]) -> FunctionReference:
        reference = reference_in_region(params["FunctionName"], region, self._store.account_id, params.get("Qualifier"))
        self._store.version(reference)
        return reference

    def _check(self, reference: FunctionReference, params: Mapping[str, Any]) -> None:
        if not any(name in params for name in _SETTINGS):
            raise invalid("You must specify at least one of error handling or destination setting.")
        destinations = params.get("DestinationConfig", {})
        named = {outcome: destinations.get(outcome, {}).get("Destination", "") for outcome in _KINDS}
        for outcome, arn in named.items():
            if not arn:
                continue
            if arn.split(":")[2] not in _KINDS[outcome]:
                shown = ", ".join(
                    f"{name[0].lower()}{name[1:]}={f'{name}(destination={arn})' if arn else 'null'}"
                    for name, arn in named.items()
                )
                raise invalid(f"The provided destination config DestinationConfig({shown}) is invalid.")
            if ":".join(arn.split(":")[:7]) == function_arn(reference.region, self._store.account_id, reference.name):
                raise invalid("You can't specify the function as a destination for itself.")

    def _keep(self, reference: FunctionReference, settings: dict[str, Any]) -> dict[str, Any]:
        function = self._store.function(reference)
        qualifier = reference.qualifier or LATEST
        kept = {
            "LastModified": self._clock.now(),
            "FunctionArn": f"{function.arn}:{qualifier}",
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
            **settings,
        }
        self._kept.setdefault(function, {})[qualifier] = kept
        return kept

    def _found(self, reference: FunctionReference) -> dict[str, Any]:
        function = self._store.function(reference)
        qualifier = reference.qualifier or LATEST
        try:
            return self._kept[function][qualifier]
        except KeyError:
            arn = f"{function.arn}:{qualifier}"
            raise AwsError(
                404, "ResourceNotFoundException", f"The function {arn} doesn't have an EventInvokeConfig"
            ) from None
