"""Reading a stack's template: SAM is turned into plain CloudFormation, and what CloudFormation refuses is refused before anything is made.

The transform is AWS's own (aws-sam-translator). moto passes over ``Transform``, over types that it does not know, and over
capabilities. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html.
"""

from __future__ import annotations

import graphlib
import json
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from coldstart.cloud.stack_updates import references

_DEEP = re.compile(r"\$\{([A-Za-z0-9]+\.[A-Za-z0-9]+\.[A-Za-z0-9.]+)\}")  # an attribute with a dot, of a nested stack
SERVERLESS = "AWS::Serverless-2016-10-31"
_MADE_BY_NOBODY = ("AWS::CloudFormation::WaitConditionHandle", "AWS::CDK::Metadata")
_IDENTITIES = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}
"""Types for which a stack needs a capability, with the property by which somebody names them."""


def plain_template(
    template: str,
    parameters: dict[str, Any],
    account_id: str,
    can_make: Callable[[str], bool],
    capabilities: Iterable[str] | None,
    is_proposed: bool = False,
) -> str:
    """Return a template as plain CloudFormation, in JSON.

    Args:
        can_make: says whether resources of a type can be made.
        capabilities: what the caller acknowledged; None when nobody was asked.
        is_proposed: it is for a change set, whose reader sees what a transform gave.

    Raises:
        ValidationError: it cannot be read, is no valid SAM, has a type that cannot be made, or refers to what is not
            there or in a circle.
        CloudFormationError: the caller did not acknowledge what the template does.
    """
    document = _read(template)
    is_serverless = SERVERLESS in _transforms(document)
    if is_serverless:
        document = _translated(document, parameters, account_id)
        document.pop("Transform", None)
    _check_types(document["Resources"], can_make)
    _check_references(document)
    if capabilities is not None:
        _check_capabilities(document["Resources"], set(capabilities), is_serverless and not is_proposed)
    return json.dumps(document, default=str)


def described_template(template: str, can_make: Callable[[str], bool]) -> dict[str, Any]:
    """Return what ValidateTemplate says of a template: its description, parameters, capabilities and transforms.

    What a transform would make of it is not looked at.

    Raises:
        ValidationError: it cannot be read, has a type that cannot be made, or refers to what is not there or in a circle.
    """
    document = _read(template)
    transforms = _transforms(document)
    if not transforms:
        _check_types(document["Resources"], can_make)
        _check_references(document)
    needed = _needed_capabilities(document["Resources"], set(), bool(transforms))
    declared = [
        {
            "ParameterKey": name,
            "NoEcho": str(parameter.get("NoEcho", False)).lower() == "true",
            **({"DefaultValue": str(parameter["Default"])} if "Default" in parameter else {}),
            **({"Description": parameter["Description"]} if "Description" in parameter else {}),
        }
        for name, parameter in (document.get("Parameters") or {}).items()
    ]
    answer = {"Parameters": declared, "Capabilities": needed, "DeclaredTransforms": transforms}
    return {**answer, "Description": document["Description"]} if "Description" in document else answer


