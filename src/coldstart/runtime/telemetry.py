"""The Telemetry API of one start of an environment: what extensions subscribe to, and its delivery to them.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html. Events are delivered by HTTP to a port on which the extension
listens. On AWS they are buffered for some time; here they are sent when the runtime has ended its part of an invocation, when the
next one begins, and before the environment shuts down. Destinations by TCP, and the older Logs API, are not here.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from coldstart.runtime.extensions import Extension, refusal
from coldstart.runtime.http_wire import HttpRequest, response_bytes
from coldstart.runtime.platform_events import TelemetrySubscription

TELEMETRY_PATH = "/2022-07-01/telemetry"
MAX_WAITING = 10_000
"""Events that wait for one subscriber; the oldest are dropped (AWS's largest buffer)."""
_TYPES = ("platform", "function", "extension")
_SECONDS_TO_SEND = 1.0


@dataclass
class _Subscription:
    name: str
    types: tuple[str, ...]
    port: int
    path: str
    waiting: list[dict[str, Any]] = field(default_factory=list)
    connection: socket.socket | None = None
    """Where an answer to the last batch is due."""


class Telemetry:
    """Collects the events of an environment for its subscribers.

    Args:
        selector: watches the sockets on which subscribers answer.
        now: gives the time as AWS writes it, like ``2026-11-24T05:00:00.000Z``.
    """

    def __init__(self, selector: selectors.BaseSelector, now: Callable[[], str]) -> None:
        self._selector = selector
        self._now = now
        self._subscriptions: dict[str, _Subscription] = {}
        self._since_start: list[dict[str, Any]] | None = []

    @property
    def is_delivered(self) -> bool:
        """Whether nobody has anything to receive."""
        return not any(subscriber.waiting or subscriber.connection for subscriber in self._subscriptions.values())

    def add(self, kind: str, record: dict[str, Any] | str) -> None:
        """Tell those who want to know of an event (``platform.start``, ``function``, ``extension`` ...)."""
        event = {"time": self._now(), "type": kind, "record": record}
        if self._since_start is not None:
            self._since_start.append(event)
        for subscription in self._subscriptions.values():
            if kind.partition(".")[0] in subscription.types:
                subscription.waiting.append(event)
                del subscription.waiting[:-MAX_WAITING]

    def close_registration(self) -> bool:
        """Let nobody subscribe any more; return whether anybody has."""
        self._since_start = None
        return bool(self._subscriptions)

    def subscribe(
        self, request: HttpRequest, extension: Extension | None
    ) -> tuple[bytes, TelemetrySubscription | None]:
        """Return the response to a subscription, and the event about it when it is accepted.

        Args:
            request: PUT with destination and types.
            extension: who asks; None when it has not registered.
        """
        if extension is None:
            identifier = request.headers.get("lambda-extension-identifier", "")
            return refusal("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}"), None
        if self._since_start is None:
            return refusal("Telemetry.SubscriptionClosed", "Telemetry API subscription is closed already"), None
        try:
            asked = json.loads(request.body)
            types = tuple(asked["types"])
            destination = urlsplit(asked["destination"]["URI"])
            port = destination.port
            if asked["destination"]["protocol"] != "HTTP" or destination.scheme != "http":
                raise ValueError("The local AWS delivers to HTTP destinations only.")
            if destination.hostname not in ("sandbox.localdomain", "sandbox", "127.0.0.1", "localhost") or port is None:
                raise ValueError("The destination has to be a port of sandbox.localdomain.")
            if not types or not set(types) <= set(_TYPES):
                raise ValueError(f"The types have to be among {', '.join(_TYPES)}.")
        except (ValueError, KeyError, TypeError) as error:
            body = json.dumps({"errorType": "ValidationError", "errorMessage": str(error)}).encode()
            return response_bytes(400, {"Content-Type": "application/json"}, body), None
        waiting = [event for event in self._since_start if event["type"].partition(".")[0] in types]
        path = destination.path or "/"
        self._subscriptions[extension.name] = _Subscription(extension.name, types, port, path, waiting)
        return response_bytes(200, {}, b"OK"), TelemetrySubscription(extension.name, types)

    def deliver(self) -> None:
        """Send to each subscriber what waits for it, unless it still has to answer."""
        for subscription in self._subscriptions.values():
            if subscription.waiting and subscription.connection is None:
                self._send(subscription)

    def close(self) -> None:
        """Give back the sockets."""
        for subscription in self._subscriptions.values():
            self._finish(subscription)

    def _send(self, subscription: _Subscription) -> None:
        batch, subscription.waiting = subscription.waiting, []
        body = json.dumps(batch).encode()
        head = (
            f"POST {subscription.path} HTTP/1.1\r\nHost: sandbox.localdomain:{subscription.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        try:
            connection = socket.create_connection(("127.0.0.1", subscription.port), timeout=_SECONDS_TO_SEND)
        except OSError:
            return  # nobody listens there; AWS drops the events after some tries
        subscription.connection = connection
        self._selector.register(connection, selectors.EVENT_READ, lambda _: self._hear(subscription))
        try:
            connection.sendall(head.encode() + body)
        except OSError:
            self._finish(subscription)

    def _hear(self, subscription: _Subscription) -> None:
        """Read a subscriber's answer, which nobody wants to know, to its end; then send what has come since."""
        assert subscription.connection is not None
        try:
            if subscription.connection.recv(65_536):
                return
        except OSError:
            pass
        self._finish(subscription)
        if subscription.waiting:
            self._send(subscription)

    def _finish(self, subscription: _Subscription) -> None:
        connection, subscription.connection = subscription.connection, None
        if connection is not None:
            with contextlib.suppress(KeyError):
                self._selector.unregister(connection)
            connection.close()
