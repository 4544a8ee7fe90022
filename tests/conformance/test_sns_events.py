"""SNS invokes functions: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html."""

from __future__ import annotations

import base64
import itertools
import json
import re
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import (
    FAILING_RECORDER,
    RECORDER,
    events_of,
    function_arn,
    messages_in,
    permit,
    queue_for,
)

_numbers = itertools.count(1)


@pytest.fixture
def sns(local_aws):
    return boto3.client("sns")


@pytest.fixture
def topic(sns):
    arn = sns.create_topic(Name=f"parcel-news-{next(_numbers)}")["TopicArn"]
    yield arn
    sns.delete_topic(TopicArn=arn)


@pytest.fixture
def subscribe(sns, topic):
    def make(function: Any, **attributes: object) -> str:
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in attributes.items()}
        return sns.subscribe(
            TopicArn=topic,
            Protocol="lambda",
            Endpoint=function_arn(function),
            Attributes=texts,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    return make


def test_the_event(local_aws, deploy, sns, topic, subscribe):
    function = deploy(RECORDER)
    permit(function, "sns", topic)
    subscription = subscribe(function)
    attributes = {
        "city": {"DataType": "String", "StringValue": "Rome"},
        "weight": {"DataType": "Number", "StringValue": "12.5"},
        "label": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    published = sns.publish(TopicArn=topic, Subject="News", Message="It is here.", MessageAttributes=attributes)
    local_aws.clock.settle()
    [event] = events_of(function)
    [record] = event["Records"]
    message = record.pop("Sns")
    assert record == {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["Timestamp"])
    assert 0 <= local_aws.clock.now() - datetime.fromisoformat(message.pop("Timestamp")).timestamp() < 60
    assert len(base64.b64decode(message.pop("Signature"))) == 256
    assert re.fullmatch(
        r"https://sns\.us-east-1\.amazonaws\.com/SimpleNotificationService-[0-9a-f]{32}\.pem",
        message.pop("SigningCertUrl"),
    )
    assert message == {
        "Type": "Notification",
        "MessageId": published["MessageId"],
        "TopicArn": topic,
        "Subject": "News",
        "Message": "It is here.",
        "SignatureVersion": "1",
        "UnsubscribeUrl": f"https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={subscription}",
        "MessageAttributes": {
            "city": {"Type": "String", "Value": "Rome"},
            "weight": {"Type": "Number", "Value": "12.5"},
            "label": {"Type": "Binary", "Value": base64.b64encode(b"\x00\x01").decode()},
        },
    }


def test_without_subject_and_attributes(local_aws, deploy, sns, topic, subscribe):
    function = deploy(RECORDER)
    permit(function, "sns", topic)
    subscribe(function)
    sns.publish(TopicArn=topic, Message=json.dumps({"default": "all", "lambda": "you"}), MessageStructure="json")
    local_aws.clock.settle()
    [event] = events_of(function)
    message = event["Records"][0]["Sns"]
    assert message["Subject"] is None
    assert message["MessageAttributes"] == {}
    assert message["Message"] == "you"


def test_each_message_of_a_batch_is_an_event(local_aws, deploy, sns, topic, subscribe):
    function = deploy(RECORDER)
    permit(function, "sns", topic)
    subscribe(function)
    answer = sns.publish_batch(
        TopicArn=topic, PublishBatchRequestEntries=[{"Id": str(n), "Message": f"m{n}"} for n in range(3)]
    )
    local_aws.clock.settle()
    events = events_of(function)
    assert sorted(event["Records"][0]["Sns"]["Message"] for event in events) == ["m0", "m1", "m2"]
    assert {event["Records"][0]["Sns"]["MessageId"] for event in events} == {
        entry["MessageId"] for entry in answer["Successful"]
    }


@pytest.mark.parametrize(
    ("policy", "scope", "matched"),
    [
        ({"city": ["Rome"]}, None, ["a"]),
        ({"city": [{"anything-but": ["Rome"]}]}, "MessageAttributes", ["b"]),
        ({"weight": [{"numeric": [">", 10]}]}, None, ["a"]),
        ({"city": [{"prefix": "P"}], "weight": [{"exists": True}]}, None, ["b"]),
        ({"order": {"total": [{"numeric": [">=", 100]}]}}, "MessageBody", ["b"]),
        ({"order": {"gift": [True]}}, "MessageBody", ["a"]),
    ],
)
def test_filter_policies(local_aws, deploy, sns, topic, subscribe, policy, scope, matched):
    """https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html; the scope may be set after the policy."""
    function = deploy(RECORDER)
    permit(function, "sns", topic)
    attributes = {"FilterPolicy": policy}
    if scope:
        attributes["FilterPolicyScope"] = scope
    subscribe(function, **attributes)
    for name, city, weight, order in (
        ("a", "Rome", "12", {"total": 5, "gift": True}),
        ("b", "Paris", "2", {"total": 100, "gift": False}),
    ):
        sns.publish(
            TopicArn=topic,
            Message=json.dumps({"name": name, "order": order}),
            MessageAttributes={
                "city": {"DataType": "String", "StringValue": city},
                "weight": {"DataType": "Number", "StringValue": weight},
            },
        )
    local_aws.clock.settle()
    assert [json.loads(event["Records"][0]["Sns"]["Message"])["name"] for event in events_of(function)] == matched


def test_publishing_does_not_wait_and_lambda_retries(local_aws, deploy, sns, topic, subscribe):
    """SNS invokes asynchronously: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html."""
    function = deploy(FAILING_RECORDER)
    permit(function, "sns", topic)
    subscribe(function)
    published = sns.publish(TopicArn=topic, Message="x")
    local_aws.clock.settle()
    assert len(events_of(function)) == 1
    local_aws.clock.advance(minutes=10)
    ids = [event["Records"][0]["Sns"]["MessageId"] for event in events_of(function)]
    assert ids == [published["MessageId"]] * 3


def test_a_function_has_to_let_the_topic_in(local_aws, deploy, sns, topic, subscribe):
    """Without permission nothing arrives; the dead-letter queue of the subscription gets the message.

    https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html.
    """
    function = deploy(RECORDER)
    url, queue = queue_for(f"{topic.rpartition(':')[2]}-dlq", "sns")
    permit(function, "sns", "arn:aws:sns:us-east-1:123456789012:another")
    subscribe(function, RedrivePolicy={"deadLetterTargetArn": queue})
    published = sns.publish(TopicArn=topic, Message="lost?", Subject="S")
    local_aws.clock.settle()
    assert events_of(function) == []
    [letter] = messages_in(url)
    body = json.loads(letter["Body"])
    assert (body["MessageId"], body["Message"], body["Subject"]) == (published["MessageId"], "lost?", "S")
    assert "ErrorMessage" in letter["MessageAttributes"]
    function.client.remove_permission(FunctionName=function.name, StatementId="sns-may-invoke")
    permit(function, "sns", topic)
    sns.publish(TopicArn=topic, Message="here")
    local_aws.clock.settle()
    assert [event["Records"][0]["Sns"]["Message"] for event in events_of(function)] == ["here"]


def test_unsubscribed_and_deleted_functions_are_left_alone(local_aws, deploy, sns, topic, subscribe):
    function = deploy(RECORDER)
    permit(function, "sns", topic)
    subscription = subscribe(function)
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint="arn:aws:lambda:us-east-1:123456789012:function:never-there"
    )
    sns.publish(TopicArn=topic, Message="x")
    local_aws.clock.settle()
    assert events_of(function) == []
    with pytest.raises(ClientError, match="Invalid parameter: Lambda endpoint ARN"):
        sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint="my-function")
