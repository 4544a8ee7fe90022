"""CloudWatch Logs' filter patterns: ``ERROR -timeout``, ``{ $.level = "ERROR" }`` and ``[ip, user, status=5*]``.

FilterLogEvents, subscription filters and metric filters all ask here.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

MAX_PATTERN_LENGTH = 1024
"""Characters of a filter pattern."""


class InvalidFilterPattern(ValueError):
    """AWS refuses this pattern; the text is that of its InvalidParameterException."""


class FilterPattern(Protocol):
    """Says which log events match."""

    def match(self, message: str) -> dict[str, str] | None:
        """Return the fields that the pattern names, as TestMetricFilter shows them; None when the message does not match."""
        ...

    def value(self, message: str, selector: str) -> str | None:
        """Return what a metric filter's metricValue such as ``$.latency`` or ``$bytes`` stands for in a message."""
        ...


def filter_pattern(text: str) -> FilterPattern:
    """Read a filter pattern; the empty one matches everything.

    Raises:
        InvalidFilterPattern: AWS would refuse it.
    """
    text = text.strip()
    if len(text) > MAX_PATTERN_LENGTH:
        raise InvalidFilterPattern(f"Filter pattern must not be longer than {MAX_PATTERN_LENGTH} characters")
    for opening, closing, kind in (("{", "}", JsonPattern), ("[", "]", SpaceDelimitedPattern)):
        if text.startswith(opening):
            if not text.endswith(closing):
                raise InvalidFilterPattern(f"If a filter pattern starts with '{opening}' it must end with '{closing}'")
            return kind(text[1:-1])
    return TextPattern(text)


# --- values: terms, quoted phrases, numbers, wildcards, regular expressions

_REGEX_CHARACTER = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _regex(text: str) -> re.Pattern[str]:
    for character in text:
        if not _REGEX_CHARACTER.fullmatch(character):
            raise InvalidFilterPattern(f"Invalid character(s) in term '{character}'")
    try:
        return re.compile(text)
    except re.error:
        raise InvalidFilterPattern(f"Invalid regular expression '{text}'") from None


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


# --- text: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, unstructured log events

_TERM = re.compile(r'\s*([?-]?)\s*(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|(\w+)|(.))', re.DOTALL)


class TextPattern:
    """Terms that a message holds: all of them, none of those with ``-``, one of those with ``?``."""

    def __init__(self, text: str) -> None:
        """Read the terms.

        Raises:
            InvalidFilterPattern: a term with other than letters, digits and underscores is not in double quotes.
        """
        self._wanted: list[Callable[[str], bool]] = []
        self._unwanted: list[Callable[[str], bool]] = []
        self._optional: list[Callable[[str], bool]] = []
        kinds = {"": self._wanted, "-": self._unwanted, "?": self._optional}
        position = 0
        while position < len(text):
            term = _TERM.match(text, position)
            if term is None:  # a lone - or ? at the end
                raise InvalidFilterPattern(f"Invalid character(s) in term '{text[position:].strip()}'")
            sign, phrase, regex, word, other = term.groups()
            if other is not None or phrase == "":
                raise InvalidFilterPattern(f"Invalid character(s) in term '{other or chr(34) * 2}'")
            kinds[sign].append(_holds_regex(regex) if regex is not None else _holds(word or _unquoted(phrase)))
            position = term.end()

    def match(self, message: str) -> dict[str, str] | None:
        """Return an empty dict when the message matches. Beside other terms, those with ``?`` have no effect."""
        if any(holds(message) for holds in self._unwanted) or not all(holds(message) for holds in self._wanted):
            return None
        only_optional = bool(self._optional) and not self._wanted and not self._unwanted
        return None if only_optional and not any(holds(message) for holds in self._optional) else {}

    def value(self, message: str, selector: str) -> str | None:
        """Return None: text has no fields."""
        return None


def _holds(term: str) -> Callable[[str], bool]:
    return lambda message: term in message


def _holds_regex(text: str) -> Callable[[str], bool]:
    regex = _regex(text)
    return lambda message: regex.search(message) is not None


# --- conditions that JSON and space-delimited patterns share

_Lookup = Callable[[str], Any]
_Condition = Callable[[_Lookup], bool]
_MISSING = object()


