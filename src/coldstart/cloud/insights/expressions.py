"""Computes what a query says of a row, or of a group of rows.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html and CWL_QuerySyntax-Stats.html. A value is
text, a number, or missing; text that looks like a number counts as one wherever a number is wanted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

Value = str | float | None


class Row(Protocol):
    """Something with fields."""

    def get(self, name: str) -> Value:
        """Return the value of a field; None when it is missing."""
        ...


@dataclass(frozen=True)
class Literal:
    """A value that stands in the query."""

    value: Value


@dataclass(frozen=True)
class Duration:
    """Such as ``5m``."""

    text: str


@dataclass(frozen=True)
class Field:
    """The name of a field."""

    name: str


@dataclass(frozen=True)
class Call:
    """A function of other values, or of rows."""

    name: str
    arguments: list[Expression]


@dataclass(frozen=True)
class Binary:
    """Two values and an operator."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Not:
    """What is not so."""

    inner: Expression


@dataclass(frozen=True)
class Like:
    """Text and what is looked for in it."""

    inner: Expression
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class In:
    """A value, and a list of those that it may be."""

    inner: Expression
    options: list[Expression]


Expression = Literal | Duration | Field | Call | Binary | Not | Like | In


def evaluate(node: Expression, row: Row, group: Sequence[Row] = ()) -> Value:
    """Return the value of an expression.

    Args:
        row: whose fields are meant.
        group: the rows that aggregations are about, the latest first.
    """
    match node:
        case Literal(value):
            return value
        case Duration(text):
            return text
        case Field(name):
            return row.get(name)
        case Not(inner):
            return float(not is_true(evaluate(inner, row, group)))
        case Like(inner, pattern):
            found = evaluate(inner, row, group)
            return float(found is not None and pattern.search(as_text(found)) is not None)
        case In(inner, options):
            value = evaluate(inner, row, group)
            return float(any(_compared("=", value, evaluate(option, row, group)) for option in options))
        case Binary(operator, left, right):
            return _binary(operator, left, right, row, group)
        case Call(name, arguments) if name in AGGREGATES:
            return AGGREGATES[name](arguments, group)
        case Call(name, arguments):
            return _FUNCTIONS[name]([evaluate(argument, row, group) for argument in arguments], row)
    raise AssertionError(node)


def is_true(value: Value) -> bool:
    """Say whether a condition with this value holds."""
    return bool(value) and value != 0.0


