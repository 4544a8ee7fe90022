"""A function's LoggingConfig: text or JSON, and which levels of JSON are kept.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html and monitoring-cloudwatchlogs-log-level.html, whose
table gives each event of the platform its level. Text is never filtered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from coldstart.runtime.platform_events import InitReport, InitStart, PlatformEvent, RestoreStart, RuntimeDone

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""From the finest to the gravest."""
_TIMES = ("timestamp", "time", "ts")


@dataclass(frozen=True)
class LogFormat:
    """How the log of one function version is written."""

    is_json: bool = False
    application_level: str = ""
    """The least level of the function's own events; empty to keep all."""
    system_level: str = ""
    """The least level of the platform's events; empty to keep all."""

    def line(self, event: PlatformEvent, now: Callable[[], str]) -> str:
        """Return what is logged of an event of the platform; empty for nothing.

        Args:
            now: tells when it happened, as AWS writes it.
        """
        if not self.is_json:
            return event.line()
        if not event.kind or not _reaches(system_level(event), self.system_level):
            return ""
        return json.dumps({"time": now(), "type": event.kind, "record": event.record()}, separators=(",", ":")) + "\n"

    def keeps_frame(self, kind: int) -> bool:
        """Say whether a log record is kept, by the type of its frame, which holds its level."""
        place = kind >> 2
        return not self.is_json or _reaches(
            LEVELS[place - 1] if 0 < place <= len(LEVELS) else "INFO", self.application_level
        )

    def keeps_line(self, text: str) -> bool:
        """Say whether a line that the function printed is kept: JSON objects tell their level themselves."""
        return not self.is_json or _reaches(printed_level(text), self.application_level)


def system_level(event: PlatformEvent) -> str:
    """Return the level of an event of the platform."""
    if event.record().get("status", "success") != "success":
        return "WARN"
    match event:
        case InitReport(initialization_type="on-demand") | RuntimeDone():
            return "DEBUG"
        case InitStart(runtime_version="") | RestoreStart(runtime_version=""):
            return "DEBUG"
    return "INFO"


def printed_level(text: str) -> str:
    """Return the level that a printed line has: what its JSON says when it has a time too, else INFO."""
    if not text.startswith("{"):
        return "INFO"
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "INFO"
    level = str(document.get("level", "")).upper()
    has_time = any(isinstance(document.get(name), str) for name in _TIMES)
    level = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(level, level)
    return level if level in LEVELS and has_time else "INFO"


def _reaches(level: str, least: str) -> bool:
    return not least or LEVELS.index(level) >= LEVELS.index(least)
