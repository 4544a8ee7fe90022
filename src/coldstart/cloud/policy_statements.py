"""IAM's policy language: which statements of a policy apply to a call, and why the others do not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html. Used for identity policies, for permissions
boundaries, and for the policies of functions, queues, topics, buckets and keys.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Call:
    """What somebody wants to do, as policies see it.

    Attributes:
        action: such as ``dynamodb:PutItem``.
        resource: an ARN, or ``*`` for actions that have none.
        principals: all names of the caller: ARN, account, service.
        context: condition keys in lower case, each with its values.
    """

    action: str
    resource: str
    principals: frozenset[str] = frozenset()
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What one statement says to a call.

    Attributes:
        policy: the name of the policy that it is in.
        statement: the statement.
        mismatch: empty when it applies; otherwise the first element that does not fit, such as ``Resource``.
    """

    policy: str
    statement: Mapping[str, Any]
    mismatch: str = ""

    @property
    def effect(self) -> str:
        """``Allow`` or ``Deny``."""
        return str(self.statement.get("Effect", ""))

    @property
    def applies(self) -> bool:
        """Whether every element of the statement fits."""
        return not self.mismatch


def names_of(principal: str) -> frozenset[str]:
    """Return all names under which policies may mean a caller: its ARN or service, its account, and the account's root."""
    account = re.fullmatch(r"arn:[^:]+:[^:]+::(\d{12}):.*|(\d{12})", principal)
    if account is None:
        return frozenset([principal])
    account_id = account[1] or account[2]
    return frozenset([principal, account_id, f"arn:aws:iam::{account_id}:root"])


def service_call(service: str, action: str, resource: str, source_arn: str = "", source_account: str = "") -> Call:
    """Return the call of an AWS service, such as ``s3.amazonaws.com``, on behalf of a bucket, rule or topic."""
    known = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_account}
    return Call(action, resource, names_of(service), {key: (value,) for key, value in known.items() if value})


def findings(policy: str, document: Mapping[str, Any] | None, call: Call, *, has_principals: bool) -> list[Finding]:
    """Look at every statement of a policy.

    Args:
        policy: its name, for the findings.
        document: the policy.
        call: what is asked.
        has_principals: whether the statements name who they are for, as resource policies do.
    """
    statements = as_list((document or {}).get("Statement"))
    return [Finding(policy, statement, _mismatch(statement, call, has_principals)) for statement in statements]


def allows(document: Mapping[str, Any] | None, call: Call) -> bool:
    """Say whether a resource's policy alone lets the caller do it: a Deny wins, then an Allow is needed."""
    effects = {found.effect for found in findings("", document, call, has_principals=True) if found.applies}
    return "Allow" in effects and "Deny" not in effects


