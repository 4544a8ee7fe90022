"""CloudWatch's alarms, evaluated on the cloud's clock: states, histories and actions.

moto 5.2.5 (``moto/cloudwatch/models.py``) keeps alarms and evaluates none.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html. An alarm is evaluated every minute (every ten
seconds when its period is shorter than one), for as long as there are values to look at; then it waits until new ones come.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.backends import get_backend
from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from coldstart.cloud import alarm_messages
from coldstart.cloud.alarm_evaluation import (
    ALARM,
    EXTRA_PERIODS,
    INSUFFICIENT_DATA,
    OK,
    Rule,
    is_comparison,
    verdict,
)
from coldstart.cloud.alarm_messages import State
from coldstart.cloud.cloudwatch_metrics import CloudWatchMetrics
from coldstart.cloud.event_targets import Delivery, EventTargets, TargetRefused
from coldstart.cloud.metric_store import MetricStores
from coldstart.cloud.replacements import Replacements
from coldstart.events.eventbridge_event import envelope
from coldstart.runtime.clock import Clock, Timer
from coldstart.runtime.identifiers import Identifiers

SendEvent = Callable[[str, dict[str, Any]], object]
"""Puts an event on a region's default bus."""
_PRINCIPALS = {"lambda": "lambda.alarms.cloudwatch.amazonaws.com", "sns": "cloudwatch.amazonaws.com"}
_Key = tuple[str, str]
"""Region and name of an alarm."""


