"""EventBridge's buses and rules: events in, matched, transformed and handed to targets.

moto stores buses, rules and targets, but its PutEvents fails for most kinds of target and its schedules never fire. Here rules
deliver after the request, as EventBridge does, with dead-letter queues for what a target refuses.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is.html.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import has_request_context
from flask import request as http_request
from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventsBackend, Rule, events_backends
from moto.events.responses import EventsHandler
from moto.utilities.arns import parse_arn

from coldstart.cloud.event_targets import Delivery, EventTargets, TargetRefused
from coldstart.cloud.recurrence import Recurrence
from coldstart.cloud.replacements import Replacements
from coldstart.events.event_filter import EventPattern, InvalidEventPattern
from coldstart.events.eventbridge_event import InvalidInput, envelope, is_path, scheduled_event, target_input
from coldstart.events.lineage import without_lineage
from coldstart.events.schedule_expression import InvalidScheduleExpression, rule_schedule
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

PRINCIPAL = "events.amazonaws.com"
MAX_ENTRIES_BYTES = 1_048_576
"""What the entries of one PutEvents request may have together (256 KB until January 2026)."""


class EventBuses:
    """Takes the place of moto's delivery of events, in all regions of one account."""

    def __init__(self, targets: EventTargets, clock: Clock, identifiers: Identifiers, account_id: str) -> None:
        self._targets = targets
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._patterns: dict[str, EventPattern] = {}

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""

        def put_rule(backend: EventsBackend, name: str, **settings: Any) -> Rule:
            expression = settings.get("scheduled_expression")
            if pattern := settings.get("event_pattern"):
                self._check_pattern(pattern)
            try:
                schedule = rule_schedule(expression) if expression else None
            except InvalidScheduleExpression:
                raise ValidationException("Parameter ScheduleExpression is not valid.") from None
            rule = put(backend, name, **settings)
            if schedule:
                self._schedule(backend, rule, schedule)
            return rule

        def put_targets(backend: EventsBackend, name: str, event_bus_arn: str | None, targets: list[Any]) -> None:
            for target in targets:
                _check_target(target)
            store_targets(backend, name, event_bus_arn, targets)

        def send_to_targets(rule: Rule, event: dict[str, Any], transform_input: bool = True) -> None:
            self._offer(rule, {name: value for name, value in event.items() if name != "ingestion-time"})

        def put_events(backend: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return self._put_events(backend, events)

        def test_event_pattern(handler: EventsHandler) -> str:
            return self._test_event_pattern(handler)

        put = moto.put(EventsBackend, "put_rule", put_rule)
        store_targets = moto.put(EventsBackend, "put_targets", put_targets)
        moto.put(EventsBackend, "put_events", put_events)
        moto.put(Rule, "send_to_targets", send_to_targets)
        moto.put(EventsHandler, "test_event_pattern", test_event_pattern)

    def send(self, region: str, event: dict[str, Any], bus: str = "default") -> None:
        """Put an event of an AWS service on a bus; nothing happens when there is no such bus."""
        trace_id = http_request.headers.get("X-Amzn-Trace-Id", "") if has_request_context() else ""
        found = events_backends[self._account_id][region].event_buses.get(bus)
        for rule in list(found.rules.values()) if found else ():
            self._offer(rule, event, trace_id)

    def _put_events(self, backend: EventsBackend, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not 1 <= len(entries) <= 10:
            bound = "less than or equal to 10" if entries else "greater than or equal to 1"
            raise ValidationException(
                f"1 validation error detected: Value '{'[PutEventsRequestEntry]' if entries else '[]'}' at 'entries' "
                f"failed to satisfy constraint: Member must have length {bound}"
            )
        if sum(_size(entry) for entry in entries) > MAX_ENTRIES_BYTES:
            raise ValidationException("Total size of the entries in the request is over the limit.")
        return [self._put_event(backend, entry) for entry in entries]

    def _put_event(self, backend: EventsBackend, entry: dict[str, Any]) -> dict[str, Any]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
        if entry["Source"].startswith("aws."):
            message = "Not authorized for the source."
            return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": message}
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        event = envelope(
            event_id=self._identifiers.uuid(),
            source=entry["Source"],
            detail_type=entry["DetailType"],
            account=self._account_id,
            seconds=_seconds(entry.get("Time")) or self._clock.now(),
            region=backend.region_name,
            detail=detail,
            resources=entry.get("Resources") or (),
        )
        self.send(backend.region_name, event, _bus_name(entry.get("EventBusName")))
        return {"EventId": event["id"]}

    def _offer(self, rule: Rule, event: dict[str, Any], trace_id: str = "") -> None:
        """Deliver an event to a rule's targets, in the background, when the rule wants it."""
        pattern = rule.event_pattern.dump()
        if rule.state == "DISABLED" or not pattern or not self._pattern(pattern).matches(event):
            return
        self._clock.work(lambda: self._deliver(rule, event, trace_id), f"rule {rule.name}")

    def _deliver(self, rule: Rule, event: dict[str, Any], trace_id: str = "") -> None:
        for target in list(rule.targets):
            if parse_arn(target["Arn"]).resource_type or not target["Arn"].startswith("arn:aws:events:"):
                self._send(rule, target, event, trace_id)
            else:
                self._archive(rule, target, event)

    def _send(self, rule: Rule, target: Mapping[str, Any], event: dict[str, Any], trace_id: str) -> None:
        principal = "" if target.get("RoleArn") else PRINCIPAL
        try:
            body = target_input(
                event, target, rule_arn=rule.arn, rule_name=rule.name, ingestion_seconds=self._clock.now()
            )
            if ":lambda:" in target["Arn"] and not _is_json(body):
                body = json.dumps(body)
            # Loops through EventBridge are not detected: it does not hand the lineage on.
            trace_id = without_lineage(trace_id)
            self._targets.send(Delivery(target["Arn"], body, principal, rule.arn, target, trace_id))
        except InvalidInput as error:
            self._bury(rule, target, event, TargetRefused("INVALID_JSON", str(error)))
        except TargetRefused as refusal:
            self._bury(rule, target, event, refusal)

    def _bury(self, rule: Rule, target: Mapping[str, Any], event: dict[str, Any], refusal: TargetRefused) -> None:
        """Send an event that could not be delivered to the target's dead-letter queue.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html.
        """
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": refusal.code,
            "ERROR_MESSAGE": refusal.message,
        }
        with contextlib.suppress(TargetRefused):
            self._targets.send(
                Delivery(queue, json.dumps(event), PRINCIPAL, rule.arn, {"MessageAttributes": attributes})
            )

    def _archive(self, rule: Rule, target: Mapping[str, Any], event: dict[str, Any]) -> None:
        template = target.get("InputTransformer", {}).get("InputTemplate", "")
        for archive in events_backends[rule.account_id][rule.region_name].archives.values():
            if archive.arn in template:
                archive.events.append(event)  # type: ignore[arg-type]

    def forward(self, delivery: Delivery) -> None:
        """Put an event on another bus, as it is."""
        event = delivery.parameters.get("Event") or json.loads(delivery.body)
        if not isinstance(event, dict) or "detail" not in event:
            raise TargetRefused("SDK_CLIENT_ERROR", "The event for a bus needs a detail.")
        event = {"account": self._account_id, "region": delivery.region, "resources": [], **event}
        self.send(delivery.region, event, delivery.name)

    def _schedule(self, backend: EventsBackend, rule: Rule, schedule: Any) -> None:
        def is_current() -> bool:
            bus = backend.event_buses.get(rule.event_bus_name)
            return bus is not None and bus.rules.get(rule.name) is rule

        def fire(due: float) -> None:
            if rule.state == "DISABLED":
                return
            event = scheduled_event(
                event_id=self._identifiers.uuid(),
                account=self._account_id,
                seconds=due,
                region=rule.region_name,
                rule_arn=rule.arn,
            )
            self._deliver(rule, event)

        Recurrence(self._clock, schedule, is_current, fire, f"rule {rule.name}").start(
            schedule.next_after(self._clock.now())
        )

    def _pattern(self, text: str) -> EventPattern:
        if text not in self._patterns:
            self._patterns[text] = EventPattern(text)
        return self._patterns[text]

    def _check_pattern(self, text: str) -> None:
        try:
            self._pattern(text)
        except InvalidEventPattern as error:
            raise InvalidEventPatternException(reason=str(error)) from None

    def _test_event_pattern(self, handler: EventsHandler) -> str:
        text = handler._get_param("EventPattern") or ""
        self._check_pattern(text)
        try:
            event = json.loads(handler._get_param("Event") or "")
        except ValueError:
            raise ValidationException("Parameter Event is not valid.") from None
        needed = ("id", "account", "source", "time", "region", "resources", "detail-type")
        if not isinstance(event, dict) or any(name not in event for name in needed):
            raise ValidationException("Parameter Event is not valid.")
        return json.dumps({"Result": self._pattern(text).matches(event)})


def _check_target(target: Mapping[str, Any]) -> None:
    if "Input" in target and not _is_json(target["Input"]):
        raise ValidationException(f"JSON syntax error in input for target {target['Id']}")
    paths = [target["InputPath"]] if "InputPath" in target else []
    paths += target.get("InputTransformer", {}).get("InputPathsMap", {}).values()
    for path in paths:
        if not is_path(path):
            raise ValidationException(f"Parameter InputPath is not valid. Reason: {path} is not a valid JSON path.")
    if sum(name in target for name in ("Input", "InputPath", "InputTransformer")) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _size(entry: Mapping[str, Any]) -> int:
    """Return an entry's size as EventBridge counts: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or ())]
    return sum(len(str(text).encode()) for text in texts if text) + (14 if entry.get("Time") else 0)


def _seconds(time: Any) -> float | None:
    """Return the Time of an entry in epoch seconds."""
    if isinstance(time, str):
        try:
            return float(time)
        except ValueError:
            return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
    return float(time) if time is not None else None


def _bus_name(name_or_arn: str | None) -> str:
    return (name_or_arn or "default").rpartition("/")[2]
