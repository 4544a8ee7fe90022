"""Who wants to know that something has arrived in a queue or a stream.

moto's patched queues and streams tell; event source mappings listen. There is one, as there is one moto in a process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Arrivals:
    """Listeners by the ARN of what they listen to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Callable[[], None]]] = {}

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
        for listener in self._listeners.get(arn, ()):
            listener()


arrivals = Arrivals()
