"""Corrections to moto, each a small module with the reason, the moto file it corrects and a test that tells when moto has caught up."""

from __future__ import annotations

from coldstart.cloud.moto_patches import (
    cloud_time,
    log_filter_patterns,
    queue_messages,
    s3_notification_configuration,
)


def apply_all() -> None:
    """Apply every correction; again is as good as once."""
    cloud_time.apply()
    log_filter_patterns.apply()
    queue_messages.apply()
    s3_notification_configuration.apply()
