"""EventBridge Scheduler at work: schedules fire on the cloud's clock.

moto stores schedules and never fires them. https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html.
Scheduler delivers with the permissions of the schedule's role, so a function needs no resource policy for it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from moto.backends import get_backend
from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule
from moto.scheduler.responses import EventBridgeSchedulerResponse

from coldstart.cloud.event_targets import Delivery, EventTargets, TargetRefused
from coldstart.cloud.policy_statements import allows, service_call
from coldstart.cloud.recurrence import Recurrence
from coldstart.cloud.replacements import Replacements
from coldstart.events.event_time import with_seconds
from coldstart.events.eventbridge_event import envelope
from coldstart.events.schedule_expression import (
    InvalidScheduleExpression,
    OneTime,
    Rate,
    ScheduleExpression,
    schedule,
)
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

PRINCIPAL = "scheduler.amazonaws.com"
_EARLIEST_START_SECONDS = 300
_JSON_TARGETS = ("lambda", "states", "events", "scheduler")


class Schedules:
    """Makes moto's schedules fire, in all regions of one account."""

    def __init__(self, targets: EventTargets, clock: Clock, identifiers: Identifiers, account_id: str) -> None:
        self._targets = targets
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._versions: dict[str, object] = {}

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""

        def create_schedule(backend: EventBridgeSchedulerBackend, **settings: Any) -> Schedule:
            expression = self._checked(settings)
            if (settings.get("group_name") or "default") not in backend.schedule_groups:
                raise ScheduleGroupNotFound(settings["group_name"])
            made = create(backend, **settings)
            made.action_after_completion = made.action_after_completion or "NONE"
            made.creation_date = made.last_modified_date = self._clock.now()
            self._start(backend, made, expression)
            return made

        def update_schedule(backend: EventBridgeSchedulerBackend, **settings: Any) -> Schedule:
            expression = self._checked(settings)
            settings["state"] = settings.get("state") or "ENABLED"
            changed = update(backend, **settings)
            changed.last_modified_date = self._clock.now()
            self._start(backend, changed, expression)
            return changed

        def answer_update(response: EventBridgeSchedulerResponse) -> str:
            answer = respond(response)  # moto leaves one parameter out
            name = response.uri.split("?")[0].split("/")[-1]
            changed = response.scheduler_backend.get_schedule(response._get_param("GroupName"), name)
            changed.action_after_completion = response._get_param("ActionAfterCompletion") or "NONE"
            return answer

        create = moto.put(EventBridgeSchedulerBackend, "create_schedule", create_schedule)
        update = moto.put(EventBridgeSchedulerBackend, "update_schedule", update_schedule)
        respond = moto.put(EventBridgeSchedulerResponse, "update_schedule", answer_update)

    def _checked(self, settings: Mapping[str, Any]) -> ScheduleExpression:
        text = settings["schedule_expression"]
        zone_name = settings.get("schedule_expression_timezone") or "UTC"
        try:
            zone = ZoneInfo(zone_name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValidationException(f"Invalid ScheduleExpressionTimezone {zone_name}.") from None
        try:
            expression = schedule(text, zone)
        except InvalidScheduleExpression:
            raise ValidationException(f"Invalid Schedule Expression {text}.") from None
        start, end = settings.get("start_date"), settings.get("end_date")
        if start and float(start) < self._clock.now() - _EARLIEST_START_SECONDS:
            raise ValidationException("The StartDate you specify cannot be earlier than 5 minutes ago.")
        if end and float(end) <= self._clock.now():
            raise ValidationException("The EndDate you specify must be in the future.")
        if start and end and float(start) >= float(end):
            raise ValidationException("The StartDate must be before the EndDate.")
        self._check_target(settings["target"])
        return expression

    def _check_target(self, target: Mapping[str, Any]) -> None:
        if len(target["Arn"].split(":", 5)) < 6 or not target["Arn"].startswith("arn:"):
            raise ValidationException("Provided Arn is not in correct format.")
        kind = target["Arn"].split(":")[2]
        if kind in _JSON_TARGETS and target.get("Input"):
            try:
                json.loads(target["Input"])
            except ValueError:
                raise ValidationException("Invalid Input: a well-formed JSON is required for this target.") from None
        role_name = target["RoleArn"].rpartition("/")[2]
        role = next(
            (r for r in get_backend("iam")[self._account_id]["aws"].roles.values() if r.name == role_name), None
        )
        call = service_call(PRINCIPAL, "sts:AssumeRole", "*", source_account=self._account_id)
        if role is None or not allows(json.loads(role.assume_role_policy_document), call):
            raise ValidationException(
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            )

    def _start(self, backend: EventBridgeSchedulerBackend, made: Schedule, expression: ScheduleExpression) -> None:
        version = self._versions[made.arn] = object()  # an update starts anew

        def is_current() -> bool:
            group = backend.schedule_groups.get(made.group_name)
            return (
                group is not None and group.schedules.get(made.name) is made and self._versions.get(made.arn) is version
            )

        def ended() -> None:
            if made.action_after_completion == "DELETE" and is_current():
                backend.delete_schedule(made.group_name, made.name)

        def fire(due: float) -> None:
            if made.state == "ENABLED":
                self._deliver(made, backend.region_name, due)

        Recurrence(self._clock, expression, is_current, fire, f"schedule {made.name}", ended).start(
            self._first(expression, float(made.start_date or 0)), float(made.end_date) if made.end_date else None
        )

    def _first(self, expression: ScheduleExpression, start: float) -> float | None:
        """Return when a schedule is due first.

        A rate starts at once, or at its StartDate: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
        """
        begin = max(start, self._clock.now())
        if isinstance(expression, Rate):
            return begin
        if isinstance(expression, OneTime):
            return expression.next_after(self._clock.now())
        return expression.next_after(begin - 1e-3 if start == begin else begin)

    def _deliver(self, made: Schedule, region: str, due: float) -> None:
        execution_id = self._identifiers.uuid()
        target = made.target
        body = target.get("Input") or self._default_input(made, region, due, execution_id, target["Arn"])
        for name, value in (
            ("schedule-arn", made.arn),
            ("scheduled-time", with_seconds(due)),
            ("execution-id", execution_id),
            ("attempt-number", "1"),
        ):
            body = body.replace(f"<aws.scheduler.{name}>", value)
        try:
            self._targets.send(Delivery(target["Arn"], body, parameters=self._parameters(target, region, due, body)))
        except TargetRefused as refusal:
            self._bury(made, due, execution_id, body, refusal)

    def _default_input(self, made: Schedule, region: str, due: float, event_id: str, target_arn: str) -> str:
        if target_arn.split(":")[2] in ("events", "scheduler"):
            return "{}"
        event = envelope(
            event_id=event_id,
            source="aws.scheduler",
            detail_type="Scheduled Event",
            account=self._account_id,
            seconds=due,
            region=region,
            detail={},
            resources=[made.arn],
        )
        return json.dumps({**event, "detail": "{}"})

    def _parameters(self, target: Mapping[str, Any], region: str, due: float, body: str) -> Mapping[str, Any]:
        bus = target.get("EventBridgeParameters")
        if not bus:
            return {**target, "Region": region}
        event = envelope(
            event_id=self._identifiers.uuid(),
            source=bus["Source"],
            detail_type=bus["DetailType"],
            account=self._account_id,
            seconds=due,
            region=region,
            detail=json.loads(body),
        )
        return {**target, "Event": event}

    def _bury(self, made: Schedule, due: float, execution_id: str, body: str, refusal: TargetRefused) -> None:
        """Send what could not be delivered to the schedule's dead-letter queue.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html.
        """
        queue = made.target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "ERROR_CODE": refusal.code,
            "ERROR_MESSAGE": refusal.message,
            "EXECUTION_ID": execution_id,
            "EXECUTION_TIME": with_seconds(due),
            "RETRY_ATTEMPTS": "0",
            "SCHEDULE_ARN": made.arn,
            "TARGET_ARN": made.target["Arn"],
        }
        with contextlib.suppress(TargetRefused):
            self._targets.send(Delivery(queue, body, parameters={"MessageAttributes": attributes}))
