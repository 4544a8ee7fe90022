"""Whether a function's role may do what its code asks of AWS.

Nothing is refused until a lesson says so: ``cloud.current().permissions.enforce()``. From then on every request that is signed with a
role's credentials is decided as IAM decides it for one account: a Deny anywhere wins; then the role's own policies, within its
permissions boundary, or the policy of the resource must allow it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html. The learner is the account's
administrator, and may do everything.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.called_actions import Asked, Place, asked_for
from coldstart.cloud.policy_statements import Call, Finding, findings
from coldstart.cloud.resource_policies import ResourcePolicies
from coldstart.cloud.said_in_one_line import SaidInOneLine
from coldstart.runtime.clock import Clock
from coldstart.runtime.http_wire import HttpRequest

if TYPE_CHECKING:
    from moto.iam.models import ManagedPolicy, Role

KEPT_DECISIONS = 200
_SOURCES = {
    "sqs": ("SQS", ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
    "kinesis": ("Kinesis", ("GetRecords", "GetShardIterator", "DescribeStream", "ListShards")),
    "dynamodb": ("DynamoDB", ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")),
}
"""What a mapping's function needs: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html."""
_NEEDS_NO_PERMISSION = ("sts:GetCallerIdentity", "sts:GetSessionToken")
_CODES = {
    "iam": (403, "AccessDenied"),
    "lambda": (403, "AccessDeniedException"),
    "monitoring": (403, "AccessDenied"),
    "s3": (403, "AccessDenied"),
    "sns": (403, "AuthorizationError"),
    "sqs": (403, "AccessDenied"),
    "sts": (403, "AccessDenied"),
}


class NoSuchRole(SaidInOneLine, LookupError):
    """A role was named that is not there."""


@dataclass(frozen=True)
class Decision:
    """What came of one action on one resource.

    Attributes:
        caller: the ARN of the caller.
        call: what was asked.
        found: what every statement of every policy says to it.
        reason: empty when it is allowed; otherwise the end of AWS's sentence, such as ``because no identity-based policy allows
            the sqs:SendMessage action``.
        deciding: the statement that decided; None when none was there to allow it.
    """

    caller: str
    call: Call
    found: tuple[Finding, ...]
    reason: str
    deciding: Finding | None

    @property
    def is_allowed(self) -> bool:
        """Whether the caller may do it."""
        return not self.reason


