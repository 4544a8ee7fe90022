"""What state an alarm has, given the values of its last periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and alarms-and-missing-data.html. CloudWatch looks
at some periods more than the alarm evaluates: real values from there are better than what missing ones would count as.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
EXTRA_PERIODS = 2
"""How many periods more are looked at; AWS gives no number, but shows this one in its tables."""

_COMPARE: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": ("greater than", operator.gt),
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", operator.ge),
    "LessThanThreshold": ("less than", operator.lt),
    "LessThanOrEqualToThreshold": ("less than or equal to", operator.le),
}


@dataclass(frozen=True)
class Rule:
    """When an alarm goes off."""

    comparison: str
    """Such as ``GreaterThanThreshold``."""
    threshold: float
    periods: int
    """How many values are evaluated."""
    to_alarm: int
    """How many of them have to breach."""
    missing: str = "missing"
    """What a missing value counts as: ``missing``, ``ignore``, ``breaching`` or ``notBreaching``."""

    @property
    def words(self) -> str:
        """The comparison, as in a sentence."""
        return _COMPARE[self.comparison][0]

    def is_breaching(self, value: float) -> bool:
        """Say whether a value is on the wrong side of the threshold."""
        return _COMPARE[self.comparison][1](value, self.threshold)


class Verdict(NamedTuple):
    """The state that the values speak for."""

    state: str
    evaluated: list[int]
    """Which values counted: their places, the latest first."""
    missing: int
    """How many were missing and had to be made up."""


def is_comparison(name: str) -> bool:
    """Say whether an alarm can compare so."""
    return name in _COMPARE


def verdict(values: Sequence[float | None], rule: Rule, state: str) -> Verdict:
    """Return the state of an alarm.

    Args:
        values: of the last periods, the latest first, None where there is none; `EXTRA_PERIODS` more than the rule evaluates.
        rule: when it goes off.
        state: what it is in now, and stays in when the values do not say more.
    """
    real = [place for place, value in enumerate(values) if value is not None]
    evaluated = real[: rule.periods]
    missing = max(0, rule.periods - len(real))
    breaching = [place for place in evaluated if rule.is_breaching(values[place])]  # type: ignore[arg-type]
    counted = len(breaching) + (missing if rule.missing == "breaching" else 0)
    if counted >= rule.to_alarm:
        return Verdict(ALARM, evaluated, missing)
    if not missing or rule.missing in ("breaching", "notBreaching") or len(evaluated) > len(breaching):
        return Verdict(OK, evaluated, missing)
    if rule.missing == "ignore":
        return Verdict(state, evaluated, missing)
    if not real:
        return Verdict(INSUFFICIENT_DATA, evaluated, missing)
    is_old_enough = real[-1] >= rule.to_alarm - 1  # everything after the oldest breach breached too, or is missing
    return Verdict(ALARM if is_old_enough else state, evaluated, missing)
