"""What tools ask CloudFormation before and after they deploy: templates, and change sets that change nothing.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html, API_ValidateTemplate.html,
API_CreateChangeSet.html, API_DescribeChangeSet.html, API_DeleteChangeSet.html, API_ExecuteChangeSet.html.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

_numbers = itertools.count(1)

TOPIC = {"Type": "AWS::SNS::Topic"}
SERVERLESS = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Description": "Parcel's orders",
    "Parameters": {"Stage": {"Type": "String", "Default": "dev", "Description": "where"}},
    "Resources": {"Orders": {"Type": "AWS::Serverless::SimpleTable"}},
}


@pytest.fixture
def cloudformation(local_aws):
    """CloudFormation; the stacks that a test makes are deleted."""
    client = boto3.client("cloudformation")
    before = {stack["StackName"] for stack in client.describe_stacks()["Stacks"]}
    yield client
    for stack in client.describe_stacks()["Stacks"]:
        if stack["StackName"] not in before:
            client.delete_stack(StackName=stack["StackName"])


@pytest.fixture
def name():
    return f"proposed-{next(_numbers)}"


def propose(client: Any, stack: str, template: dict[str, Any], kind: str = "CREATE", **settings: Any) -> dict[str, Any]:
    named = {"StackName": stack, "ChangeSetName": "tool"}
    client.create_change_set(**named, ChangeSetType=kind, TemplateBody=json.dumps(template), **settings)
    return client.describe_change_set(**named)


def test_the_template_that_was_sent_is_kept_beside_what_sam_made_of_it(cloudformation, name):
    propose(cloudformation, name, SERVERLESS)
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    assert cloudformation.get_template(StackName=name)["TemplateBody"] == SERVERLESS
    processed = cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Orders"]["Type"] == "AWS::DynamoDB::Table"


@pytest.mark.parametrize("parameters", [[], [{"ParameterKey": "Stage", "UsePreviousValue": True}]])
def test_a_change_set_without_changes_fails_and_says_so(cloudformation, name, parameters):
    propose(cloudformation, name, SERVERLESS)
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    proposed = propose(cloudformation, name, SERVERLESS, "UPDATE", Parameters=parameters)
    assert (proposed["Status"], proposed["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert proposed["StatusReason"].startswith("The submitted information didn't contain changes.")
    with pytest.raises(ClientError, match="cannot be executed in its current status of \\[FAILED\\]"):
        cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(
            StackName=name, TemplateBody=json.dumps(SERVERLESS), Capabilities=["CAPABILITY_AUTO_EXPAND"]
        )


def test_another_value_of_a_parameter_is_a_change(cloudformation, name):
    propose(cloudformation, name, SERVERLESS)
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    other = [{"ParameterKey": "Stage", "ParameterValue": "prod"}]
    assert propose(cloudformation, name, SERVERLESS, "UPDATE", Parameters=other)["Status"] == "CREATE_COMPLETE"


def test_change_sets_of_one_name_belong_to_their_stacks(cloudformation, name):
    propose(cloudformation, name, {"Resources": {"Orders": TOPIC}})
    propose(cloudformation, f"{name}-2", {"Resources": {"Labels": TOPIC}})
    described = cloudformation.describe_change_set(StackName=name, ChangeSetName="tool")
    assert [each["ResourceChange"]["LogicalResourceId"] for each in described["Changes"]] == ["Orders"]
    cloudformation.delete_change_set(StackName=name, ChangeSetName="tool")
    with pytest.raises(ClientError, match=r"ChangeSetNotFound.*does not exist"):
        cloudformation.describe_change_set(StackName=name, ChangeSetName="tool")
    cloudformation.describe_change_set(StackName=f"{name}-2", ChangeSetName="tool")
    cloudformation.delete_change_set(StackName=name, ChangeSetName="tool")  # as on AWS: once more is no error


def test_a_stack_that_waits_for_its_change_set_is_proposed_again_and_one_that_exists_is_not(cloudformation, name):
    propose(cloudformation, name, {"Resources": {"Orders": TOPIC}})
    propose(cloudformation, name, {"Resources": {"Orders": TOPIC, "Labels": TOPIC}})
    assert [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]].count(name) == 1
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    assert len(cloudformation.describe_stack_resources(StackName=name)["StackResources"]) == 2
    with pytest.raises(ClientError, match="already exists and cannot be created again"):
        propose(cloudformation, name, {"Resources": {"Orders": TOPIC}})


def test_a_template_is_validated_as_cloudformation_does_it(cloudformation):
    said = cloudformation.validate_template(TemplateBody=json.dumps(SERVERLESS))
    assert said["Description"] == "Parcel's orders"
    [stage] = said["Parameters"]
    assert stage == {"ParameterKey": "Stage", "DefaultValue": "dev", "NoEcho": False, "Description": "where"}
    assert said["Capabilities"] == ["CAPABILITY_AUTO_EXPAND"]
    assert said["DeclaredTransforms"] == ["AWS::Serverless-2016-10-31"]
    needless = {"Resources": {"Orders": TOPIC, "Labels": {**TOPIC, "DependsOn": ["Orders"]}}}
    needless["Resources"]["Labels"]["Properties"] = {"DisplayName": {"Ref": "Orders"}}
    cloudformation.validate_template(TemplateBody=json.dumps(needless))  # a linter would refuse this
    labels = {**TOPIC, "Properties": {"DisplayName": {"Ref": "Parcels"}}}
    with pytest.raises(ClientError, match=r"Unresolved resource dependencies \[Parcels\]"):
        cloudformation.validate_template(TemplateBody=json.dumps({"Resources": {"Labels": labels}}))


def told(client: Any, stack: str) -> list[tuple[str, str]]:
    """What has happened in a stack since its last update began, oldest first."""
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    began = next(number for number, event in enumerate(events) if event["ResourceStatus"] == "UPDATE_IN_PROGRESS")
    return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events[: began + 1])]


def test_each_resource_that_an_update_touches_has_its_event(cloudformation, name):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html."""
    named = {**TOPIC, "Properties": {"DisplayName": "orders"}}
    propose(cloudformation, name, {"Resources": {"Orders": named, "Labels": TOPIC}})
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    renamed = {**TOPIC, "Properties": {"DisplayName": "all orders"}}
    propose(cloudformation, name, {"Resources": {"Orders": renamed, "Parcels": TOPIC}}, "UPDATE")
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    assert told(cloudformation, name) == [
        (name, "UPDATE_IN_PROGRESS"),
        ("Orders", "UPDATE_COMPLETE"),
        ("Parcels", "CREATE_COMPLETE"),
        (name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Labels", "DELETE_COMPLETE"),
        (name, "UPDATE_COMPLETE"),
    ]


def test_a_parameter_decides_whether_a_resource_is_there(cloudformation, name):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html."""
    template = {
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {"Orders": TOPIC, "Alarms": {**TOPIC, "Condition": "IsProd"}},
    }
    propose(cloudformation, name, template)
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    for stage, happened in (("prod", "CREATE_COMPLETE"), ("dev", "DELETE_COMPLETE")):
        parameters = [{"ParameterKey": "Stage", "ParameterValue": stage}]
        cloudformation.update_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=parameters)
        assert [each for each in told(cloudformation, name) if each[0] != name] == [("Alarms", happened)]
        there = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        assert len(there) == (2 if stage == "prod" else 1)


def test_a_stack_goes_last_resource_first_and_stays_when_one_cannot_go(cloudformation, name):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-delete-stack.html."""
    bucket = f"labels-of-{name}"
    labels = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}}
    policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": []}, "Bucket": {"Ref": "Labels"}}
    kept = {**TOPIC, "DeletionPolicy": "Retain"}
    resources = {"Labels": labels, "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy}, "Kept": kept}
    stack = cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))["StackId"]
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key="P-1042.pdf", Body=b"label")

    def delete() -> list[tuple[str, str]]:
        cloudformation.delete_stack(StackName=name)
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        began = next(number for number, event in enumerate(events) if event["ResourceStatus"] == "DELETE_IN_PROGRESS")
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events[:began])]

    assert delete() == [
        ("Kept", "DELETE_SKIPPED"),
        ("Policy", "DELETE_COMPLETE"),
        ("Labels", "DELETE_FAILED"),
        (name, "DELETE_FAILED"),
    ]
    [described] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert described["StackStatus"] == "DELETE_FAILED"
    failed = cloudformation.describe_stack_events(StackName=name)["StackEvents"][1]
    assert failed["ResourceStatusReason"] == "The bucket you tried to delete is not empty"
    s3.delete_object(Bucket=bucket, Key="P-1042.pdf")
    assert delete() == [("Labels", "DELETE_COMPLETE"), (name, "DELETE_COMPLETE")]
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_an_update_that_fails_says_what_failed_and_ends_where_it_began(cloudformation, name):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html."""
    propose(cloudformation, name, {"Resources": {"Orders": TOPIC}})
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    alias = {"FunctionName": "parcel-nowhere", "FunctionVersion": "1", "Name": "live"}
    faulty = {"Orders": TOPIC, "Alias": {"Type": "AWS::Lambda::Alias", "Properties": alias}}
    propose(cloudformation, name, {"Resources": faulty}, "UPDATE")
    cloudformation.execute_change_set(StackName=name, ChangeSetName="tool")
    assert told(cloudformation, name) == [
        (name, "UPDATE_IN_PROGRESS"),
        ("Alias", "UPDATE_FAILED"),
        (name, "UPDATE_ROLLBACK_IN_PROGRESS"),
        (name, "UPDATE_ROLLBACK_COMPLETE"),
    ]
    [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_what_the_local_aws_has_not_is_said_at_once(local_aws):
    with pytest.raises(
        ClientError, match=r"NotImplemented.*The local AWS cannot do this: it has no such service"
    ) as refused:
        boto3.client("cloudcontrol").list_resources(TypeName="AWS::Lambda::Function")
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    with pytest.raises(ClientError, match=r"The local AWS cannot do this: .*"):
        boto3.client("cloudformation").list_types()
    with pytest.raises(ClientError, match=r"it has no operation POST /Groups") as refused:
        boto3.client("xray").get_groups()
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    role, queue = "arn:aws:iam::123456789012:role/parcel-function", "arn:aws:sqs:us-east-1:123456789012:orders"
    function = "arn:aws:lambda:us-east-1:123456789012:function:orders"
    with pytest.raises(ClientError, match="it runs no EventBridge Pipes"):
        boto3.client("pipes").create_pipe(Name="orders", RoleArn=role, Source=queue, Target=queue)
    with pytest.raises(ClientError, match="it runs no Lambda triggers of user pools"):
        boto3.client("cognito-idp").create_user_pool(PoolName="customers", LambdaConfig={"PreSignUp": function})
    pool = boto3.client("cognito-idp").create_user_pool(PoolName="customers")["UserPool"]["Id"]
    with pytest.raises(ClientError, match="it runs no Lambda triggers of user pools"):
        boto3.client("cognito-idp").update_user_pool(UserPoolId=pool, LambdaConfig={"PostConfirmation": function})
    boto3.client("codedeploy").create_application(applicationName="parcel", computePlatform="Lambda")
    with pytest.raises(ClientError, match="it runs no deployments of CodeDeploy"):
        boto3.client("codedeploy").create_deployment(applicationName="parcel")
    client = boto3.client("lambda")
    with pytest.raises(ClientError, match="it has no ListCapacityProviders of lambda"):
        client.list_capacity_providers()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_function_code_signing_config(FunctionName="nobody")
