"""Stacks and change sets as CloudFormation makes them, and SAM's templates.

moto (cloudformation/models.py) passes over ``Transform`` and over types that it does not know, forgets outputs and tags of stacks that a
change set made, and leaves a stack half made when a resource fails. Here a SAM template is turned into plain CloudFormation by AWS's own
aws-sam-translator; a type that cannot be made is refused before anything is; and what fails is rolled back.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacks.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.replacements import Replacements

if TYPE_CHECKING:
    from moto.cloudformation.models import CloudFormationBackend, Stack

SERVERLESS = "AWS::Serverless-2016-10-31"
_MADE_BY_NOBODY = ("AWS::CloudFormation::WaitConditionHandle", "AWS::CDK::Metadata")


class StackDeployments:
    """Takes the place of moto's way with stacks.

    Args:
        can_make: says whether resources of a type can be made.
    """

    def __init__(self, can_make: Callable[[str], bool]) -> None:
        self._can_make = can_make

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""
        from moto.cloudformation import models, responses
        from moto.cloudformation.exceptions import ValidationError
        from moto.cloudformation.models import CloudFormationBackend, Stack

        def create_stack(
            backend: CloudFormationBackend, name: str, template: str, parameters: Any, **rest: Any
        ) -> Stack:
            stack = create(backend, name, self._plain(template, parameters, backend), parameters, **rest)
            stack.__dict__["asked_for"] = template
            return stack

        def create_resources(stack: Stack) -> None:
            try:
                make(stack)
            except Exception as error:
                _roll_back(stack, "CREATE", _why(error))

        def update_stack(
            backend: CloudFormationBackend, name: str, template: str, role_arn: Any, parameters: Any, tags: Any
        ) -> Stack:
            plain = self._plain(
                template, {one["ParameterKey"]: one.get("ParameterValue") for one in parameters or []}, backend
            )
            before = backend.get_stack(name)
            kept = str(before.template), dict(before.parameters)
            try:
                return update(backend, name, plain, role_arn, parameters, tags)
            except ValidationError:
                raise
            except Exception as error:
                before._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=_why(error))
                before.update(kept[0], role_arn, parameters=kept[1], tags=None)
                before._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
                before.status = "UPDATE_ROLLBACK_COMPLETE"
                return before

        def create_change_set(backend: CloudFormationBackend, **settings: Any) -> Any:
            settings["template"] = self._plain(settings["template"], settings["parameters"], backend)
            return propose(backend, **settings)

        def execute_change_set(
            backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
        ) -> None:
            change_set = _change_set(backend, change_set_name, stack_name)
            if change_set is None:
                raise ValidationError(stack_name or change_set_name)
            if change_set.change_set_type == "CREATE":
                placeholder = backend.stacks.pop(change_set.stack_id)
                made = create(
                    backend,
                    placeholder.name,
                    change_set.template,
                    change_set.parameters,
                    notification_arns=change_set.notification_arns,
                    tags=change_set.tags,
                    role_arn=change_set.role_arn,
                )
                del backend.stacks[made.stack_id]
                _rename(made, change_set.stack_id)
                made.events[:0] = placeholder.events
                backend.stacks[change_set.stack_id] = made
            else:
                given = [{"ParameterKey": key, "ParameterValue": value} for key, value in change_set.parameters.items()]
                update_stack(
                    backend, change_set.stack_name, change_set.template, change_set.role_arn, given, change_set.tags
                )
            change_set.execution_status = "EXECUTE_COMPLETE"

        def template_at(template_url: str, account_id: str, partition: str) -> str:
            parts = urlsplit(template_url)
            if parts.hostname not in ("127.0.0.1", "localhost"):
                return str(motos_template_at(template_url, account_id, partition))
            from moto.s3.models import s3_backends

            bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
            found = s3_backends[account_id][partition].get_object(bucket, key)
            if found is None:
                raise ValidationError(message=f"S3 error: The specified key does not exist: {key}")
            return str(found.value.decode())

        create = moto.put(CloudFormationBackend, "create_stack", create_stack)
        make = moto.put(Stack, "create_resources", create_resources)
        update = moto.put(CloudFormationBackend, "update_stack", update_stack)
        propose = moto.put(CloudFormationBackend, "create_change_set", create_change_set)
        moto.put(CloudFormationBackend, "execute_change_set", execute_change_set)
        motos_template_at = moto.put(responses, "get_stack_from_s3_url", template_at)
        moto.put(models, "get_stack_from_s3_url", template_at)

    def _plain(self, template: str, parameters: Any, backend: CloudFormationBackend) -> str:
        """Return a template as plain CloudFormation, in JSON.

        Raises:
            ValidationError: it cannot be read, has a type that cannot be made, or is no valid SAM.
        """
        from moto.cloudformation.exceptions import ValidationError
        from moto.cloudformation.models import Stack

        try:
            document = Stack.parse_template(template)
        except Exception as error:
            raise ValidationError(message=f"Template format error: {error}") from None
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            raise ValidationError(message="Template format error: At least one Resources member must be defined.")
        transforms = document.get("Transform") or []
        if SERVERLESS in (transforms if isinstance(transforms, list) else [transforms]):
            document = _translated(document, parameters or {}, backend)
            document.pop("Transform", None)
        unknown = sorted(
            {
                str(resource.get("Type"))
                for resource in document["Resources"].values()
                if resource.get("Type") not in _MADE_BY_NOBODY and not self._can_make(str(resource.get("Type")))
            }
        )
        if unknown:
            raise ValidationError(
                message=f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]. "
                "The local AWS cannot make them; take them out, or try this template on a real account."
            )
        return json.dumps(document, default=str)


class _ManagedPolicies:
    """What the translator asks IAM for: the ARNs of managed policies by their names."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def load(self) -> dict[str, str]:
        from moto.iam.models import iam_backends

        return {policy.name: policy.arn for policy in iam_backends[self._account_id]["aws"].managed_policies.values()}


