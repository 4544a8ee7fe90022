"""IAM's policy simulator: SimulateCustomPolicy and SimulatePrincipalPolicy, which moto 5.2.5 (``moto/iam/responses.py``) has not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html. It looks at statements as real calls are
looked at (:mod:`coldstart.cloud.policy_statements`), and nothing is called.
"""

# mypy: disable-error-code="attr-defined"
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import InvalidInput, NoSuchEntity
from moto.iam.models import Group, IAMBackend, Role, User
from moto.iam.responses import IamResponse

from coldstart.cloud.permissions import current_document, parsed_policy
from coldstart.cloud.policy_statements import Call, Finding, findings, names_of


@dataclass(frozen=True)
class _Policy:
    name: str
    kind: str
    """PolicySourceType of the API; empty for a document of the request's."""
    document: Mapping[str, Any]

    def source(self) -> dict[str, str]:
        """Return what a matched statement tells of its policy."""
        kind = {"SourcePolicyType": self.kind} if self.kind else {}
        return {"SourcePolicyId": self.name, **kind}


@dataclass(frozen=True)
class _Question:
    """What a request gives to every simulation in it."""

    policies: list[_Policy]
    boundaries: list[_Policy] | None
    resource_policy: _Policy | None
    principals: frozenset[str]
    context: Mapping[str, tuple[str, ...]]

    def result(self, action: str, resource: str) -> dict[str, Any]:
        """Return the EvaluationResult of one action on one resource."""
        call = Call(action, resource, self.principals, self.context)
        identity = [pair for policy in self.policies for pair in _applying(policy, call)]
        boundary = [pair for policy in self.boundaries or () for pair in _applying(policy, call)]
        of_resource = _applying(self.resource_policy, call, has_principals=True) if self.resource_policy else []
        denying = [pair for pair in (*identity, *boundary, *of_resource) if pair[1].effect == "Deny"]
        within = self.boundaries is None or any(found.effect == "Allow" for _, found in boundary)
        allowing = [pair for pair in identity if within and pair[1].effect == "Allow"]
        allowing += [pair for pair in of_resource if pair[1].effect == "Allow"]
        deciding = denying or allowing
        result: dict[str, Any] = {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "explicitDeny" if denying else "allowed" if allowing else "implicitDeny",
            "MatchedStatements": [policy.source() for policy, _ in deciding],
            "MissingContextValues": self._missing(),
        }
        if self.boundaries is not None:
            result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
        return result

    def _missing(self) -> list[str]:
        """The condition keys that the policies ask for and the request does not give."""
        keys = {
            key
            for policy in (*self.policies, *(self.boundaries or ()))
            for found in findings(policy.name, policy.document, Call("", ""), has_principals=False)
            for asked in (found.statement.get("Condition") or {}).values()
            for key in asked
        }
        return sorted(key for key in keys if key.lower() not in self.context)


def apply() -> None:
    """Give moto's IAM the two operations."""
    IamResponse.simulate_custom_policy = _simulate_custom_policy
    IamResponse.simulate_principal_policy = _simulate_principal_policy


def _simulate_custom_policy(response: IamResponse) -> ActionResult:
    return _answer(response, [], None)


def _simulate_principal_policy(response: IamResponse) -> ActionResult:
    who = _entity(response.backend, str(response._get_param("PolicySourceArn")))
    return _answer(response, list(_policies_of(response.backend, who)), _boundary_of(response.backend, who))


def _answer(response: IamResponse, policies: list[_Policy], boundaries: list[_Policy] | None) -> ActionResult:
    given = list(_given(response, "PolicyInputList"))
    limits = list(_given(response, "PermissionsBoundaryPolicyInputList"))
    resource_policy = response._get_param("ResourcePolicy")
    caller = str(response._get_param("CallerArn") or response._get_param("PolicySourceArn") or "")
    entries = response._get_param("ContextEntries") or []
    question = _Question(
        [*policies, *given],
        limits or boundaries,
        _Policy("ResourcePolicy", "resource", _document(resource_policy)) if resource_policy else None,
        names_of(caller) if caller else frozenset(),
        {entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues") or ()) for entry in entries},
    )
    resources = response._get_param("ResourceArns") or ["*"]
    results = [
        question.result(action, resource) for action in response._get_param("ActionNames") for resource in resources
    ]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def _entity(backend: IAMBackend, arn: str) -> Role | User | Group:
    entities: list[Role | User | Group] = [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]
    for entity in entities:
        if entity.arn == arn:
            return entity
    raise NoSuchEntity(f"The entity {arn} cannot be found.")


def _policies_of(backend: IAMBackend, entity: Role | User | Group) -> Iterator[_Policy]:
    kind = type(entity).__name__.lower()
    for name, document in entity.policies.items():
        yield _Policy(name, kind, parsed_policy(document))
    for policy in entity.managed_policies.values():
        owner = "aws-managed" if policy.arn.startswith("arn:aws:iam::aws:") else "user-managed"
        yield _Policy(policy.name, owner, parsed_policy(current_document(policy)))
    if isinstance(entity, User):
        for group in backend.get_groups_for_user(entity.name):
            yield from _policies_of(backend, group)


def _boundary_of(backend: IAMBackend, entity: Role | User | Group) -> list[_Policy] | None:
    arn = getattr(entity, "permissions_boundary_arn", None)
    if not arn:
        return None
    policy = backend.managed_policies[arn]
    return [_Policy(policy.name, "user-managed", parsed_policy(current_document(policy)))]


def _applying(policy: _Policy, call: Call, *, has_principals: bool = False) -> list[tuple[_Policy, Finding]]:
    found = findings(policy.name, policy.document, call, has_principals=has_principals)
    return [(policy, finding) for finding in found if finding.applies]


def _given(response: IamResponse, parameter: str) -> Iterator[_Policy]:
    for number, text in enumerate(response._get_param(parameter) or (), 1):
        yield _Policy(f"{parameter}.{number}", "", _document(text))


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"Invalid policy document: it is not JSON ({error}).") from None
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise InvalidInput("Invalid policy document: it has no Statement.")
    return document
