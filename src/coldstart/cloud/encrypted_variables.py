"""Environment variables that are encrypted with a key of the customer's: without the key a function cannot start.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html. Lambda decrypts them for each new execution
environment, with the permissions of the execution role; environments that are there keep what they have.
"""

from __future__ import annotations

from collections.abc import Callable

from moto.backends import get_backend

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.host import EnvironmentRefused

Refusal = Callable[[str, str, str, str], str]
"""Takes the ARNs of a role and its function, an action and a resource; returns IAM's sentence, empty when the role may."""


class EncryptedVariables:
    """Decrypts for the functions of one account."""

    def __init__(self, account_id: str, refusal: Refusal) -> None:
        self._account_id = account_id
        self._refusal = refusal

    def check(self, configuration: FunctionConfiguration) -> None:
        """See to it that a new environment can have its variables.

        Raises:
            EnvironmentRefused: the key is not there, does not work, or is not for the execution role; with AWS's error.
        """
        arn = configuration.kms_key_arn
        if not arn or not configuration.environment:
            return
        region, name = arn.split(":")[3], arn.rpartition("/")[2]
        key = get_backend("kms")[self._account_id][region].keys.get(name)
        if key is None:
            raise _refused("KMSNotFoundException", "the KMS key was not found")
        if key.key_state == "Disabled":
            raise _refused("KMSDisabledException", "the KMS key used is disabled")
        if key.key_state != "Enabled":
            raise _refused("KMSInvalidStateException", "the state of the KMS key used is not valid for Decrypt")
        sentence = self._refusal(configuration.role, configuration.function_arn, "kms:Decrypt", arn)
        if sentence:
            denied = f"KMS Exception: AccessDeniedException KMS Message: {sentence}"
            raise _refused("KMSAccessDeniedException", "KMS access was denied", denied)


def _refused(code: str, why: str, more: str = "") -> EnvironmentRefused:
    message = f"Lambda was unable to decrypt the environment variables because {why}. Please check the function's KMS key settings."
    return EnvironmentRefused(502, code, f"{message} {more}".rstrip())
