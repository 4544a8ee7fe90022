"""Reads a query: its commands, and the expressions in them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html. What is no query is refused with the place and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from coldstart.cloud.insights.expressions import (
    AGGREGATES,
    ARITIES,
    Binary,
    Call,
    Duration,
    Expression,
    Field,
    In,
    Like,
    Literal,
    Not,
)

_SPACE = re.compile(r"(?:\s+|#[^\n]*)*")
_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<quoted>`[^`]*`)
    |(?P<duration>\d+(?:ms|mo|s|m|h|d|w|q|y)\b)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[@A-Za-z_][\w@]*(?:\.[\w@]+)*)
    |(?P<operator>=~|!=|<=|>=|[=<>+\-*/^%])
    |(?P<mark>[(),|\[\]])""",
    re.VERBOSE,
)
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)*)/")
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


class MalformedQuery(ValueError):
    """It is no query.

    Args:
        start: where in the text the fault is, in characters.
        end: where it ends.
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


@dataclass(frozen=True)
class Column:
    """An expression and the name of its value."""

    expression: Expression
    name: str


@dataclass(frozen=True)
class Fields:
    """``fields a, b / 2 as half``."""

    columns: list[Column]


@dataclass(frozen=True)
class Display:
    """``display a, b``: of all fields so far, only these."""

    names: list[str]


@dataclass(frozen=True)
class Filter:
    """``filter a > 3``."""

    condition: Expression


@dataclass(frozen=True)
class Stats:
    """``stats count(*) as n by b``."""

    columns: list[Column]
    by: list[Column]


@dataclass(frozen=True)
class Sort:
    """``sort a desc, b``: columns, each with whether the largest comes first."""

    keys: list[tuple[Column, bool]]


@dataclass(frozen=True)
class Limit:
    """``limit 20``."""

    count: int


@dataclass(frozen=True)
class Parse:
    """``parse @message "* took *" as who, time``, or with a regular expression."""

    source: Expression
    pattern: re.Pattern[str]
    names: list[str]


@dataclass(frozen=True)
class Dedup:
    """``dedup a, b``: of rows that agree in these only the first."""

    names: list[str]


Command = Fields | Display | Filter | Stats | Sort | Limit | Parse | Dedup


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def read_query(text: str) -> list[Command]:
    """Return the commands of a query.

    Raises:
        MalformedQuery: it is none.
    """
    return _Reader(text).read()


@dataclass
class _Reader:
    text: str
    position: int = 0
    in_stats: bool = field(default=False, init=False)
    """Whether aggregations may stand here."""
    grouped: set[str] = field(default_factory=set, init=False)
    """The columns of the last stats."""

    def read(self) -> list[Command]:
        commands = [self._command()]
        while (token := self._peek()) is not None:
            if token.text != "|":
                raise self._unexpected("'|' or the end of the query")
            self._take()
            commands.append(self._command())
        return commands

    def _command(self) -> Command:
        readers: dict[str, Callable[[], Command]] = {
            "fields": self._fields,
            "display": lambda: Display(self._names()),
            "filter": lambda: Filter(self._expression()),
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
            "parse": self._parse,
            "dedup": lambda: Dedup(self._names()),
        }
        token = self._peek()
        if token is None or token.text.lower() not in readers:
            raise self._unexpected("one of the commands " + ", ".join(readers))
        self._take()
        return readers[token.text.lower()]()

    def _fields(self) -> Fields:
        return Fields(self._columns())

    def _stats(self) -> Stats:
        self.in_stats = True
        start = self._at()
        columns = self._columns()
        self.in_stats = False
        for column in columns:
            if not has_aggregate(column.expression):
                raise MalformedQuery(
                    f"stats needs an aggregation such as count(*) or avg({column.name}), not {column.name}",
                    start,
                    self.position,
                )
        by = self._columns() if self._word("by") else []
        self.grouped = {column.name for column in [*columns, *by]}
        return Stats(columns, by)

    def _sort(self) -> Sort:
        keys = []
        while True:
            start = self._at()
            self.in_stats = True
            expression = self._expression()
            self.in_stats = False
            column = Column(expression, self.text[start : self.position].strip())
            if has_aggregate(expression) and column.name not in self.grouped:
                raise MalformedQuery(f"{column.name} is no column of stats", start, self.position)
            is_descending = not self._word("asc")
            if is_descending:
                self._word("desc")
            keys.append((column, is_descending))
            if not self._mark(","):
                return Sort(keys)

    def _limit(self) -> Limit:
        token = self._peek()
        if token is None or token.kind != "number" or not token.text.isdecimal():
            raise self._unexpected("a number of rows")
        self._take()
        return Limit(int(token.text))

    def _parse(self) -> Parse:
        source: Expression = Field("@message")
        token = self._peek()
        if token is not None and token.kind in ("name", "quoted"):
            source = self._primary()
        if (pattern := self._regex()) is not None:
            names = list(pattern.groupindex)
            if not names:
                raise self._unexpected("a named group such as (?<user>...) in the regular expression")
            return Parse(source, pattern, names)
        token = self._peek()
        if token is None or token.kind != "text":
            raise self._unexpected("a pattern in quotes, or a regular expression between slashes")
        self._take()
        glob = _unquoted(token.text)
        if not self._word("as"):
            raise self._unexpected("'as' and a name for each * of the pattern")
        names = self._names()
        if glob.count("*") != len(names):
            raise MalformedQuery(
                f"The pattern has {glob.count('*')} * and there are {len(names)} names", token.start, self.position
            )
        parts = [re.escape(part) for part in glob.split("*")]
        tail = "(.*)" if glob.endswith("*") else "(.*?)"
        wildcards = ["(.*?)"] * (len(names) - 1) + [tail]
        joined = parts[0] + "".join(wildcard + part for wildcard, part in zip(wildcards, parts[1:], strict=True))
        return Parse(source, re.compile(joined, re.DOTALL), names)

    def _names(self) -> list[str]:
        names = []
        while True:
            token = self._peek()
            if token is None or token.kind not in ("name", "quoted"):
                raise self._unexpected("a field")
            self._take()
            names.append(token.text.strip("`"))
            if not self._mark(","):
                return names

    def _columns(self) -> list[Column]:
        columns = []
        while True:
            start = self._at()
            expression = self._expression()
            name = self.text[start : self.position].strip()
            if isinstance(expression, Field):
                name = expression.name
            if self._word("as"):
                token = self._peek()
                if token is None or token.kind not in ("name", "quoted"):
                    raise self._unexpected("a name after 'as'")
                self._take()
                name = token.text.strip("`")
            columns.append(Column(expression, name))
            if not self._mark(","):
                return columns

    def _expression(self) -> Expression:
        found = self._conjunction()
        while self._word("or"):
            found = Binary("or", found, self._conjunction())
        return found

    def _conjunction(self) -> Expression:
        found = self._negation()
        while self._word("and"):
            found = Binary("and", found, self._negation())
        return found

    def _negation(self) -> Expression:
        return Not(self._negation()) if self._word("not") else self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        token = self._peek()
        if token is None:
            return left
        if token.kind == "operator" and token.text in _COMPARISONS:
            self._take()
            return Binary(token.text, left, self._sum())
        if token.text == "=~":
            self._take()
            return self._like(left)
        is_negated = self._word("not")
        if self._word("like"):
            found: Expression = self._like(left)
        elif self._word("in"):
            found = In(left, self._list())
        elif is_negated:
            raise self._unexpected("'like' or 'in' after 'not'")
        else:
            return left
        return Not(found) if is_negated else found

    def _like(self, left: Expression) -> Like:
        if (pattern := self._regex()) is not None:
            return Like(left, pattern)
        token = self._peek()
        if token is None or token.kind != "text":
            raise self._unexpected("text in quotes, or a regular expression between slashes")
        self._take()
        return Like(left, re.compile(re.escape(_unquoted(token.text))))

    def _list(self) -> list[Expression]:
        if not self._mark("["):
            raise self._unexpected("a list such as [200, 201]")
        items = [self._sum()]
        while self._mark(","):
            items.append(self._sum())
        if not self._mark("]"):
            raise self._unexpected("']'")
        return items

    def _sum(self) -> Expression:
        return self._joined(("+", "-"), self._product)

    def _product(self) -> Expression:
        return self._joined(("*", "/", "%"), self._power)

    def _power(self) -> Expression:
        base = self._signed()
        token = self._peek()
        if token is not None and token.text == "^":
            self._take()
            return Binary("^", base, self._power())
        return base

    def _joined(self, operators: tuple[str, ...], read: Callable[[], Expression]) -> Expression:
        found = read()
        while (token := self._peek()) is not None and token.kind == "operator" and token.text in operators:
            self._take()
            found = Binary(token.text, found, read())
        return found

    def _signed(self) -> Expression:
        token = self._peek()
        if token is not None and token.text == "-":
            self._take()
            return Binary("-", Literal(0.0), self._signed())
        return self._primary()

    def _primary(self) -> Expression:
        token = self._peek()
        if token is None:
            raise self._unexpected("a field, a value or a function")
        if token.text == "(":
            self._take()
            inner = self._expression()
            if not self._mark(")"):
                raise self._unexpected("')'")
            return inner
        if token.kind not in ("text", "number", "duration", "name", "quoted"):
            raise self._unexpected("a field, a value or a function")
        self._take()
        match token.kind:
            case "text":
                return Literal(_unquoted(token.text))
            case "number":
                return Literal(float(token.text))
            case "duration":
                return Duration(token.text)
            case "quoted":
                return Field(token.text.strip("`"))
        if self._mark("("):
            return self._call(token)
        if token.text.lower() in ("true", "false"):
            return Literal(float(token.text.lower() == "true"))
        return Field(token.text)

    def _call(self, token: _Token) -> Call:
        name = token.text.lower()
        arguments: list[Expression] = []
        if (star := self._peek()) is not None and star.text == "*" and name == "count":
            self._take()
        elif star is not None and star.text != ")":
            arguments.append(self._expression())
            while self._mark(","):
                arguments.append(self._expression())
        if not self._mark(")"):
            raise self._unexpected("')'")
        if name not in ARITIES:
            raise MalformedQuery(f"Invalid function: {token.text}", token.start, token.end)
        least, most = ARITIES[name]
        if not least <= len(arguments) <= most:
            raise MalformedQuery(
                f"Invalid arguments: {token.text} takes {_range(least, most)}, not {len(arguments)}",
                token.start,
                self.position,
            )
        if name in AGGREGATES and not self.in_stats:
            raise MalformedQuery(
                f"Aggregate functions such as {token.text} can only be used in stats", token.start, token.end
            )
        return Call(name, arguments)

    def _at(self) -> int:
        found = _SPACE.match(self.text, self.position)
        return found.end() if found else self.position

    def _peek(self) -> _Token | None:
        start = self._at()
        if start >= len(self.text):
            return None
        found = _TOKEN.match(self.text, start)
        if found is None or found.lastgroup is None:
            return _Token("other", self.text[start], start, start + 1)
        return _Token(found.lastgroup, found[0], start, found.end())

    def _take(self) -> None:
        token = self._peek()
        if token is not None:
            self.position = token.end

    def _word(self, word: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "name" and token.text.lower() == word:
            self._take()
            return True
        return False

    def _mark(self, mark: str) -> bool:
        token = self._peek()
        if token is not None and token.text == mark:
            self._take()
            return True
        return False

    def _regex(self) -> re.Pattern[str] | None:
        start = self._at()
        found = _REGEX.match(self.text, start)
        if found is None:
            return None
        self.position = found.end()
        try:
            return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", found[1].replace(r"\/", "/")))
        except re.error as error:
            raise MalformedQuery(f"Invalid regular expression: {error}", start, found.end()) from None

    def _unexpected(self, wanted: str) -> MalformedQuery:
        token = self._peek()
        if token is None:
            return MalformedQuery(f"unexpected end of the query, expecting {wanted}", len(self.text), len(self.text))
        return MalformedQuery(f"mismatched input '{token.text}' expecting {wanted}", token.start, token.end)


def has_aggregate(node: Any) -> bool:
    """Say whether an expression aggregates rows."""
    if isinstance(node, Call):
        return node.name in AGGREGATES or any(has_aggregate(argument) for argument in node.arguments)
    if isinstance(node, Binary):
        return has_aggregate(node.left) or has_aggregate(node.right)
    return isinstance(node, Not) and has_aggregate(node.inner)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _range(least: int, most: int) -> str:
    plural = "" if most == 1 else "s"
    return f"{least} argument{plural}" if least == most else f"{least} to {most} arguments"
