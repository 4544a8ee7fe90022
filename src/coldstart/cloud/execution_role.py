"""Checks that Lambda could act in a function's execution role.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html.
"""

from __future__ import annotations

import json
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.lambda_validation import invalid

_SERVICE = "lambda.amazonaws.com"


def check_role(role_arn: str, account_id: str) -> None:
    """Refuse a role that is not there, or that does not trust Lambda.

    Raises:
        AwsError: as AWS.
    """
    from moto.iam.exceptions import NotFoundException
    from moto.iam.models import iam_backends

    if role_arn.split(":")[4] != account_id:
        raise AwsError(403, "AccessDeniedException", "Cross-account pass role is not allowed.")
    refused = invalid("The role defined for the function cannot be assumed by Lambda.")
    try:
        role = iam_backends[account_id]["aws"].get_role_by_arn(role_arn)
    except NotFoundException:
        raise refused from None
    if not _trusts_lambda(role.assume_role_policy_document):
        raise refused


def _trusts_lambda(document: str) -> bool:
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError):
        return False
    return any(
        statement.get("Effect") == "Allow"
        and {"sts:AssumeRole", "sts:*", "*"} & set(_listed(statement.get("Action")))
        and _names_lambda(statement.get("Principal"))
        for statement in _listed(statements)
    )


def _names_lambda(principal: Any) -> bool:
    if principal == "*":
        return True
    return isinstance(principal, dict) and bool({_SERVICE, "*"} & set(_listed(principal.get("Service"))))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
