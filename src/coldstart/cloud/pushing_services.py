"""The services that push events to functions, put together: each takes over from moto and gives it back at the end."""

from __future__ import annotations

from collections.abc import Callable

from coldstart.cloud.event_targets import EventTargets
from coldstart.cloud.s3_notifications import S3Notifications
from coldstart.events.invoker import Invoker
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers


class PushingServices:
    """S3's notifications and the like, from the moment it is made until :meth:`stop`."""

    def __init__(self, invoker: Invoker, clock: Clock, identifiers: Identifiers, account_id: str) -> None:
        targets = EventTargets(invoker, clock, identifiers, account_id)
        notifications = S3Notifications(targets, lambda region, event: None, clock, identifiers, account_id)
        self._detach: list[Callable[[], None]] = [notifications.attach()]

    def stop(self) -> None:
        """Give moto its own ways back."""
        for detach in reversed(self._detach):
            detach()
        self._detach.clear()
