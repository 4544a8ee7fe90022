"""The services that push events to functions, put together: each takes over from moto and gives it back at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from coldstart.cloud.event_targets import Delivery, EventTargets
from coldstart.cloud.replacements import Replacements
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.universal_targets import universal_target
from coldstart.events.invoker import Invoker
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

if TYPE_CHECKING:
    from coldstart.cloud.event_buses import EventBuses


class PushingServices:
    """S3's notifications and the like, from the moment it is made until :meth:`stop`; each is loaded when moto loads its service."""

    def __init__(
        self,
        invoker: Invoker,
        clock: Clock,
        identifiers: Identifiers,
        account_id: str,
        clients: RoleClients,
    ) -> None:
        self._invoker = invoker
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._clients = clients
        self._buses: EventBuses | None = None
        self.targets = EventTargets(invoker, clock, identifiers, account_id)
        """Hands events to whatever an ARN names."""
        self.targets.add("scheduler", universal_target(clients))
        self.targets.add("events", self._forward)
        self._moto = Replacements()
        for module, take_over in {
            "events.models": self._take_over_events,
            "logs.models": self._take_over_logs,
            "s3.models": self._take_over_s3,
            "scheduler.models": self._take_over_scheduler,
            "secretsmanager.models": self._take_over_secrets_manager,
            "sns.models": self._take_over_sns,
            "stepfunctions": self._take_over_step_functions,  # later: the package has a name of its own for the backends
        }.items():
            self._moto.when_loaded(f"moto.{module}", take_over)

    def send_event(self, region: str, event: dict[str, Any]) -> None:
        """Put an event of a service of AWS on a region's default bus."""
        if self._buses is not None:  # otherwise nobody has made a rule yet
            self._buses.send(region, event)

    def stop(self) -> None:
        """Give moto its own ways back."""
        self._moto.undo()

    def _forward(self, delivery: Delivery) -> None:
        get_backend("events")
        assert self._buses is not None, "moto loads EventBridge, and the buses come with it"
        self._buses.forward(delivery)

    def _take_over_events(self) -> None:
        from coldstart.cloud.event_buses import EventBuses

        self._buses = EventBuses(self.targets, self._clock, self._identifiers, self._account_id)
        self._buses.attach(self._moto)

    def _take_over_logs(self) -> None:
        from coldstart.cloud.log_subscriptions import LogSubscriptions

        LogSubscriptions(self.targets, self._clock, self._account_id).attach(self._moto)

    def _take_over_s3(self) -> None:
        from coldstart.cloud.s3_notifications import S3Notifications

        S3Notifications(self.targets, self.send_event, self._clock, self._identifiers, self._account_id).attach(
            self._moto
        )

    def _take_over_scheduler(self) -> None:
        from coldstart.cloud.schedules import Schedules

        Schedules(self.targets, self._clock, self._identifiers, self._account_id).attach(self._moto)

    def _take_over_secrets_manager(self) -> None:
        from coldstart.cloud.secret_rotation import SecretRotation

        SecretRotation(self._invoker, self._clock, self._identifiers, self._account_id).attach(self._moto)

    def _take_over_sns(self) -> None:
        from coldstart.cloud.sns_deliveries import SnsDeliveries

        SnsDeliveries(self.targets, self._clock, self._identifiers, self._account_id).attach(self._moto)

    def _take_over_step_functions(self) -> None:
        from coldstart.cloud.state_machines import StateMachines

        StateMachines(self._clock, self._clients).attach(self._moto)
