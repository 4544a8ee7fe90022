"""Event patterns: which events a rule, a subscription or an event source mapping lets through.

The language is EventBridge's (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html), whose
meaning in corner cases is that of the library that AWS runs, Event Ruler (https://github.com/aws/event-ruler); its texts for
faulty patterns are used here too. Event source mappings use the same language on records, see :class:`RecordFilter` and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html.

A pattern is compiled once into functions, so that matching an event costs little more than looking its fields up.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_Value = Callable[[Any], bool]
"""Says whether a scalar of the event (string, number, boolean or None) matches."""
_Node = Callable[[Any, Any], bool]
"""Says whether a part of an event matches; the second argument is the whole event."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBER_LIMIT = 5e9
_OPERATORS = (
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
)
_RESERVED_IN_OR = {*_OPERATORS, "=", "<", "<=", ">", ">=", "regex"}
_MISSING = object()


class InvalidEventPattern(ValueError):
    """The text is no event pattern; the message is the reason that AWS gives."""


class EventPattern:
    """A compiled event pattern."""

    def __init__(self, pattern: str | Mapping[str, Any]) -> None:
        """Compile a pattern, given as JSON text or as the object it stands for.

        Raises:
            InvalidEventPattern: it is not valid.
        """
        if isinstance(pattern, str):
            try:
                pattern = json.loads(pattern)
            except ValueError as error:
                raise InvalidEventPattern(f"Invalid JSON: {error}") from None
        if not isinstance(pattern, Mapping):
            raise InvalidEventPattern("Filter is not an object")
        self.fields = dict(pattern)
        """The pattern itself."""
        self._matches = _compile_object(self.fields, ())

    def matches(self, event: Any) -> bool:
        """Say whether an event (as parsed from JSON) matches."""
        return self._matches(event, event)


class RecordFilter:
    """The filter criteria of an event source mapping: any one of the patterns lets a record through."""

    def __init__(self, patterns: Iterable[str], payload: str | None = None) -> None:
        """Compile the patterns.

        Args:
            patterns: JSON texts; without any, every record passes.
            payload: the field of a record that holds the sender's data as text: ``body`` (SQS) or ``data`` (Kinesis, in base64
                under ``kinesis`` in the record and at the top of the pattern). None for DynamoDB, whose records are JSON.

        Raises:
            InvalidEventPattern: one of them is not valid.
        """
        self._patterns = [EventPattern(pattern) for pattern in patterns]
        self._payload = payload

    def accepts(self, record: dict[str, Any]) -> bool:
        """Say whether the function gets this record (an element of ``Records``)."""
        if not self._patterns:
            return True
        if self._payload == "body":
            record = {**record, "body": _as_json(record["body"])}
        elif self._payload == "data":
            record = {**record, "data": _as_json(_decoded(record["kinesis"]["data"]))}
        return any(pattern.matches(record) for pattern in self._patterns)


