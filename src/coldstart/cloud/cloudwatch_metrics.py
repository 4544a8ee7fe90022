"""CloudWatch's metrics: what is put is kept in our store, and read from there with every statistic that CloudWatch has.

moto 5.2.5 (``moto/cloudwatch/models.py``) mixes up metrics that differ in their dimensions, has no percentiles, begins periods
where the first value is, and evaluates no expression.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html and API_GetMetricStatistics.html.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError
from moto.cloudwatch.models import CloudWatchBackend, MetricDatum, MetricDatumBase
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from coldstart.cloud.metric_math import InvalidExpression, Series, evaluate
from coldstart.cloud.metric_statistics import UnknownStatistic, statistic
from coldstart.cloud.metric_store import Metric, MetricStore, MetricStores, Samples, StatisticSet, metric
from coldstart.cloud.replacements import Replacements
from coldstart.runtime.clock import Clock

MOST_DATAPOINTS = 1_440
"""Of one GetMetricStatistics."""
_RESERVED = "AWS/"


class CloudWatchMetrics:
    """PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics of one account."""

    def __init__(self, stores: MetricStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""
        validate = CloudWatchBackend._validate_parameters_put_metric_data

        def put_metric_data(backend: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
            for number, datum in enumerate(metric_data, 1):
                validate(backend, datum, number)
            store = self._stores.write(backend.region_name)
            for datum in metric_data:
                self._put(store, namespace, datum)
            self._stores.changed(backend.region_name)

        def put_metric_data_of_a_caller(response: CloudWatchResponse) -> ActionResult:
            if str(response._get_param("Namespace")).startswith(_RESERVED):
                raise InvalidParameterValue(f"The value {_RESERVED} for parameter Namespace is invalid.")
            result: ActionResult = put_of_a_caller(response)
            return result

        def get_metric_data(
            backend: CloudWatchBackend, queries: list[dict[str, Any]], start_time: Any, end_time: Any, scan_by: str
        ) -> list[dict[str, Any]]:
            return self.data(backend, queries, _seconds(start_time), _seconds(end_time), scan_by)

        def get_metric_statistics(response: CloudWatchResponse) -> ActionResult:
            return ActionResult(self._statistics(response.cloudwatch_backend, response._get_params()))

        def list_metrics(
            backend: CloudWatchBackend,
            next_token: str | None,
            namespace: str,
            metric_name: str,
            dimensions: list[dict[str, str]],
        ) -> tuple[str | None, list[MetricDatumBase]]:
            if next_token:
                return listed(backend, next_token, namespace, metric_name, dimensions)
            found = [
                _listed(one)
                for one in self._all(backend).metrics()
                if namespace in (None, one.namespace) and metric_name in (None, one.name) and _has(one, dimensions)
            ]
            return backend._get_paginated(found)

        moto.put(CloudWatchBackend, "put_metric_data", put_metric_data)  # moto's services put theirs so
        put_of_a_caller = moto.put(CloudWatchResponse, "put_metric_data", put_metric_data_of_a_caller)
        moto.put(CloudWatchBackend, "get_metric_data", get_metric_data)
        moto.put(CloudWatchResponse, "get_metric_statistics", get_metric_statistics)
        listed = moto.put(CloudWatchBackend, "list_metrics", list_metrics)

    def data(
        self,
        backend: CloudWatchBackend,
        queries: Sequence[Mapping[str, Any]],
        start: float,
        end: float,
        scan_by: str = "TimestampDescending",
    ) -> list[dict[str, Any]]:
        """Answer GetMetricData: the results whose query does not say that they are not to be returned.

        Args:
            queries: MetricDataQueries, as boto3 names them.
            start: seconds since the epoch; rounded down to the minute.
            end: what is measured then or later is left out.

        Raises:
            ServiceException: what is asked for cannot be answered.
        """
        if start > end:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        if start == end:
            raise ValidationError("The parameter StartTime must not equal parameter EndTime.")
        store = self._all(backend)
        series: dict[str, Series] = {}
        labels: dict[str, str] = {}
        periods = [int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query]
        for query in queries:
            if "MetricStat" in query:
                wanted = query["MetricStat"]["Metric"]
                series[query["Id"]] = _series(store, query["MetricStat"], start, end)
                labels[query["Id"]] = query.get("Label") or wanted["MetricName"]
        self._evaluate(queries, series, start, end, int(max(periods, default=60)))
        results = []
        for query in queries:
            if query.get("ReturnData", True) is False:
                continue
            values = sorted(series[query["Id"]].items(), reverse=scan_by != "TimestampAscending")
            results.append(
                {
                    "Id": query["Id"],
                    "Label": labels.get(query["Id"]) or query.get("Label") or query["Id"],
                    "Timestamps": [_time(second) for second, _ in values],
                    "Values": [value for _, value in values],
                    "StatusCode": "Complete",
                }
            )
        return results

    def _put(self, store: MetricStore, namespace: str, datum: Mapping[str, Any]) -> None:
        of = metric(namespace, datum["MetricName"], _dimensions(datum))
        seconds = _seconds(datum["Timestamp"]) if datum.get("Timestamp") else self._clock.now()
        unit = datum.get("Unit") or "None"
        resolution = 1 if int(datum.get("StorageResolution") or 60) == 1 else 60
        if sets := datum.get("StatisticValues"):
            names = ("SampleCount", "Sum", "Minimum", "Maximum")
            store.add_set(of, seconds, StatisticSet(*(float(sets[name]) for name in names)), unit, resolution)
            return
        values = [float(value) for value in datum.get("Values") or [datum.get("Value", 0)]]
        counts = [float(count) for count in datum.get("Counts") or [1] * len(values)]
        store.add(of, seconds, zip(values, counts, strict=True), unit, resolution)

    def _evaluate(
        self, queries: Sequence[Mapping[str, Any]], series: dict[str, Series], start: float, end: float, period: int
    ) -> None:
        """Add the values of the queries that are expressions, each when those that it names are known."""
        waiting = [query for query in queries if "Expression" in query]
        while waiting:
            ids = {query["Id"] for query in waiting}
            ready = [query for query in waiting if not _names(query["Expression"]) & (ids - {query["Id"]})]
            for query in ready or waiting[:1]:
                own_period = int(query.get("Period") or period)
                times = range(int(start // 60 * 60), math.ceil(end), own_period)
                expression = query["Expression"]
                if expression.lstrip().upper().startswith("SELECT"):
                    raise ValidationError(
                        "The local AWS does not know Metrics Insights: ask for metrics by MetricStat."
                    )
                try:
                    series[query["Id"]] = evaluate(expression, dict(series), own_period, times)
                except InvalidExpression as error:
                    raise ValidationError(str(error)) from None
                waiting.remove(query)

    def _statistics(self, backend: CloudWatchBackend, params: Mapping[str, Any]) -> dict[str, Any]:
        names, extended = params.get("Statistics") or [], params.get("ExtendedStatistics") or []
        if not names and not extended:
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        start, end, period = _seconds(params["StartTime"]), _seconds(params["EndTime"]), int(params["Period"])
        if start >= end:
            raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
        if period < 1 or (period % 60 and period not in (1, 5, 10, 20, 30)):
            raise InvalidParameterValue(
                f"The value {period} for parameter Period is invalid. Period must be 1, 5, 10, 20, 30 or a multiple of 60."
            )
        if (end - start) / period > MOST_DATAPOINTS:
            raise InvalidParameterCombination(
                f"You have requested up to {math.ceil((end - start) / period)} datapoints, which exceeds the limit of "
                f"{MOST_DATAPOINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time range."
            )
        compute = {name: _known(name) for name in [*names, *extended]}
        of = metric(params["Namespace"], params["MetricName"], _dimensions(params))
        found = self._all(backend).samples(of, _begin(start, period), end, period, params.get("Unit"))
        points = []
        for second, by_unit in found.items():
            for unit, samples in by_unit.items():
                point: dict[str, Any] = {"Timestamp": _time(second), "Unit": unit}
                point |= {name: compute[name](samples) for name in names}
                if extended:
                    computed = {name: compute[name](samples) for name in extended}
                    point["ExtendedStatistics"] = {name: value for name, value in computed.items() if value is not None}
                points.append(point)
        return {"Label": params["MetricName"], "Datapoints": points}

    def _all(self, backend: CloudWatchBackend) -> MetricStore:
        """Return the region's metrics; those that moto's services provide themselves (S3's sizes) are taken in anew."""
        store = self._stores.read(backend.region_name)
        provided = [datum for datum in backend.aws_metric_data if isinstance(datum, MetricDatum)]
        if not provided:
            return store
        return _WithProvided(store, provided)


class _WithProvided(MetricStore):
    """A store together with values that are made up when they are asked for."""

    def __init__(self, store: MetricStore, provided: Sequence[MetricDatum]) -> None:
        super().__init__()
        self._store = store
        for datum in provided:
            of = metric(datum.namespace, datum.name, {one.name or "": one.value or "" for one in datum.dimensions})
            self.add(of, _seconds(datum.timestamp), [(float(datum.value), 1)], datum.unit or "None")

    def metrics(self) -> list[Metric]:
        return [*self._store.metrics(), *super().metrics()]

    def samples(
        self, of: Metric, start: float, end: float, period: int, unit: str | None = None
    ) -> dict[int, dict[str, Samples]]:
        return self._store.samples(of, start, end, period, unit) or super().samples(of, start, end, period, unit)


def _series(store: MetricStore, wanted: Mapping[str, Any], start: float, end: float) -> Series:
    """Return the values of a MetricStat."""
    period = int(wanted["Period"])
    compute = _known(wanted["Stat"])
    of = metric(wanted["Metric"]["Namespace"], wanted["Metric"]["MetricName"], _dimensions(wanted["Metric"]))
    series: Series = {}
    for second, by_unit in store.samples(of, _begin(start, period), end, period, wanted.get("Unit")).items():
        together = Samples()
        for samples in by_unit.values():
            together.merge(samples)
        value = compute(together)
        if value is not None:
            series[second] = value
    return series


def _known(name: str) -> Callable[[Samples], float | None]:
    try:
        return statistic(name)
    except UnknownStatistic:
        raise InvalidParameterValue(f"The value {name} for parameter Stat is not supported.") from None


def _begin(start: float, period: int) -> float:
    """Return where the first period begins: times are rounded down to the minute, or to a period shorter than that."""
    return start // min(period, 60) * min(period, 60)


def _names(expression: str) -> set[str]:
    return set(filter(None, "".join(char if char.isalnum() or char == "_" else " " for char in expression).split()))


def _dimensions(of: Mapping[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in of.get("Dimensions") or ()}


def _has(one: Metric, dimensions: Sequence[Mapping[str, str]]) -> bool:
    own = dict(one.dimensions)
    return all(
        wanted["Name"] in own and wanted.get("Value") in (None, own[wanted["Name"]]) for wanted in dimensions or ()
    )


def _listed(one: Metric) -> MetricDatumBase:
    dimensions = [{"Name": name, "Value": value} for name, value in one.dimensions]
    listed = MetricDatumBase(one.namespace, one.name, dimensions, None)
    listed.metric_name = one.name  # type: ignore[attr-defined]
    return listed


def _seconds(time: Any) -> float:
    """Return the seconds since the epoch of a time as moto read it from the request."""
    if isinstance(time, datetime):
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return float(time)


def _time(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None)
