"""Updates of stacks in the order of their dependencies, as CloudFormation does them.

moto 5.2.5 (``moto/cloudformation/parsing.py``, ``ResourceMap.update``) deletes first, then adds, then changes: a new version of a
function is published before the function has its new code, and the old one is deleted while an alias still needs it. Nor
does it change a resource because another one that it refers to was replaced. CloudFormation goes through the resources by what they
refer to, and deletes at the end (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.cloudformation.parsing import ResourceMap

DELETED = "DELETE_COMPLETE"
_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")


def update_in_order(resources: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Bring a stack's resources to a new template; takes the place of moto's own ``ResourceMap.update``."""
    from moto.cloudformation.parsing import parse_and_update_resource

    actions = resources.build_resource_diff(template, parameters)
    before, after = resources._resource_json_map, template["Resources"]
    changed = set(actions["Modify"])
    told: list[tuple[str, str, str]] = []
    resources.__dict__["changes"] = told
    resources._template = template
    if parameters:
        resources.input_parameters = parameters
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    resources._resource_json_map = after
    for name in in_order(after):
        if name in actions["Add"]:
            _ = resources[name]  # looking makes it
            told.append((name, after[name]["Type"], "CREATE_COMPLETE"))
        elif name in changed:
            old = resources._parsed_resources.get(name)
            new: Any = parse_and_update_resource(
                name, after[name], resources, account_id=resources._account_id, region_name=resources._region_name
            )
            resources._parsed_resources[name] = new
            told.append((name, after[name]["Type"], "UPDATE_COMPLETE"))
            if _identity(new) != _identity(old):
                changed |= {other for other in after if name in references(after[other])}
    for name in reversed(list(in_order(before))):
        if name in actions["Remove"] and name in resources._parsed_resources:
            resources._delete_resource(resources._parsed_resources.pop(name), before[name])
            told.append((name, before[name]["Type"], DELETED))


def changes_of(resources: ResourceMap) -> list[tuple[str, str, str]]:
    """Return logical id, type and new status of each resource that the last update touched, in order."""
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