@dataclass(frozen=True)
class _Value:
    """The right side of a comparison."""

    text: str
    number: float | None = None
    regex: re.Pattern[str] | None = None

    def equals(self, found: Any) -> bool:
        if self.regex is not None:
            return self.regex.search(_as_text(found)) is not None
        if self.number is not None and (value := _as_number(found)) is not None:
            return value == self.number
        text, wanted = _as_text(found), self.text
        if wanted == "*":
            return True
        starts, ends = wanted.startswith("*"), wanted.endswith("*")
        core = wanted[int(starts) : len(wanted) - int(ends)]
        if starts and ends:
            return core in text
        if starts:
            return text.endswith(core)
        return text.startswith(core) if ends else text == core


def _as_text(found: Any) -> str:
    return found if isinstance(found, str) else json.dumps(found)


def _as_number(found: Any) -> float | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return float(found)
    return float(found) if isinstance(found, str) and _NUMBER.fullmatch(found) else None


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<logic>&&|\|\|)
    | (?P<parenthesis>[()])
    | (?P<operator>!=|=!|<=|>=|=|<|>)
    | "(?P<phrase>(?:[^"\\]|\\.)*)"
    | %(?P<regex>[^%]*)%
    | (?P<selector>\$(?:\.?[\w-]+|\.?\[\s*(?:\d+|'[^']*'|"[^"]*")\s*\])+)
    | (?P<word>[\w.*+/:-]+)
    )""",
    re.VERBOSE,
)


class _Conditions:
    """Reads comparisons joined by ``&&``, ``||`` and parentheses."""

    def __init__(self, text: str, name_kind: str) -> None:
        self._name_kind = name_kind  # the left side of a comparison: "selector" or "word"
        self._tokens: list[tuple[str, str]] = []
        text = text.rstrip()
        position = 0
        while position < len(text):
            token = _TOKEN.match(text, position)
            if token is None:
                raise InvalidFilterPattern(f"Invalid character(s) in term '{text[position:].strip()[0]}'")
            assert token.lastgroup is not None
            self._tokens.append((token.lastgroup, token[token.lastgroup]))
            position = token.end()
        self._next = 0
        self.names: list[str] = []

    def read(self) -> _Condition:
        condition = self._any()
        if self._next < len(self._tokens):
            raise self._error()
        return condition

    def _any(self) -> _Condition:
        conditions = [self._all()]
        while self._take("logic", "||"):
            conditions.append(self._all())
        return lambda lookup: any(condition(lookup) for condition in conditions)

    def _all(self) -> _Condition:
        conditions = [self._one()]
        while self._take("logic", "&&"):
            conditions.append(self._one())
        return lambda lookup: all(condition(lookup) for condition in conditions)

    def _one(self) -> _Condition:
        if self._take("parenthesis", "("):
            condition = self._any()
            if not self._take("parenthesis", ")"):
                raise self._error()
            return condition
        name = self._take(self._name_kind)
        if name is None:
            raise self._error()
        self.names.append(name)
        if self._take("word", "NOT"):
            self._require("EXISTS")
            return lambda lookup: lookup(name) is _MISSING
        if self._take("word", "IS"):
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}[self._require("NULL", "TRUE", "FALSE")]
            return lambda lookup: lookup(name) is wanted
        operator = self._take("operator")
        if operator is None:
            raise self._error()
        return _comparison(name, operator, self._value(operator))

    def _value(self, operator: str) -> _Value:
        if (phrase := self._take("phrase")) is not None:
            return _Value(_unquoted(phrase))
        if (regex := self._take("regex")) is not None and operator in ("=", "!=", "=!"):
            return _Value(regex, regex=_regex(regex))
        word = self._take("word")
        if word is None:
            raise self._error()
        number = float(word) if _NUMBER.fullmatch(word) else None
        if number is None and operator in ("<", ">", "<=", ">="):
            raise self._error()
        return _Value(word, number)

    def _take(self, kind: str, text: str | None = None) -> str | None:
        if self._next < len(self._tokens):
            found, value = self._tokens[self._next]
            if found == kind and text in (None, value):
                self._next += 1
                return value
        return None

    def _require(self, *words: str) -> str:
        for word in words:
            if self._take("word", word):
                return word
        raise self._error()

    def _error(self) -> InvalidFilterPattern:
        if self._next < len(self._tokens):
            return InvalidFilterPattern(f"Invalid character(s) in term '{self._tokens[self._next][1]}'")
        return InvalidFilterPattern("Invalid filter pattern")


def _comparison(name: str, operator: str, wanted: _Value) -> _Condition:
    def compare(lookup: _Lookup) -> bool:
        found = lookup(name)
        if not isinstance(found, str | int | float) or isinstance(found, bool):
            return False  # missing, or not a value: "the log format doesn't match the filter"
        if operator == "=":
            return wanted.equals(found)
        if operator in ("!=", "=!"):
            return not wanted.equals(found)
        value = _as_number(found)
        if value is None or wanted.number is None:
            return False
        return {
            "<": value < wanted.number,
            ">": value > wanted.number,
            "<=": value <= wanted.number,
            ">=": value >= wanted.number,
        }[operator]

    return compare


# --- JSON

_STEP = re.compile(r"""\.?(?:([\w-]+)|\[\s*(?:(\d+)|'([^']*)'|"([^"]*)")\s*\])""")


class JsonPattern:
    """``{ $.level = "ERROR" && $.ms > 100 }``: conditions on the values of a message that is a JSON object."""

    def __init__(self, text: str) -> None:
        """Read what is between the braces.

        Raises:
            InvalidFilterPattern: it is not a list of conditions.
        """
        conditions = _Conditions(text, "selector")
        self._condition = conditions.read()
        self._selectors = conditions.names

    def match(self, message: str) -> dict[str, str] | None:
        """Return the values of the pattern's selectors when the message is JSON and matches."""
        document = _document(message)
        if document is None or not self._condition(lambda selector: _select(document, selector)):
            return None
        found = {selector: _select(document, selector) for selector in self._selectors}
        return {selector: _as_text(value) for selector, value in found.items() if value is not _MISSING}

    def value(self, message: str, selector: str) -> str | None:
        """Return the value that a selector such as ``$.latency`` points to."""
        document = _document(message)
        found = _MISSING if document is None else _select(document, selector)
        return None if found is _MISSING else _as_text(found)


def _document(message: str) -> Any:
    if not message.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def _select(document: Any, selector: str) -> Any:
    found = document
    for word, index, single_quoted, double_quoted in _STEP.findall(selector[1:]):
        if index:
            if not isinstance(found, list) or int(index) >= len(found):
                return _MISSING
            found = found[int(index)]
        else:
            key = word or single_quoted or double_quoted
            if not isinstance(found, dict) or key not in found:
                return _MISSING
            found = found[key]
    return found


# --- space-delimited

_WORD = re.compile(r'\s*(?:"([^"]*)"|\[([^\]]*)\]|(\S+))')
_FIELD = re.compile(r'\s*((?:[^",%]|"(?:[^"\\]|\\.)*"|%[^%]*%)*)(,|$)')


class SpaceDelimitedPattern:
    """``[ip, user, ..., status=5*]``: conditions on the words of a message, by their place."""

    def __init__(self, text: str) -> None:
        """Read what is between the brackets.

        Raises:
            InvalidFilterPattern: it is not a list of names and conditions, or has more than one ``...``.
        """
        self._names: list[str] = []
        self._conditions: list[_Condition] = []
        self._ellipsis: int | None = None
        for number, field in enumerate(_fields(text)):
            if field == "...":
                if self._ellipsis is not None:
                    raise InvalidFilterPattern("Invalid filter pattern")
                self._ellipsis = number
            elif field == "" or re.fullmatch(r"\w+", field):
                self._names.append(field)
            else:
                conditions = _Conditions(field, "word")
                self._conditions.append(conditions.read())
                self._names.append(conditions.names[0])

    def match(self, message: str) -> dict[str, str] | None:
        """Return the named words (``$status``; ``$4`` for one without a name) when there are as many and all conditions hold."""
        words = self._words(message)
        if words is None:
            return None
        by_name = {name[1:]: word for name, word in words.items()}
        if not all(condition(lambda name: by_name.get(name, _MISSING)) for condition in self._conditions):
            return None
        return words

    def value(self, message: str, selector: str) -> str | None:
        """Return the word that a name such as ``$bytes`` stands for."""
        return (self._words(message) or {}).get(selector)

    def _words(self, message: str) -> dict[str, str] | None:
        words = [quoted or bracketed or word for quoted, bracketed, word in _WORD.findall(message)]
        names = list(self._names)
        if self._ellipsis is not None:
            names[self._ellipsis : self._ellipsis] = [""] * max(0, len(words) - len(names))
        if len(names) != len(words):
            return None
        return {f"${name or place}": word for place, (name, word) in enumerate(zip(names, words, strict=True), 1)}


def _fields(text: str) -> list[str]:
    fields, position = [], 0
    while True:
        field = _FIELD.match(text, position)
        if field is None:
            raise InvalidFilterPattern("Invalid filter pattern")
        fields.append(field[1].strip())
        position = field.end()
        if not field[2]:
            return fields
