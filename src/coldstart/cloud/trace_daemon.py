"""The X-Ray daemon of the functions: takes segment documents from SDKs, by UDP on loopback.

A datagram is a header line, ``{"format": "json", "version": 1}``, and a segment document, or OpenTelemetry's spans.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import uuid
from collections.abc import Callable

_LARGEST_DATAGRAM = 65_536
_BUFFER_BYTES = 4 * 2**20
"""Asked of the system for datagrams that nobody has read yet."""
_PATIENCE_SECONDS = 2.0


class TraceDaemon:
    """Listens in each region where a function runs, from when it is first asked for the address.

    Args:
        take: takes a region and a segment document.
    """

    def __init__(self, take: Callable[[str, str], None]) -> None:
        self._take = take
        self._listeners: dict[str, _Listener] = {}
        self._lock = threading.Lock()

    def address(self, region: str) -> str:
        """Return host and port: the value of AWS_XRAY_DAEMON_ADDRESS."""
        with self._lock:
            if region not in self._listeners:
                self._listeners[region] = _Listener(lambda document: self._take(region, document))
            return self._listeners[region].address

    def take_arrived(self) -> None:
        """Return when everything that was sent before has been taken in."""
        for listener in list(self._listeners.values()):
            listener.catch_up()

    def stop(self) -> None:
        """Listen no longer."""
        with self._lock:
            for listener in self._listeners.values():
                listener.stop()
            self._listeners.clear()


class _Listener:
    """A socket, and the thread that reads it."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.bind(("127.0.0.1", 0))
        self._name = self._socket.getsockname()
        self.address = f"{self._name[0]}:{self._name[1]}"
        self._marks: dict[bytes, threading.Event] = {}
        self._last = uuid.uuid4().bytes
        threading.Thread(target=self._listen, name="coldstart-xray", daemon=True).start()

    def catch_up(self) -> None:
        """Send a mark behind everything that has arrived, and wait until it is read."""
        mark, is_read = uuid.uuid4().bytes, threading.Event()
        self._marks[mark] = is_read
        self._send(mark)
        is_read.wait(_PATIENCE_SECONDS)
        self._marks.pop(mark, None)

    def stop(self) -> None:
        """Let the thread come to its end."""
        self._send(self._last)

    def _send(self, datagram: bytes) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram, self._name)

    def _listen(self) -> None:
        with self._socket:
            while (datagram := self._socket.recv(_LARGEST_DATAGRAM)) != self._last:
                if mark := self._marks.get(datagram):
                    mark.set()
                    continue
                if (document := segment_document(datagram)) is not None:
                    self._take(document)


def segment_document(datagram: bytes) -> str | None:
    """Return what follows the header line of a datagram; None when it has no such header."""
    line, _, document = datagram.decode("utf-8", "replace").partition("\n")
    try:
        header = json.loads(line)
    except ValueError:
        return None
    is_header = isinstance(header, dict) and header.get("format") == "json" and header.get("version") == 1
    return document if is_header else None
