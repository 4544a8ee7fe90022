"""What CloudWatch keeps of metrics: the values of each metric, minute by minute.

A metric is a namespace, a name and a set of dimensions; another set is another metric, and nothing is summed up over them.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html. Values are kept by the minute, or by the
second for metrics of high resolution, and as they are: percentiles need every one of them.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

STANDARD_RESOLUTION = 60
"""Seconds."""


class Metric(NamedTuple):
    """What a value is of."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    """Name and value of each, in the order of the names."""


def metric(namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
    """Return the metric with these dimensions, in whatever order they come."""
    return Metric(namespace, name, tuple(sorted(dimensions.items())))


class StatisticSet(NamedTuple):
    """Values that were summed up before they came."""

    number: float
    total: float
    minimum: float
    maximum: float


@dataclass
class Samples:
    """The values of one metric in one period."""

    values: dict[float, float] = field(default_factory=dict)
    """How often each value came."""
    sets: list[StatisticSet] = field(default_factory=list)
    default: float | None = None
    """What counts when there is no other value: a metric filter's default."""

    def add(self, value: float, count: float = 1) -> None:
        """Take a value in."""
        self.values[value] = self.values.get(value, 0) + count

    def merge(self, other: Samples) -> None:
        """Take another period's values in."""
        for value, count in other.values.items():
            self.add(value, count)
        self.sets += other.sets
        if self.default is None:
            self.default = other.default

    def settled(self) -> Samples:
        """Return what statistics are made of: the default when nothing else came."""
        if self.values or self.sets or self.default is None:
            return self
        return Samples({self.default: 1})


class MetricStore:
    """The metrics of one region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[Metric, dict[int, dict[str, Samples]]] = {}
        self._has_seconds: set[Metric] = set()

    def add(
        self,
        of: Metric,
        seconds: float,
        values: Iterable[tuple[float, float]],
        unit: str = "None",
        resolution: int = STANDARD_RESOLUTION,
    ) -> None:
        """Take values in.

        Args:
            seconds: when they were measured, since the epoch.
            values: each with how often it came.
            unit: such as ``Count`` or ``Milliseconds``.
            resolution: 60, or 1 for high resolution.
        """
        with self._lock:
            samples = self._at(of, seconds, unit, resolution)
            for value, count in values:
                samples.add(value, count)

    def add_set(self, of: Metric, seconds: float, statistics: StatisticSet, unit: str, resolution: int) -> None:
        """Take values in that have been summed up."""
        with self._lock:
            samples = self._at(of, seconds, unit, resolution)
            if statistics.minimum == statistics.maximum or statistics.number == 1:
                samples.add(statistics.total / statistics.number, statistics.number)
            else:
                samples.sets.append(statistics)

    def add_default(self, of: Metric, seconds: float, value: float, unit: str) -> None:
        """Let the minute have this value if it gets no other."""
        with self._lock:
            self._at(of, seconds, unit, STANDARD_RESOLUTION).default = value

    def metrics(self) -> list[Metric]:
        """Return all metrics that have a value."""
        with self._lock:
            return list(self._series)

    def samples(
        self, of: Metric, start: float, end: float, period: int, unit: str | None = None
    ) -> dict[int, dict[str, Samples]]:
        """Return the values between two times, by the start of the period that they fall into, and by unit.

        Args:
            start: where the first period begins, in seconds since the epoch.
            end: what is measured then or later is left out.
            period: its length in seconds.
            unit: the only one asked for; None for all.
        """
        found: dict[int, dict[str, Samples]] = defaultdict(dict)
        with self._lock:
            for second, by_unit in self._between(of, start, end):
                begin = int(start + (second - start) // period * period)
                for of_unit, samples in by_unit.items():
                    if unit in (None, of_unit):
                        found[begin].setdefault(of_unit, Samples()).merge(samples)
        return dict(sorted(found.items()))

    def _between(self, of: Metric, start: float, end: float) -> Iterator[tuple[int, dict[str, Samples]]]:
        """Return what was measured between two times, without looking through all that was when there are few minutes."""
        series = self._series.get(of, {})
        step = 1 if of in self._has_seconds else STANDARD_RESOLUTION
        if (end - start) / step < len(series):
            seconds: Iterable[int] = range(math.ceil(start / step) * step, math.ceil(end), step)
        else:
            seconds = list(series)
        return ((second, series[second]) for second in seconds if second in series and start <= second < end)

    def _at(self, of: Metric, seconds: float, unit: str, resolution: int) -> Samples:
        second = int(seconds // resolution * resolution)
        if resolution != STANDARD_RESOLUTION:
            self._has_seconds.add(of)
        return self._series.setdefault(of, {}).setdefault(second, {}).setdefault(unit, Samples())


class MetricStores:
    """The metrics of one account, region by region."""

    def __init__(self) -> None:
        self._stores: dict[str, MetricStore] = {}
        self._sources: list[Callable[[str], None]] = []
        self.on_change: Callable[[str], None] = lambda region: None
        """Told of the region when there may be something new."""

    def add_source(self, flush: Callable[[str], None]) -> None:
        """Let somebody keep values back until they are asked for: ``flush(region)`` writes them."""
        self._sources.append(flush)

    def read(self, region: str) -> MetricStore:
        """Return a region's metrics with all that is known by now."""
        for flush in self._sources:
            flush(region)
        return self.write(region)

    def write(self, region: str) -> MetricStore:
        """Return a region's metrics to add to."""
        return self._stores.get(region) or self._stores.setdefault(region, MetricStore())

    def changed(self, region: str) -> None:
        """Tell that there is something new."""
        self.on_change(region)

    def empty_region(self, region: str) -> None:
        """Forget a region's metrics."""
        for flush in self._sources:
            flush(region)
        self._stores.pop(region, None)
