"""The policies that resources have themselves, and the ARNs of those that are named in other ways, as moto keeps them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend
from moto.core.exceptions import ServiceException

_ENCRYPTION_CONTEXT = "kms:encryptioncontext:"


class ResourcePolicies:
    """Looks resources of one account up."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def policy_of(self, arn: str) -> Mapping[str, Any] | None:
        """Return the policy of a bucket, an object's bucket, a queue, topic, key or secret; None when it has none."""
        parts = arn.split(":", 5)
        if len(parts) < 6:
            return None
        service, region, name = parts[2], parts[3], parts[5]
        policy: Any = None
        if service == "s3":
            bucket = get_backend("s3")[self._account_id]["aws"].buckets.get(name.partition("/")[0])
            policy = bucket.policy if bucket else None
        elif service == "sqs":
            queue = get_backend("sqs")[self._account_id][region].queues.get(name)
            policy = queue._policy_json if queue else None
        elif service == "sns":
            topic = get_backend("sns")[self._account_id][region].topics.get(arn)
            policy = topic._policy_json if topic else None
        elif service == "kms":
            key = get_backend("kms")[self._account_id][region].keys.get(name.rpartition("/")[2])
            policy = key.policy if key else None
        elif service == "secretsmanager":
            secret = get_backend("secretsmanager")[self._account_id][region].secrets.get(arn)
            policy = getattr(secret, "policy", None)
        if isinstance(policy, bytes):
            policy = policy.decode()
        if isinstance(policy, str):
            policy = json.loads(policy) if policy else None
        return policy if isinstance(policy, Mapping) else None

    def grants_of(self, arn: str, context: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
        """Return the grants of a KMS key, as statements, without those whose constraints the encryption context does not meet.

        https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
        """
        region, name = arn.split(":")[3] if arn.count(":") >= 5 else "", arn.rpartition("/")[2]
        key = get_backend("kms")[self._account_id][region].keys.get(name) if region else None
        given = {
            key.removeprefix(_ENCRYPTION_CONTEXT): value[0]
            for key, value in context.items()
            if _ENCRYPTION_CONTEXT in key
        }
        return [
            {
                "Sid": grant.name or grant.id,
                "Effect": "Allow",
                "Principal": {"AWS": grant.grantee_principal},
                "Action": [f"kms:{operation}" for operation in grant.operations],
            }
            for grant in (key.grants.values() if key else ())
            if _are_met(grant.constraints or {}, given)
        ]

    def key_arn(self, region: str, name: str) -> str:
        """Return the ARN of a KMS key that is named by id, ARN or alias; the name itself when there is none."""
        backend = get_backend("kms")[self._account_id][region]
        key = backend.keys.get(backend.any_id_to_key_id(name))
        return str(key.arn) if key else name

    def secret_arn(self, region: str, name: str) -> str:
        """Return the ARN of a secret, with the six characters that AWS adds; the name itself when there is none."""
        secret = get_backend("secretsmanager")[self._account_id][region].secrets.get(name)
        if secret is not None:
            return str(secret.arn)
        return name if name.startswith("arn:") else f"arn:aws:secretsmanager:{region}:{self._account_id}:secret:{name}"

    def customer_key(self, region: str, service: str, name: str) -> str:
        """Return the ARN of the customer's key that a parameter or a secret is encrypted with; empty when it is AWS's own, or none."""
        key: Any = None
        if service == "ssm":
            with contextlib.suppress(ServiceException):  # there is no such version; the service says so itself
                parameter = get_backend("ssm")[self._account_id][region].get_parameter(name)
                key = parameter.keyid if parameter is not None and parameter.parameter_type == "SecureString" else None
        else:
            key = getattr(get_backend("secretsmanager")[self._account_id][region].secrets.get(name), "kms_key_id", None)
        return "" if not key or "alias/aws/" in key else self.key_arn(region, key)

    def partition_key(self, region: str, table: str, index: str) -> str:
        """Return the name of the partition key of a table, or of its index; empty when there is no such table."""
        found = get_backend("dynamodb")[self._account_id][region].tables.get(table.rpartition("/")[2])
        if found is None:
            return ""
        schemas = {each.name: each.schema for each in found.all_indexes()}
        schema = schemas.get(index, found.schema)
        return next((key["AttributeName"] for key in schema if key["KeyType"] == "HASH"), "")


def _are_met(constraints: Mapping[str, Mapping[str, str]], given: Mapping[str, str]) -> bool:
    """Say whether an encryption context, its keys in lower case, meets the constraints of a grant."""
    subset = _lowered(constraints.get("EncryptionContextSubset") or {})
    equal = constraints.get("EncryptionContextEquals")
    return subset.items() <= given.items() and (not equal or _lowered(equal) == dict(given))


def _lowered(context: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in context.items()}
