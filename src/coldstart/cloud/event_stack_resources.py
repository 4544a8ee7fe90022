"""What connects functions to events in CloudFormation's stacks, and moto does not make.

Subscriptions, schedules, policies of queues and topics: SAM makes them for a function's ``Events``.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html. Everything goes through
the services' own APIs.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind

_INTEGERS = {"MaximumRetryAttempts", "MaximumEventAgeInSeconds", "MaximumWindowInMinutes"}


def event_resource_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    kinds = (
        _Subscription,
        _SubscriptionFilter,
        _Schedule,
        _ScheduleGroup,
        _QueuePolicy,
        _TopicPolicy,
        _StateMachine,
    )
    return [kind(StackClients(clients, account_id)) for kind in kinds]


class StackClients:
    """CloudFormation's clients, whose refusals are errors of the stack."""

    def __init__(self, clients: RoleClients, account_id: str) -> None:
        self._clients = clients
        self._role = f"arn:aws:iam::{account_id}:role/aws-service-role/cloudformation.amazonaws.com/CloudFormation"

    def call(self, service: str, operation: str, region: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation, such as ``put_rule``.

        Raises:
            AwsError: the service refuses it.
        """
        try:
            return getattr(self._clients.of(service, region, self._role), operation)(**parameters)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise AwsError(status, error.response["Error"]["Code"], error.response["Error"]["Message"]) from None


class StackKind(ResourceKind):
    """A kind of resources that is made through a service's own API."""

    def __init__(self, clients: StackClients) -> None:
        self._call = clients.call

    def _delete(self, *arguments: str, **parameters: Any) -> None:
        with contextlib.suppress(AwsError):  # it has gone already, perhaps with what it belongs to
            self._call(*arguments, **parameters)


class _Subscription(StackKind):
    type = "AWS::SNS::Subscription"
    attributes = ("Arn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        names = ("FilterPolicyScope", "FilterPolicy", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy")
        attributes = {key: _text(properties[key]) for key in names if key in properties}
        answer = self._call(
            "sns",
            "subscribe",
            region,
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return Made(answer["SubscriptionArn"], {"Arn": answer["SubscriptionArn"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        self.delete(region, made)  # a topic has only one subscription of an endpoint
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        self._delete("sns", "unsubscribe", region, SubscriptionArn=made.physical_id)


class _SubscriptionFilter(StackKind):
    type = "AWS::Logs::SubscriptionFilter"
    name_property = "FilterName"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        role = {"roleArn": properties["RoleArn"]} if "RoleArn" in properties else {}
        self._call(
            "logs",
            "put_subscription_filter",
            region,
            logGroupName=properties["LogGroupName"],
            filterName=name,
            filterPattern=properties["FilterPattern"],
            destinationArn=properties["DestinationArn"],
            **role,
        )
        return Made(name, {"group": properties["LogGroupName"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if (made.physical_id, made.attributes["group"]) != (name, properties["LogGroupName"]):
            self.delete(region, made)
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        self._delete(
            "logs",
            "delete_subscription_filter",
            region,
            logGroupName=made.attributes["group"],
            filterName=made.physical_id,
        )


class _Schedule(StackKind):
    type = "AWS::Scheduler::Schedule"
    name_property = "Name"
    attributes = ("Arn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        return self._put("create_schedule", region, name, properties)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if (made.physical_id, made.attributes["group"]) != (name[:64], properties.get("GroupName", "default")):
            return super().update(region, made, name, properties)
        return self._put("update_schedule", region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        self._delete("scheduler", "delete_schedule", region, Name=made.physical_id, GroupName=made.attributes["group"])

    def _put(self, operation: str, region: str, name: str, properties: dict[str, Any]) -> Made:
        parameters = _converted({key: value for key, value in properties.items() if key != "Name"})
        answer = self._call("scheduler", operation, region, Name=name[:64], **parameters)
        return Made(name[:64], {"Arn": answer["ScheduleArn"], "group": properties.get("GroupName", "default")})


class _ScheduleGroup(StackKind):
    type = "AWS::Scheduler::ScheduleGroup"
    name_property = "Name"
    attributes = ("Arn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        answer = self._call("scheduler", "create_schedule_group", region, Name=name[:64])
        return Made(name[:64], {"Arn": answer["ScheduleGroupArn"]})

    def delete(self, region: str, made: Made) -> None:
        self._delete("scheduler", "delete_schedule_group", region, Name=made.physical_id)


class _QueuePolicy(StackKind):
    type = "AWS::SQS::QueuePolicy"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        for queue in properties["Queues"]:
            self._set(region, queue, json.dumps(properties["PolicyDocument"]))
        return Made(name, {"queues": " ".join(properties["Queues"])})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        self.delete(region, made)
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        for queue in made.attributes["queues"].split():
            with contextlib.suppress(AwsError):
                self._set(region, queue, "")

    def _set(self, region: str, queue: str, policy: str) -> None:
        self._call("sqs", "set_queue_attributes", region, QueueUrl=queue, Attributes={"Policy": policy})


class _TopicPolicy(StackKind):
    type = "AWS::SNS::TopicPolicy"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        for topic in properties["Topics"]:
            self._call(
                "sns",
                "set_topic_attributes",
                region,
                TopicArn=topic,
                AttributeName="Policy",
                AttributeValue=json.dumps(properties["PolicyDocument"]),
            )
        return Made(name)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        """Leave the policy: topics always have one."""


class _StateMachine(StackKind):
    type = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"
    attributes = ("Arn", "Name")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        kind = {"type": properties["StateMachineType"]} if "StateMachineType" in properties else {}
        machine = {"definition": _definition(properties), "roleArn": properties["RoleArn"]}
        arn = self._call("stepfunctions", "create_state_machine", region, name=name, **machine, **kind)[
            "stateMachineArn"
        ]
        return Made(arn, {"Arn": arn, "Name": name})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.attributes["Name"] != name:
            return super().update(region, made, name, properties)
        machine = {"definition": _definition(properties), "roleArn": properties["RoleArn"]}
        self._call("stepfunctions", "update_state_machine", region, stateMachineArn=made.physical_id, **machine)
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("stepfunctions", "delete_state_machine", region, stateMachineArn=made.physical_id)


def _definition(properties: dict[str, Any]) -> str:
    """Return a state machine's definition with its substitutions, which moto (stepfunctions/models.py) leaves out."""
    text = properties["DefinitionString"] if "DefinitionString" in properties else json.dumps(properties["Definition"])
    for name, value in (properties.get("DefinitionSubstitutions") or {}).items():
        text = text.replace(f"${{{name}}}", str(value))
    return str(text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _converted(value: Any, name: str = "") -> Any:
    """Return properties with numbers where a template's parameters have made texts of them."""
    if isinstance(value, Mapping):
        return {key: _converted(member, key) for key, member in value.items()}
    return int(value) if name in _INTEGERS else value
