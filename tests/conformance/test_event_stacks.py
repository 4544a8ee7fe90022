"""Stacks connect functions to events, and ask functions for custom resources.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import RECORDER, events_of, function_arn, messages_in, permit

_numbers = itertools.count(1)
# What AWS's cfnresponse module does.
MAKER = """
import json, urllib.request
def handler(event, context):
    print("EVENT", json.dumps(event))
    properties = event["ResourceProperties"]
    if properties.get("Silent"):
        return
    body = json.dumps({
        "Status": properties.get("Status", "SUCCESS"),
        "Reason": "as asked",
        "PhysicalResourceId": properties.get("Id", "made-" + event["LogicalResourceId"]),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Address": "from " + properties.get("City", "nowhere")},
    }).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT")
    request.add_header("content-type", "")
    urllib.request.urlopen(request)
"""


@pytest.fixture
def stack(local_aws):
    """`stack(resources, outputs)` makes a stack, or changes it when its name is given, and returns its name."""
    client, names = boto3.client("cloudformation"), []

    def make(resources: dict, outputs: dict | None = None, name: str | None = None) -> str:
        template = json.dumps(
            {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()}}
        )
        if name:
            client.update_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
            return name
        name = f"parcel-events-{next(_numbers)}"
        client.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
        names.append(name)
        return name

    yield make
    for name in names:
        client.delete_stack(StackName=name)


def outputs(name: str) -> dict[str, str]:
    [described] = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def custom(function: Any, **properties: object) -> dict:
    return {"Type": "Custom::Label", "Properties": {"ServiceToken": function_arn(function), **properties}}


def test_a_custom_resource_is_made_changed_and_deleted(deploy, stack):
    function = deploy(MAKER, Timeout=30)
    parameter = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": f"/parcel/custom-{next(_numbers)}",
            "Type": "String",
            "Value": {"Fn::GetAtt": ["Label", "Address"]},
        },
    }
    shown = {"Id": {"Ref": "Label"}, "Address": {"Fn::GetAtt": ["Label", "Address"]}}
    resources = {"Label": custom(function, City="Rome", Copies=3, Fast=True), "Parameter": parameter}
    name = stack(resources, shown)
    assert outputs(name) == {"Id": "made-Label", "Address": "from Rome"}
    value = boto3.client("ssm").get_parameter(Name=parameter["Properties"]["Name"])["Parameter"]["Value"]
    assert value == "from Rome"
    [created] = events_of(function)
    assert created.pop("ResponseURL").startswith("http")
    assert created.pop("RequestId")
    stack_id = created.pop("StackId")
    assert f":stack/{name}/" in stack_id
    arn = function_arn(function)
    assert created == {
        "RequestType": "Create",
        "ServiceToken": arn,
        "LogicalResourceId": "Label",
        "ResourceType": "Custom::Label",
        "ResourceProperties": {"ServiceToken": arn, "City": "Rome", "Copies": "3", "Fast": "true"},
    }

    stack({"Label": custom(function, City="Paris", Id="other"), "Parameter": parameter}, shown, name)
    assert outputs(name) == {"Id": "other", "Address": "from Paris"}
    [_, updated, replaced] = events_of(function)
    assert updated["RequestType"] == "Update"
    assert updated["PhysicalResourceId"] == "made-Label"
    assert updated["OldResourceProperties"]["City"] == "Rome"
    assert updated["ResourceProperties"]["City"] == "Paris"
    assert (replaced["RequestType"], replaced["PhysicalResourceId"]) == ("Delete", "made-Label")

    boto3.client("cloudformation").delete_stack(StackName=name)
    last = events_of(function)[-1]
    assert (last["RequestType"], last["PhysicalResourceId"], last["StackId"]) == ("Delete", "other", stack_id)
    assert not [b for b in boto3.client("s3").list_buckets()["Buckets"] if "custom-resource" in b["Name"]]


def why_it_failed(name: str) -> str:
    """Return the reason of the one resource that could not be made, of a stack that was rolled back."""
    client = boto3.client("cloudformation")
    assert client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    return str(failed["ResourceStatusReason"])


def test_custom_resources_that_fail(deploy, stack):
    function = deploy(MAKER, Timeout=30)
    failing = stack({"Label": custom(function, Status="FAILED")})
    assert re.search(r"Received response status \[FAILED\] from custom resource.*as asked", why_it_failed(failing))
    silent = stack({"Label": custom(function, Silent="yes")})
    assert "CloudFormation did not receive a response from your Custom Resource" in why_it_failed(silent)


def test_events_of_a_stack(local_aws, deploy, stack):
    """What SAM makes for a function's Events, with the permissions made by hand."""
    function = deploy(RECORDER)
    arn = function_arn(function)
    name = f"parcel-connected-{next(_numbers)}"
    for service, source in (
        ("s3", f"arn:aws:s3:::{name}"),
        ("sns", f"arn:aws:sns:us-east-1:123456789012:{name}"),
        ("logs", f"arn:aws:logs:us-east-1:123456789012:log-group:{name}:*"),
        ("events", f"arn:aws:events:us-east-1:123456789012:rule/{name}"),
    ):
        permit(function, service, source)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    notifications = {
        "LambdaConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Function": arn,
                "Filter": {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".json"}]}},
            }
        ]
    }
    resources = {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": name, "NotificationConfiguration": notifications},
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}},
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "lambda",
                "Endpoint": arn,
                "FilterPolicy": {"city": ["Rome"]},
            },
        },
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}},
        "Filter": {
            "Type": "AWS::Logs::SubscriptionFilter",
            "Properties": {"LogGroupName": {"Ref": "Group"}, "FilterPattern": "ERROR", "DestinationArn": arn},
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": name,
                "ScheduleExpression": "rate(1 hour)",
                "Targets": [{"Id": "f", "Arn": arn, "Input": '{"by": "rule"}'}],
            },
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "ScheduleExpression": "rate(1 hours)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": arn,
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Input": '{"by": "schedule"}',
                    "RetryPolicy": {"MaximumRetryAttempts": "3"},
                },
            },
        },
    }
    made = stack(resources)
    s3, sns, logs = boto3.client("s3"), boto3.client("sns"), boto3.client("logs")
    for key in ("a.json", "a.txt"):
        s3.put_object(Bucket=name, Key=key, Body=b"")
    for city in ("Rome", "Paris"):
        sns.publish(
            TopicArn=f"arn:aws:sns:us-east-1:123456789012:{name}",
            Message=city,
            MessageAttributes={"city": {"DataType": "String", "StringValue": city}},
        )
    logs.create_log_stream(logGroupName=name, logStreamName="till")
    messages = [{"timestamp": local_aws.clock.now_ms(), "message": text} for text in ("ERROR one", "INFO two")]
    logs.put_log_events(logGroupName=name, logStreamName="till", logEvents=messages)
    local_aws.clock.advance(minutes=61)
    s3.delete_object(Bucket=name, Key="a.json")
    s3.delete_object(Bucket=name, Key="a.txt")
    events = events_of(function)
    by = [event["by"] for event in events if "by" in event]
    assert sorted(by) == ["rule", "schedule", "schedule"]
    assert sum("awslogs" in event for event in events) == 1
    records = [event["Records"][0] for event in events if "Records" in event]
    assert sorted(record.get("eventSource") or record["EventSource"] for record in records) == ["aws:s3", "aws:sns"]
    boto3.client("cloudformation").delete_stack(StackName=made)
    local_aws.clock.advance(hours=3)
    assert len(events_of(function)) == len(events)
    assert boto3.client("scheduler").list_schedules(NamePrefix=made)["Schedules"] == []


def test_policies_of_queues(local_aws, stack):
    """A rule may send to a queue whose policy lets it in."""
    name = f"parcel-policy-{next(_numbers)}"
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                        }
                    ],
                },
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": [name]},
                "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
            },
        },
    }
    stack(resources)
    boto3.client("events").put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": "{}"}])
    local_aws.clock.settle()
    assert len(messages_in(boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])) == 1


def test_what_a_service_refuses_makes_the_stack_fail(deploy, stack):
    function = deploy(RECORDER)
    name = f"parcel-refused-{next(_numbers)}"
    notifications = {"LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": function_arn(function)}]}
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": name, "NotificationConfiguration": notifications},
    }
    failing = stack({"Bucket": bucket})
    assert "Unable to validate the following destination configurations" in why_it_failed(failing)
    with pytest.raises(ClientError):
        boto3.client("s3").head_bucket(Bucket=name)
