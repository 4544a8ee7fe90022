"""Deletes stacks, the last resource first; what cannot be deleted keeps its stack, which says why.

moto (cloudformation/models.py) deletes in no order, and forgets a stack whose resource could not be deleted.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-delete-stack.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from coldstart.cloud.replacements import Replacements
from coldstart.cloud.stack_events import reason_of, resource_event
from coldstart.cloud.stack_updates import in_order

if TYPE_CHECKING:
    from moto.cloudformation.models import CloudFormationBackend, Stack


def attach(moto: Replacements) -> None:
    """Take over from moto."""
    from moto.cloudformation.models import CloudFormationBackend

    moto.put(CloudFormationBackend, "delete_stack", _delete_stack)


def delete_resources(stack: Stack, names: Iterable[str]) -> list[str]:
    """Delete resources of a stack in this order, each with its event; return the logical ids of those that cannot be deleted."""
    from moto.cloudformation.parsing import OutputMap

    resources = stack.resource_map
    made, templates = resources._parsed_resources, resources._resource_json_map
    waiting = [name for name in names if name in templates and made.get(name) is not None]
    why: dict[str, str] = {}
    while waiting:
        left = []
        for name in waiting:
            kind = templates[name]["Type"]
            if templates[name].get("DeletionPolicy") == "Retain":
                stack.events.append(resource_event(stack, name, kind, "DELETE_SKIPPED"))
                del made[name]
                continue
            try:
                resources._delete_resource(made[name], templates[name])
            except Exception as error:
                why[name] = reason_of(error)
                left.append(name)
            else:
                stack.events.append(resource_event(stack, name, kind, "DELETE_COMPLETE"))
                del made[name]
        if len(left) == len(waiting):  # none of them stood in the way of another
            break
        waiting = left
    for name in waiting:
        stack.events.append(resource_event(stack, name, templates[name]["Type"], "DELETE_FAILED", why[name]))
    # moto makes what is in a template and not there, also when somebody looks at the stack's resources and outputs.
    resources._resource_json_map = {name: templates[name] for name in templates if name in waiting}
    stack.output_map = OutputMap(resources, {}, stack.stack_id)
    return waiting


def _delete_stack(backend: CloudFormationBackend, name_or_id: str) -> None:
    from moto.cloudformation.exceptions import ValidationError

    for stack in [each for each in backend.stacks.values() if name_or_id in (each.name, each.stack_id)]:
        if stack.enable_termination_protection:
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        exports = [export.name for export in stack.exports]
        stack._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")
        failed = delete_resources(stack, reversed(list(in_order(stack.resource_map._resource_json_map))))
        if failed:
            why = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            stack._add_stack_event("DELETE_FAILED", resource_status_reason=why)
            stack.status = "DELETE_FAILED"
            continue
        stack._add_stack_event("DELETE_COMPLETE")
        stack.status = "DELETE_COMPLETE"
        backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
        for export in exports:
            backend.exports.pop(export, None)
