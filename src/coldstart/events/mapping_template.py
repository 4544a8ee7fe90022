"""Mapping templates of REST APIs: the part of Apache Velocity that they are written in.

Language: https://velocity.apache.org/engine/devel/vtl-reference.html. What API Gateway adds to it (``$input``, ``$context``,
``$util`` ...) is in :mod:`coldstart.events.mapping_variables`. Understood are references with properties, methods and indexes,
``#set``, ``#if``/``#elseif``/``#else``, ``#foreach``, comments, lists, maps, ranges, arithmetic and comparisons; not macros.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_LOOPS = 1000
"""API Gateway ends a ``#foreach`` after so many turns."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>"(?:\\.|[^"\\])*"|'[^']*')|(?P<reference>\$)|(?P<name>[A-Za-z_]\w*)
    |(?P<operator>==|!=|<=|>=|&&|\|\||\.\.|[-+*/%<>!()\[\]{},:=.]))""",
    re.VERBOSE,
)
_WORDS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "and": "&&", "or": "||", "not": "!"}


def _is_true(value: Any) -> bool:
    return value is not UNDEFINED and value is not None and value is not False


def _sum(left: Any, right: Any) -> Any:
    if isinstance(left, str) or isinstance(right, str):
        return shown(left) + shown(right)
    return left + right


def _quotient(left: Any, right: Any) -> Any:
    return left // right if isinstance(left, int) and isinstance(right, int) else left / right


_BINARY: list[dict[str, Callable[[Any, Any], Any]]] = [
    {"||": lambda left, right: _is_true(left) or _is_true(right)},
    {"&&": lambda left, right: _is_true(left) and _is_true(right)},
    {"==": lambda left, right: left == right, "!=": lambda left, right: left != right},
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"+": _sum, "-": operator.sub},
    {"*": operator.mul, "/": _quotient, "%": operator.mod},
]
_DIRECTIVE = re.compile(r"#(?:\{(\w+)\}|(\w+))")
_REFERENCE = re.compile(r"\$(!?)(\{?)([A-Za-z_]\w*)")


class TemplateError(ValueError):
    """The template is not well formed, or does what cannot be done."""


class Undefined:
    """What a reference leads to that is not there. It is false, and shown as the reference's own text."""


UNDEFINED = Undefined()


def render(template: str, variables: Mapping[str, Any]) -> str:
    """Return the template's text with its references replaced and its directives obeyed.

    Args:
        template: Velocity Template Language.
        variables: what the references' first names stand for. An object of our own offers a template what it has in
            ``template_members`` and ``template_methods``.

    Raises:
        TemplateError: it cannot be done.
    """
    renderer = _Renderer(template, dict(variables))
    try:
        text = renderer.block(frozenset())
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise TemplateError(str(error)) from None
    return text


