"""SAM's templates, change sets, and stacks that fail.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/what-is-sam.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

_numbers = itertools.count(1)

CODE = """
import boto3, os
def orders(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=event["body"])
    return {"statusCode": 202, "body": "taken"}
def pack(event, context):
    for record in event["Records"]:
        print("packed", record["body"])
    return {"batchItemFailures": []}
"""


def parcel(api: str = "HttpApi") -> dict[str, Any]:
    """The Parcel API and its worker, as a SAM template."""
    function = {"Type": "AWS::Serverless::Function"}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Function": {"Runtime": "python3.14", "Timeout": 10, "MemorySize": 1769}},
        "Resources": {
            "Orders": {
                **function,
                "Properties": {
                    "InlineCode": CODE,
                    "Handler": "index.orders",
                    "AutoPublishAlias": "live",
                    "Environment": {"Variables": {"QUEUE": {"Ref": "ToPack"}}},
                    "Policies": [{"SQSSendMessagePolicy": {"QueueName": {"Fn::GetAtt": ["ToPack", "QueueName"]}}}],
                    "Events": {"Post": {"Type": api, "Properties": {"Path": "/orders", "Method": "post"}}},
                },
            },
            "Pack": {
                **function,
                "Properties": {
                    "InlineCode": CODE,
                    "Handler": "index.pack",
                    "Events": {
                        "Queue": {
                            "Type": "SQS",
                            "Properties": {
                                "Queue": {"Fn::GetAtt": ["ToPack", "Arn"]},
                                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                            },
                        }
                    },
                },
            },
            "ToPack": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}},
        },
        "Outputs": {
            "Api": {"Value": {"Ref": "ServerlessHttpApi" if api == "HttpApi" else "ServerlessRestApi"}},
            "Pack": {"Value": {"Ref": "Pack"}},
        },
    }


@pytest.fixture
def stacks(local_aws):
    """CloudFormation; the stacks that a test makes are deleted."""
    client = boto3.client("cloudformation")
    before = {stack["StackName"] for stack in client.describe_stacks()["Stacks"]}
    yield client
    for stack in client.describe_stacks()["Stacks"]:
        if stack["StackName"] not in before:
            client.delete_stack(StackName=stack["StackName"])


def deployed(
    client: Any, template: dict[str, Any], kind: str = "CREATE", name: str = "", **settings: Any
) -> dict[str, Any]:
    """Deploy as the tools do: propose a change set, execute it, and return the stack."""
    name = name or f"parcel-{next(_numbers)}"
    client.create_change_set(
        StackName=name,
        ChangeSetName="tool",
        ChangeSetType=kind,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        **settings,
    )
    client.get_waiter("change_set_create_complete").wait(StackName=name, ChangeSetName="tool")
    client.execute_change_set(StackName=name, ChangeSetName="tool")
    return client.describe_stacks(StackName=name)["Stacks"][0]


@pytest.mark.parametrize("api", ["HttpApi", "Api"])
def test_a_sam_template_is_deployed_and_works(local_aws, stacks, api):
    stack = deployed(stacks, parcel(api), Tags=[{"Key": "shop", "Value": "parcel"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Tags"] == [{"Key": "shop", "Value": "parcel"}]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    port = local_aws.url.rpartition(":")[2]
    stage = "" if api == "HttpApi" else "/Prod"
    address = f"http://{outputs['Api']}.execute-api.us-east-1.localhost:{port}{stage}/orders"
    answer = requests.post(
        address, data='{"order_id": "P-1042"}', headers={"Content-Type": "application/json"}, timeout=30
    )
    assert (answer.status_code, answer.text) == (202, "taken")
    local_aws.settle()
    log = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{outputs['Pack']}", filterPattern="packed")
    assert [event["message"].strip() for event in log["events"]] == ['packed {"order_id": "P-1042"}']
    if api == "HttpApi":
        assert outputs["Api"] in [each["ApiId"] for each in boto3.client("apigatewayv2").get_apis()["Items"]]


def test_a_change_set_updates_a_stack(local_aws, stacks):
    name = deployed(stacks, parcel())["StackName"]
    template = parcel()
    template["Resources"]["Pack"]["Properties"]["InlineCode"] = CODE.replace('"packed"', '"boxed"')
    stack = deployed(stacks, template, kind="UPDATE", name=name)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    pack = next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "Pack")
    event = json.dumps({"Records": [{"body": "P-1"}]})
    boto3.client("lambda").invoke(FunctionName=pack, Payload=event)
    log = boto3.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{pack}", filterPattern="boxed")
    assert log["events"]
    stacks.delete_stack(StackName=name)
    names = [function["FunctionName"] for function in boto3.client("lambda").list_functions()["Functions"]]
    assert pack not in names


def test_a_template_may_lie_in_a_bucket_of_this_cloud(local_aws, stacks):
    bucket = f"templates-{next(_numbers)}"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    s3.put_object(Bucket=bucket, Key="a/template.json", Body=json.dumps(template).encode())
    name = f"from-bucket-{next(_numbers)}"
    stacks.create_stack(StackName=name, TemplateURL=f"{local_aws.url}/{bucket}/a/template.json")
    assert stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        stacks.create_stack(StackName=f"{name}-2", TemplateURL=f"{local_aws.url}/{bucket}/nowhere.json")


def test_a_type_that_cannot_be_made_is_refused_by_name(stacks):
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "House": {"Type": "AWS::Parcel::Warehouse"}}}
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::Parcel::Warehouse\]"):
        stacks.create_stack(StackName=f"unknown-{next(_numbers)}", TemplateBody=json.dumps(template))


def test_sam_that_is_not_valid_is_refused(stacks):
    template = parcel()
    del template["Resources"]["Pack"]["Properties"]["Handler"]
    with pytest.raises(ClientError, match=r"Invalid Serverless Application Specification document"):
        deployed(stacks, template)


def test_what_fails_is_rolled_back(stacks):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html."""
    functions = len(boto3.client("lambda").list_functions()["Functions"])
    roles = len(boto3.client("iam").list_roles()["Roles"])
    template = parcel()
    template["Resources"]["Alias"] = {
        "Type": "AWS::Lambda::Alias",
        "Properties": {"FunctionName": {"Ref": "Pack"}, "FunctionVersion": "7", "Name": "seventh"},
    }
    stack = deployed(stacks, template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Outputs" not in stack
    events = stacks.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
    [failed] = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert (failed["LogicalResourceId"], failed["ResourceType"]) == ("Alias", "AWS::Lambda::Alias")
    assert "Function not found" in failed["ResourceStatusReason"]
    made, deleted = (
        {event["LogicalResourceId"] for event in events if event["ResourceStatus"] == status}
        for status in ("CREATE_COMPLETE", "DELETE_COMPLETE")
    )
    assert "Pack" in made
    assert made == deleted
    assert len(boto3.client("lambda").list_functions()["Functions"]) == functions
    assert len(boto3.client("iam").list_roles()["Roles"]) == roles
    assert not boto3.client("sqs").list_queues(QueueNamePrefix=stack["StackName"]).get("QueueUrls")


def test_each_resource_has_its_event(stacks):
    stack = deployed(stacks, {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    events = stacks.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
    told = [(event["ResourceType"], event["ResourceStatus"]) for event in reversed(events)]
    assert told == [
        ("AWS::CloudFormation::Stack", "REVIEW_IN_PROGRESS"),
        ("AWS::CloudFormation::Stack", "CREATE_IN_PROGRESS"),
        ("AWS::SNS::Topic", "CREATE_COMPLETE"),
        ("AWS::CloudFormation::Stack", "CREATE_COMPLETE"),
    ]


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        (
            {
                "Orders": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Parcels"}}},
                "Parcels": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::Sub": "${Orders}"}}},
            },
            r"Circular dependency between resources: \[Orders, Parcels\]",
        ),
        (
            {"Orders": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Parcels"}}}},
            r"Unresolved resource dependencies \[Parcels\] in the Resources block of the template",
        ),
        ({}, "At least one Resources member must be defined"),
    ],
)
def test_a_template_that_cannot_be_made_is_refused(stacks, resources, why):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html."""
    with pytest.raises(ClientError, match=why):
        stacks.create_stack(StackName=f"refused-{next(_numbers)}", TemplateBody=json.dumps({"Resources": resources}))


def test_capabilities_are_acknowledged(stacks):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, Capabilities."""
    document = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
    named = {"Type": "AWS::IAM::Role", "Properties": {**role["Properties"], "RoleName": f"packer-{next(_numbers)}"}}

    def create(resource: dict[str, Any], *capabilities: str) -> None:
        body = json.dumps({"Resources": {"Packer": resource}})
        name = f"capable-{next(_numbers)}"
        stacks.create_stack(StackName=name, TemplateBody=body, Capabilities=list(capabilities))

    with pytest.raises(ClientError, match=r"InsufficientCapabilitiesException.*: \[CAPABILITY_IAM\]"):
        create(role)
    with pytest.raises(ClientError, match=r"InsufficientCapabilitiesException.*: \[CAPABILITY_NAMED_IAM\]"):
        create(named, "CAPABILITY_IAM")
    create(role, "CAPABILITY_IAM")
    create(named, "CAPABILITY_NAMED_IAM")
    with pytest.raises(ClientError, match=r": \[CAPABILITY_AUTO_EXPAND, CAPABILITY_IAM\]"):
        stacks.create_stack(StackName="expanded", TemplateBody=json.dumps(parcel()))


def test_alarms_and_metric_filters_of_a_stack(stacks):
    template = {
        "Resources": {
            "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/parcel/{next(_numbers)}"}},
            "Filter": {
                "Type": "AWS::Logs::MetricFilter",
                "Properties": {
                    "LogGroupName": {"Ref": "Group"},
                    "FilterPattern": "ERROR",
                    "MetricTransformations": [
                        {"MetricName": "Errors", "MetricNamespace": "Parcel", "MetricValue": "1"}
                    ],
                },
            },
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "Namespace": "Parcel",
                    "MetricName": "Errors",
                    "Statistic": "Sum",
                    "Period": "60",
                    "EvaluationPeriods": 1,
                    "Threshold": "1",
                    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                },
            },
        },
        "Outputs": {"Alarm": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}},
    }
    name = f"alarm-{next(_numbers)}"
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    [output] = stack["Outputs"]
    alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert output["OutputValue"] in [alarm["AlarmArn"] for alarm in alarms]
