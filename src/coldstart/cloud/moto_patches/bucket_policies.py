"""A bucket's policy denies what it says; moto (s3/models.py) passes over conditions and principals.

A policy that refuses what does not come over TLS, such as the one of SAM's own bucket, would refuse everything. On AWS every SDK
speaks TLS: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html.
"""

# mypy: disable-error-code="method-assign, assignment"
from __future__ import annotations

import json
from typing import Any

from moto.s3.models import FakeBucket

from coldstart.cloud.policy_statements import Call, findings, names_of


def apply() -> None:
    """Correct moto."""
    FakeBucket.get_permission = _get_permission


def _get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
    from moto.iam.access_control import PermissionResult

    if not bucket.policy:
        return PermissionResult.NEUTRAL
    caller = names_of(f"arn:aws:iam::{bucket.account_id}:root")
    call = Call(action, resource, caller, {"aws:securetransport": ("true",)})
    found = findings("bucket policy", json.loads(bucket.policy), call, has_principals=True)
    effects = {finding.effect for finding in found if finding.applies}
    if "Deny" in effects:
        return PermissionResult.DENIED
    return PermissionResult.PERMITTED if "Allow" in effects else PermissionResult.NEUTRAL
