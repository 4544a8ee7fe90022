"""`explain_access()`: which statement of which policy decided whether a function's role may do something.

Without arguments it explains the last call that was refused. With them it asks the same evaluation that decides real calls.
"""

from __future__ import annotations

import html
from typing import Any

from coldstart import cloud
from coldstart.cloud.called_actions import Asked
from coldstart.cloud.permissions import Decision, denial
from coldstart.cloud.policy_statements import Finding, as_list

_REGION = "us-east-1"


class Explanation:
    """A decision, statement by statement.

    Attributes:
        decision: the decision; None when there is none to explain.
    """

    def __init__(self, decision: Decision | None) -> None:
        self.decision = decision

    def __repr__(self) -> str:
        """Give everything as text."""
        decision = self.decision
        if decision is None:
            return (
                "No call has been refused yet. Ask about one: "
                'explain_access("parcel-functions", "sqs:SendMessage", "arn:aws:sqs:...").'
            )
        lines = [_headline(decision), f"{decision.call.action} on {decision.call.resource}, for {decision.caller}", ""]
        lines += [
            f"{number}. {found.policy}: {_said(found)}\n   {_verdict(found, decision)}"
            for number, found in enumerate(decision.found, 1)
        ]
        if not decision.found:
            lines.append("The role has no policy at all.")
        return "\n".join([*lines, "", _conclusion(decision)])

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Say it as text and as a table."""
        decision = self.decision
        if decision is None:
            return {"text/plain": repr(self), "text/html": f"<p>{html.escape(repr(self))}</p>"}
        rows = "".join(
            f'<tr><th scope="row">{number}</th><td>{html.escape(found.policy)}</td><td>{html.escape(_said(found))}</td>'
            f"<td>{'<strong>' if found is decision.deciding else ''}{html.escape(_verdict(found, decision))}"
            f"{'</strong>' if found is decision.deciding else ''}</td></tr>"
            for number, found in enumerate(decision.found, 1)
        )
        asked = f"{decision.call.action} on {decision.call.resource}, for {decision.caller}"
        table = (
            f"<table><caption>{html.escape(_headline(decision))} {html.escape(asked)}</caption>"
            '<thead><tr><th scope="col">No.</th><th scope="col">Policy</th><th scope="col">Statement</th>'
            f'<th scope="col">Does it apply?</th></tr></thead><tbody>{rows}</tbody></table>'
            f"<p>{html.escape(_conclusion(decision))}</p>"
        )
        return {"text/plain": repr(self), "text/html": table}


def explain_access(role: str = "", action: str = "", resource: str = "*", **context: str) -> Explanation:
    """Explain a decision.

    Args:
        role: name or ARN of a role; without it, the last call that was refused is explained.
        action: such as "dynamodb:PutItem".
        resource: an ARN.
        context: condition keys with two underscores for the colon, such as ``s3__prefix="labels/"``.

    Raises:
        NoSuchRole: there is no such role.
    """
    permissions = cloud.current().permissions
    if not role:
        refused = [decision for decision in permissions.decisions if not decision.is_allowed]
        return Explanation(refused[-1] if refused else None)
    known: dict[str, tuple[str, ...]] = {key.replace("__", ":", 1).lower(): (value,) for key, value in context.items()}
    return Explanation(permissions.decide(role, Asked(action, resource, known), region=_REGION))


def _headline(decision: Decision) -> str:
    return "Allowed:" if decision.is_allowed else "Denied:"


def _said(found: Finding) -> str:
    statement = found.statement
    parts = [f"{statement['Sid']}:" if statement.get("Sid") else "", found.effect]
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if element in statement:
            parts.append(f"{element} {', '.join(map(str, as_list(statement[element])))}")
    if statement.get("Condition"):
        parts.append("with conditions")
    return " ".join(part for part in parts if part)


def _verdict(found: Finding, decision: Decision) -> str:
    if not found.applies:
        return f"does not apply: {found.mismatch} does not fit"
    return "applies, and decides" if found is decision.deciding else "applies"


def _conclusion(decision: Decision) -> str:
    if not decision.is_allowed:
        return denial(decision)
    assert decision.deciding is not None
    return f"Allowed by {decision.deciding.policy}: {_said(decision.deciding)}"
