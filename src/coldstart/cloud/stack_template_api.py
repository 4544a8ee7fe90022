"""GetTemplate and ValidateTemplate, and change sets looked up by name.

moto (cloudformation/responses.py) shows a transformed template where the original was asked for, validates with cfn-lint, which refuses
what CloudFormation takes, and knows a change set by its name alone, whichever stack it is of.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html, API_ValidateTemplate.html, API_DescribeChangeSet.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from coldstart.cloud.replacements import Replacements
from coldstart.cloud.stack_templates import described_template

if TYPE_CHECKING:
    from moto.cloudformation.models import CloudFormationBackend, Stack
    from moto.cloudformation.responses import CloudFormationResponse

_ORIGINAL = "original_template"


def keep_original(proposal_or_stack: Any, template: str) -> None:
    """Remember the template that somebody sent, beside the one it was turned into."""
    setattr(proposal_or_stack, _ORIGINAL, template)


def original_template(proposal_or_stack: Any) -> str:
    """Return the template that somebody sent."""
    return str(getattr(proposal_or_stack, _ORIGINAL, proposal_or_stack.template))


def change_set_of(backend: CloudFormationBackend, name: str, stack_name: str | None) -> Any:
    """Return a change set by its ARN, or by its name and the name or id of its stack.

    Raises:
        CloudFormationError: there is none.
    """
    from moto.cloudformation.exceptions import CloudFormationError

    for change_set in reversed(backend.change_sets.values()):  # the newest of a name
        of_this_stack = stack_name is None or stack_name in (change_set.stack_name, change_set.stack_id)
        if change_set.change_set_id == name or (change_set.change_set_name == name and of_this_stack):
            return change_set
    raise CloudFormationError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")


def attach(moto: Replacements, can_make: Callable[[str], bool]) -> None:
    """Answer in moto's place.

    Args:
        can_make: says whether resources of a type can be made.
    """
    from moto.cloudformation.exceptions import CloudFormationError
    from moto.cloudformation.responses import CloudFormationResponse
    from moto.core.responses import ActionResult, EmptyResult

    def get_template(response: CloudFormationResponse) -> Any:
        stack: Stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))
        is_processed = response._get_param("TemplateStage") == "Processed"
        body = stack.template if is_processed else original_template(stack)
        return ActionResult({"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]})

    def validate_template(response: CloudFormationResponse) -> Any:
        url = response._get_param("TemplateURL")
        body = response._get_stack_from_s3_url(url) if url else response._get_param("TemplateBody")
        return ActionResult(described_template(body, can_make))

    def change_set_named(response: CloudFormationResponse) -> Any:
        name, stack = response._get_param("ChangeSetName"), response._get_param("StackName")
        return change_set_of(response.cloudformation_backend, name, stack)

    def describe_change_set(response: CloudFormationResponse) -> Any:
        return ActionResult(change_set_named(response))

    def delete_change_set(response: CloudFormationResponse) -> Any:
        try:
            change_set = change_set_named(response)
        except CloudFormationError:
            return EmptyResult()  # as on AWS: what is not there is deleted
        del response.cloudformation_backend.change_sets[change_set.change_set_id]
        return EmptyResult()

    for replacement in (get_template, validate_template, describe_change_set, delete_change_set):
        moto.put(CloudFormationResponse, replacement.__name__, replacement)