class Alarms:
    """The metric alarms of one account."""

    def __init__(
        self,
        metrics: CloudWatchMetrics,
        stores: MetricStores,
        targets: EventTargets,
        send_event: SendEvent,
        clock: Clock,
        identifiers: Identifiers,
        account_id: str,
    ) -> None:
        self._metrics = metrics
        self._targets = targets
        self._send_event = send_event
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._lock = threading.RLock()
        self._timers: dict[_Key, Timer] = {}
        self._resting: dict[str, set[str]] = defaultdict(set)
        self._history: dict[str, list[dict[str, Any]]] = defaultdict(list)
        stores.on_change = self._wake

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""

        def put_metric_alarm(backend: CloudWatchBackend, **settings: Any) -> Alarm:
            if not settings.get("rule"):
                _check(settings)
            existing = backend.alarms.get(settings["name"])
            alarm: Alarm = put(backend, **settings)
            self._put(backend.region_name, alarm, existing)
            return alarm

        def delete_alarms(backend: CloudWatchBackend, alarm_names: list[str]) -> None:
            for name in alarm_names:
                self._forget((backend.region_name, name))
            delete(backend, alarm_names)

        def set_alarm_state(
            backend: CloudWatchBackend, alarm_name: str, reason: str, reason_data: str, state_value: str
        ) -> None:
            alarm = backend.alarms.get(alarm_name)
            before = _state(alarm) if alarm else None
            set_state(backend, alarm_name, reason, reason_data, state_value)
            if alarm is not None and before is not None:
                self._changed(alarm, before)
                self._arm((backend.region_name, alarm_name))

        def describe_alarm_history(response: CloudWatchResponse) -> ActionResult:
            return ActionResult({"AlarmHistoryItems": self._items(response.region, response._get_params())})

        put = moto.put(CloudWatchBackend, "put_metric_alarm", put_metric_alarm)
        delete = moto.put(CloudWatchBackend, "delete_alarms", delete_alarms)
        set_state = moto.put(CloudWatchBackend, "set_alarm_state", set_alarm_state)
        moto.add(CloudWatchResponse, "describe_alarm_history", describe_alarm_history)
        moto.add(CloudWatchResponse, "put_composite_alarm", _refuse_composite)

    def empty_region(self, region: str) -> None:
        """Forget a region's alarms."""
        with self._lock:
            for key in [key for key in self._timers if key[0] == region]:
                self._forget(key)
            self._resting.pop(region, None)
            self._history.pop(region, None)

    def _put(self, region: str, alarm: Alarm, existing: Alarm | None) -> None:
        alarm.state_transitioned_timestamp = getattr(  # type: ignore[attr-defined]
            existing, "state_transitioned_timestamp", alarm.state_updated_timestamp
        )
        if existing is None:
            alarm.state_value = INSUFFICIENT_DATA
        else:
            alarm.state_value = existing.state_value
            alarm.state_reason, alarm.state_reason_data = existing.state_reason, existing.state_reason_data
            alarm.state_updated_timestamp = existing.state_updated_timestamp
        kind = "Create" if existing is None else "Update"
        summary = f'Alarm "{alarm.name}" {kind.lower()}d'
        self._note(region, alarm, "ConfigurationUpdate", summary, {"version": "1.0", "type": kind})
        if alarm.rule is None:
            self._arm((region, alarm.name))

    def _forget(self, key: _Key) -> None:
        with self._lock:
            timer = self._timers.pop(key, None)
            if timer is not None:
                timer.cancel()
            self._resting[key[0]].discard(key[1])

    def _wake(self, region: str) -> None:
        """Evaluate alarms again that had nothing to look at: there is something new."""
        if not self._resting.get(region):
            return
        with self._lock:
            names, self._resting[region] = self._resting[region], set()
        for name in names:
            self._arm((region, name))

    def _arm(self, key: _Key) -> None:
        alarm = self._find(key)
        if alarm is None:
            return
        step = 10 if _period(alarm) < 60 else 60
        with self._lock:
            self._resting[key[0]].discard(key[1])
            if key in self._timers:
                return
            due = (self._clock.now() // step + 1) * step
            self._timers[key] = self._clock.at(due, lambda: self._evaluate(key, due), f"evaluation of alarm {key[1]}")

    def _find(self, key: _Key) -> Alarm | None:
        region, name = key
        return cloudwatch_backends[self._account_id][region].alarms.get(name)

    def _evaluate(self, key: _Key, due: float) -> None:
        alarm = self._find(key)
        with self._lock:
            self._timers.pop(key, None)
            if alarm is None:
                return
            self._resting[key[0]].add(key[1])  # before its values are read: what comes later wakes it
        rule, period = _rule(alarm), _period(alarm)
        starts = [due - (place + 1) * period for place in range(rule.periods + EXTRA_PERIODS)]
        values = self._values(key[0], alarm, starts, due)
        found = verdict(values, rule, alarm.state_value)
        if found.state != alarm.state_value:
            before = _state(alarm)
            alarm.update_state(
                alarm_messages.reason(rule, values, starts, found, before.value),
                alarm_messages.reason_data(alarm, rule, period, values, starts, self._clock.now()),
                found.state,
            )
            self._changed(alarm, before)
        if any(value is not None for value in values):
            self._arm(key)

    def _values(self, region: str, alarm: Alarm, starts: list[float], end: float) -> list[float | None]:
        """Return the alarm's values in periods (by their start), None where there is none."""
        backend = cloudwatch_backends[self._account_id][region]
        try:
            results = self._metrics.data(backend, alarm_messages.queries(alarm), starts[-1], end)
        except ServiceException:  # an expression that cannot be evaluated has no values
            results = []
        found = {}
        for result in results[:1]:
            for time, value in zip(result["Timestamps"], result["Values"], strict=True):
                found[time.replace(tzinfo=UTC).timestamp()] = value
        return [found.get(start) for start in starts]

    def _changed(self, alarm: Alarm, before: State) -> None:
        """Tell everybody of an alarm's new state; nobody when it is the old one."""
        now = _state(alarm)
        region = alarm.region_name
        if now.value == before.value:
            return
        alarm.state_transitioned_timestamp = alarm.state_updated_timestamp  # type: ignore[attr-defined]
        self._note(
            region,
            alarm,
            "StateUpdate",
            f"Alarm updated from {before.value} to {now.value}",
            {
                "version": "1.0",
                "oldState": {"stateValue": before.value, "stateReason": before.reason},
                "newState": {
                    "stateValue": now.value,
                    "stateReason": now.reason,
                    "stateReasonData": json.loads(now.reason_data or "null"),
                },
            },
        )
        event = envelope(
            event_id=self._identifiers.uuid(),
            source="aws.cloudwatch",
            detail_type="CloudWatch Alarm State Change",
            account=self._account_id,
            seconds=now.seconds,
            region=region,
            detail=alarm_messages.detail(alarm, before, now),
            resources=[alarm.alarm_arn],
        )
        self._send_event(region, event)
        if alarm.actions_enabled:
            actions = {OK: alarm.ok_actions, ALARM: alarm.alarm_actions}
            for arn in actions.get(now.value, alarm.insufficient_data_actions) or ():
                self._act(alarm, arn, before, now)

    def _act(self, alarm: Alarm, arn: str, before: State, now: State) -> None:
        service = arn.split(":")[2] if arn.count(":") >= 5 else ""
        parameters: dict[str, Any] = {}
        if service == "lambda":
            body = json.dumps(alarm_messages.function_event(alarm, self._account_id, before, now))
        else:
            subject, body = alarm_messages.notification(alarm, self._account_id, before.value, now)
            parameters["Subject"] = subject
        try:
            if service not in _PRINCIPALS:
                raise TargetRefused("Unsupported", f"The local AWS has no alarm actions of the kind {arn}")
            principal = "" if self._is_open_to_owner(arn) else _PRINCIPALS[service]
            self._targets.send(Delivery(arn, body, principal, alarm.alarm_arn, parameters))
            summary, state, error = f"Successfully executed action {arn}", "Succeeded", None
        except TargetRefused as refusal:
            summary, state, error = (
                f'Failed to execute action {arn}. Received error: "{refusal.message}"',
                "Failed",
                str(refusal),
            )
        data = {
            "actionState": state,
            "stateUpdateTimestamp": int(now.seconds * 1000),
            "notificationResource": arn,
            "publishedMessage": body,
            "error": error,
        }
        self._note(alarm.region_name, alarm, "Action", summary, data)

    def _is_open_to_owner(self, arn: str) -> bool:
        """Say whether a topic has the policy that it was made with: it lets in whatever acts for its owner."""
        if ":sns:" not in arn:
            return False
        topic = get_backend("sns")[self._account_id][arn.split(":")[3]].topics.get(arn)
        statements = topic._policy_json.get("Statement", []) if topic is not None else []
        return any(statement.get("Sid") == "__default_statement_ID" for statement in statements)

    def _note(self, region: str, alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        self._history[region].append(
            {
                "AlarmName": alarm.name,
                "AlarmType": "MetricAlarm",
                "Timestamp": datetime.fromtimestamp(self._clock.now(), UTC).replace(tzinfo=None),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data),
            }
        )

    def _items(self, region: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Answer DescribeAlarmHistory, the latest first unless asked otherwise."""
        start, end = (_naive(params.get(name)) for name in ("StartDate", "EndDate"))
        items = [
            item
            for item in self._history[region]
            if params.get("AlarmName") in (None, item["AlarmName"])
            and params.get("HistoryItemType") in (None, item["HistoryItemType"])
            and (start is None or start <= item["Timestamp"])
            and (end is None or item["Timestamp"] <= end)
        ]
        if params.get("ScanBy") != "TimestampAscending":
            items.reverse()
        return items[: int(params.get("MaxRecords") or 100)]


def _refuse_composite(response: CloudWatchResponse) -> ActionResult:
    raise ValidationError("The local AWS has no composite alarms: make a metric alarm, if need be with metric math.")


def _rule(alarm: Alarm) -> Rule:
    return Rule(
        alarm.comparison_operator,
        float(alarm.threshold),
        int(alarm.evaluation_periods),
        int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        alarm.treat_missing_data or "missing",
    )


def _period(alarm: Alarm) -> int:
    if alarm.period:
        return int(alarm.period)
    periods = [query.metric_stat.period for query in alarm.metric_data_queries if query.metric_stat]
    periods += [query.period for query in alarm.metric_data_queries if query.period]
    return max((int(period) for period in periods), default=60)


def _state(alarm: Alarm) -> State:
    seconds = alarm.state_updated_timestamp.replace(tzinfo=UTC).timestamp()
    data = alarm.state_reason_data if alarm.state_reason_data != "{}" else ""
    return State(alarm.state_value, alarm.state_reason, data or "", seconds)


def _naive(time: Any) -> datetime | None:
    if time is None:
        return None
    if not isinstance(time, datetime):
        time = datetime.fromtimestamp(float(time), UTC)
    return (time.astimezone(UTC) if time.tzinfo else time).replace(tzinfo=None)


def _check(settings: Mapping[str, Any]) -> None:
    """Refuse a metric alarm that cannot be evaluated."""
    comparison = settings.get("comparison_operator") or ""
    if not is_comparison(comparison):
        raise ValidationError(
            f"The local AWS evaluates no alarm with ComparisonOperator {comparison}: anomaly detection is not there."
        )
    if settings.get("threshold") is None:
        raise ValidationError("The parameter Threshold is required.")
    if not settings.get("metric_data_queries"):
        for name, needed in (("MetricName", "metric_name"), ("Namespace", "namespace"), ("Period", "period")):
            if not settings.get(needed):
                raise ValidationError(f"The parameter {name} is required.")
        if bool(settings.get("statistic")) == bool(settings.get("extended_statistic")):
            raise ValidationError("Exactly one of the parameters Statistic and ExtendedStatistic must be specified.")
        period = int(settings["period"])
        if period % 60 and period not in (10, 20, 30):
            raise ValidationError("Period must be 10, 20, 30 or a multiple of 60.")
    periods, needed_points = int(settings["evaluation_periods"]), settings.get("datapoints_to_alarm")
    if needed_points and int(needed_points) > periods:
        raise ValidationError("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    if settings.get("treat_missing_data") not in (None, "", "missing", "ignore", "breaching", "notBreaching"):
        raise InvalidParameterValue(
            f"The value {settings['treat_missing_data']} for parameter TreatMissingData is not supported."
        )
