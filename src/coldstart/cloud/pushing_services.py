"""The services that push events to functions, put together: each takes over from moto and gives it back at the end."""

from __future__ import annotations

from coldstart.cloud.event_buses import EventBuses
from coldstart.cloud.event_targets import EventTargets
from coldstart.cloud.log_subscriptions import LogSubscriptions
from coldstart.cloud.replacements import Replacements
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.s3_notifications import S3Notifications
from coldstart.cloud.schedules import Schedules
from coldstart.cloud.secret_rotation import SecretRotation
from coldstart.cloud.sns_deliveries import SnsDeliveries
from coldstart.cloud.state_machines import StateMachines
from coldstart.cloud.universal_targets import universal_target
from coldstart.events.invoker import Invoker
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers


class PushingServices:
    """S3's notifications and the like, from the moment it is made until :meth:`stop`."""

    def __init__(
        self,
        invoker: Invoker,
        clock: Clock,
        identifiers: Identifiers,
        account_id: str,
        clients: RoleClients,
    ) -> None:
        self.targets = targets = EventTargets(invoker, clock, identifiers, account_id)
        """Hands events to whatever an ARN names."""
        targets.add("scheduler", universal_target(clients))
        self._moto = Replacements()
        StateMachines(clock, clients).attach(self._moto)
        buses = EventBuses(targets, clock, identifiers, account_id)
        buses.attach(self._moto)
        self.send_event = buses.send
        """Puts an event of a service of AWS on a region's bus."""
        Schedules(targets, clock, identifiers, account_id).attach(self._moto)
        SnsDeliveries(targets, clock, identifiers, account_id).attach(self._moto)
        SecretRotation(invoker, clock, identifiers, account_id).attach(self._moto)
        LogSubscriptions(targets, clock, account_id).attach(self._moto)
        S3Notifications(targets, buses.send, clock, identifiers, account_id).attach(self._moto)

    def stop(self) -> None:
        """Give moto its own ways back."""
        self._moto.undo()