def number(value: Value) -> float | None:
    """Return the number that a value is, or looks like."""
    if value is None or isinstance(value, float):
        return value
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def as_text(value: Value) -> str:
    """Return a value as it stands in a result: at most four decimals."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 1e-3 else f"{value:.6g}"


def shown_time(milliseconds: float) -> str:
    """Return a time as results show it."""
    time = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{time:%Y-%m-%d %H:%M:%S}.{int(milliseconds % 1000):03d}"


def _binary(operator: str, left: Expression, right: Expression, row: Row, group: Sequence[Row]) -> Value:
    first = evaluate(left, row, group)
    if operator == "and":
        return float(is_true(first) and is_true(evaluate(right, row, group)))
    if operator == "or":
        return float(is_true(first) or is_true(evaluate(right, row, group)))
    second = evaluate(right, row, group)
    if operator in _COMPARE:
        return float(_compared(operator, first, second))
    a, b = number(first), number(second)
    if a is None or b is None:
        return None
    try:
        return float(_ARITHMETIC[operator](a, b))
    except (ArithmeticError, TypeError):
        return None


_ARITHMETIC: Mapping[str, Callable[[float, float], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "^": lambda a, b: a**b,
}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _compared(operator: str, first: Value, second: Value) -> bool:
    if first is None or second is None:
        return operator == "!=" and first is not second
    a, b = number(first), number(second)
    if a is not None and b is not None:
        return _COMPARE[operator](a, b)
    return _COMPARE[operator](as_text(first), as_text(second))


# --- functions

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def _bin(milliseconds: float | None, length: str) -> Value:
    """Round a time down to a period."""
    if milliseconds is None:
        return None
    found = re.fullmatch(r"(\d+)(ms|mo|s|m|h|d|w|q|y)", length)
    if found is None:
        return None
    count, unit = int(found[1]), found[2]
    if unit in _SECONDS:
        step = max(1.0, count * _SECONDS[unit] * 1000)
        return shown_time(milliseconds // step * step)
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    months = count * {"mo": 1, "q": 3, "y": 12}[unit]
    month = (time.year * 12 + time.month - 1) // months * months
    return shown_time(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)


def milliseconds_of(value: Value) -> float | None:
    """Return the milliseconds since the epoch of a time that is a number, or text as results show it."""
    if (found := number(value)) is not None or value is None:
        return found
    try:
        return datetime.fromisoformat(f"{value}+00:00").timestamp() * 1000
    except ValueError:
        return None


def _of_text(change: Callable[[str], Value]) -> Callable[[list[Value], Row], Value]:
    return lambda values, row: None if values[0] is None else change(as_text(values[0]))


def _of_number(change: Callable[[float], float]) -> Callable[[list[Value], Row], Value]:
    def changed(values: list[Value], row: Row) -> Value:
        found = number(values[0])
        try:
            return None if found is None else float(change(found))
        except ValueError:
            return None

    return changed


def _extreme(choose: Callable[[list[float]], float]) -> Callable[[list[Value], Row], Value]:
    def chosen(values: list[Value], row: Row) -> Value:
        found = [one for value in values if (one := number(value)) is not None]
        return choose(found) if found else None

    return chosen


def _substr(values: list[Value], row: Row) -> Value:
    start = int(number(values[1]) or 0)
    end = start + int(number(values[2]) or 0) if len(values) > 2 else None
    return as_text(values[0])[start:end]


_FUNCTIONS: Mapping[str, Callable[[list[Value], Row], Value]] = {
    "abs": _of_number(abs),
    "ceil": _of_number(math.ceil),
    "floor": _of_number(math.floor),
    "log": _of_number(math.log),
    "sqrt": _of_number(math.sqrt),
    "greatest": _extreme(max),
    "least": _extreme(min),
    "bin": lambda values, row: _bin(milliseconds_of(row.get("@timestamp")), as_text(values[0]) if values else "1h"),
    "datefloor": lambda values, row: _bin(milliseconds_of(values[0]), as_text(values[1])),
    "tomillis": lambda values, row: milliseconds_of(values[0]),
    "frommillis": lambda values, row: None if (found := number(values[0])) is None else shown_time(found),
    "coalesce": lambda values, row: next((value for value in values if value is not None), None),
    "ispresent": lambda values, row: float(values[0] is not None),
    "isempty": lambda values, row: float(values[0] in (None, "")),
    "isblank": lambda values, row: float(not as_text(values[0]).strip()),
    "concat": lambda values, row: "".join(map(as_text, values)),
    "strlen": _of_text(lambda text: float(len(text))),
    "toupper": _of_text(str.upper),
    "tolower": _of_text(str.lower),
    "trim": lambda values, row: as_text(values[0]).strip(as_text(values[1]) if len(values) > 1 else None),
    "ltrim": lambda values, row: as_text(values[0]).lstrip(as_text(values[1]) if len(values) > 1 else None),
    "rtrim": lambda values, row: as_text(values[0]).rstrip(as_text(values[1]) if len(values) > 1 else None),
    "substr": _substr,
    "replace": lambda values, row: as_text(values[0]).replace(as_text(values[1]), as_text(values[2])),
    "strcontains": lambda values, row: float(as_text(values[1]) in as_text(values[0])),
}


# --- aggregations: of the values of an expression in the rows of a group


def _values(arguments: list[Expression], group: Sequence[Row]) -> list[Value]:
    found = (evaluate(arguments[0], row) for row in group)
    return [value for value in found if value is not None]


def _numbers(arguments: list[Expression], group: Sequence[Row]) -> list[float]:
    return [found for value in _values(arguments, group) if (found := number(value)) is not None]


def _summary(summarise: Callable[[list[float]], float]) -> Callable[[list[Expression], Sequence[Row]], Value]:
    def summarised(arguments: list[Expression], group: Sequence[Row]) -> Value:
        numbers = _numbers(arguments, group)
        return float(summarise(numbers)) if numbers else None

    return summarised


def _count(arguments: list[Expression], group: Sequence[Row]) -> Value:
    return float(len(_values(arguments, group)) if arguments else len(group))


def _least_or_most(choose: Callable[..., Any]) -> Callable[[list[Expression], Sequence[Row]], Value]:
    def chosen(arguments: list[Expression], group: Sequence[Row]) -> Value:
        values = _values(arguments, group)
        if not values:
            return None
        numbers = [number(value) for value in values]
        if None not in numbers:
            return float(choose(numbers))
        return str(choose(map(as_text, values)))

    return chosen


def _percentile(arguments: list[Expression], group: Sequence[Row]) -> Value:
    numbers = sorted(_numbers(arguments, group))
    percent = number(evaluate(arguments[1], group[0])) if group else None
    if not numbers or percent is None:
        return None
    place = math.ceil(percent / 100 * len(numbers)) - 1
    return numbers[min(max(place, 0), len(numbers) - 1)]


def _deviation(numbers: list[float]) -> float:
    mean = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in numbers) / max(1, len(numbers) - 1))


def _by_time(choose: Callable[..., Row]) -> Callable[[list[Expression], Sequence[Row]], Value]:
    def chosen(arguments: list[Expression], group: Sequence[Row]) -> Value:
        present = [row for row in group if evaluate(arguments[0], row) is not None]
        if not present:
            return None
        return evaluate(arguments[0], choose(present, key=lambda row: milliseconds_of(row.get("@timestamp")) or 0.0))

    return chosen


def _by_order(place: int) -> Callable[[list[Expression], Sequence[Row]], Value]:
    def chosen(arguments: list[Expression], group: Sequence[Row]) -> Value:
        values = sorted(_values(arguments, group), key=order)
        return values[place] if values else None

    return chosen


def order(value: Value) -> tuple[int, float, str]:
    """Return what sorts values: numbers by their size before text by its letters."""
    found = number(value)
    if found is not None:
        return 0, found, ""
    return 1, 0.0, as_text(value)


AGGREGATES: Mapping[str, Callable[[list[Expression], Sequence[Row]], Value]] = {
    "count": _count,
    "count_distinct": lambda arguments, group: float(len(set(map(as_text, _values(arguments, group))))),
    "sum": _summary(math.fsum),
    "avg": _summary(lambda numbers: math.fsum(numbers) / len(numbers)),
    "min": _least_or_most(min),
    "max": _least_or_most(max),
    "pct": _percentile,
    "median": lambda arguments, group: _percentile([arguments[0], Literal(50.0)], group),
    "stddev": _summary(_deviation),
    "earliest": _by_time(min),
    "latest": _by_time(max),
    "sortsfirst": _by_order(0),
    "sortslast": _by_order(-1),
}
_MANY = 100
ARITIES: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(_FUNCTIONS, (1, 1)),
    **dict.fromkeys(AGGREGATES, (1, 1)),
    "count": (0, 1),
    "pct": (2, 2),
    "bin": (0, 1),
    "datefloor": (2, 2),
    "greatest": (1, _MANY),
    "least": (1, _MANY),
    "coalesce": (1, _MANY),
    "concat": (1, _MANY),
    "trim": (1, 2),
    "ltrim": (1, 2),
    "rtrim": (1, 2),
    "substr": (2, 3),
    "replace": (3, 3),
    "strcontains": (2, 2),
}
"""How many arguments each function takes, at least and at most."""
