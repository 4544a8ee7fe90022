"""Turns what a function's process writes into log events: a print is an event per line, a log record is one event.

Both arrive through one pipe, so they keep their order. Log records come in AWS's telemetry frames (see
``FramedTelemetryLogSink`` in awslambdaric): type, length and time, 4 + 4 + 8 bytes, before the text.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from coldstart.runtime.log_format import LogFormat
from coldstart.runtime.platform_events import PlatformEvent

Listener = Callable[[str, dict[str, Any] | str], object]
"""Takes the type of a telemetry event and its record."""

_TEXT = LogFormat()
_FRAME_HEAD_BYTES = 16
_FRAME_MARK = b"\xa5\x5a\x00"
MAX_EVENT_BYTES = 262_144
"""A longer event is cut into several (CloudWatch Logs quota: 256 KB an event when Lambda writes it)."""


class LogEvent(NamedTuple):
    """One event of a log stream: milliseconds since the epoch, and the text."""

    timestamp: int
    message: str


class LogCollector:
    """Collects the events of one execution environment.

    Args:
        now_ms: the cloud's time in milliseconds.
        rename: gives the text the names that it would have on AWS (paths).
        log_format: text or JSON, and which levels are kept.
    """

    def __init__(self, now_ms: Callable[[], int], rename: Callable[[str], str], log_format: LogFormat = _TEXT) -> None:
        self._now_ms = now_ms
        self._rename = rename
        self._format = log_format
        self._buffer = bytearray()
        self._events: list[LogEvent] = []
        self.listener: Listener | None = None
        """Hears of everything too: telemetry."""
        self._source = "function"

    @property
    def has_events(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._events or self._buffer)

    def platform(self, event: PlatformEvent) -> None:
        """Add something that Lambda itself tells."""
        if line := self._format.line(event, self.now):
            self._events.append(LogEvent(self._now_ms(), line))
        if self.listener is not None and event.kind:
            self.listener(event.kind, event.record())

    def now(self) -> str:
        """Return the time as AWS writes it in JSON events."""
        now_ms = self._now_ms()
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now_ms // 1000))}.{now_ms % 1000:03d}Z"

    def feed(self, data: bytes) -> None:
        """Add bytes from the process's pipe."""
        self._buffer += data
        while self._buffer:
            mark = self._buffer.find(_FRAME_MARK)
            if mark == 0:
                if not self._take_frame():
                    return
                continue
            end = self._buffer.find(b"\n", 0, mark if mark > 0 else len(self._buffer))
            if end >= 0:
                self._take_text(end + 1)
            elif mark > 0:
                self._take_text(mark)
            elif len(self._buffer) > MAX_EVENT_BYTES:
                self._take_text(MAX_EVENT_BYTES)
            else:
                return

    def beside(self) -> LogCollector:
        """Return a collector for an extension's pipe, whose events come between this one's."""
        other = LogCollector(self._now_ms, self._rename)
        other._events = self._events
        other._source = "extension"
        other.listener = lambda kind, record: self.listener(kind, record) if self.listener else None
        return other

    def flush(self) -> None:
        """Make an event of an unfinished last line: the process has nothing more to say about it for now."""
        if self._buffer:
            self._take_text(len(self._buffer))

    def take(self) -> list[LogEvent]:
        """Return the events so far and forget them."""
        self.flush()
        events = self._events[:]
        self._events.clear()
        return events

    def _take_frame(self) -> bool:
        if len(self._buffer) < _FRAME_HEAD_BYTES:
            return False
        length = int.from_bytes(self._buffer[4:8], "big")
        if len(self._buffer) < _FRAME_HEAD_BYTES + length:
            return False
        text = bytes(self._buffer[_FRAME_HEAD_BYTES : _FRAME_HEAD_BYTES + length])
        is_kept = self._format.keeps_frame(self._buffer[3])
        del self._buffer[: _FRAME_HEAD_BYTES + length]
        self._add(text.decode("utf-8", "replace"), is_kept)
        return True

    def _take_text(self, length: int) -> None:
        text = bytes(self._buffer[:length]).decode("utf-8", "replace")
        del self._buffer[:length]
        self._add(text, self._format.keeps_line(text))

    def _add(self, text: str, is_kept: bool) -> None:
        message = self._rename(text.replace("\r", "\n"))
        if is_kept:
            self._events.append(LogEvent(self._now_ms(), message))
        if self.listener is not None:
            self.listener(self._source, message)