def as_list(value: Any) -> list[Any]:
    """Return a policy's element, which may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def is_like(pattern: str, text: str) -> bool:
    """Say whether a text fits a pattern with ``*`` and ``?``."""
    return _pattern(pattern).fullmatch(text) is not None


def _mismatch(statement: Mapping[str, Any], call: Call, has_principals: bool) -> str:
    if has_principals:
        if "NotPrincipal" in statement:
            if _names(statement["NotPrincipal"], call.principals):
                return "NotPrincipal"
        elif not _names(statement.get("Principal"), call.principals):
            return "Principal"
    if "NotAction" in statement:
        if _is_action(statement["NotAction"], call.action):
            return "NotAction"
    elif not _is_action(statement.get("Action"), call.action):
        return "Action"
    if "NotResource" in statement:
        if _is_resource(statement["NotResource"], call):
            return "NotResource"
    elif not _is_resource(statement.get("Resource", "*"), call):
        return "Resource"
    return next(_unmet_conditions(statement.get("Condition") or {}, call), "")


def _names(allowed: Any, principals: frozenset[str]) -> bool:
    if not isinstance(allowed, Mapping):
        return allowed == "*"
    aws = as_list(allowed.get("AWS"))
    return "*" in aws or any(name in principals for name in (*aws, *as_list(allowed.get("Service"))))


def _is_action(patterns: Any, action: str) -> bool:
    return any(is_like(str(pattern).lower(), action.lower()) for pattern in as_list(patterns))


def _is_resource(patterns: Any, call: Call) -> bool:
    return any(is_like(filled, call.resource) for filled in _filled_in(as_list(patterns), call))


def _filled_in(patterns: list[Any], call: Call) -> Iterator[str]:
    """Put the values of policy variables such as ``${aws:PrincipalTag/team}`` in; a pattern whose value is unknown fits nothing."""
    for pattern in patterns:
        text, is_known = str(pattern), True
        for variable in _VARIABLE.findall(text):
            if variable in ("*", "?", "$"):
                value: str | None = f"[{variable}]" if variable != "$" else "$"
            else:
                key, _, default = variable.partition(",")
                values = call.context.get(key.strip().lower(), ())
                value = values[0] if values else default.strip().strip("'") or None
            is_known = is_known and value is not None
            text = text.replace(f"${{{variable}}}", value or "")
        if is_known:
            yield text


def _unmet_conditions(conditions: Mapping[str, Mapping[str, Any]], call: Call) -> Iterator[str]:
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            found = call.context.get(key.lower(), ())
            if not _is_met(operator, found, [str(value) for value in as_list(_plain(wanted))], call):
                yield f"Condition {operator} {key}"


def _plain(wanted: Any) -> Any:
    """JSON's true is written ``true`` in policies."""
    if isinstance(wanted, list):
        return [_plain(value) for value in wanted]
    return str(wanted).lower() if isinstance(wanted, bool) else wanted


def _is_met(operator: str, found: tuple[str, ...], wanted: list[str], call: Call) -> bool:
    quantifier, _, name = operator.rpartition(":")
    needs_no_key = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (not found) == (wanted == ["true"])
    compare = _OPERATORS.get(name.replace("Not", "", 1) if "Not" in name else name)
    if compare is None:
        return False
    is_negated = "Not" in name
    if not found:
        return needs_no_key or is_negated or quantifier == "ForAllValues"
    filled = list(_filled_in(list(wanted), call))

    def fits(value: str) -> bool:
        return any(compare(value, each) for each in filled) != is_negated

    return any(map(fits, found)) if quantifier == "ForAnyValue" else all(map(fits, found))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compare_texts(found: str, wanted: str) -> bool:
        try:
            return compare(float(found), float(wanted))
        except ValueError:
            return False

    return compare_texts


def _date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compare_texts(found: str, wanted: str) -> bool:
        try:
            return compare(_seconds(found), _seconds(wanted))
        except ValueError:
            return False

    return compare_texts


def _seconds(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _is_address(found: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _equal(one: float, other: float) -> bool:
    return one == other


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda found, wanted: found == wanted,
    "StringEqualsIgnoreCase": lambda found, wanted: found.lower() == wanted.lower(),
    "StringLike": lambda found, wanted: is_like(wanted, found),
    "ArnEquals": lambda found, wanted: is_like(wanted, found),
    "ArnLike": lambda found, wanted: is_like(wanted, found),
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    "NumericEquals": _number(_equal),
    "NumericLessThan": _number(lambda found, wanted: found < wanted),
    "NumericLessThanEquals": _number(lambda found, wanted: found <= wanted),
    "NumericGreaterThan": _number(lambda found, wanted: found > wanted),
    "NumericGreaterThanEquals": _number(lambda found, wanted: found >= wanted),
    "DateEquals": _date(_equal),
    "DateLessThan": _date(lambda found, wanted: found < wanted),
    "DateLessThanEquals": _date(lambda found, wanted: found <= wanted),
    "DateGreaterThan": _date(lambda found, wanted: found > wanted),
    "DateGreaterThanEquals": _date(lambda found, wanted: found >= wanted),
    "IpAddress": _is_address,
    "BinaryEquals": lambda found, wanted: found == wanted,
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html; a Not in the name turns
the result round."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_WILDCARD = re.compile(r"\[([*?])\]|([*?])|([^*?\[]+|\[)", re.S)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = (
        re.escape(literal or plain) if literal or plain else {"*": ".*", "?": "."}[wildcard]
        for literal, wildcard, plain in _WILDCARD.findall(text)
    )
    return re.compile("".join(parts), re.S)