def _decoded(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (UnicodeDecodeError, binascii.Error):
        return None


def _as_json(text: str | None) -> Any:
    """Return an object or list that the text holds, else the text: a pattern of the other kind then drops the record."""
    if text is None or text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _compile_object(pattern: Mapping[str, Any], path: tuple[str, ...], *, inside_or: bool = False) -> _Node:
    if not pattern:
        raise InvalidEventPattern("Empty objects are not allowed")
    conditions: list[_Node] = []
    for name, expected in pattern.items():
        if name == "$or":
            conditions.append(_compile_or(expected, path))
        elif inside_or and name in _RESERVED_IN_OR:
            raise InvalidEventPattern(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
        elif isinstance(expected, Mapping):
            nested = _compile_object(expected, (*path, name), inside_or=inside_or)
            conditions.append(_FieldOfObject(name, nested))
        elif isinstance(expected, list):
            conditions.append(_leaf(name, (*path, name), expected))
        else:
            raise InvalidEventPattern(f'"{name}" must be an object or an array')
    if len(conditions) == 1:
        return conditions[0]
    return lambda value, event: all(condition(value, event) for condition in conditions)


def _compile_or(alternatives: Any, path: tuple[str, ...]) -> _Node:
    if not isinstance(alternatives, list):
        raise InvalidEventPattern("It must be an Array followed with $or.")
    if not all(isinstance(alternative, Mapping) for alternative in alternatives):
        raise InvalidEventPattern("Only JSON object is allowed in array of $or relationship.")
    if len(alternatives) < 2:
        raise InvalidEventPattern("There must have at least 2 Objects in $or relationship.")
    nodes = [_compile_object(alternative, path, inside_or=True) for alternative in alternatives]
    return lambda value, event: any(node(value, event) for node in nodes)


@dataclass(frozen=True)
class _FieldOfObject:
    """All conditions on the fields of an object; in a list of objects, one and the same object has to meet them."""

    name: str
    fields: _Node

    def __call__(self, value: Any, event: Any) -> bool:
        found = value.get(self.name) if isinstance(value, dict) else None
        if isinstance(found, list):
            objects = [element for element in _elements(found) if isinstance(element, dict)]
            return any(self.fields(element, event) for element in objects) or (not objects and self.fields(None, event))
        return self.fields(found, event)


def _leaf(name: str, path: tuple[str, ...], expected: list[Any]) -> _Node:
    """Compile the alternatives for one field; a list in the event matches when one of its elements does."""
    if not expected:
        raise InvalidEventPattern("Empty arrays are not allowed")
    strings: set[str] = set()
    numbers: set[float] = set()
    literals: list[Any] = []
    tests: list[_Value] = []
    may_be_absent = False
    for value in expected:
        if isinstance(value, Mapping):
            if value.get("exists") is False and len(value) == 1:
                may_be_absent = True
            else:
                tests.append(_expression(value))
        elif isinstance(value, str):
            strings.add(value)
        elif value is None or isinstance(value, bool):
            literals.append(value)
        elif isinstance(value, (int, float)):
            numbers.add(value)
        else:
            raise InvalidEventPattern("Match value must be String, number, true, false, or null")

    def matches_scalar(value: Any) -> bool:
        if isinstance(value, str):
            equal = value in strings
        elif value is None or isinstance(value, bool):
            equal = any(value is literal for literal in literals)
        else:
            equal = value in numbers
        return equal or any(test(value) for test in tests)

    def matches(value: Any, event: Any) -> bool:
        found = value.get(name, _MISSING) if isinstance(value, dict) else _MISSING
        if isinstance(found, list):
            if any(matches_scalar(element) for element in _elements(found) if not isinstance(element, dict)):
                return True
        elif found is not _MISSING and not isinstance(found, dict) and matches_scalar(found):
            return True
        return may_be_absent and not _has_leaf(event, path)

    return matches


def _elements(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _elements(value)
        else:
            yield value


def _has_leaf(value: Any, path: tuple[str, ...]) -> bool:
    """Say whether any scalar stands at this path of an event; objects and empty lists do not count as existing."""
    if isinstance(value, list):
        return any(_has_leaf(element, path) for element in value)
    if not path:
        return not isinstance(value, dict)
    return isinstance(value, dict) and path[0] in value and _has_leaf(value[path[0]], path[1:])


def _expression(expression: Mapping[str, Any]) -> _Value:
    """Compile ``{"operator": operand}``."""
    if not expression:
        raise InvalidEventPattern("Match expression name not found")
    operator, operand = next(iter(expression.items()))
    if operator not in _OPERATORS:
        raise InvalidEventPattern(f"Unrecognized match type {operator}")
    compiled = _COMPILERS[operator](operand)
    if len(expression) > 1:
        raise InvalidEventPattern(
            "Too many elements in numeric expression"
            if operator in ("numeric", "anything-but")
            else "Only one key allowed in match expression"
        )
    return compiled


def _exactly(operand: Any) -> _Value:
    if not isinstance(operand, str):
        raise InvalidEventPattern("exact match pattern must be a string")
    return lambda value: value == operand and isinstance(value, str)


def _equals_ignore_case(operand: Any) -> _Value:
    if not isinstance(operand, str):
        raise InvalidEventPattern("equals-ignore-case match pattern must be a string")
    folded = operand.lower()
    return lambda value: isinstance(value, str) and value.lower() == folded


def _prefix(operand: Any) -> _Value:
    if isinstance(operand, Mapping):
        start = _ignoring_case("prefix", operand)
        return lambda value: isinstance(value, str) and value.lower().startswith(start)
    if not isinstance(operand, str):
        raise InvalidEventPattern("prefix match pattern must be a string")
    return lambda value: isinstance(value, str) and value.startswith(operand)


def _suffix(operand: Any) -> _Value:
    if isinstance(operand, Mapping):
        end = _ignoring_case("suffix", operand)
        return lambda value: isinstance(value, str) and value.lower().endswith(end)
    if not isinstance(operand, str):
        raise InvalidEventPattern("suffix match pattern must be a string")
    return lambda value: isinstance(value, str) and value.endswith(operand)


def _ignoring_case(kind: str, operand: Mapping[str, Any]) -> str:
    if not operand:
        raise InvalidEventPattern(f"{kind.capitalize()} expression name not found")
    operator, text = next(iter(operand.items()))
    if operator != "equals-ignore-case":
        raise InvalidEventPattern(f"Unsupported {kind} pattern: {operator}")
    if not isinstance(text, str):
        raise InvalidEventPattern("equals-ignore-case match pattern must be a string")
    if len(operand) > 1:
        raise InvalidEventPattern("Only one key allowed in match expression")
    return text.lower()


def _wildcard(operand: Any) -> _Value:
    if not isinstance(operand, str):
        raise InvalidEventPattern("wildcard match pattern must be a string")
    first, *others = _wildcard_parts(operand)
    if not others:
        return lambda value: isinstance(value, str) and value == first
    *between, last = others

    def matches(value: Any) -> bool:
        if not isinstance(value, str) or len(value) < len(first) + len(last):
            return False
        if not (value.startswith(first) and value.endswith(last)):
            return False
        position, end = len(first), len(value) - len(last)
        for part in between:
            found = value.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return True

    return matches


def _wildcard_parts(pattern: str) -> list[str]:
    """Return what stands between the asterisks; a backslash makes an asterisk or a backslash literal."""
    parts = [""]
    position = 0
    while position < len(pattern):
        character, following = pattern[position], pattern[position + 1 : position + 2]
        # Ruler counts in the quoted string, so one further than here.
        if character == "*":
            if following == "*":
                raise InvalidEventPattern(f"Consecutive wildcard characters at pos {position + 1}")
            parts.append("")
        elif character == "\\":
            if following not in ("*", "\\"):
                raise InvalidEventPattern(f"Invalid escape character at pos {position + 1}")
            parts[-1] += following
            position += 1
        else:
            parts[-1] += character
        position += 1
    return parts


def _exists(operand: Any) -> _Value:
    if not isinstance(operand, bool):
        raise InvalidEventPattern("exists match pattern must be either true or false.")
    return lambda value: operand


def _number(value: Any, complaint: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidEventPattern(complaint)
    if not -_NUMBER_LIMIT <= value <= _NUMBER_LIMIT:
        raise InvalidEventPattern("Value must be between -5.0E9 and 5.0E9, inclusive")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numeric(operand: Any) -> _Value:
    if not isinstance(operand, list):
        raise InvalidEventPattern("Value of numeric must be an array.")
    if not operand or not isinstance(operand[0], str):
        shown = json.dumps(operand[0]) if operand else "]"
        raise InvalidEventPattern(f"Invalid member in numeric match: {shown}")
    operator = operand[0]
    if operator not in _COMPARISONS:
        raise InvalidEventPattern(f"Unrecognized numeric range operator: {operator}")
    named = "equals" if operator == "=" else operator
    first = _number(operand[1] if len(operand) > 1 else None, f"Value of {named} must be numeric")
    compare = _COMPARISONS[operator]
    if len(operand) == 2:
        return lambda value: _is_number(value) and compare(value, first)
    if operator in ("=", "<", "<="):
        raise InvalidEventPattern("Too many elements in numeric expression")
    top_operator = operand[2]
    if not isinstance(top_operator, str):
        raise InvalidEventPattern(f"Bad value in numeric range: {json.dumps(top_operator)}")
    if top_operator not in ("<", "<="):
        raise InvalidEventPattern(f"Bad numeric range operator: {top_operator}")
    top = _number(operand[3] if len(operand) > 3 else None, f"Value of {top_operator} must be numeric")
    if len(operand) > 4:
        raise InvalidEventPattern("Too many terms in numeric range expression")
    if first >= top:
        raise InvalidEventPattern("Bottom must be less than top")
    compare_top = _COMPARISONS[top_operator]
    return lambda value: _is_number(value) and compare(value, first) and compare_top(value, top)


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, operand: value == operand,
    "<": lambda value, operand: value < operand,
    "<=": lambda value, operand: value <= operand,
    ">": lambda value, operand: value > operand,
    ">=": lambda value, operand: value >= operand,
}


def _cidr(operand: Any) -> _Value:
    if not isinstance(operand, str):
        raise InvalidEventPattern("prefix match pattern must be a string")
    if operand.count("/") != 1:
        raise InvalidEventPattern("Malformed CIDR, one '/' required")
    address, bits = operand.split("/")
    if not bits.lstrip("-").isdigit():
        raise InvalidEventPattern("Malformed CIDR, mask bits must be an integer")
    if int(bits) < 0:
        raise InvalidEventPattern("Malformed CIDR, mask bits must not be negative")
    if _address(address) is None:
        raise InvalidEventPattern(f"Nonstandard IP address: {address}")
    try:
        network = ipaddress.ip_network(operand, strict=False)
    except ValueError:
        raise InvalidEventPattern(
            "IPv6 mask bits must be < 128" if ":" in address else "IPv4 mask bits must be < 32"
        ) from None

    def matches(value: Any) -> bool:
        found = _address(value) if isinstance(value, str) else None
        return found is not None and found in network

    return matches


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _anything_but(operand: Any) -> _Value:
    """Compile the negation: it matches whatever the field holds, if only the field is there."""
    if isinstance(operand, Mapping):
        return _anything_but_expression(operand)
    values = operand if isinstance(operand, list) else [operand]
    if not isinstance(operand, list) and not isinstance(operand, str) and not _is_number(operand):
        raise InvalidEventPattern("Value of anything-but must be an array or single string/number value.")
    if not all(isinstance(value, str) or _is_number(value) for value in values):
        raise InvalidEventPattern("Inside anything but list, start|null|boolean is not supported.")
    if len({isinstance(value, str) for value in values}) != 1:
        raise InvalidEventPattern(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )
    refused = frozenset(values)
    return lambda value: isinstance(value, bool) or value not in refused


def _anything_but_expression(expression: Mapping[str, Any]) -> _Value:
    if not expression:
        raise InvalidEventPattern("Anything-But expression name not found")
    operator, operand = next(iter(expression.items()))
    if operator not in ("equals-ignore-case", "prefix", "suffix", "wildcard"):
        raise InvalidEventPattern(f"Unsupported anything-but pattern: {operator}")
    texts = operand if isinstance(operand, list) else [operand]
    if isinstance(operand, (Mapping, bool)) or operand is None:
        raise InvalidEventPattern("Value of anything-but must be an array or single string/number value.")
    for text in texts:
        if not isinstance(text, str):
            raise InvalidEventPattern(
                {
                    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, "
                    "number|start|null|boolean is not supported.",
                    "wildcard": "wildcard match pattern must be a string",
                }.get(operator, "prefix/suffix match pattern must be a string")
            )
        if not text and operator in ("prefix", "suffix"):
            raise InvalidEventPattern("Null prefix/suffix not allowed")
    if len(expression) > 1:
        raise InvalidEventPattern("Too many elements in numeric expression")
    tests = [_COMPILERS[operator](text) for text in texts]
    return lambda value: not any(test(value) for test in tests)


_COMPILERS: dict[str, Callable[[Any], _Value]] = {
    "exactly": _exactly,
    "equals-ignore-case": _equals_ignore_case,
    "prefix": _prefix,
    "suffix": _suffix,
    "anything-but": _anything_but,
    "exists": _exists,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
}