class _Renderer:
    """Reads and renders in one go; what is not to be rendered is read with ``self._is_shown`` off."""

    def __init__(self, template: str, variables: dict[str, Any]) -> None:
        self._template = template
        self._position = 0
        self._variables = variables
        self._is_shown = True
        self._is_stopped = False

    def block(self, ends: frozenset[str]) -> str:
        """Render up to a directive of ``ends``, which is left to be read, or to the end of the template."""
        out: list[str] = []
        template = self._template
        while self._position < len(template):
            here = self._position
            following = re.compile(r"[$#\\]").search(template, here)
            if following is None:
                out.append(template[here:])
                self._position = len(template)
                break
            out.append(template[here : following.start()])
            self._position = following.start()
            if template[self._position] == "\\":
                escaped = template[self._position + 1 : self._position + 2]
                out.append(escaped if escaped in ("$", "#") else "\\")
                self._position += 2 if escaped in ("$", "#") else 1
            elif template[self._position] == "$":
                out.append(self._shown_reference())
            elif self._skip_comment(out):
                continue
            else:
                found = _DIRECTIVE.match(template, self._position)
                name = (found[1] or found[2]) if found else ""
                if name in ends:
                    return self._kept(out)
                if found and name in ("set", "if", "foreach", "stop", "break"):
                    self._position = found.end()
                    out.append(getattr(self, f"_{name}")())
                else:
                    out.append("#")
                    self._position += 1
        if ends:
            raise TemplateError("#end is missing")
        return self._kept(out)

    def _kept(self, out: list[str]) -> str:
        return "".join(out) if self._is_shown else ""

    def _skip_comment(self, out: list[str]) -> bool:
        template, position = self._template, self._position
        if template.startswith("##", position):
            end = template.find("\n", position)
            self._position = len(template) if end < 0 else end + 1
            return True
        if template.startswith("#*", position):
            end = template.find("*#", position)
            self._position = len(template) if end < 0 else end + 2
            return True
        if template.startswith("#[[", position):
            end = template.find("]]#", position)
            if end < 0:
                raise TemplateError("]]# is missing")
            out.append(template[position + 3 : end])
            self._position = end + 3
            return True
        return False

    # Directives

    def _set(self) -> str:
        self._expect("(")
        self._expect("$")
        name = self._next("name")
        keys: list[Any] = []
        while (symbol := self._peek()) in (".", "["):
            self._take(symbol)
            keys.append(self._next("name") if symbol == "." else self._expression())
            if symbol == "[":
                self._expect("]")
        self._expect("=")
        value = self._expression()
        self._expect(")")
        self._skip_line_end()
        if self._is_live:
            if not keys:
                self._variables[name] = value
            else:
                holder = self._variables.get(name)
                for key in keys[:-1]:
                    holder = _member(holder, key)
                _put(holder, keys[-1], value)
        return ""

    def _if(self) -> str:
        outside = self._is_shown
        is_decided = False
        out = ""
        directive = "if"
        while directive in ("if", "elseif"):
            self._expect("(")
            applies = _is_true(self._expression()) and not is_decided
            self._expect(")")
            out += self._branch(outside and applies)
            is_decided |= applies
            directive = self._directive()
        if directive == "else":
            out += self._branch(outside and not is_decided)
            directive = self._directive()
        if directive != "end":
            raise TemplateError("#end is missing")
        self._skip_line_end()
        return out

    def _branch(self, is_shown: bool) -> str:
        self._skip_line_end()
        before, self._is_shown = self._is_shown, is_shown
        try:
            return self.block(frozenset(["elseif", "else", "end"]))
        finally:
            self._is_shown = before

    def _foreach(self) -> str:
        self._expect("(")
        self._expect("$")
        name = self._next("name")
        if self._next("name") != "in":
            raise TemplateError("#foreach needs 'in'")
        items = self._expression()
        self._expect(")")
        if isinstance(items, Mapping):
            items = list(items.values())
        elif not isinstance(items, list | tuple):
            items = []
        start = self._position
        before = {key: self._variables.get(key, UNDEFINED) for key in (name, "foreach", "velocityCount")}
        out = ""
        turns = list(items)[:MAX_LOOPS] if self._is_live else []
        for index, item in enumerate(turns):
            self._position = start
            self._variables[name] = item
            self._variables["velocityCount"] = index + 1
            self._variables["foreach"] = {"index": index, "count": index + 1, "hasNext": index + 1 < len(turns)}
            out += self._turn(is_shown=True)
            if self._is_stopped:
                break
        if not turns or self._is_stopped:
            self._position = start
            self._turn(is_shown=False)
        self._is_stopped = False
        for key, value in before.items():
            if value is UNDEFINED:
                self._variables.pop(key, None)
            else:
                self._variables[key] = value
        return out

    def _turn(self, is_shown: bool) -> str:
        self._skip_line_end()
        before, self._is_shown = self._is_shown, is_shown and self._is_shown
        try:
            out = self.block(frozenset(["end"]))
        finally:
            self._is_shown = before
        self._directive()
        self._skip_line_end()
        return out

    def _stop(self) -> str:
        if self._is_live:
            self._position = len(self._template)
        return ""

    def _break(self) -> str:
        if self._is_live:
            self._is_stopped = True
        return ""

    @property
    def _is_live(self) -> bool:
        return self._is_shown and not self._is_stopped

    def _directive(self) -> str:
        found = _DIRECTIVE.match(self._template, self._position)
        if not found:
            raise TemplateError("#end is missing")
        self._position = found.end()
        return found[1] or found[2]

    def _skip_line_end(self) -> None:
        found = re.compile(r"[ \t]*\r?\n").match(self._template, self._position)
        if found:
            self._position = found.end()

    # References

    def _shown_reference(self) -> str:
        start = self._position
        found = _REFERENCE.match(self._template, start)
        if found is None:
            self._position += 1
            return "$"
        value = self._reference()
        if not self._is_live:
            return ""
        if value is UNDEFINED or value is None:
            return "" if found[1] else self._template[start : self._position]
        return shown(value)

    def _reference(self) -> Any:
        """Read a reference from its ``$`` on and return what it leads to."""
        found = _REFERENCE.match(self._template, self._position)
        if found is None:
            raise TemplateError(f"not a reference: {self._template[self._position : self._position + 20]!r}")
        self._position = found.end()
        value = self._variables.get(found[3], UNDEFINED)
        while True:
            member = re.compile(r"\.([A-Za-z_][\w-]*)").match(self._template, self._position)
            if member and not (member[1].endswith("-")):
                self._position = member.end()
                if self._template.startswith("(", self._position):
                    self._position += 1
                    value = _called(value, member[1], self._arguments(")"), self._is_live)
                else:
                    value = _member(value, member[1])
            elif self._template.startswith("[", self._position) and value is not UNDEFINED:
                self._position += 1
                (key,) = self._arguments("]")
                value = _member(value, key)
            else:
                break
        if found[2]:
            if not self._template.startswith("}", self._position):
                raise TemplateError("} is missing")
            self._position += 1
        return value

    def _arguments(self, end: str) -> list[Any]:
        arguments: list[Any] = []
        while self._peek() != end:
            arguments.append(self._expression())
            if self._peek() == ",":
                self._take(",")
        self._take(end)
        return arguments

    # Expressions

    def _expression(self, level: int = 0) -> Any:
        if level == len(_BINARY):
            return self._operand()
        left = self._expression(level + 1)
        while (symbol := self._operator()) in _BINARY[level]:
            self._skip_operator()
            right = self._expression(level + 1)
            if self._is_live:
                left = _BINARY[level][symbol](_number_or_value(left), _number_or_value(right))
        return left

    def _operand(self) -> Any:
        symbol = self._operator()
        if symbol == "!":
            self._skip_operator()
            return not _is_true(self._operand())
        if symbol == "-":
            self._skip_operator()
            return -self._operand()
        if symbol == "(":
            self._take("(")
            value = self._expression()
            self._expect(")")
            return value
        if symbol == "[":
            self._take("[")
            return self._list()
        if symbol == "{":
            self._take("{")
            return self._map()
        found = self._match()
        if found["reference"]:
            self._position = found.start("reference")
            return self._reference()
        self._position = found.end()
        if found["number"]:
            return float(found["number"]) if "." in found["number"] else int(found["number"])
        if found["text"]:
            return self._text(found["text"])
        if found["name"] in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[found["name"]]
        raise TemplateError(f"not an expression: {found[0]!r}")

    def _list(self) -> list[Any]:
        if self._peek() == "]":
            self._take("]")
            return []
        first = self._expression()
        if self._peek() == "..":
            self._take("..")
            last = self._expression()
            self._expect("]")
            return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))
        if self._peek() == ",":
            self._take(",")
        return [first, *self._arguments("]")]

    def _map(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._peek() != "}":
            key = self._expression()
            self._expect(":")
            found[key] = self._expression()
            if self._peek() == ",":
                self._take(",")
        self._take("}")
        return found

    def _text(self, quoted: str) -> str:
        text = quoted[1:-1]
        if quoted[0] == "'":
            return text
        text = re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)
        return _Renderer(text, self._variables).block(frozenset()) if "$" in text else text

    # Tokens

    def _match(self) -> re.Match[str]:
        found = _TOKEN.match(self._template, self._position)
        if found is None:
            raise TemplateError(f"not understood: {self._template[self._position : self._position + 20]!r}")
        return found

    def _operator(self) -> str:
        """Return the operator that comes next, words translated; empty when something else does."""
        found = self._match()
        return found["operator"] or _WORDS.get(found["name"] or "", "")

    def _skip_operator(self) -> None:
        self._position = self._match().end()

    def _peek(self) -> str:
        found = self._match()
        return found["operator"] or ("$" if found["reference"] else "")

    def _take(self, symbol: str) -> None:
        self._position = self._match().end()

    def _expect(self, symbol: str) -> None:
        if self._peek() != symbol:
            raise TemplateError(f"{symbol} is missing at {self._template[self._position : self._position + 20]!r}")
        self._take(symbol)

    def _next(self, kind: str) -> str:
        found = self._match()
        if not found[kind]:
            raise TemplateError(f"a {kind} is missing at {self._template[self._position : self._position + 20]!r}")
        self._position = found.end()
        return found[kind]


