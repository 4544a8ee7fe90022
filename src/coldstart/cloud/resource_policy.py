"""Whether a resource's own policy lets an AWS service use it: queues, topics and functions that other services push to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, as far as service principals go:
a Deny wins, then an Allow is needed. Conditions on anything but the caller's ARN and account are not met.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class ServiceRequest:
    """A service's wish to use a resource."""

    service: str
    """The principal, such as ``s3.amazonaws.com``."""
    action: str
    resource: str
    source_arn: str
    """On whose behalf: a bucket, rule or topic."""
    source_account: str


def allows(policy: Mapping[str, Any] | None, request: ServiceRequest) -> bool:
    """Say whether a policy document lets the service do it."""
    statements = _list((policy or {}).get("Statement"))
    effects = {statement.get("Effect") for statement in statements if _applies(statement, request)}
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Any], request: ServiceRequest) -> bool:
    return (
        _names_principal(statement.get("Principal"), request.service)
        and any(_like(pattern.lower(), request.action.lower()) for pattern in _list(statement.get("Action")))
        and any(_like(pattern, request.resource) for pattern in _list(statement.get("Resource", "*")))
        and all(
            _is_met(operator, key, _list(values), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _names_principal(principal: Any, service: str) -> bool:
    if isinstance(principal, Mapping):
        return service in _list(principal.get("Service")) or "*" in _list(principal.get("AWS"))
    return principal == "*"


def _is_met(operator: str, key: str, wanted: list[str], request: ServiceRequest) -> bool:
    needs_no_key = operator.endswith("IfExists")
    found = {"aws:sourcearn": request.source_arn, "aws:sourceaccount": request.source_account}.get(key.lower(), "")
    if not found:
        return needs_no_key
    match operator.removesuffix("IfExists"):
        case "StringEquals":
            return found in wanted
        case "StringNotEquals":
            return found not in wanted
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(_like(pattern, found) for pattern in wanted)
        case "StringNotLike" | "ArnNotLike" | "ArnNotEquals":
            return not any(_like(pattern, found) for pattern in wanted)
    return False


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in text), re.S)


def _like(pattern: str, text: str) -> bool:
    return _pattern(pattern).fullmatch(text) is not None
