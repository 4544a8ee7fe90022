"""What CloudWatch says of an alarm that changed its state: the reason, and the documents for SNS, Lambda and EventBridge.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions.html (Lambda) and cloudwatch-and-eventbridge.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, MetricDataQuery

from coldstart.cloud.alarm_evaluation import ALARM, OK, Rule, Verdict

_REGIONS = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-north-1": "EU (Stockholm)",
    "eu-west-1": "EU (Ireland)",
}
_MISSING = {"missing": "Missing", "ignore": "Ignored", "breaching": "Breaching", "notBreaching": "NonBreaching"}


@dataclass(frozen=True)
class State:
    """A state of an alarm, and how it came."""

    value: str
    reason: str
    reason_data: str
    """JSON; empty without any."""
    seconds: float
    """When, since the epoch."""


def reason(rule: Rule, values: Sequence[float | None], starts: Sequence[float], found: Verdict, before: str) -> str:
    """Return the sentence that explains a change of state.

    Args:
        values: of the last periods, the latest first.
        starts: when each period began.
        before: the state that it was in.
    """
    missing = f"{found.missing} missing datapoint{'s were' if found.missing > 1 else ' was'}"
    if found.state not in (OK, ALARM):
        plural = "s were" if found.missing > 1 else " was"
        return f"Insufficient Data: {found.missing} datapoint{plural} unknown."
    treated = f"{missing} treated as [{_MISSING[rule.missing]}]"
    if not found.evaluated:
        plural = "s" if rule.periods > 1 else ""
        return f"Threshold Crossed: no datapoints were received for {rule.periods} period{plural} and {treated}."
    is_wanted = [rule.is_breaching(values[place] or 0.0) == (found.state == ALARM) for place in found.evaluated]
    shown = ", ".join(f"{values[place]} ({_day(starts[place])})" for place in found.evaluated)
    count = sum(is_wanted)
    negated = "" if found.state == ALARM else "not "
    needed = rule.to_alarm if found.state == ALARM else rule.periods - rule.to_alarm + 1
    return (
        f"Threshold Crossed: {count} out of the last {len(found.evaluated)} datapoint{'s' * (len(found.evaluated) > 1)} "
        f"[{shown}] {'were' if count > 1 else 'was'} {negated}{rule.words} the threshold ({float(rule.threshold)})"
        + (f" and {treated}" if found.missing and rule.missing != "missing" else "")
        + f" (minimum {needed} datapoint{'s' * (needed > 1)} for {before} -> {found.state} transition)."
    )


def reason_data(
    alarm: Alarm, rule: Rule, period: int, values: Sequence[float | None], starts: Sequence[float], now: float
) -> str:
    """Return the same as JSON: StateReasonData."""
    recent = [value for value in values[: rule.periods] if value is not None]
    document: dict[str, Any] = {"version": "1.0", "queryDate": _iso(now)}
    if recent:
        document["startDate"] = _iso(starts[rule.periods - 1])
    if alarm.statistic or alarm.extended_statistic:
        document["statistic"] = alarm.statistic or alarm.extended_statistic
    document |= {"period": period, "recentDatapoints": recent[::-1], "threshold": float(rule.threshold)}
    document["evaluatedDatapoints"] = [
        {"timestamp": _iso(start), **({} if value is None else {"value": value})}
        for value, start in zip(values[: rule.periods], starts, strict=False)
    ]
    return json.dumps(document)


def notification(alarm: Alarm, account_id: str, before: str, now: State) -> tuple[str, str]:
    """Return subject and body of the message that SNS sends on."""
    region = _REGIONS.get(alarm.region_name, alarm.region_name)
    body = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account_id,
        "AlarmConfigurationUpdatedTimestamp": _iso(
            alarm.configuration_updated_timestamp.replace(tzinfo=UTC).timestamp()
        ),
        "NewStateValue": now.value,
        "NewStateReason": now.reason,
        "StateChangeTime": _iso(now.seconds),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": _trigger(alarm),
    }
    return f'{now.value}: "{alarm.name}" in {region}'[:100], json.dumps(body)


def function_event(alarm: Alarm, account_id: str, before: State, now: State) -> dict[str, Any]:
    """Return the event that a function gets as an action."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.alarm_arn,
        "accountId": account_id,
        "time": _iso(now.seconds),
        "region": alarm.region_name,
        "alarmData": detail(alarm, before, now),
    }


