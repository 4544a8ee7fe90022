"""CloudWatch's statistics over the values of a period.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html. AWS does not say how it finds a percentile
between two values; here it is always a value that was measured, the smallest that so many percent do not exceed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from coldstart.cloud.metric_store import Samples

SIMPLE = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_OF_A_PERCENTILE = re.compile(r"(p|tm|wm|tc|ts)(\d{1,2}(?:\.\d{1,10})?|100)")
_OF_A_RANGE = re.compile(r"(TM|WM|TC|TS)\((\d[\d.]*)?%:(\d[\d.]*)?%\)")


class UnknownStatistic(ValueError):
    """CloudWatch has no statistic of this name."""


def statistic(name: str) -> Callable[[Samples], float | None]:
    """Return what computes a statistic such as ``Sum``, ``p99``, ``tm95``, ``TM(10%:90%)`` or ``IQM``.

    It returns None when the statistic cannot be known, as a percentile of values that were summed up before they came.

    Raises:
        UnknownStatistic: there is none of this name.
    """
    if name in SIMPLE:
        return lambda samples: _simple(name, samples)
    if name == "IQM":
        return lambda samples: _within("TM", samples, 25, 75)
    if found := _OF_A_PERCENTILE.fullmatch(name):
        kind, percent = found[1], float(found[2])
        if kind == "p":
            return lambda samples: _percentile(samples, percent)
        return lambda samples: _within(kind.upper(), samples, 0, percent)
    if found := _OF_A_RANGE.fullmatch(name):
        return lambda samples: _within(found[1], samples, float(found[2] or 0), float(found[3] or 100))
    raise UnknownStatistic(name)


def _simple(name: str, samples: Samples) -> float | None:
    settled = samples.settled()
    values, sets = settled.values, settled.sets
    if not values and not sets:
        return None
    count = sum(values.values()) + sum(one.number for one in sets)
    total = math.fsum(value * number for value, number in values.items()) + math.fsum(one.total for one in sets)
    match name:
        case "SampleCount":
            return float(count)
        case "Sum":
            return total
        case "Average":
            return total / count
        case "Minimum":
            return min([*values, *(one.minimum for one in sets)])
        case _:
            return max([*values, *(one.maximum for one in sets)])


def _percentile(samples: Samples, percent: float) -> float | None:
    settled = samples.settled()
    if settled.sets or not settled.values:
        return None
    wanted = percent / 100 * sum(settled.values.values())
    reached = 0.0
    for value in sorted(settled.values):
        reached += settled.values[value]
        if reached >= wanted:
            return value
    return max(settled.values)


def _within(kind: str, samples: Samples, low: float, high: float) -> float | None:
    """Compute a trimmed mean, winsorized mean, trimmed count or trimmed sum between two percentiles."""
    settled = samples.settled()
    bottom, top = _percentile(settled, low), _percentile(settled, high)
    if bottom is None or top is None:
        return None
    if kind == "WM":
        count = sum(settled.values.values())
        return math.fsum(min(max(value, bottom), top) * number for value, number in settled.values.items()) / count
    kept = {value: number for value, number in settled.values.items() if bottom <= value <= top}
    count, total = sum(kept.values()), math.fsum(value * number for value, number in kept.items())
    return {"TM": total / count, "TC": float(count), "TS": total}[kind]
