"""Secrets Manager has functions rotate secrets: at once, and again on the cloud's clock.

moto looks for the function in its own Lambda, calls the four steps inside the request, and never again.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any
from weakref import WeakKeyDictionary

from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    SecretNotFoundException,
    SecretsManagerClientError,
)
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.recurrence import Recurrence
from coldstart.cloud.replacements import Replacements
from coldstart.events.invoker import Invoker
from coldstart.events.schedule_expression import (
    InvalidScheduleExpression,
    Rate,
    ScheduleExpression,
    rule_schedule,
)
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

PRINCIPAL = "secretsmanager.amazonaws.com"
_STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_DAY_SECONDS = 86_400


class SecretRotation:
    """Takes the place of moto's RotateSecret, in all regions of one account."""

    def __init__(self, invoker: Invoker, clock: Clock, identifiers: Identifiers, account_id: str) -> None:
        self._invoker = invoker
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._schedules: WeakKeyDictionary[FakeSecret, object] = WeakKeyDictionary()

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""

        def rotate_secret(
            backend: SecretsManagerBackend,
            secret_id: str,
            client_request_token: str | None = None,
            rotation_lambda_arn: str | None = None,
            rotation_rules: dict[str, Any] | None = None,
            rotate_immediately: bool = True,
        ) -> str:
            if not backend._is_valid_identifier(secret_id):
                raise SecretNotFoundException()
            secret = backend.secrets[secret_id]
            if not isinstance(secret, FakeSecret) or secret.is_deleted():
                raise InvalidRequestException(
                    "You can't perform this operation on the secret because it was marked for deletion."
                )
            schedule = _schedule(rotation_rules or {})
            self._check_function(secret, rotation_lambda_arn or secret.rotation_lambda_arn)
            secret.rotation_requested = True
            secret.rotation_lambda_arn = rotation_lambda_arn or secret.rotation_lambda_arn
            if rotation_rules:
                secret.auto_rotate_after_days = rotation_rules.get("AutomaticallyAfterDays", 0)
            if schedule:
                secret.rotation_enabled = True
                self._repeat(backend, secret, schedule)
            if not rotate_immediately:
                self._clock.work(
                    lambda: self._run(secret, secret.default_version_id or "", ("testSecret",)), "rotation"
                )
                return secret.to_short_dict()
            token = client_request_token or self._identifiers.uuid()
            self._rotate(secret, token)
            return secret.to_short_dict(version_id=token)

        moto.put(SecretsManagerBackend, "rotate_secret", rotate_secret)

    def _check_function(self, secret: FakeSecret, function_arn: str) -> None:
        if not function_arn:
            raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
        if not self._invoker.may_invoke(
            function_arn, PRINCIPAL, source_arn=secret.arn, source_account=self._account_id
        ):
            raise SecretsManagerClientError(
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
                f"access to the principal {PRINCIPAL}.",
            )

    def _rotate(self, secret: FakeSecret, token: str) -> None:
        pending = [v for v in secret.versions.values() if "AWSPENDING" in v["version_stages"]]
        if any("AWSCURRENT" not in version["version_stages"] for version in pending):
            raise InvalidRequestException("A previous rotation isn't complete. That rotation will be reattempted.")
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[token] = {
            "createdate": int(self._clock.now()),
            "version_id": token,
            "version_stages": ["AWSPENDING"],
        }
        self._clock.work(lambda: self._run(secret, token, _STEPS), f"rotation of {secret.name}")

    def _run(self, secret: FakeSecret, token: str, steps: tuple[str, ...]) -> None:
        """Call the function for each step, until one fails."""
        for step in steps:
            event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token}
            try:
                result = self._invoker.invoke(secret.rotation_lambda_arn, json.dumps(event).encode())
            except AwsError:
                return
            if result.function_error:
                return
        if steps == _STEPS:
            secret.last_rotation_date = int(self._clock.now())
            current = [v["version_id"] for v in secret.versions.values() if "AWSCURRENT" in v["version_stages"]]
            secret.set_default_version_id(current[0] if current else secret.default_version_id)

    def _repeat(self, backend: SecretsManagerBackend, secret: FakeSecret, schedule: ScheduleExpression) -> None:
        version = self._schedules[secret] = object()

        def is_current() -> bool:
            return (
                secret.rotation_enabled
                and self._schedules.get(secret) is version
                and any(known is secret for known in backend.secrets.values())
            )

        def fire(due: float) -> None:
            secret.next_rotation_date = _whole(schedule.next_after(due))
            with contextlib.suppress(InvalidRequestException):  # the last one is not complete
                self._rotate(secret, self._identifiers.uuid())

        first = schedule.next_after(self._clock.now())
        secret.next_rotation_date = _whole(first)
        Recurrence(self._clock, schedule, is_current, fire, f"rotation of {secret.name}").start(first)


def _schedule(rules: dict[str, Any]) -> ScheduleExpression | None:
    days = rules.get("AutomaticallyAfterDays")
    if days is not None:
        if not 1 <= days <= 1000:
            raise InvalidParameterException("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
        return Rate(days * _DAY_SECONDS)
    if expression := rules.get("ScheduleExpression"):
        try:
            return rule_schedule(expression)
        except InvalidScheduleExpression:
            raise InvalidParameterException(f"Invalid schedule expression {expression}.") from None
    return None


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
