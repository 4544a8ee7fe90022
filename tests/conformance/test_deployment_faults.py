"""Faults of deployments that many a guide contains: each fails as it does on AWS, and then is mended.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html and the pages that the tests name.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

_numbers = itertools.count(1)

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
THUMBNAILS = "def handler(event, context):\n    return [record['s3']['object']['key'] for record in event['Records']]\n"


def deploy(template: dict[str, Any], stack: str) -> list[str]:
    """Deploy as the tools do; return why resources failed, which is nothing when all went well."""
    client = boto3.client("cloudformation")
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    named = {"StackName": stack, "ChangeSetName": "tool"}
    client.create_change_set(
        **named, ChangeSetType="CREATE", TemplateBody=json.dumps(template), Capabilities=capabilities
    )
    client.execute_change_set(**named)
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    return [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]


@pytest.fixture
def stack(local_aws):
    """A name for a stack, which is deleted after the test."""
    name = f"faulty-{next(_numbers)}"
    yield name
    boto3.client("cloudformation").delete_stack(StackName=name)


def thumbnails(bucket: str, filters: list[dict[str, str]]) -> dict[str, Any]:
    """A bucket that tells a function of its images, in plain CloudFormation, as osls writes it."""
    function_arn = {"Fn::GetAtt": ["Thumbnails", "Arn"]}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [TRUST]}},
            },
            "Thumbnails": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"ZipFile": THUMBNAILS},
                    "Handler": "index.handler",
                    "Runtime": "python3.14",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": function_arn,
                    "Principal": "s3.amazonaws.com",
                    "SourceArn": f"arn:aws:s3:::{bucket}",
                },
            },
            "Images": {
                "Type": "AWS::S3::Bucket",
                "DependsOn": ["Permission"],
                "Properties": {
                    "BucketName": bucket,
                    "NotificationConfiguration": {
                        "LambdaConfigurations": [
                            {
                                "Event": "s3:ObjectCreated:*",
                                "Function": function_arn,
                                "Filter": {"S3Key": {"Rules": rules}},
                            }
                            for rules in filters
                        ]
                    },
                },
            },
        }
    }


def test_two_suffixes_need_two_events(stack):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html."""
    jpg, png = {"Name": "suffix", "Value": ".jpg"}, {"Name": "suffix", "Value": ".png"}
    [why] = deploy(thumbnails(f"images-{stack}", [[jpg, png]]), stack)
    assert "Cannot specify more than one suffix rule in a filter." in why
    boto3.client("cloudformation").delete_stack(StackName=stack)
    assert deploy(thumbnails(f"images-{stack}", [[jpg], [png]]), stack) == []


def serverless(**properties: Any) -> dict[str, Any]:
    """A SAM template with one function."""
    return {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Thumbnails": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "InlineCode": THUMBNAILS,
                    "Handler": "index.handler",
                    "Runtime": "python3.14",
                    **properties,
                },
            }
        },
    }


def test_an_api_that_is_referred_to_is_in_the_template(stack):
    """https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-api.html, RestApiId."""
    event = {"Type": "Api", "Properties": {"Path": "/labels", "Method": "get", "RestApiId": {"Ref": "ApiGateway"}}}
    template = serverless(Events={"Get": event})
    with pytest.raises(ClientError, match="RestApiId must be a valid reference to an 'AWS::Serverless::Api' resource"):
        deploy(template, stack)
    template["Resources"]["ApiGateway"] = {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "dev"}}
    assert deploy(template, stack) == []


def test_a_bucket_and_a_policy_on_it_need_a_name_between_them(stack):
    """https://repost.aws/knowledge-center/unable-validate-circular-dependency-cloudformation."""
    event = {"Type": "S3", "Properties": {"Bucket": {"Ref": "Images"}, "Events": "s3:ObjectCreated:*"}}
    template = serverless(Events={"Uploaded": event}, Policies=[{"S3ReadPolicy": {"BucketName": {"Ref": "Images"}}}])
    template["Resources"]["Images"] = {"Type": "AWS::S3::Bucket"}
    with pytest.raises(ClientError, match=r"Circular dependency between resources: \[Images, .*Thumbnails"):
        deploy(template, stack)
    bucket = f"images-{stack}"
    template["Resources"]["Images"]["Properties"] = {"BucketName": bucket}
    template["Resources"]["Thumbnails"]["Properties"]["Policies"] = [{"S3ReadPolicy": {"BucketName": bucket}}]
    assert deploy(template, stack) == []


def test_a_custom_resource_that_answers_over_tls_is_not_heard(local_aws, stack):
    """On AWS the ResponseURL begins with https; https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-create.html."""
    answering = (
        "import http.client, json, urllib.parse\n"
        "def handler(event, context):\n"
        "    url = urllib.parse.urlsplit(event['ResponseURL'])\n"
        "    http.client.HTTPSConnection(url.hostname, 443, timeout=5).request('PUT', url.path, json.dumps({'Status': 'SUCCESS'}))\n"
    )
    template = thumbnails(f"images-{stack}", [])
    template["Resources"]["Thumbnails"]["Properties"]["Code"] = {"ZipFile": answering}
    token = {"ServiceToken": {"Fn::GetAtt": ["Thumbnails", "Arn"]}}
    template["Resources"]["Label"] = {"Type": "Custom::Label", "Properties": token}
    [why] = deploy(template, stack)
    assert "did not receive a response from your Custom Resource" in why
