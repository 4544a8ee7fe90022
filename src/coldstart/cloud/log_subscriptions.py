"""Log groups send what matches to functions: CloudWatch Logs' subscription filters.

moto delivers inside the request, whatever the pattern, and needs no permission.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogsBackend, LogStream

from coldstart.cloud.event_targets import Delivery, EventTargets, TargetRefused
from coldstart.cloud.moto_patches.log_filter_patterns import known_pattern
from coldstart.cloud.replacements import Replacements
from coldstart.events.log_filter_pattern import SpaceDelimitedPattern
from coldstart.events.logs_event import data_message, function_event
from coldstart.runtime.clock import Clock

PRINCIPAL = "logs.amazonaws.com"


class LogSubscriptions:
    """Takes the place of moto's delivery to subscriptions, in all log groups of one account."""

    def __init__(self, targets: EventTargets, clock: Clock, account_id: str) -> None:
        self._targets = targets
        self._clock = clock
        self._account_id = account_id

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""

        def send_log_events(
            stream: LogStream, service: str, destination_arn: str, filter_name: str, log_events: list[dict[str, Any]]
        ) -> None:
            matching = _matching(stream.log_group.subscription_filters[filter_name].filter_pattern, log_events)
            if not matching:
                return
            if service == "lambda":
                self._invoke(stream, destination_arn, filter_name, matching)
            else:
                send(stream, service, destination_arn, filter_name, matching)

        def put_subscription_filter(
            backend: LogsBackend,
            log_group_name: str,
            filter_name: str,
            filter_pattern: str,
            destination_arn: str,
            role_arn: str,
        ) -> None:
            group = backend.groups.get(log_group_name)
            if group is None or ":lambda:" not in destination_arn:
                put(backend, log_group_name, filter_name, filter_pattern, destination_arn, role_arn)
                return
            known_pattern(filter_pattern)
            if not self._is_open(destination_arn, f"{group.arn}:*", backend.region_name):
                raise InvalidParameterException(
                    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
                    "execute your function."
                )
            group.put_subscription_filter(filter_name, filter_pattern, destination_arn, role_arn)

        send = moto.put(LogStream, "_send_log_events", send_log_events)
        put = moto.put(LogsBackend, "put_subscription_filter", put_subscription_filter)

    def _is_open(self, function_arn: str, source_arn: str, region: str) -> bool:
        return any(
            self._targets.is_open(function_arn, principal, source_arn)
            for principal in (PRINCIPAL, f"logs.{region}.amazonaws.com")
        )

    def _invoke(self, stream: LogStream, function_arn: str, filter_name: str, log_events: list[dict[str, Any]]) -> None:
        message = data_message(
            owner=self._account_id,
            log_group=stream.log_group.name,
            log_stream=stream.log_stream_name,
            filter_name=filter_name,
            log_events=log_events,
        )
        body = json.dumps(function_event(message))

        def deliver() -> None:
            for principal in (PRINCIPAL, f"logs.{stream.region}.amazonaws.com"):
                with contextlib.suppress(TargetRefused):  # what cannot be delivered is lost
                    self._targets.send(Delivery(function_arn, body, principal, f"{stream.log_group.arn}:*"))
                    return

        self._clock.work(deliver, f"subscription {filter_name}")


def _matching(filter_pattern: str, log_events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pattern = known_pattern(filter_pattern)
    matching = []
    for event in log_events:
        fields = pattern.match(event["message"])
        if fields is None:
            continue
        shown = {"id": f"{event['id']:056d}", "timestamp": event["timestamp"], "message": event["message"]}
        if isinstance(pattern, SpaceDelimitedPattern):
            shown["extractedFields"] = {name.removeprefix("$"): value for name, value in fields.items()}
        matching.append(shown)
    return matching
