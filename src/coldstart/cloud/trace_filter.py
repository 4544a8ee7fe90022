"""X-Ray's filter expressions: ``service("orders") { fault } AND annotation.country = "NO"``.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from coldstart.cloud.trace_store import Document, Trace, all_parts, end_of, segment_type
from coldstart.cloud.trace_summary import http_of, parts_of

TraceFilter = Callable[[Trace], bool]
_Parts = Callable[[Trace], Iterable[Document]]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<operator>!=|<=|>=|=|<|>|!)|(?P<mark>[(){},:])
    |(?P<word>annotation\[[^\]]+\]|[A-Za-z_][\w.]*))""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "CONTAINS": lambda value, part: str(part) in str(value),
    "BEGINSWITH": lambda value, part: str(value).startswith(str(part)),
    "ENDSWITH": lambda value, part: str(value).endswith(str(part)),
}
_FLAGS = ("error", "fault", "throttle", "ok", "partial", "inferred", "root")
_OF_HTTP = {
    "http.status": "status",
    "http.url": "url",
    "http.method": "method",
    "http.useragent": "user_agent",
    "http.clientip": "client_ip",
}


class InvalidFilter(ValueError):
    """The expression is not one; the message says where."""


def trace_filter(expression: str) -> TraceFilter:
    """Return what says whether a trace is meant.

    Raises:
        InvalidFilter: it is no filter expression, or asks for what the local AWS does not know.
    """
    return _Reader(expression).read()


class _Reader:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens: list[tuple[str, str]] = []
        position, expression = 0, expression.rstrip()
        while position < len(expression):
            found = _TOKEN.match(expression, position)
            if found is None or found.lastgroup is None:
                raise InvalidFilter(f"Invalid filter expression: unexpected '{expression[position:].strip()[:1]}'")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._next = 0

    def read(self) -> TraceFilter:
        found = self._any(parts_of)
        if self._next < len(self._tokens):
            raise self._error()
        return found

    def _any(self, parts: _Parts) -> TraceFilter:
        options = [self._all(parts)]
        while self._word("OR"):
            options.append(self._all(parts))
        return lambda trace: any(option(trace) for option in options)

    def _all(self, parts: _Parts) -> TraceFilter:
        conditions = [self._one(parts)]
        while self._word("AND"):
            conditions.append(self._one(parts))
        return lambda trace: all(condition(trace) for condition in conditions)

    def _one(self, parts: _Parts) -> TraceFilter:
        if self._word("NOT") or self._take("operator", "!"):
            inner = self._one(parts)
            return lambda trace: not inner(trace)
        if self._take("mark", "("):
            inner = self._any(parts)
            self._require("mark", ")")
            return inner
        word = self._take("word")
        if word is None:
            raise self._error()
        if word == "service":
            return self._service()
        if word.startswith("annotation"):
            return self._annotation(word, parts)
        if word in _FLAGS:
            return self._flag(word, parts)
        return self._value(word, parts)

    def _service(self) -> TraceFilter:
        """Read what stands after ``service``: a name, an id, or nothing, and perhaps a condition in braces."""
        name, kind = "", ""
        if self._take("mark", "("):
            if self._word("id"):
                self._require("mark", "(")
                while (key := self._take("word")) is not None:
                    self._require("mark", ":")
                    value = self._text()
                    name, kind = (value, kind) if key == "name" else (name, value if key == "type" else kind)
                    self._take("mark", ",")
                self._require("mark", ")")
            elif self._peek("text"):
                name = self._text()
            self._require("mark", ")")

        def parts(trace: Trace) -> list[Document]:
            return [
                segment
                for segment in trace.segments
                if name in ("", segment["name"]) and kind in ("", segment_type(segment))
            ]

        if not self._take("mark", "{"):
            return lambda trace: bool(parts(trace))
        inner = self._any(lambda trace: (part for segment in parts(trace) for part in all_parts(segment)))
        self._require("mark", "}")
        return lambda trace: bool(parts(trace)) and inner(trace)

    def _annotation(self, word: str, parts: _Parts) -> TraceFilter:
        key = word[len("annotation[") : -1].strip("\"' ") if word.startswith("annotation[") else word.partition(".")[2]
        if not key:
            raise self._error()

        def values(trace: Trace) -> list[Any]:
            return [part["annotations"][key] for part in parts(trace) if key in (part.get("annotations") or {})]

        if not self._is_comparison():
            return lambda trace: bool(values(trace))
        compare = self._comparison()
        return lambda trace: any(compare(value) for value in values(trace))

    def _flag(self, word: str, parts: _Parts) -> TraceFilter:
        if self._take("operator", "="):
            if self._word("false"):
                return lambda trace: not _has(word, trace, parts)
            if not self._word("true"):
                raise self._error()
        return lambda trace: _has(word, trace, parts)

    def _value(self, word: str, parts: _Parts) -> TraceFilter:
        if not self._is_comparison():
            raise InvalidFilter(f"Invalid filter expression: '{word}' is no keyword that stands alone")
        compare = self._comparison()
        if word in ("duration", "responsetime"):
            if parts is not parts_of:
                return lambda trace: any(compare(_lasted(part)) for part in parts(trace) if "trace_id" in part)
            if word == "duration":
                return lambda trace: compare(trace.end - trace.start)
            return lambda trace: compare(_lasted(trace.root))
        if word in _OF_HTTP:
            key = _OF_HTTP[word]
            return lambda trace: any(compare(http_of(part)[key]) for part in parts(trace) if key in http_of(part))
        if word == "name":
            return lambda trace: any(compare(part["name"]) for part in parts(trace) if "trace_id" in part)
        if word == "type":
            return lambda trace: any(compare(segment_type(part)) for part in parts(trace) if "trace_id" in part)
        if word == "user":
            return lambda trace: any(compare(part["user"]) for part in parts(trace) if part.get("user"))
        if word == "resource.arn":
            return lambda trace: any(compare(part["resource_arn"]) for part in parts(trace) if "resource_arn" in part)
        if word == "message":
            return lambda trace: any(
                compare(exception.get("message", ""))
                for part in parts(trace)
                if isinstance(part.get("cause"), dict)
                for exception in part["cause"].get("exceptions") or ()
            )
        raise InvalidFilter(f"Invalid filter expression: the local AWS does not know the keyword '{word}'")

    def _comparison(self) -> Callable[[Any], bool]:
        _, symbol = self._tokens[self._next]
        self._next += 1
        compare = _COMPARE[symbol.upper()]
        if (number := self._take("number")) is not None:
            wanted: Any = float(number)
        elif self._word("true"):
            wanted = True
        elif self._word("false"):
            wanted = False
        else:
            wanted = self._text()
        if isinstance(wanted, float):
            return lambda value: (
                isinstance(value, int | float) and not isinstance(value, bool) and compare(value, wanted)
            )
        if isinstance(wanted, bool):
            return lambda value: isinstance(value, bool) and compare(value, wanted)
        return lambda value: isinstance(value, str) and compare(value, wanted)

    def _is_comparison(self) -> bool:
        if self._next == len(self._tokens):
            return False
        kind, token = self._tokens[self._next]
        return (kind == "operator" and token != "!") or (kind == "word" and token.upper() in _COMPARE)

    def _text(self) -> str:
        token = self._take("text")
        if token is None:
            raise self._error()
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def _word(self, word: str) -> bool:
        if self._next < len(self._tokens):
            kind, token = self._tokens[self._next]
            if kind == "word" and token.upper() == word.upper():
                self._next += 1
                return True
        return False

    def _peek(self, kind: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next][0] == kind

    def _take(self, kind: str, text: str | None = None) -> str | None:
        if self._peek(kind) and text in (None, self._tokens[self._next][1]):
            self._next += 1
            return self._tokens[self._next - 1][1]
        return None

    def _require(self, kind: str, text: str) -> None:
        if self._take(kind, text) is None:
            raise self._error(f"'{text}' expected")

    def _error(self, expected: str = "") -> InvalidFilter:
        found = f"unexpected '{self._tokens[self._next][1]}'" if self._next < len(self._tokens) else "unexpected end"
        return InvalidFilter(f"Invalid filter expression: {found}{f', {expected}' if expected else ''}")


def _has(word: str, trace: Trace, parts: _Parts) -> bool:
    if word == "partial":
        return trace.is_partial
    if word == "ok":
        return not any(part.get(name) for part in parts(trace) for name in ("error", "fault", "throttle"))
    if word == "root":
        return trace.root in list(parts(trace))
    return any(part.get(word) for part in parts(trace))


def _lasted(part: Document) -> float:
    return end_of(part) - float(part["start_time"])
