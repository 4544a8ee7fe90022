"""Resource policies of functions: who else may invoke them.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html. A function, each of its versions and each
of its aliases has a policy of its own, made of statements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import LATEST, FunctionReference, parse_reference, reference_in_region
from coldstart.cloud.lambda_functions import revision_mismatch
from coldstart.cloud.lambda_store import LambdaStore, StoredFunction
from coldstart.cloud.lambda_validation import invalid
from coldstart.cloud.policy_statements import Call, allows, names_of

MAX_POLICY_BYTES = 20_480

_SERVICE = re.compile(r"[a-z0-9.-]+\.amazon(aws)?\.com(\.cn)?")
_IDENTITY = re.compile(r"arn:aws[a-zA-Z-]*:(iam|sts)::\d{12}:.+")


class PolicyApi:
    """The operations on resource policies, and their evaluation."""

    def __init__(self, store: LambdaStore) -> None:
        self._store = store

    def add_permission(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Add a statement. https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html."""
        reference = self._reference(region, params)
        if reference.qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        function = self._store.require_qualifier(reference)
        with function.lock:
            self._check_revision(function, reference.qualifier, params)
            statements = function.policies.get(reference.qualifier, [])
            statement_id = params["StatementId"]
            if any(statement.get("Sid") == statement_id for statement in statements):
                raise AwsError(
                    409,
                    "ResourceConflictException",
                    f"The statement id ({statement_id}) provided already exists. Please provide a new statement id, "
                    "or remove the existing statement.",
                )
            statement = _statement(reference.arn(self._store.account_id), params)
            self._replace(function, reference.qualifier, [*statements, statement])
        return {"Statement": json.dumps(statement, separators=(",", ":"))}

    def remove_permission(self, region: str, params: dict[str, Any]) -> None:
        """Take a statement out."""
        reference = self._reference(region, params)
        if self._store.find(reference) is None:
            arn = reference._replace(qualifier="").arn(self._store.account_id)
            raise AwsError(404, "ResourceNotFoundException", f"No policy found for: {arn}")
        function = self._store.require_qualifier(reference)
        with function.lock:
            statements = function.policies.get(reference.qualifier, [])
            if not statements:
                raise AwsError(404, "ResourceNotFoundException", "No policy is associated with the given resource.")
            kept = [statement for statement in statements if statement.get("Sid") != params["StatementId"]]
            if len(kept) == len(statements):
                raise AwsError(
                    404,
                    "ResourceNotFoundException",
                    f"Statement {params['StatementId']} is not found in resource policy.",
                )
            self._check_revision(function, reference.qualifier, params)
            self._replace(function, reference.qualifier, kept)

    def get_policy(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the policy of a function, version or alias."""
        reference = self._reference(region, params)
        return self._policy(self._store.require_qualifier(reference), reference.qualifier)

    def put_resource_policy(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Put a whole policy in place of all statements."""
        reference = reference_in_region(params["ResourceArn"], region, self._store.account_id)
        function = self._store.require_qualifier(reference)
        try:
            statements = json.loads(params["Policy"])["Statement"]
        except (ValueError, KeyError, TypeError):
            raise invalid("The resource policy is not a valid policy document.") from None
        statements = statements if isinstance(statements, list) else [statements]
        if not all(isinstance(statement, dict) for statement in statements):
            raise invalid("The resource policy is not a valid policy document.")
        with function.lock:
            self._check_revision(function, reference.qualifier, params)
            self._replace(function, reference.qualifier, statements)
        return self._policy(function, reference.qualifier)

    def get_resource_policy(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the whole policy of a function, version or alias."""
        return self.get_policy(region, {"FunctionName": params["ResourceArn"]})

    def delete_resource_policy(self, region: str, params: dict[str, Any]) -> None:
        """Take all statements away."""
        reference = reference_in_region(params["ResourceArn"], region, self._store.account_id)
        function = self._store.require_qualifier(reference)
        with function.lock:
            self._check_revision(function, reference.qualifier, params)
            self._replace(function, reference.qualifier, [])

    def allows(
        self,
        function: str,
        principal: str,
        *,
        action: str = "lambda:InvokeFunction",
        region: str = "us-east-1",
        conditions: Mapping[str, str] | None = None,
    ) -> bool:
        """Say whether a function's resource policy lets somebody do something.

        Args:
            function: name or ARN; with a qualifier, the policy of the version or alias counts.
            principal: a service such as ``s3.amazonaws.com``, an account, an ARN, or ``*`` for anybody.
            conditions: what is known about the request, by condition key such as ``aws:SourceArn``.
        """
        reference = parse_reference(function, region, self._store.account_id)
        found = self._store.find(reference)
        if found is None:
            return False
        qualifier = "" if reference.qualifier == LATEST else reference.qualifier
        known = {key.lower(): value for key, value in (conditions or {}).items()}
        arn = reference._replace(qualifier=qualifier).arn(self._store.account_id)
        call = Call(action, arn, names_of(principal), {key: (value,) for key, value in known.items() if value})
        return allows({"Statement": found.policies.get(qualifier, [])}, call)

    def _reference(self, region: str, params: Mapping[str, Any]) -> FunctionReference:
        return reference_in_region(params["FunctionName"], region, self._store.account_id, params.get("Qualifier"))

    def _policy(self, function: StoredFunction, qualifier: str) -> dict[str, Any]:
        statements = function.policies.get("" if qualifier == LATEST else qualifier)
        if not statements:
            raise AwsError(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        return {"Policy": _document(statements), "RevisionId": self._revision(function, qualifier)}

    def _replace(self, function: StoredFunction, qualifier: str, statements: list[dict[str, Any]]) -> None:
        size = len(_document(statements).encode())
        if size > MAX_POLICY_BYTES:
            raise AwsError(
                400,
                "PolicyLengthExceededException",
                f"The final policy size ({size}) is bigger than the limit ({MAX_POLICY_BYTES}).",
            )
        function.policies[qualifier] = statements
        owner = function.aliases.get(qualifier) or function.version(qualifier)
        if owner is not None:
            owner.revision_id = self._store.new_revision()

    def _revision(self, function: StoredFunction, qualifier: str) -> str:
        owner = function.aliases.get(qualifier) or function.version(qualifier)
        return owner.revision_id if owner else ""

    def _check_revision(self, function: StoredFunction, qualifier: str, params: Mapping[str, Any]) -> None:
        if params.get("RevisionId") and params["RevisionId"] != self._revision(function, qualifier):
            raise revision_mismatch()


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"))


def _statement(resource: str, params: Mapping[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": resource,
    }
    equals = {
        "AWS:SourceAccount": params.get("SourceAccount"),
        "aws:PrincipalOrgID": params.get("PrincipalOrgID"),
        "lambda:EventSourceToken": params.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": params.get("FunctionUrlAuthType"),
    }
    conditions: dict[str, dict[str, str]] = {}
    if any(equals.values()):
        conditions["StringEquals"] = {key: value for key, value in equals.items() if value}
    if params.get("InvokedViaFunctionUrl") is not None:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(params["InvokedViaFunctionUrl"]).lower()}
    if params.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    return {**statement, "Condition": conditions} if conditions else statement


def _principal(principal: str) -> Any:
    if principal == "*":
        return "*"
    if _SERVICE.fullmatch(principal):
        return {"Service": principal}
    if re.fullmatch(r"\d{12}", principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    if _IDENTITY.fullmatch(principal):
        return {"AWS": principal}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")
