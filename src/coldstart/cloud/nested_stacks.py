"""Stacks within stacks, through CloudFormation's own API.

moto (cloudformation/models.py) makes them, but does not hand their outputs on, takes a failed one for made, and makes a new one where
CloudFormation changes it. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html.
"""

from __future__ import annotations

from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made

_CAPABILITIES = [
    "CAPABILITY_IAM",
    "CAPABILITY_NAMED_IAM",
    "CAPABILITY_AUTO_EXPAND",
]  # the outer stack's caller was asked
_OUTPUTS = "Outputs."


class NestedStacks(StackKind):
    """The kind of ``AWS::CloudFormation::Stack``."""

    type = "AWS::CloudFormation::Stack"

    def __init__(self, clients: RoleClients, account_id: str) -> None:
        super().__init__(StackClients(clients, account_id))

    def has_attribute(self, attribute: str) -> bool:
        """Say whether ``Fn::GetAtt`` may ask for it: only the nested template knows its outputs."""
        return attribute.startswith(_OUTPUTS)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        """Make a stack from the template at ``TemplateURL``.

        Raises:
            AwsError: it could not be made; what it had made is deleted.
        """
        settings = {"StackName": name, "Capabilities": _CAPABILITIES, **_settings(properties)}
        stack_id = self._call("cloudformation", "create_stack", region, **settings)["StackId"]
        try:
            return self._made(region, stack_id, "CREATE_COMPLETE", "created")
        except AwsError:
            self._delete("cloudformation", "delete_stack", region, StackName=stack_id)
            raise

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        """Change the stack in place."""
        settings = {"StackName": made.physical_id, "Capabilities": _CAPABILITIES, **_settings(properties)}
        try:
            self._call("cloudformation", "update_stack", region, **settings)
        except AwsError as error:
            if "No updates are to be performed" not in error.message:
                raise
            return made
        return self._made(region, made.physical_id, "UPDATE_COMPLETE", "updated")

    def delete(self, region: str, made: Made) -> None:
        """Delete the stack and what it has made."""
        self._call("cloudformation", "delete_stack", region, StackName=made.physical_id)
        self._made(region, made.physical_id, "DELETE_COMPLETE", "deleted")

    def _made(self, region: str, stack_id: str, status: str, done: str) -> Made:
        [stack] = self._call("cloudformation", "describe_stacks", region, StackName=stack_id)["Stacks"]
        if stack["StackStatus"] != status:
            events = self._call("cloudformation", "describe_stack_events", region, StackName=stack_id)["StackEvents"]
            failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
            why = "; ".join(
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed
            )
            raise AwsError(400, "ValidationError", f"Embedded stack {stack_id} was not successfully {done}: {why}")
        outputs = {f"{_OUTPUTS}{each['OutputKey']}": each["OutputValue"] for each in stack.get("Outputs", [])}
        return Made(stack_id, outputs)


def _settings(properties: dict[str, Any]) -> dict[str, Any]:
    def text(value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    given = (properties.get("Parameters") or {}).items()
    parameters = [{"ParameterKey": name, "ParameterValue": text(value)} for name, value in given]
    tags = {"Tags": properties["Tags"]} if "Tags" in properties else {}
    return {"TemplateURL": properties["TemplateURL"], "Parameters": parameters, **tags}
