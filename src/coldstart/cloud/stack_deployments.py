"""Stacks and change sets as CloudFormation makes them: proposed, made, rolled back, with an event for each resource.

moto (cloudformation/models.py) forgets outputs and tags of stacks that a change set made, takes a second change set for the first
when they share a name, and leaves a stack half made when a resource fails.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacks.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from coldstart.cloud import stack_deletions, stack_template_api
from coldstart.cloud.replacements import Replacements
from coldstart.cloud.stack_deletions import delete_resources
from coldstart.cloud.stack_events import reason_of, resource_event
from coldstart.cloud.stack_templates import plain_template
from coldstart.cloud.stack_updates import changes_of

if TYPE_CHECKING:
    from moto.cloudformation.models import CloudFormationBackend, Stack

_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class StackDeployments:
    """Takes the place of moto's way with stacks.

    Args:
        can_make: says whether resources of a type can be made.
    """

    def __init__(self, can_make: Callable[[str], bool]) -> None:
        self._can_make = can_make

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""
        from moto.cloudformation import models, parsing, responses
        from moto.cloudformation.exceptions import CloudFormationError, ValidationError
        from moto.cloudformation.models import CloudFormationBackend, Stack

        def create_stack(
            backend: CloudFormationBackend, name: str, template: str, parameters: Any, **rest: Any
        ) -> Stack:
            plain = plain_template(template, parameters or {}, backend.account_id, self._can_make, _capabilities())
            stack = create(backend, name, plain, parameters, **rest)
            stack_template_api.keep_original(stack, template)
            return stack

        def create_resources(stack: Stack) -> None:
            try:
                make(stack)
            except Exception as error:
                _roll_back(stack, reason_of(error))
            else:
                made = [resource_event(stack, *each, "CREATE_COMPLETE") for each in _made(stack)]
                stack.events[-1:-1] = made  # before the stack's own CREATE_COMPLETE

        def update_stack(
            backend: CloudFormationBackend, name: str, template: str, role_arn: Any, parameters: Any, tags: Any
        ) -> Stack:
            given = {one["ParameterKey"]: one.get("ParameterValue") for one in parameters or []}
            plain = plain_template(template, given, backend.account_id, self._can_make, _capabilities())
            if _is_unchanged(backend.get_stack(name), plain, given, tags):
                raise ValidationError(message="No updates are to be performed.")
            return change(backend, name, template, plain, role_arn, parameters, tags)

        def change(
            backend: CloudFormationBackend,
            name: str,
            template: str,
            plain: str,
            role_arn: Any,
            parameters: Any,
            tags: Any,
        ) -> Stack:
            before = backend.get_stack(name)
            kept = str(before.template), dict(before.parameters)
            try:
                changed = update(backend, name, plain, role_arn, parameters, tags)
                _tell_of_changes(changed)
                if template != kept[0]:  # else the previous template was asked for
                    stack_template_api.keep_original(changed, template)
                return changed
            except ValidationError:
                raise
            except Exception as error:
                before.events.append(resource_event(before, *_failed(before), "UPDATE_FAILED", reason_of(error)))
                before._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=reason_of(error))
                told = len(before.events)
                before.update(kept[0], role_arn, parameters=kept[1], tags=None)
                del before.events[told:]  # of a way back the stack tells where it ends, not that it is another update
                before._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
                before.status = "UPDATE_ROLLBACK_COMPLETE"
                return before

        def create_change_set(backend: CloudFormationBackend, **settings: Any) -> Any:
            template, parameters = settings["template"], settings["parameters"] or {}
            name, is_new = settings["stack_name"], settings["change_set_type"] != "UPDATE"
            plain = plain_template(
                template, parameters, backend.account_id, self._can_make, _capabilities(), is_proposed=True
            )
            known = next((stack for stack in backend.stacks.values() if stack.name == name), None)
            if is_new and known is not None and known.status != "REVIEW_IN_PROGRESS":
                raise ValidationError(
                    message=f"Stack [{name}] already exists and cannot be created again with the changeSet "
                    f"[{settings['change_set_name']}]."
                )
            if is_new and known is not None:
                _forget(backend, known.stack_id)  # moto makes another one that waits for its change set
                del backend.stacks[known.stack_id]
            ids: tuple[str, str] = propose(backend, **{**settings, "template": plain})
            proposed = backend.change_sets[ids[0]]
            stack_template_api.keep_original(proposed, template)
            if not is_new and known is not None and _is_unchanged(known, plain, parameters, settings["tags"]):
                proposed.status, proposed.execution_status = "FAILED", "UNAVAILABLE"
                proposed.status_reason = _NO_CHANGES
            return ids

        def execute_change_set(
            backend: CloudFormationBackend, change_set_name: str, stack_name: str | None = None
        ) -> None:
            change_set = stack_template_api.change_set_of(backend, change_set_name, stack_name)
            if change_set.execution_status != "AVAILABLE":
                raise CloudFormationError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
                    f"[{change_set.status}]",
                )
            template = stack_template_api.original_template(change_set)
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
                stack_template_api.keep_original(made, template)
            else:
                given = [{"ParameterKey": key, "ParameterValue": value} for key, value in change_set.parameters.items()]
                role, tags = change_set.role_arn, change_set.tags
                change(backend, change_set.stack_name, template, change_set.template, role, given, tags)
            _forget(backend, change_set.stack_id)

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

        def noting_failures(work: Callable[..., Any]) -> Callable[..., Any]:
            def noted(logical_id: str, resource_json: Any, resources_map: Any, **rest: Any) -> Any:
                try:
                    return work(logical_id, resource_json, resources_map, **rest)
                except Exception as error:
                    resources_map.__dict__.setdefault("failed", (logical_id, resource_json["Type"]))
                    raise error

            return noted

        create = moto.put(CloudFormationBackend, "create_stack", create_stack)
        make = moto.put(Stack, "create_resources", create_resources)
        update = moto.put(CloudFormationBackend, "update_stack", update_stack)
        propose = moto.put(CloudFormationBackend, "create_change_set", create_change_set)
        moto.put(CloudFormationBackend, "execute_change_set", execute_change_set)
        motos_template_at = moto.put(responses, "get_stack_from_s3_url", template_at)
        moto.put(models, "get_stack_from_s3_url", template_at)
        stack_template_api.attach(moto, self._can_make)
        stack_deletions.attach(moto)
        moto.put(Stack, "stack_resources", property(_resources_that_are_there))
        for each in ("parse_and_create_resource", "parse_and_update_resource"):
            moto.put(parsing, each, noting_failures(getattr(parsing, each)))


def _capabilities() -> list[str] | None:
    """Return what the caller of CloudFormation's API acknowledged, or None where there was no such call."""
    from flask import has_request_context, request

    if not has_request_context():
        return None
    return [value for name, value in request.form.items() if name.startswith("Capabilities.member.")]


