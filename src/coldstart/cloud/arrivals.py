"""Who wants to know that something has arrived in a queue or a stream.

moto's patched queues and streams tell; event source mappings listen. There is one, as there is one moto in a process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Request(threading.local):
    """What the request that this thread answers has brought, when nobody is to be told yet."""

    held_back: set[str] | None = None


class Arrivals:
    """Listeners by the ARN of what they listen to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._request = _Request()
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self.told_of_all: Callable[[str], None] = lambda arn: None
        """Told of every arrival: metrics."""

    def listen(self, arn: str, listener: Callable[[], None]) -> None:
        """Call a function whenever something arrives; it has to return at once."""
        with self._lock:
            self._listeners[arn] = [*self._listeners.get(arn, []), listener]

    def forget(self, arn: str, listener: Callable[[], None]) -> None:
        """Call it no more."""
        with self._lock:
            kept = [other for other in self._listeners.get(arn, []) if other != listener]
            if kept:
                self._listeners[arn] = kept
            else:
                self._listeners.pop(arn, None)

    def tell(self, arn: str) -> None:
        """Something has arrived."""
        if self._request.held_back is not None:
            self._request.held_back.add(arn)
            return
        for listener in self._listeners.get(arn, ()):
            listener()
        self.told_of_all(arn)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Tell only at the end of what arrives by this thread, so that what is sent together is read together."""
        if self._request.held_back is not None:
            yield
            return
        arrived = self._request.held_back = set()
        try:
            yield
        finally:
            self._request.held_back = None
            for arn in arrived:
                self.tell(arn)


arrivals = Arrivals()
