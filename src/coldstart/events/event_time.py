"""Times as AWS's events spell them."""

from __future__ import annotations

from datetime import UTC, datetime


def with_milliseconds(seconds: float) -> str:
    """Return epoch seconds as ``2026-11-23T10:15:00.123Z`` (S3, SNS)."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def with_seconds(seconds: float) -> str:
    """Return epoch seconds as ``2026-11-23T10:15:00Z`` (EventBridge)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
