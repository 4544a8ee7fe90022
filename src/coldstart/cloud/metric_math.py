"""Metric math: expressions over the metrics of one GetMetricData, such as ``100 * errors / FILL(invocations, 0)``.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html. Of the functions there are the ones below.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping

Series = dict[int, float]
"""Values by the start of their period, in seconds since the epoch."""
_Value = Series | float | list[Series]

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OF_EACH: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_OVER_ALL: dict[str, Callable[[list[float]], float]] = {
    "SUM": math.fsum,
    "AVG": lambda values: math.fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
}


class InvalidExpression(ValueError):
    """CloudWatch, or this part of it, does not know what the expression asks for."""


def evaluate(expression: str, series: Mapping[str, Series], period: int, times: range) -> Series:
    """Return the values of an expression.

    Args:
        expression: with the ids of other queries as names.
        series: the values of those.
        period: for ``PERIOD(id)``, in seconds.
        times: the starts of all periods asked for, which ``FILL`` fills.

    Raises:
        InvalidExpression: it cannot be evaluated.
    """
    text = re.sub(r"\^", "**", expression).replace("&&", " and ").replace("||", " or ")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        raise InvalidExpression(f"Error in expression '{expression}': Syntax error") from None
    value = _Evaluation(expression, series, period, times).value(tree.body)
    if isinstance(value, list):
        raise InvalidExpression(f"Error in expression '{expression}': The expression returns more than one time series")
    return value if isinstance(value, dict) else dict.fromkeys(times, value)


class _Evaluation:
    def __init__(self, expression: str, series: Mapping[str, Series], period: int, times: range) -> None:
        self._expression = expression
        self._series = series
        self._period = period
        self._times = times

    def value(self, node: ast.expr) -> _Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                if name not in self._series:
                    raise self._error(f"Unknown identifier '{name}'")
                return self._series[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combined(operator.sub, 0.0, self.value(operand))
            case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATORS:
                return self._combined(_OPERATORS[type(operation)], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[comparison], comparators=[right]) if type(comparison) in _COMPARISONS:
                compare = _COMPARISONS[type(comparison)]
                return self._combined(lambda a, b: float(compare(a, b)), self.value(left), self.value(right))
            case ast.BoolOp(op=operation, values=[first, *others]):
                joined = self.value(first)
                decide = (lambda a, b: float(bool(a and b))) if isinstance(operation, ast.And) else _either
                for other in others:
                    joined = self._combined(decide, joined, self.value(other))
                return joined
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name.upper(), arguments)
        raise self._error("Syntax error")

    def _call(self, name: str, arguments: list[ast.expr]) -> _Value:
        match name, arguments:
            case "METRICS", []:
                return list(self._series.values())
            case "METRICS", [ast.Constant(value=str() as part)]:
                return [series for identifier, series in self._series.items() if part in identifier]
            case "PERIOD", [_]:
                return float(self._period)
            case "FILL", [first, second]:
                return self._filled(self._one(first), second)
            case "IF", [condition, then, *otherwise]:
                return self._chosen(self._one(condition), self.value(then), otherwise)
            case _, [only] if name in _OF_EACH:
                change = _OF_EACH[name]
                return self._combined(lambda value, _: float(change(value)), self.value(only), 0.0)
            case _, [_, *_] if name in _OVER_ALL:
                return self._over_all(_OVER_ALL[name], [self.value(argument) for argument in arguments])
        raise self._error(f"The local AWS does not know the function {name} with {len(arguments)} argument(s)")

    def _over_all(self, summarise: Callable[[list[float]], float], values: list[_Value]) -> _Value:
        """Summarise several series period by period, or one series over all its periods."""
        series = [one for value in values for one in (value if isinstance(value, list) else [value])]
        if len(series) == 1 and isinstance(series[0], dict) and not isinstance(values[0], list):
            return summarise(list(series[0].values())) if series[0] else {}
        times = sorted({second for one in series if isinstance(one, dict) for second in one})
        found = {}
        for second in times:
            present = [
                one[second] if isinstance(one, dict) else one
                for one in series
                if not isinstance(one, dict) or second in one
            ]
            found[second] = summarise(present)
        return found

    def _filled(self, series: Series, by: ast.expr) -> Series:
        filled, last = {}, None
        for second in self._times:
            if second in series:
                filled[second] = last = series[second]
            elif isinstance(by, ast.Name) and by.id == "REPEAT":
                if last is not None:
                    filled[second] = last
            else:
                filler = self.value(by)
                value = filler.get(second) if isinstance(filler, dict) else filler
                if isinstance(value, float):
                    filled[second] = value
        return filled

    def _chosen(self, condition: Series, then: _Value, otherwise: list[ast.expr]) -> Series:
        other = self.value(otherwise[0]) if otherwise else {}
        found = {}
        for second, holds in condition.items():
            chosen = then if holds else other
            value = chosen.get(second) if isinstance(chosen, dict) else chosen
            if isinstance(value, float):
                found[second] = value
        return found

    def _one(self, node: ast.expr) -> Series:
        value = self.value(node)
        if isinstance(value, list):
            raise self._error("A single time series is needed")
        return value if isinstance(value, dict) else dict.fromkeys(self._times, value)

    def _combined(self, combine: Callable[[float, float], float], left: _Value, right: _Value) -> _Value:
        """Combine two values period by period; what one of them has not, or cannot be divided, the result has not."""
        if isinstance(left, list):
            return [_as_series(self._combined(combine, one, right)) for one in left]
        if isinstance(right, list):
            return [_as_series(self._combined(combine, left, one)) for one in right]
        if not isinstance(left, dict) and not isinstance(right, dict):
            try:
                return float(combine(left, right))
            except ArithmeticError:
                raise self._error("Division by zero") from None
        found = {}
        for second in sorted(left if isinstance(left, dict) else right):  # type: ignore[arg-type]
            first = left.get(second) if isinstance(left, dict) else left
            last = right.get(second) if isinstance(right, dict) else right
            if first is None or last is None:
                continue
            try:
                found[second] = float(combine(first, last))
            except ArithmeticError:
                continue
        return found

    def _error(self, reason: str) -> InvalidExpression:
        return InvalidExpression(f"Error in expression '{self._expression}': {reason}")


def _as_series(value: _Value) -> Series:
    return value if isinstance(value, dict) else {}


def _either(a: float, b: float) -> float:
    return float(bool(a or b))
