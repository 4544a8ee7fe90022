"""Compares parameters with the shapes of a service model, in the words in which AWS's services name faults.

For example ``Value '3' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StructureShape


def validation_errors(shape: Shape, value: Any, unchecked: frozenset[str] = frozenset()) -> list[str]:
    """Return every fault of a request's parameters, in the model's order; none when they fit.

    Args:
        unchecked: members that are not looked into, such as ``CreateFunctionRequest.Runtime``.
    """
    return list(_faults(shape, value, "", unchecked))


class _Member(NamedTuple):
    name: str
    shown: str
    """As faults name it."""
    shape: Shape
    is_required: bool


@functools.lru_cache(maxsize=1024)
def _members(shape: StructureShape, unchecked: frozenset[str]) -> list[_Member]:
    """Return the members of a structure that are looked into."""
    required = shape.required_members
    return [
        _Member(name, name[:1].lower() + name[1:], member, name in required)
        for name, member in shape.members.items()
        if f"{shape.name}.{name}" not in unchecked
    ]


def _faults(shape: Shape, value: Any, path: str, unchecked: frozenset[str]) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for member in _members(shape, unchecked):
            if member.name in value:
                yield from _faults(member.shape, value[member.name], _join(path, member.shown), unchecked)
            elif member.is_required:
                yield f"Value null at '{_join(path, member.shown)}' failed to satisfy constraint: Member must not be null"
        return
    for constraint in broken_constraints(shape, value):
        yield f"{_shown(shape, value)} at '{path}' failed to satisfy constraint: {constraint}"
    if isinstance(shape, ListShape):
        yield from _faults_of_items(shape.member, list(enumerate(value, 1)), path, value, unchecked)
    elif isinstance(shape, MapShape):
        key_constraints = constraints(shape.key)
        if any(broken_constraints(shape.key, key) for key in value):
            yield f"{_shown(shape, value)} at '{path}' failed to satisfy constraint: " + _each(
                "Map keys", key_constraints
            )
        yield from _faults_of_items(shape.value, list(value.items()), path, value, unchecked)


def _faults_of_items(
    member: Shape, items: Sequence[tuple[Any, Any]], path: str, whole: Any, unchecked: frozenset[str]
) -> Iterator[str]:
    if isinstance(member, StructureShape | ListShape | MapShape):
        for key, item in items:
            yield from _faults(member, item, f"{path}.{key}.member", unchecked)
    elif any(broken_constraints(member, item) for _, item in items):
        what = "Map value" if isinstance(whole, Mapping) else "Member"
        yield f"Value '{_text(whole)}' at '{path}' failed to satisfy constraint: " + _each(what, constraints(member))


def _each(what: str, texts: list[str]) -> str:
    return f"{what} must satisfy constraint: [{', '.join([*texts, 'Member must not be null'])}]"


def constraints(shape: Shape) -> list[str]:
    """Return all that a shape asks of a simple value, in AWS's words."""
    return [text for text, _ in _constraints(shape)]


def broken_constraints(shape: Shape, value: Any) -> list[str]:
    """Return what a value does not keep to, in AWS's words."""
    return [text for text, is_kept in _constraints(shape) if not is_kept(value)]


@functools.lru_cache(maxsize=4096)
def _constraints(shape: Shape) -> list[tuple[str, Any]]:
    metadata = shape.metadata
    if not metadata:
        return []
    sized = shape.type_name in ("string", "list", "map", "blob")
    measure = len if sized else lambda value: value
    quality = "length" if sized else "value"
    found: list[tuple[str, Any]] = []
    if "max" in metadata:
        most = metadata["max"]
        text = f"Member must have {quality} less than or equal to {most}"
        found.append((text, lambda value: measure(value) <= most))
    if "min" in metadata:
        least = metadata["min"]
        text = f"Member must have {quality} greater than or equal to {least}"
        found.append((text, lambda value: measure(value) >= least))
    if "pattern" in metadata:
        pattern = _compiled(metadata["pattern"])
        text = f"Member must satisfy regular expression pattern: {metadata['pattern']}"
        found.append((text, lambda value: pattern is None or pattern.fullmatch(value) is not None))
    if "enum" in metadata:
        names = metadata["enum"]
        text = f"Member must satisfy enum value set: [{', '.join(names)}]"
        found.append((text, lambda value: value in names))
    return found


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern of a service model; None for the few that only Java's regular expressions know."""
    try:
        return re.compile(re.sub(r"\\p{([LN])}", r"\\w", pattern).replace(r"\p{Z}", r"\s"))
    except re.error:
        return None


def _shown(shape: Shape, value: Any) -> str:
    return "Value" if shape.metadata.get("sensitive") else f"Value '{_text(value)}'"


def _text(value: Any) -> str:
    """Return a value as Java prints it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