class Permissions:
    """Decides for the roles of one account.

    Args:
        operation_of: finds the name of the operation that a request to Lambda asks for.
        role_of: finds the role of a function by the name or ARN that a request has for it.
    """

    def __init__(
        self,
        account_id: str,
        clock: Clock,
        operation_of: Callable[[HttpRequest], str | None],
        role_of: Callable[[str, str], str],
    ) -> None:
        self._account_id = account_id
        self._clock = clock
        self._operation_of = operation_of
        self._role_of = role_of
        self._resources = ResourcePolicies(account_id)
        self.is_enforced = False
        """Whether what is not allowed is refused."""
        self.decisions: deque[Decision] = deque(maxlen=KEPT_DECISIONS)
        """The latest decisions, oldest first."""

    def enforce(self) -> None:
        """Refuse from now on what a role's policies do not allow."""
        self.is_enforced = True

    def check(self, request: HttpRequest, access_key_id: str, region: str, service: str) -> None:
        """Let a request pass, or refuse it.

        Raises:
            AwsError: the caller may not do it; or the role of a function may not read what the function is to be mapped to.
        """
        if not self.is_enforced:
            return
        operation = self._operation_of(request) if service == "lambda" else None
        if operation == "CreateEventSourceMapping":
            self._check_mapping(request, region)
        session = get_backend("sts")[self._account_id]["aws"].get_assumed_role_from_access_key(access_key_id)
        if session is None:
            return
        resources = self._resources
        place = Place(
            region,
            self._account_id,
            resources.key_arn,
            resources.secret_arn,
            resources.customer_key,
            resources.partition_key,
        )
        for asked in asked_for(request, service, place, operation):
            if asked.action in _NEEDS_NO_PERMISSION:
                continue
            decision = self.decide(session.role_arn, asked, region=region, session_name=session.session_name)
            self.decisions.append(decision)
            if not decision.is_allowed:
                status, code = _CODES.get(service, (400, "AccessDeniedException"))
                raise AwsError(status, code, denial(decision))

    def function_may(self, function_arn: str, action: str, resource: str) -> bool:
        """Say whether Lambda may do something with the permissions of a function's role: everything until it is enforced.

        Writing its log and sending to its destinations are such things; no request of the function is behind them.
        """
        if not self.is_enforced:
            return True
        try:
            role = self._role_of(function_arn, function_arn.split(":")[3])
        except AwsError:
            return False  # the function is gone
        return self.role_may(role, function_arn, action, resource)

    def role_may(self, role_arn: str, function_arn: str, action: str, resource: str) -> bool:
        """Say the same of a role that a function has, or had."""
        return not self.refusal(role_arn, function_arn, action, resource)

    def refusal(self, role_arn: str, function_arn: str, action: str, resource: str) -> str:
        """Return the sentence in which IAM refuses it; empty when the role may do it."""
        if not self.is_enforced:
            return ""
        parts = function_arn.split(":")
        try:
            decision = self.decide(role_arn, Asked(action, resource), region=parts[3], session_name=parts[6])
        except LookupError as gone:
            return str(gone)
        return "" if decision.is_allowed else denial(decision)

    def decide(self, role_arn: str, asked: Asked, *, region: str, session_name: str = "session") -> Decision:
        """Say whether a role may do something, and why.

        Raises:
            NoSuchRole: there is no such role.
        """
        role = self._role(role_arn)
        caller = f"arn:aws:sts::{self._account_id}:assumed-role/{role.name}/{session_name}"
        context = {**self._context(role, caller, region, session_name), **asked.context}
        call = Call(asked.action, asked.resource, frozenset([caller, role.arn]), context)
        identity = [
            found
            for name, document in self._identity_policies(role)
            for found in findings(name, document, call, has_principals=False)
        ]
        boundary = self._boundary(role, call)
        service, document = asked.action.partition(":")[0], self._resources.policy_of(asked.resource)
        root = Call(call.action, call.resource, frozenset([self._account_id, self._root]), context)
        resource = findings("resource-based policy", document, call, has_principals=True)
        if service == "kms":
            grants = {"Statement": self._resources.grants_of(asked.resource, context)}
            resource += findings("grant of the key", grants, call, has_principals=True)
        delegated = findings("resource-based policy", document, root, has_principals=True)
        by_identity = _applying("Allow", identity)
        by_resource = _applying("Allow", resource)
        within = boundary is None or _applying("Allow", boundary)
        if service == "kms" and document and not _applying("Allow", delegated):
            by_identity = None  # a key's policy has to let the account in before its identities count
        reason, deciding = "", by_identity if by_identity and within else by_resource
        for kind, found in (
            ("an identity-based policy", identity),
            ("a resource-based policy", [*resource, *delegated]),
            ("a permissions boundary", boundary or []),
        ):
            if denying := _applying("Deny", found):
                return self._decision(
                    caller, call, identity, resource, boundary, f"with an explicit deny in {kind}", denying
                )
        if not deciding:
            kind = "permissions boundary" if by_identity and not within else "identity-based policy"
            reason = f"because no {kind} allows the {call.action} action"
        return self._decision(caller, call, identity, resource, boundary, reason, deciding)

    @property
    def _root(self) -> str:
        return f"arn:aws:iam::{self._account_id}:root"

    @staticmethod
    def _decision(
        caller: str,
        call: Call,
        identity: list[Finding],
        resource: list[Finding],
        boundary: list[Finding] | None,
        reason: str,
        deciding: Finding | None,
    ) -> Decision:
        return Decision(caller, call, (*identity, *resource, *(boundary or [])), reason, deciding)

    def _role(self, role_arn: str) -> Role:
        for role in get_backend("iam")[self._account_id]["aws"].roles.values():
            if role_arn in (role.arn, role.name):
                return role
        raise NoSuchRole(f"There is no role {role_arn!r}.")

    def _identity_policies(self, role: Role) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, document in role.policies.items():
            yield f"inline policy {name}", parsed_policy(document)
        for policy in role.managed_policies.values():
            yield f"managed policy {policy.name}", parsed_policy(current_document(policy))

    def _boundary(self, role: Role, call: Call) -> list[Finding] | None:
        if not role.permissions_boundary_arn:
            return None
        policy = get_backend("iam")[self._account_id]["aws"].managed_policies[role.permissions_boundary_arn]
        return findings(
            f"permissions boundary {policy.name}", parsed_policy(current_document(policy)), call, has_principals=False
        )

    def _context(self, role: Role, caller: str, region: str, session_name: str) -> dict[str, tuple[str, ...]]:
        now = self._clock.now()
        tags = {f"aws:principaltag/{tag['Key'].lower()}": (tag["Value"],) for tag in role.tags or ()}
        return {
            **tags,
            "aws:currenttime": (datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),),
            "aws:epochtime": (str(int(now)),),
            "aws:principalaccount": (self._account_id,),
            "aws:principalarn": (role.arn,),
            "aws:principaltype": ("AssumedRole",),
            "aws:requestedregion": (region,),
            # On AWS every SDK speaks TLS, so a policy that asks for it is met there.
            "aws:securetransport": ("true",),
            "aws:sourceip": ("127.0.0.1",),
            "aws:userid": (f"{role.id}:{session_name}",),
            "lambda:sourcefunctionarn": (f"arn:aws:lambda:{region}:{self._account_id}:function:{session_name}",),
        }

    def _check_mapping(self, request: HttpRequest, region: str) -> None:
        try:
            body = json.loads(request.body)
            source, role = str(body["EventSourceArn"]), self._role_of(body["FunctionName"], region)
        except (ValueError, KeyError, TypeError, AwsError):
            return  # the mapping's own API says what is wrong with it
        service, actions = _SOURCES.get(source.split(":")[2], ("", ()))
        for action in actions:
            asked = Asked(f"{service.lower()}:{action}", source)
            if not self.decide(role, asked, region=region).is_allowed:
                raise AwsError(
                    400,
                    "InvalidParameterValueException",
                    f"The provided execution role does not have permissions to call {action} on {service}",
                )


def denial(decision: Decision) -> str:
    """Return the sentence in which AWS refuses a call.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
    """
    call = decision.call
    resource = f'"{call.resource}"' if call.action.startswith("s3:") else call.resource
    return (
        f"User: {decision.caller} is not authorized to perform: {call.action} on resource: {resource} {decision.reason}"
    )


def _applying(effect: str, found: list[Finding]) -> Finding | None:
    return next((finding for finding in found if finding.applies and finding.effect == effect), None)


def current_document(policy: ManagedPolicy) -> Any:
    """Return the document of a managed policy's default version."""
    return next(version.document for version in policy.versions if version.is_default)


def parsed_policy(document: Any) -> Mapping[str, Any]:
    """Return a policy, which moto keeps as text or parsed, as a document."""
    parsed = json.loads(document) if isinstance(document, str) else document
    return parsed if isinstance(parsed, Mapping) else {}
