"""Updates of stacks in the order of their dependencies, as CloudFormation does them.

moto 5.2.5 (``moto/cloudformation/parsing.py``, ``ResourceMap.update``) deletes first, then adds, then changes: a new version of a
function is published before the function has its new code, and the old one is deleted while an alias still needs it. Nor
does it change a resource because another one that it refers to was replaced. CloudFormation goes through the resources by what they
refer to, and deletes at the end (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from coldstart.cloud.stack_events import reason_of

if TYPE_CHECKING:
    from moto.cloudformation.parsing import ResourceMap

_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")


class Change(NamedTuple):
    """What an update did to one resource."""

    logical_id: str
    resource_type: str
    status: str
    reason: str | None = None


def update_in_order(resources: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Bring a stack's resources to a new template; takes the place of moto's own ``ResourceMap.update``."""
    before, after = resources._resource_json_map, template["Resources"]
    for definition in (*before.values(), *after.values()):
        definition.setdefault("Properties", {})  # moto adds them when it makes a resource, and would see a change
    actions = resources.build_resource_diff(template, parameters)
    changed = set(actions["Modify"])
    changes: list[Change] = []
    resources.__dict__["changes"] = changes
    resources._template = template
    declared = template.get("Parameters") or {}
    given = parameters or resources.input_parameters
    resources.input_parameters = {name: value for name, value in given.items() if name in declared}
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    resources._resource_json_map = after
    made = resources._parsed_resources
    for name in in_order(after):
        kind = after[name]["Type"]
        if made.get(name) is None:
            made.pop(name, None)  # moto remembers that a condition was not met
            if resources[name] is not None:  # looking makes it, where its condition is met
                changes.append(Change(name, kind, "CREATE_COMPLETE"))
        elif name in changed and _is_wanted(resources, name):
            old, made[name] = made[name], _changed(resources, name, before[name])
            changes.append(Change(name, kind, "UPDATE_COMPLETE"))
            if _identity(made[name]) != _identity(old):
                changed |= {other for other in after if name in references(after[other])}
    for name in reversed(list(in_order(before))):
        if made.get(name) is not None and (name not in after or not _is_wanted(resources, name)):
            changes.append(_removed(resources, name, before[name]))


def _is_wanted(resources: ResourceMap, name: str) -> bool:
    condition = resources._resource_json_map[name].get("Condition")
    return condition is None or bool(resources.lazy_condition_map[condition])


def _changed(resources: ResourceMap, name: str, before: dict[str, Any]) -> Any:
    """Change a resource; where moto does not know how, put a new one in its place."""
    from moto.cloudformation import parsing

    where = {"account_id": resources._account_id, "region_name": resources._region_name}
    definition = resources._resource_json_map[name]
    new: Any = parsing.parse_and_update_resource(name, definition, resources, **where)
    if new is None:
        resources._delete_resource(resources._parsed_resources[name], before)
        new = parsing.parse_and_create_resource(name, definition, resources, **where)
    return new


def _removed(resources: ResourceMap, name: str, definition: dict[str, Any]) -> Change:
    kind = definition["Type"]
    resource = resources._parsed_resources.pop(name)
    if definition.get("DeletionPolicy") == "Retain":
        return Change(name, kind, "DELETE_SKIPPED")
    try:
        resources._delete_resource(resource, definition)
    except Exception as error:  # the update is done all the same
        return Change(name, kind, "DELETE_FAILED", reason_of(error))
    return Change(name, kind, "DELETE_COMPLETE")


def changes_of(resources: ResourceMap) -> list[Change]:
    """Return what the last update did, in order."""
    return list(resources.__dict__.get("changes", ()))


def in_order(resources: Mapping[str, Any]) -> Iterator[str]:
    """Return the logical ids of a template's resources, each after those that it refers to."""
    seen: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in seen:
            return
        seen.add(name)
        for other in references(resources[name]):
            if other in resources:
                yield from visit(other)
        yield name

    for name in resources:
        yield from visit(name)


def references(definition: Any) -> set[str]:
    """Return the names that a resource's definition refers to, also those of parameters."""
    found: set[str] = set()
    if isinstance(definition, list):
        for item in definition:
            found |= references(item)
    elif isinstance(definition, Mapping):
        for key, value in definition.items():
            match key, value:
                case "Ref", str():
                    found.add(value)
                case "Fn::GetAtt", str():
                    found.add(value.partition(".")[0])
                case "Fn::GetAtt", [str(name), *_]:
                    found.add(name)
                case "DependsOn", str():
                    found.add(value)
                case "DependsOn", list():
                    found |= set(value)
                case "Fn::Sub", _:
                    text, own = value if isinstance(value, list) else (value, {})
                    found |= (set(_IN_TEXT.findall(text)) - own.keys()) | references(own)
                case _:
                    found |= references(value)
    return found


def _identity(resource: Any) -> object:
    return getattr(resource, "physical_resource_id", None)
