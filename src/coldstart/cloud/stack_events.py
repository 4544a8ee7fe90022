"""What a stack tells of its resources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coldstart.cloud.aws_error import AwsError

if TYPE_CHECKING:
    from moto.cloudformation.models import Stack


def resource_event(stack: Stack, logical_id: str, resource_type: str, status: str, reason: str | None = None) -> Any:
    """Return an event for one resource of a stack, as moto keeps them."""
    from moto.cloudformation.models import Event

    made = stack.resource_map._parsed_resources.get(logical_id)
    return Event(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        logical_resource_id=logical_id,
        physical_resource_id=str(getattr(made, "physical_resource_id", "")),
        resource_type=resource_type,
        resource_status=status,
        resource_status_reason=reason,
        resource_properties=None,
    )


def reason_of(error: Exception) -> str:
    """Return why a resource failed, for its event."""
    return error.message if isinstance(error, AwsError) else str(error) or type(error).__name__
