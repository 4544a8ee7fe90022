"""The metrics of functions in CloudWatch's namespace AWS/Lambda, measured on real invocations.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html says what each counts, and
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html by which dimensions: all functions together, a function
(FunctionName), a version or alias of it (Resource), and an alias with the version that it chose (ExecutedVersion). A metric's time is
that of the invocation's start. Invocations only take notes; the notes become metrics when somebody asks.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from coldstart.cloud.metric_store import MetricStore, MetricStores, metric
from coldstart.runtime.clock import Clock
from coldstart.runtime.concurrency import AccountConcurrency
from coldstart.runtime.execution_environment import InvocationResult
from coldstart.runtime.provisioned_concurrency import ProvisionedConcurrency

NAMESPACE = "AWS/Lambda"
_MOST_NOTES = 5_000
"""In one region, before they are made metrics without anybody asking."""


class Begun(NamedTuple):
    """What is known of an invocation when it begins."""

    invoked_arn: str
    version: str
    seconds: float
    """Since the epoch."""
    concurrent: int
    """Invocations of the function, this one included."""
    region_concurrent: int
    region_unreserved: int
    region_claimed: int
    provisioned: int
    """Environments that the version keeps initialised."""
    provisioned_in_use: int


class _Note(NamedTuple):
    begun: Begun
    duration_ms: float
    """Negative when the invocation was throttled."""
    has_failed: bool
    is_provisioned: bool
    extensions_ms: float | None = None


class FunctionMetrics:
    """Measures the invocations of one account's functions."""

    def __init__(self, stores: MetricStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._lock = threading.Lock()
        self._notes: dict[str, list[_Note]] = defaultdict(list)
        stores.add_source(self._flush)

    def begin(
        self,
        invoked_arn: str,
        version: str,
        name: str,
        account: AccountConcurrency,
        provisioned: ProvisionedConcurrency,
    ) -> Begun:
        """Take the measure of an invocation that is about to begin."""
        return Begun(
            invoked_arn,
            version,
            self._clock.now(),
            account.function(name).executing + 1,
            account.executing + 1,
            account.unreserved_executing + 1,
            account.claimed + 1,
            provisioned.requested,
            provisioned.in_use + 1,
        )

    def ended(self, region: str, begun: Begun, result: InvocationResult) -> None:
        """Take note of an invocation that ran."""
        report = result.report
        has_failed = result.function_error is not None or bool(report.status)
        self._note(
            region, _Note(begun, report.duration_ms, has_failed, not report.init_is_billed, report.extensions_ms)
        )

    def throttled(self, region: str, begun: Begun) -> None:
        """Take note of an invocation that was refused for want of concurrency: neither an invocation nor an error."""
        self._note(region, _Note(begun, -1.0, has_failed=False, is_provisioned=False))

    def count(self, function_arn: str, name: str, value: float = 1, unit: str = "Count") -> None:
        """Put a metric of a function, such as ``AsyncEventsReceived``, by the function and by the resource."""
        region = function_arn.split(":")[3]
        for dimensions in _dimensions(function_arn):
            self.put(region, name, value, dimensions, unit)

    def put(self, region: str, name: str, value: float, dimensions: Mapping[str, str], unit: str = "Count") -> None:
        """Put a value of Lambda's that was measured now."""
        of = metric(NAMESPACE, name, dimensions)
        self._stores.write(region).add(of, self._clock.now(), [(value, 1)], unit)
        self._stores.changed(region)

    def _note(self, region: str, note: _Note) -> None:
        with self._lock:
            notes = self._notes[region]
            notes.append(note)
            kept = len(notes)
        if kept == 1:
            self._stores.changed(region)
        elif kept > _MOST_NOTES:
            self._flush(region)

    def _flush(self, region: str) -> None:
        with self._lock:
            notes, self._notes[region] = self._notes[region], []
            store = self._stores.write(region)
            alike: dict[tuple[str, str, int], list[_Note]] = defaultdict(list)
            for note in notes:
                alike[note.begun.invoked_arn, note.begun.version, int(note.begun.seconds // 60)].append(note)
            for group in alike.values():
                _write(store, group)


class _Figures:
    """How often each value of each metric was measured."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)

    def add(self, name: str, value: float, unit: str = "Count") -> None:
        values = self._values[name, unit]
        values[value] = values.get(value, 0) + 1

    def write(self, store: MetricStore, seconds: float, dimensions: Mapping[str, str]) -> None:
        for (name, unit), values in self._values.items():
            store.add(metric(NAMESPACE, name, dimensions), seconds, values.items(), unit)


def _write(store: MetricStore, notes: Sequence[_Note]) -> None:
    """Write the metrics of invocations of one version, by one ARN, in one minute."""
    function, one_function, region = _Figures(), _Figures(), _Figures()
    for note in notes:
        begun = note.begun
        was_throttled = note.duration_ms < 0
        function.add("Throttles", float(was_throttled))
        if was_throttled:
            continue
        function.add("Invocations", 1)
        function.add("Errors", float(note.has_failed))
        function.add("Duration", round(note.duration_ms, 2), "Milliseconds")
        if note.extensions_ms is not None:
            function.add("PostRuntimeExtensionsDuration", round(note.extensions_ms, 2), "Milliseconds")
        one_function.add("ConcurrentExecutions", begun.concurrent)
        region.add("ConcurrentExecutions", begun.region_concurrent)
        if begun.provisioned:
            _add_provisioned(one_function, note)
        if not note.is_provisioned:
            region.add("UnreservedConcurrentExecutions", begun.region_unreserved)
            region.add("ClaimedAccountConcurrency", begun.region_claimed)
    first = notes[0].begun
    for dimensions in _dimensions(first.invoked_arn, first.version):
        function.write(store, first.seconds, dimensions)
        (one_function if dimensions else region).write(store, first.seconds, dimensions)


def _add_provisioned(figures: _Figures, note: _Note) -> None:
    """Add the metrics of provisioned concurrency.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html
    """
    begun = note.begun
    if note.is_provisioned:
        figures.add("ProvisionedConcurrencyInvocations", 1)
        figures.add("ProvisionedConcurrentExecutions", begun.provisioned_in_use)
        figures.add("ProvisionedConcurrencyUtilization", begun.provisioned_in_use / begun.provisioned)
    else:
        figures.add("ProvisionedConcurrencySpilloverInvocations", 1)


def _dimensions(arn: str, executed_version: str = "") -> list[dict[str, str]]:
    """Return the sets of dimensions by which a value of a function (ARN, perhaps with a qualifier) is kept."""
    name, _, qualifier = arn.split(":", 6)[6].partition(":")
    resource = f"{name}:{qualifier}" if qualifier else name
    sets = [{}, {"FunctionName": name}, {"FunctionName": name, "Resource": resource}]
    if executed_version and qualifier and not qualifier.isdecimal() and not qualifier.startswith("$"):
        sets.append({"FunctionName": name, "Resource": resource, "ExecutedVersion": executed_version})
    return sets