def _translated(document: dict[str, Any], parameters: dict[str, Any], backend: CloudFormationBackend) -> dict[str, Any]:
    from moto.cloudformation.exceptions import ValidationError
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform

    given = {
        **{name: each["Default"] for name, each in (document.get("Parameters") or {}).items() if "Default" in each},
        **parameters,
    }
    try:
        return dict(transform(document, given, _ManagedPolicies(backend.account_id)))
    except InvalidDocumentException as error:
        causes = " ".join(cause.message for cause in error.causes)
        raise ValidationError(
            message=f"Transform {SERVERLESS} failed with: Invalid Serverless Application Specification document. "
            f"Number of errors found: {len(error.causes)}. {causes}"
        ) from None


def _roll_back(stack: Stack, what: str, why: str) -> None:
    """Delete what a stack has made, and keep the stack itself with its events, as CloudFormation does."""
    failed = next((name for name in stack.resource_map if name not in stack.resource_map._parsed_resources), stack.name)
    stack._add_stack_event(f"{what}_FAILED", resource_status_reason=f"{failed}: {why}")
    stack._add_stack_event(
        "ROLLBACK_IN_PROGRESS", resource_status_reason=f"The following resource(s) failed to create: [{failed}]."
    )
    made = stack.resource_map._parsed_resources
    templates = stack.resource_map._resource_json_map
    for name in reversed([name for name in made if name in templates]):
        stack.resource_map._delete_resource(made.pop(name), templates[name])
    stack._add_stack_event("ROLLBACK_COMPLETE")
    stack.status = "ROLLBACK_COMPLETE"


def _change_set(backend: CloudFormationBackend, name: str, stack_name: str | None) -> Any:
    for change_set in backend.change_sets.values():
        of_this_stack = stack_name is None or stack_name in (change_set.stack_name, change_set.stack_id)
        if change_set.change_set_id == name or (change_set.change_set_name == name and of_this_stack):
            return change_set
    return None


def _rename(stack: Stack, stack_id: str) -> None:
    """Give a stack the id under which its change set was proposed."""
    for event in stack.events:
        event.stack_id = stack_id
        if event.physical_resource_id == stack.stack_id:
            event.physical_resource_id = stack_id
    stack.stack_id = stack_id


def _why(error: Exception) -> str:
    return error.message if isinstance(error, AwsError) else str(error) or type(error).__name__