def _read(template: str) -> dict[str, Any]:
    from moto.cloudformation.exceptions import ValidationError
    from moto.cloudformation.models import Stack

    try:
        document = Stack.parse_template(template)
    except Exception as error:
        raise ValidationError(message=f"Template format error: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict) or not document["Resources"]:
        raise ValidationError(message="Template format error: At least one Resources member must be defined.")
    return dict(_with_whole_attributes(document))


def _with_whole_attributes(value: Any) -> Any:
    """Return a template whose ``Fn::GetAtt`` are pairs: moto takes ``Orders.Arn`` for a list, and ``Outputs.Arn`` for two attributes."""
    if isinstance(value, list):
        return [_with_whole_attributes(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::GetAtt": str(path)}:
            return {"Fn::GetAtt": path.split(".", 1)}
        case {"Fn::GetAtt": [str(name), str(first), *rest]}:
            return {"Fn::GetAtt": [name, ".".join([first, *map(str, rest)])]}
        case {"Fn::Sub": str(text)} if _DEEP.search(text):
            found = {path.replace(".", "_"): path for path in _DEEP.findall(text)}
            values = {name: {"Fn::GetAtt": path.split(".", 1)} for name, path in found.items()}
            return {"Fn::Sub": [_DEEP.sub(lambda each: f"${{{each[1].replace('.', '_')}}}", text), values]}
    return {key: _with_whole_attributes(member) for key, member in value.items()}


def _transforms(document: dict[str, Any]) -> list[str]:
    transforms = document.get("Transform") or []
    return transforms if isinstance(transforms, list) else [transforms]


def _check_types(resources: dict[str, Any], can_make: Callable[[str], bool]) -> None:
    from moto.cloudformation.exceptions import ValidationError

    types = {str(resource.get("Type")) for resource in resources.values()}
    unknown = sorted(each for each in types if each not in _MADE_BY_NOBODY and not can_make(each))
    if unknown:
        raise ValidationError(
            message=f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]. "
            "The local AWS cannot make them; take them out, or try this template on a real account."
        )


def _check_references(document: dict[str, Any]) -> None:
    from moto.cloudformation.exceptions import ValidationError

    resources = document["Resources"]
    known = {*resources, *(document.get("Parameters") or {})}
    for block in ("Resources", "Outputs"):
        found = references(document.get(block) or {})
        missing = sorted(name for name in found - known if not name.startswith("AWS::"))
        if missing:
            raise ValidationError(
                message=f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {block} block of the template"
            )
    order = graphlib.TopologicalSorter(
        {name: references(resource) & resources.keys() for name, resource in resources.items()}
    )
    try:
        order.prepare()
    except graphlib.CycleError as error:
        circle = ", ".join(sorted(set(error.args[1])))
        raise ValidationError(message=f"Circular dependency between resources: [{circle}]") from None


def _check_capabilities(resources: dict[str, Any], given: set[str], is_expanded_unseen: bool) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, Capabilities."""
    from moto.cloudformation.exceptions import CloudFormationError

    needed = _needed_capabilities(resources, given, is_expanded_unseen)
    if not given.issuperset(needed):
        raise CloudFormationError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(needed)}]")


def _needed_capabilities(resources: dict[str, Any], given: set[str], is_expanded_unseen: bool) -> list[str]:
    identities = [resource for resource in resources.values() if resource["Type"] in _IDENTITIES]
    is_named = any(_IDENTITIES[each["Type"]] in (each.get("Properties") or {}) for each in identities)
    needed = ["CAPABILITY_AUTO_EXPAND"] if is_expanded_unseen else []
    if is_named:
        needed.append("CAPABILITY_NAMED_IAM")
    elif identities and "CAPABILITY_NAMED_IAM" not in given:
        needed.append("CAPABILITY_IAM")
    return needed


class _ManagedPolicies:
    """What the translator asks IAM for: the ARNs of managed policies by their names."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def load(self) -> dict[str, str]:
        from moto.iam.models import iam_backends

        return {policy.name: policy.arn for policy in iam_backends[self._account_id]["aws"].managed_policies.values()}


def _translated(document: dict[str, Any], parameters: dict[str, Any], account_id: str) -> dict[str, Any]:
    from moto.cloudformation.exceptions import ValidationError
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform

    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it warns of usage figures that nobody collects
    given = {
        **{name: each["Default"] for name, each in (document.get("Parameters") or {}).items() if "Default" in each},
        **parameters,
    }
    try:
        return dict(transform(document, given, _ManagedPolicies(account_id)))
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise ValidationError(
            message=f"Transform {SERVERLESS} failed with: Invalid Serverless Application Specification document. "
            f"Number of errors found: {len(error.causes)}. {causes}"
        ) from None