def detail(alarm: Alarm, before: State, now: State) -> dict[str, Any]:
    """Return what rules and functions learn of the change."""
    return {
        "alarmName": alarm.name,
        "state": _shown(now),
        "previousState": _shown(before),
        "configuration": {
            "description": alarm.description or "",
            "metrics": [_metric(query) for query in queries(alarm)],
        },
    }


def queries(alarm: Alarm) -> list[dict[str, Any]]:
    """Return the MetricDataQueries that an alarm's values come from."""
    if alarm.metric_data_queries:
        return [_query(query) for query in alarm.metric_data_queries]
    stat: dict[str, Any] = {
        "Metric": {
            "Namespace": alarm.namespace,
            "MetricName": alarm.metric_name,
            "Dimensions": [{"Name": one.name, "Value": one.value} for one in alarm.dimensions],
        },
        "Period": int(alarm.period),
        "Stat": alarm.statistic or alarm.extended_statistic,
    }
    return [{"Id": "m1", "MetricStat": stat | ({"Unit": alarm.unit} if alarm.unit else {}), "ReturnData": True}]


def _query(query: MetricDataQuery) -> dict[str, Any]:
    shown: dict[str, Any] = {"Id": query.id, "ReturnData": query.return_data is not False}
    if query.expression:
        return shown | {"Expression": query.expression} | ({"Period": query.period} if query.period else {})
    stat = query.metric_stat
    assert stat is not None
    dimensions = [{"Name": one.name, "Value": one.value} for one in stat.metric.dimensions]
    metric = {"Namespace": stat.metric.namespace, "MetricName": stat.metric.metric_name, "Dimensions": dimensions}
    metric_stat = {"Metric": metric, "Period": int(stat.period), "Stat": stat.stat}
    return shown | {"MetricStat": metric_stat | ({"Unit": stat.unit} if stat.unit else {})}


def _metric(query: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": query["Id"], "returnData": query["ReturnData"]}
    if "Expression" in query:
        return shown | {"expression": query["Expression"]}
    stat = query["MetricStat"]
    dimensions = {one["Name"]: one["Value"] for one in stat["Metric"]["Dimensions"]}
    metric = {"namespace": stat["Metric"]["Namespace"], "name": stat["Metric"]["MetricName"], "dimensions": dimensions}
    return shown | {"metricStat": {"metric": metric, "period": stat["Period"], "stat": stat["Stat"]}}


def _trigger(alarm: Alarm) -> dict[str, Any]:
    common: dict[str, Any] = {
        "EvaluationPeriods": alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": float(alarm.threshold),
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile or "",
    }
    if alarm.datapoints_to_alarm:
        common["DatapointsToAlarm"] = alarm.datapoints_to_alarm
    if alarm.metric_data_queries:
        return common | {"Metrics": queries(alarm)}
    if alarm.statistic:
        statistic = {"StatisticType": "Statistic", "Statistic": alarm.statistic.upper()}
    else:
        statistic = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": str(alarm.extended_statistic)}
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        **statistic,
        "Unit": alarm.unit,
        "Dimensions": [{"value": one.value, "name": one.name} for one in alarm.dimensions],
        "Period": int(alarm.period),
        **common,
    }


def _shown(state: State) -> dict[str, str]:
    shown = {"value": state.value, "reason": state.reason, "timestamp": _iso(state.seconds)}
    return shown | ({"reasonData": state.reason_data} if state.reason_data else {})


def _iso(seconds: float) -> str:
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}+0000"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d/%m/%y %H:%M:%S}"
