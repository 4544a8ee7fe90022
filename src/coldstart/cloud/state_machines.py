"""Step Functions runs state machines with the learner's functions.

moto executes the Amazon States Language, when it is told to; its tasks then call a moto server at localhost:5000. Here they call
this cloud, with the credentials of the state machine's role, and everything waits on the cloud's clock.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html.
"""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions import models, responses

from coldstart.cloud.replacements import Replacements
from coldstart.cloud.role_clients import RoleClients
from coldstart.runtime.clock import Clock


class StateMachines:
    """Takes the place of moto's Step Functions, which stores executions and does not run them."""

    def __init__(self, clock: Clock, clients: RoleClients) -> None:
        self._clock = clock
        self._clients = clients
        self._lock = threading.Lock()
        self._backends: Any = None

    def attach(self, moto: Replacements) -> None:
        """Take over from moto. The interpreter is big, so it is loaded when somebody asks for a state machine."""

        def backends() -> Any:
            with self._lock:
                if self._backends is None:
                    self._backends = self._take_over(moto)
                return self._backends

        moto.put(responses, "get_backend", lambda account, region: backends()[account][region])
        moto.put(models, "stepfunctions_backends", _Lazily(backends))  # CloudFormation asks there

    def _take_over(self, moto: Replacements) -> Any:
        from moto.stepfunctions.parser import models as parser
        from moto.stepfunctions.parser.asl.component.state import state
        from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
        from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp
        from moto.stepfunctions.parser.asl.eval.event import event_manager
        from moto.stepfunctions.parser.asl.utils import boto_client
        from moto.stepfunctions.parser.backend import execution

        from coldstart.cloud.moto_patches import jsonata_expressions, state_machine_errors
        from coldstart.cloud.state_machine_time import StateMachineTime

        state_machine_errors.apply()
        jsonata_expressions.apply()
        logging.getLogger("moto.stepfunctions").propagate = False  # what fails is in the execution's history
        StateMachineTime(self._clock).attach(moto)
        time = _clocks_datetime(self._clock)
        for module in (parser, state, timestamp, event_manager, execution):
            moto.put(module, "datetime", time)

        def client_for(region: str, service: str, state_credentials: Any) -> Any:
            return self._clients.of(service, region, state_credentials.role_arn)

        def failure(task: StateTaskLambda, env: Any, ex: Exception) -> Any:
            event = original_failure(task, env, ex)
            if isinstance(ex, ClientError):  # moto calls all of them "Exception"
                name = f"Lambda.{ex.response['Error']['Code']}"
                event.error_name.error_name = name
                event.event_details["lambdaFunctionFailedEventDetails"]["error"] = name
            return event

        original_failure = moto.put(StateTaskLambda, "_from_error", failure)
        boto_client.boto_client_for.__code__ = _forward.__code__
        vars(boto_client)["_coldstart_client_for"] = client_for
        return parser.stepfunctions_parser_backends


class _Lazily:
    """A dictionary of backends that is made when somebody looks into it."""

    def __init__(self, backends: Callable[[], Any]) -> None:
        self._backends = backends

    def __getitem__(self, account_id: str) -> Any:
        return self._backends()[account_id]


def _clocks_datetime(clock: Clock) -> SimpleNamespace:
    """Return what stands in for the module `datetime`: now is the cloud's, without a time zone in UTC."""

    class CloudDatetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            now = datetime.datetime.fromtimestamp(clock.now(), tz or datetime.UTC)
            return now if tz else now.replace(tzinfo=None)

    return SimpleNamespace(datetime=CloudDatetime, timezone=datetime.timezone, timedelta=datetime.timedelta)


def _forward(region: str, service: str, state_credentials: Any = None) -> Any:
    """Stand in for moto's boto_client_for, in its module, from where many others have imported it by name."""
    return _coldstart_client_for(region, service, state_credentials)  # type: ignore[name-defined] # noqa: F821
