"""Checks that Lambda could act in a function's execution role.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html.
"""

from __future__ import annotations

import json

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.lambda_validation import invalid
from coldstart.cloud.policy_statements import allows, service_call

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
        return allows(json.loads(document), service_call(_SERVICE, "sts:AssumeRole", "*"))
    except ValueError:
        return False
