"""Who may use the local AWS: the learner's kernel and the functions, each with keys made for this run.

The port is open to every program on the machine; the keys are not known to them. They are worth nothing on the real AWS.
"""

from __future__ import annotations

import secrets
import string

from moto.backends import get_backend

_KEY_CHARACTERS = string.ascii_uppercase + "234567"
_SESSION_SECONDS = 12 * 3600


class AccessKeys:
    """Makes access keys and knows them again."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._learners_id = "AKIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(16))
        self._learners_secret = secrets.token_urlsafe(30)
        self._known = {self._learners_id}

    def learner_variables(self) -> dict[str, str]:
        """Return the credentials of the learner's kernel as environment variables."""
        return {
            "AWS_ACCESS_KEY_ID": self._learners_id,
            "AWS_SECRET_ACCESS_KEY": self._learners_secret,
        }

    def are_known(self, access_key_id: str) -> bool:
        """Say whether this cloud gave out the key, itself or through STS and IAM."""
        if access_key_id in self._known:
            return True
        return get_backend("sts")[self._account_id]["aws"].get_assumed_role_from_access_key(access_key_id) is not None

    def assume_execution_role(self, role_arn: str, function_name: str, region: str) -> dict[str, str]:
        """Return temporary credentials of a function's role as environment variables."""
        role = get_backend("sts")[self._account_id]["aws"].assume_role(
            region_name=region,
            role_session_name=function_name,
            role_arn=role_arn,
            policy="",
            duration=_SESSION_SECONDS,
            external_id="",
        )
        self._known.add(role.access_key_id)
        return {
            "AWS_ACCESS_KEY_ID": role.access_key_id,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token,
        }
