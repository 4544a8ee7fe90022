"""Chooses the route or resource that a request goes to, as API Gateway does.

A literal segment goes before a placeholder and that before a greedy one (``{proxy+}``); a route without the request's method
is passed over; the method itself goes before ``ANY``.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

Target = TypeVar("Target")


class _Route(NamedTuple, Generic[Target]):
    segments: tuple[str, ...]
    method: str
    target: Target

    @property
    def generality(self) -> tuple[tuple[int, ...], bool]:
        return tuple(_generality(segment) for segment in self.segments), self.method == "ANY"


class RouteTable(Generic[Target]):
    """Finds the target of a method and a path.

    Args:
        routes: methods (or ``ANY``), path templates such as ``/orders/{id}``, and whatever they lead to.
    """

    def __init__(self, routes: Iterable[tuple[str, str, Target]]) -> None:
        found = [_Route(_segments(template), method, target) for method, template, target in routes]
        self._routes = sorted(found, key=lambda route: route.generality)

    def find(self, method: str, path: str) -> tuple[Target, dict[str, str]] | None:
        """Return the target and what its placeholders stand for; None when no route fits."""
        segments = _segments(path)
        for route in self._routes:
            if route.method in (method, "ANY"):
                parameters = _matched(route.segments, segments)
                if parameters is not None:
                    return route.target, parameters
        return None


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix("/").split("/"))


def _generality(segment: str) -> int:
    if not segment.startswith("{"):
        return 0
    return 2 if segment.endswith("+}") else 1


def _matched(template: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for position, expected in enumerate(template):
        if expected.startswith("{") and expected.endswith("+}"):
            rest = "/".join(segments[position:])
            return {**parameters, expected[1:-2]: rest} if rest else None
        if position >= len(segments):
            return None
        if expected.startswith("{") and expected.endswith("}"):
            if not segments[position]:
                return None
            parameters[expected[1:-1]] = segments[position]
        elif expected != segments[position]:
            return None
    return parameters if len(template) == len(segments) else None
