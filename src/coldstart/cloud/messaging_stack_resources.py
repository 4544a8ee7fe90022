"""Queues and topics in CloudFormation's stacks: changed in place, so that messages and subscriptions stay.

moto changes two attributes of a queue (sqs/models.py) and makes another topic for a changed one (sns/models.py).
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html, aws-resource-sns-topic.html.
"""

from __future__ import annotations

import json
from typing import Any

from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind

_OF_QUEUES = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_OF_TOPICS = (
    "ContentBasedDeduplication",
    "DisplayName",
    "FifoTopic",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)
_FIXED = ("FifoQueue", "FifoTopic")


def messaging_resource_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    return [kind(StackClients(clients, account_id)) for kind in (_Queue, _Topic)]


class _Queue(StackKind):
    type = "AWS::SQS::Queue"
    name_property = "QueueName"
    attributes = ("Arn", "QueueName", "QueueUrl")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        attributes = _texts(properties, _OF_QUEUES)
        whole_name = _ordered(name, attributes.get("FifoQueue"))
        tags = {"tags": {tag["Key"]: tag["Value"] for tag in properties["Tags"]}} if "Tags" in properties else {}
        url = self._call("sqs", "create_queue", region, QueueName=whole_name, Attributes=attributes, **tags)["QueueUrl"]
        named = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
        arn = self._call("sqs", "get_queue_attributes", region, **named)["Attributes"]["QueueArn"]
        return Made(url, {"Arn": arn, "QueueName": whole_name, "QueueUrl": url})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        attributes = _texts(properties, _OF_QUEUES)
        if _ordered(name, attributes.get("FifoQueue")) != made.attributes["QueueName"]:
            return super().update(region, made, name, properties)
        changeable = {key: value for key, value in attributes.items() if key not in _FIXED}
        self._call("sqs", "set_queue_attributes", region, QueueUrl=made.physical_id, Attributes=changeable)
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("sqs", "delete_queue", region, QueueUrl=made.physical_id)


class _Topic(StackKind):
    type = "AWS::SNS::Topic"
    name_property = "TopicName"
    attributes = ("TopicArn", "TopicName")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        attributes = _texts(properties, _OF_TOPICS)
        whole_name = _ordered(name, attributes.get("FifoTopic"))
        tags = {"Tags": properties["Tags"]} if "Tags" in properties else {}
        arn = self._call("sns", "create_topic", region, Name=whole_name, Attributes=attributes, **tags)["TopicArn"]
        self._subscribe(region, arn, properties)
        return Made(arn, {"TopicArn": arn, "TopicName": whole_name})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        attributes = _texts(properties, _OF_TOPICS)
        if _ordered(name, attributes.get("FifoTopic")) != made.attributes["TopicName"]:
            return super().update(region, made, name, properties)
        for key, value in attributes.items():
            if key not in _FIXED:
                named = {"TopicArn": made.physical_id, "AttributeName": key, "AttributeValue": value}
                self._call("sns", "set_topic_attributes", region, **named)
        self._subscribe(region, made.physical_id, properties)
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("sns", "delete_topic", region, TopicArn=made.physical_id)

    def _subscribe(self, region: str, arn: str, properties: dict[str, Any]) -> None:
        for each in properties.get("Subscription") or []:  # one that is there already stays
            self._call("sns", "subscribe", region, TopicArn=arn, Protocol=each["Protocol"], Endpoint=each["Endpoint"])


def _ordered(name: str, is_fifo: str | None) -> str:
    """Return the name of a queue or topic, with the ending that one in order has to have."""
    return f"{name}.fifo" if is_fifo == "true" and not name.endswith(".fifo") else name


def _texts(properties: dict[str, Any], wanted: tuple[str, ...]) -> dict[str, str]:
    """Return attributes as SQS and SNS take them: as texts, objects in JSON."""

    def text(value: Any) -> str:
        if isinstance(value, (dict, list)):
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else str(value)

    return {name: text(properties[name]) for name in wanted if name in properties}
