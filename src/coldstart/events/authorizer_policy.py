"""The policies that Lambda authorizers return.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any, Literal

ACTION = "execute-api:Invoke"


class InvalidPolicy(ValueError):
    """What an authorizer returned is no policy."""


def decision(policy: Any, method_arn: str) -> Literal["allow", "deny", "none"]:
    """Return what a policy says of a call to a method; ``none`` when it says nothing.

    Raises:
        InvalidPolicy: it is not a policy document.
    """
    if not isinstance(policy, Mapping) or "Statement" not in policy:
        raise InvalidPolicy("there is no policyDocument with a Statement")
    effects = set()
    for statement in _listed(policy["Statement"]):
        if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
            raise InvalidPolicy("a statement has no Effect")
        if "Action" not in statement or "Resource" not in statement:
            raise InvalidPolicy("a statement has no Action or no Resource")
        names_action = any(
            fnmatch.fnmatchcase(ACTION.lower(), str(action).lower()) for action in _listed(statement["Action"])
        )
        if names_action and any(_matches(str(resource), method_arn) for resource in _listed(statement["Resource"])):
            effects.add(statement["Effect"])
    if "Deny" in effects:
        return "deny"
    return "allow" if effects else "none"


def _matches(pattern: str, arn: str) -> bool:
    return pattern == "*" or fnmatch.fnmatchcase(arn, pattern.replace("[", "[[]"))


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]
