"""Cross-origin requests, where the gateway answers for the function: HTTP APIs and function URLs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html and
https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coldstart.events.http_request import ClientRequest


@dataclass(frozen=True)
class CorsConfiguration:
    """What a browser may do from which origins."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds for which a browser may remember the answer to a preflight."""
    allow_credentials: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> CorsConfiguration:
        """Return a configuration from its members in the API (``AllowOrigins`` or ``allowOrigins`` ...)."""
        named = {name[:1].lower() + name[1:]: value for name, value in settings.items()}
        return cls(
            tuple(named.get("allowOrigins") or ()),
            tuple(named.get("allowMethods") or ()),
            tuple(named.get("allowHeaders") or ()),
            tuple(named.get("exposeHeaders") or ()),
            named.get("maxAge"),
            bool(named.get("allowCredentials")),
        )

    def headers(self, request: ClientRequest) -> list[tuple[str, str]]:
        """Return the headers that let the origin's script read a response; none when it may not."""
        origin = self._allowed_origin(request)
        if origin is None:
            return []
        headers = [("Access-Control-Allow-Origin", origin)]
        if self.allow_credentials:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        if self.expose_headers:
            headers.append(("Access-Control-Expose-Headers", ",".join(self.expose_headers)))
        if origin != "*":
            headers.append(("Vary", "Origin"))
        return headers

    def preflight_headers(self, request: ClientRequest) -> list[tuple[str, str]]:
        """Return the headers of the answer to a preflight; none when its origin or its method is not allowed."""
        method = request.header("access-control-request-method") or ""
        if self._allowed_origin(request) is None or not {"*", method} & set(self.allow_methods):
            return []
        headers = [pair for pair in self.headers(request) if pair[0] != "Access-Control-Expose-Headers"]
        headers.append(("Access-Control-Allow-Methods", ",".join(self.allow_methods)))
        if self.allow_headers:
            headers.append(("Access-Control-Allow-Headers", ",".join(self.allow_headers)))
        if self.max_age is not None:
            headers.append(("Access-Control-Max-Age", str(self.max_age)))
        return headers

    def _allowed_origin(self, request: ClientRequest) -> str | None:
        origin = request.header("origin")
        if origin is None:
            return None
        if "*" in self.allow_origins:
            return origin if self.allow_credentials else "*"
        return origin if any(fnmatch.fnmatchcase(origin, allowed) for allowed in self.allow_origins) else None


def is_preflight(request: ClientRequest) -> bool:
    """Say whether a browser asks for permission before it sends the real request."""
    return (
        request.method == "OPTIONS"
        and request.header("origin") is not None
        and request.header("access-control-request-method") is not None
    )