def _roll_back(stack: Stack, why: str) -> None:
    """Delete what a stack has made, and keep the stack itself with its events, as CloudFormation does."""
    failed = _failed(stack)
    made = _made(stack)
    stack.events += [resource_event(stack, *each, "CREATE_COMPLETE") for each in made]
    stack.events.append(resource_event(stack, *failed, "CREATE_FAILED", why))
    stack._add_stack_event(
        "ROLLBACK_IN_PROGRESS",
        resource_status_reason=f"The following resource(s) failed to create: [{failed[0]}]. Rollback requested by user.",
    )
    left = delete_resources(stack, [name for name, _ in reversed(made)])
    if left:
        stack._add_stack_event("ROLLBACK_FAILED", resource_status_reason=f"Left: [{', '.join(left)}]")
        stack.status = "ROLLBACK_FAILED"
        return
    stack._add_stack_event("ROLLBACK_COMPLETE")
    stack.status = "ROLLBACK_COMPLETE"


def _tell_of_changes(stack: Stack) -> None:
    """Put an event for each resource that an update made, changed or deleted before the one that says it is done."""
    done = stack.events.pop()
    changes = changes_of(stack.resource_map)
    cleaning_up = [change for change in changes if change.status.startswith("DELETE_")]
    stack.events += [resource_event(stack, *change) for change in changes if change not in cleaning_up]
    if cleaning_up:
        stack._add_stack_event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        stack.events += [resource_event(stack, *change) for change in cleaning_up]
    done.timestamp = stack.events[-1].timestamp
    stack.events.append(done)


def _resources_that_are_there(stack: Stack) -> list[Any]:
    return [resource for resource in stack.resource_map.values() if resource is not None]


def _made(stack: Stack) -> list[tuple[str, str]]:
    """Return logical id and type of what a stack has made, in the order in which it was made."""
    templates = stack.resource_map._resource_json_map
    made = stack.resource_map._parsed_resources
    return [(name, templates[name]["Type"]) for name in made if name in templates and made[name] is not None]


def _failed(stack: Stack) -> tuple[str, str]:
    """Return logical id and type of the resource that could not be made; the stack's own when it was none."""
    return stack.resource_map.__dict__.pop("failed", (stack.name, "AWS::CloudFormation::Stack"))


def _forget(backend: CloudFormationBackend, stack_id: str) -> None:
    """Delete what was proposed for a stack: it compares with a stack that is no more."""
    for id, proposed in list(backend.change_sets.items()):
        if proposed.stack_id == stack_id:
            del backend.change_sets[id]


def _is_unchanged(stack: Stack, plain: str, parameters: dict[str, Any], tags: dict[str, str] | None) -> bool:
    """Say whether a stack is already what a template, its parameters and tags make of it."""
    if not stack.has_template(plain) or (tags and tags != stack.tags):
        return False
    declared = stack.template_dict.get("Parameters") or {}
    values = {name: str(each["Default"]) for name, each in declared.items() if "Default" in each}
    return {**values, **stack.parameters} == {**values, **parameters}


def _rename(stack: Stack, stack_id: str) -> None:
    """Give a stack the id under which its change set was proposed."""
    for event in stack.events:
        event.stack_id = stack_id
        if event.physical_resource_id == stack.stack_id:
            event.physical_resource_id = stack_id
    stack.stack_id = stack_id