def shown(value: Any) -> str:
    """Return a value as a template shows it: as Java does."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    return "null" if value is None else str(value)


def _number_or_value(value: Any) -> Any:
    return None if value is UNDEFINED else value


def _member(value: Any, key: Any) -> Any:
    if hasattr(value, "template_members"):
        return value.template_members.get(key, UNDEFINED)
    if isinstance(value, Mapping):
        return value.get(key, value.get(str(key), UNDEFINED))
    if isinstance(value, list | tuple) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    if isinstance(value, list | tuple | str) and key in ("length", "size"):
        return len(value)
    return UNDEFINED


def _put(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, dict) or (isinstance(holder, list) and isinstance(key, int) and key < len(holder)):
        holder[key] = value
    else:
        raise TemplateError(f"there is nothing to put {key!r} into")


def _called(value: Any, name: str, arguments: list[Any], is_live: bool) -> Any:
    if not is_live:
        return UNDEFINED
    offered = getattr(value, "template_methods", None)
    if offered is not None and name in offered:
        return offered[name](*arguments)
    method = _METHODS.get((_kind(value), name)) or _METHODS.get(("", name))
    return UNDEFINED if method is None or value is UNDEFINED else method(value, *arguments)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    return "map" if isinstance(value, Mapping) else "list" if isinstance(value, list | tuple) else ""


def _added(items: Any, *arguments: Any) -> bool:
    items.append(arguments[-1])
    return True


def _stored(items: Any, key: Any, value: Any) -> Any:
    before = items.get(key)
    items[key] = value
    return before


_METHODS: dict[tuple[str, str], Callable[..., Any]] = {
    ("", "toString"): shown,
    ("", "equals"): lambda value, other: value == other,
    ("text", "length"): len,
    ("text", "isEmpty"): lambda text: not text,
    ("text", "equalsIgnoreCase"): lambda text, other: text.lower() == str(other).lower(),
    ("text", "contains"): lambda text, part: part in text,
    ("text", "startsWith"): lambda text, part: text.startswith(part),
    ("text", "endsWith"): lambda text, part: text.endswith(part),
    ("text", "indexOf"): lambda text, part: text.find(part),
    ("text", "substring"): lambda text, start, end=None: text[start:end],
    ("text", "toLowerCase"): lambda text: text.lower(),
    ("text", "toUpperCase"): lambda text: text.upper(),
    ("text", "trim"): lambda text: text.strip(),
    ("text", "split"): lambda text, pattern: re.split(pattern, text),
    ("text", "matches"): lambda text, pattern: re.fullmatch(pattern, text) is not None,
    ("text", "replace"): lambda text, old, new: text.replace(old, new),
    ("text", "replaceAll"): lambda text, pattern, new: re.sub(pattern, re.sub(r"\$(\d)", r"\\\1", new), text),
    ("list", "size"): len,
    ("list", "isEmpty"): lambda items: not items,
    ("list", "get"): _member,
    ("list", "contains"): lambda items, item: item in items,
    ("list", "add"): _added,
    ("map", "size"): len,
    ("map", "isEmpty"): lambda items: not items,
    ("map", "get"): _member,
    ("map", "put"): _stored,
    ("map", "containsKey"): lambda items, key: key in items,
    ("map", "keySet"): list,
    ("map", "values"): lambda items: list(items.values()),
    ("map", "entrySet"): lambda items: [{"key": key, "value": value} for key, value in items.items()],
}


def as_json(value: Any) -> str:
    """Return a value as JSON, as ``$input.json`` shows it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
