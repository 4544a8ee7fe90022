"""What projects put into a stack beside their functions is made, changed in place and deleted without a trace.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html and
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-resources-and-properties.html.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

_numbers = itertools.count(1)

CODE = "def handler(event, context):\n    return {'packed': True}\n"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@pytest.fixture
def stack(local_aws):
    """Make or change the test's stack; it is deleted in the end. ``stack(resources)`` returns its status and outputs."""
    client, name = boto3.client("cloudformation"), f"project-{next(_numbers)}"

    def bring_to(resources: dict[str, Any], outputs: dict[str, Any] | None = None, **more: Any) -> dict[str, str]:
        values = {key: {"Value": value} for key, value in (outputs or {}).items()}
        body = json.dumps({"Resources": resources, "Outputs": values, **more})
        is_there = name in [each["StackName"] for each in client.describe_stacks()["Stacks"]]
        (client.update_stack if is_there else client.create_stack)(
            StackName=name, TemplateBody=body, Capabilities=CAPABILITIES
        )
        [described] = client.describe_stacks(StackName=name)["Stacks"]
        events = client.describe_stack_events(StackName=name)["StackEvents"]
        failed = [each["ResourceStatusReason"] for each in events if each["ResourceStatus"].endswith("_FAILED")]
        assert not failed, "; ".join(failed)
        assert described["StackStatus"] == ("UPDATE_COMPLETE" if is_there else "CREATE_COMPLETE")
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    yield bring_to
    client.delete_stack(StackName=name)
    assert name not in [each["StackName"] for each in client.describe_stacks()["Stacks"]]


def table(**properties: Any) -> dict[str, Any]:
    key = {"AttributeName": "order_id", "AttributeType": "S"}
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "AttributeDefinitions": [key],
            "KeySchema": [{"AttributeName": "order_id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            **properties,
        },
    }


def test_a_table_is_changed_in_place_and_keeps_its_items(stack):
    reference = {"Table": {"Ref": "Orders"}}
    name = stack({"Orders": table()}, reference)["Table"]
    items = boto3.resource("dynamodb").Table(name)
    items.put_item(Item={"order_id": "P-1042", "city": "Rome"})
    by_city = {
        "IndexName": "by-city",
        "KeySchema": [{"AttributeName": "city", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    attributes = [{"AttributeName": each, "AttributeType": "S"} for each in ("order_id", "city")]
    changed = table(
        AttributeDefinitions=attributes,
        GlobalSecondaryIndexes=[by_city],
        StreamSpecification={"StreamViewType": "NEW_IMAGE"},
        TimeToLiveSpecification={"AttributeName": "expires", "Enabled": "true"},
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    outputs = stack({"Orders": changed}, {**reference, "Stream": {"Fn::GetAtt": ["Orders", "StreamArn"]}})
    assert outputs["Table"] == name
    assert f"table/{name}/stream/" in outputs["Stream"]
    assert items.get_item(Key={"order_id": "P-1042"})["Item"]["city"] == "Rome"
    client = boto3.client("dynamodb")
    assert client.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"][0]["IndexName"] == "by-city"
    lifetime = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (lifetime["TimeToLiveStatus"], lifetime["AttributeName"]) == ("ENABLED", "expires")
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    stack({"Orders": table()})
    assert not client.describe_table(TableName=name)["Table"].get("GlobalSecondaryIndexes")


def test_a_table_with_another_key_takes_the_place_of_the_first_unless_it_has_a_name(local_aws, stack):
    reference = {"Table": {"Ref": "Orders"}}
    first = stack({"Orders": table()}, reference)["Table"]
    other = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    second = stack({"Orders": table(**other)}, reference)["Table"]
    assert second != first
    assert second in boto3.client("dynamodb").list_tables()["TableNames"]
    assert first not in boto3.client("dynamodb").list_tables()["TableNames"]
    named = {"TableName": f"orders-by-key-{next(_numbers)}"}
    stack({"Orders": table(**named)}, reference)
    with pytest.raises(AssertionError, match="a custom-named resource requires replacing"):
        stack({"Orders": table(**named, **other)}, reference)
    assert boto3.client("dynamodb").describe_table(TableName=named["TableName"])["Table"]["KeySchema"][0]


def test_a_log_group_keeps_its_lines_when_its_retention_changes(stack):
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": "7"}}
    outputs = {"Name": {"Ref": "Packing"}, "Arn": {"Fn::GetAtt": ["Packing", "Arn"]}}
    made = stack({"Packing": group}, outputs)
    logs, name = boto3.client("logs"), made["Name"]
    assert made["Arn"].endswith(f":log-group:{name}:*")
    logs.create_log_stream(logGroupName=name, logStreamName="belt")
    group["Properties"]["RetentionInDays"] = 30
    assert stack({"Packing": group}, outputs) == made
    [described] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert described["retentionInDays"] == 30
    assert logs.describe_log_streams(logGroupName=name)["logStreams"]


def test_a_managed_policy_is_attached_changed_and_detached(local_aws, stack):
    def statement(action: str) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}

    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    policy = {"Roles": [{"Ref": "Role"}], "PolicyDocument": statement("sqs:SendMessage")}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": policy},
    }
    outputs = {"Role": {"Ref": "Role"}, "Policy": {"Ref": "Policy"}}
    made, iam = stack(resources, outputs), boto3.client("iam")
    [attached] = iam.list_attached_role_policies(RoleName=made["Role"])["AttachedPolicies"]
    assert attached["PolicyArn"] == made["Policy"]
    policy["PolicyDocument"] = statement("sqs:*")
    assert stack(resources, outputs) == made
    default = iam.get_policy(PolicyArn=made["Policy"])["Policy"]["DefaultVersionId"]
    version = iam.get_policy_version(PolicyArn=made["Policy"], VersionId=default)["PolicyVersion"]
    assert version["Document"]["Statement"][0]["Action"] == "sqs:*"


def test_a_state_machine_gets_its_substitutions(local_aws, stack):
    states = {"StartAt": "Pack", "States": {"Pack": {"Type": "Pass", "Result": "${Answer}", "End": True}}}
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    machine = {"Definition": states, "DefinitionSubstitutions": {"Answer": "packed"}}
    machine["RoleArn"] = {"Fn::GetAtt": ["Role", "Arn"]}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Packing": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
    }
    client = boto3.client("stepfunctions")
    for answer in ("packed", "sent"):
        machine["DefinitionSubstitutions"]["Answer"] = answer
        arn = stack(resources, {"Arn": {"Ref": "Packing"}})["Arn"]
        execution = client.start_execution(stateMachineArn=arn)["executionArn"]
        local_aws.settle()
        assert client.describe_execution(executionArn=execution)["output"] == json.dumps(answer)


def test_a_user_pool_and_its_client(stack):
    pool = {"AutoVerifiedAttributes": ["email"], "Policies": {"PasswordPolicy": {"MinimumLength": 12}}}
    client = {"UserPoolId": {"Ref": "Packers"}, "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
    resources = {
        "Packers": {"Type": "AWS::Cognito::UserPool", "Properties": pool},
        "Shop": {"Type": "AWS::Cognito::UserPoolClient", "Properties": client},
    }
    outputs = {"Pool": {"Ref": "Packers"}, "Url": {"Fn::GetAtt": ["Packers", "ProviderURL"]}, "Client": {"Ref": "Shop"}}
    made = stack(resources, outputs)
    cognito = boto3.client("cognito-idp")
    described = cognito.describe_user_pool(UserPoolId=made["Pool"])["UserPool"]
    assert described["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert made["Url"] == f"https://cognito-idp.us-east-1.amazonaws.com/{made['Pool']}"
    found = cognito.describe_user_pool_client(UserPoolId=made["Pool"], ClientId=made["Client"])["UserPoolClient"]
    assert found["ExplicitAuthFlows"] == ["ALLOW_USER_PASSWORD_AUTH"]


def test_a_stack_within_a_stack_hands_its_outputs_on(local_aws, stack):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html."""
    s3, bucket = boto3.client("s3"), f"templates-{next(_numbers)}"
    s3.create_bucket(Bucket=bucket)

    def child(display_name: Any) -> dict[str, Any]:
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": display_name}}
        template = {
            "Parameters": {"Belts": {"Type": "CommaDelimitedList"}},
            "Resources": {"Labels": topic},
            "Outputs": {
                "Topic": {"Value": {"Ref": "Labels"}},
                "Belts": {"Value": {"Fn::Join": ["+", {"Ref": "Belts"}]}},
            },
        }
        key = f"{next(_numbers)}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
        url = f"https://s3.us-east-1.amazonaws.com/{bucket}/{key}"
        return {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": url, "Parameters": {"Belts": ["left", "right"]}},
        }

    outputs = {
        "Stack": {"Ref": "Child"},
        "Topic": {"Fn::GetAtt": ["Child", "Outputs.Topic"]},
        "Belts": {"Fn::Sub": "belts ${Child.Outputs.Belts}"},
    }
    made = stack({"Child": child("labels")}, outputs)
    assert ":stack/" in made["Stack"]
    assert made["Belts"] == "belts left+right"
    sns = boto3.client("sns")
    assert sns.get_topic_attributes(TopicArn=made["Topic"])["Attributes"]["DisplayName"] == "labels"
    assert stack({"Child": child("all labels")}, outputs) == made
    assert sns.get_topic_attributes(TopicArn=made["Topic"])["Attributes"]["DisplayName"] == "all labels"
    nowhere = {"FunctionName": "parcel-nowhere", "FunctionVersion": "1", "Name": "live"}
    faulty = {"Resources": {"Alias": {"Type": "AWS::Lambda::Alias", "Properties": nowhere}}}
    s3.put_object(Bucket=bucket, Key="faulty.json", Body=json.dumps(faulty).encode())
    url = f"https://s3.us-east-1.amazonaws.com/{bucket}/faulty.json"
    with pytest.raises(AssertionError, match=r"Embedded stack arn:.* was not successfully updated: Alias: "):
        stack({"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}})


def test_a_role_gets_the_policies_of_the_changed_template_and_loses_the_others(stack):
    def policy(name: str) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Action": f"{name}:*", "Resource": "*"}
        return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}

    def role(service: str, inline: list[str], managed: list[str]) -> dict[str, Any]:
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        properties = {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [policy(name) for name in inline],
            "ManagedPolicyArns": [f"arn:aws:iam::aws:policy/{name}" for name in managed],
        }
        return {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}

    reference = {"Role": {"Ref": "Role"}}
    made, iam = stack(role("lambda", ["sqs", "sns"], ["ReadOnlyAccess"]), reference), boto3.client("iam")
    assert stack(role("states", ["sqs", "s3"], ["AWSLambda_FullAccess"]), reference) == made
    name = made["Role"]
    assert set(iam.list_role_policies(RoleName=name)["PolicyNames"]) == {"sqs", "s3"}
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["AWSLambda_FullAccess"]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}


def test_a_queue_and_a_topic_are_changed_in_place(stack):
    queue = {"VisibilityTimeout": 30}
    topic: dict[str, Any] = {"DisplayName": "labels"}
    subscription = {"TopicArn": {"Ref": "Labels"}, "Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Dead", "Arn"]}}
    resources = {
        "Dead": {"Type": "AWS::SQS::Queue"},
        "ToPack": {"Type": "AWS::SQS::Queue", "Properties": queue},
        "InOrder": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": "true"}},
        "Labels": {"Type": "AWS::SNS::Topic", "Properties": topic},
        "Subscription": {"Type": "AWS::SNS::Subscription", "Properties": subscription},
    }
    outputs = {"Queue": {"Ref": "ToPack"}, "Topic": {"Ref": "Labels"}, "InOrder": {"Ref": "InOrder"}}
    made = stack(resources, outputs)
    assert made["InOrder"].endswith(".fifo")
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    sqs.send_message(QueueUrl=made["Queue"], MessageBody="P-1042")
    queue |= {"VisibilityTimeout": "60", "DelaySeconds": 5}
    queue["RedrivePolicy"] = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    topic["DisplayName"] = "all labels"
    assert stack(resources, outputs) == made
    found = sqs.get_queue_attributes(QueueUrl=made["Queue"], AttributeNames=["All"])["Attributes"]
    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == ("60", "5")
    assert json.loads(found["RedrivePolicy"])["maxReceiveCount"] == 3
    assert found["ApproximateNumberOfMessages"] == "1"
    assert sns.get_topic_attributes(TopicArn=made["Topic"])["Attributes"]["DisplayName"] == "all labels"
    assert len(sns.list_subscriptions_by_topic(TopicArn=made["Topic"])["Subscriptions"]) == 1


def function(**properties: Any) -> dict[str, Any]:
    code = {"InlineCode": CODE, "Handler": "index.handler", "Runtime": "python3.14"}
    return {"Type": "AWS::Serverless::Function", "Properties": {**code, **properties}}


def events() -> dict[str, Any]:
    """A function with events of every kind that needs nothing but the template."""
    topic = {"Topic": {"Ref": "Topic"}}
    kinds = {
        "Hourly": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}},
        "Daily": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 day)"}},
        "Bus": {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["parcel"]}}},
        "Topic": {"Type": "SNS", "Properties": {**topic, "FilterPolicy": {"kind": ["label"]}}},
        "TopicByQueue": {"Type": "SNS", "Properties": {**topic, "SqsSubscription": True}},
        "Log": {"Type": "CloudWatchLogs", "Properties": {"LogGroupName": {"Ref": "Group"}, "FilterPattern": "ERROR"}},
    }
    return {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Group": {"Type": "AWS::Logs::LogGroup"},
        "Pack": function(Events=kinds),
    }


def guarded_api() -> dict[str, Any]:
    """A REST API of SAM's with a user pool, an API key and a usage plan."""
    plan = {"CreateUsagePlan": "PER_API", "Quota": {"Limit": 10, "Period": "DAY"}}
    packers = {"UserPoolArn": {"Fn::GetAtt": ["Pool", "Arn"]}}
    access = {"DefaultAuthorizer": "Packers", "Authorizers": {"Packers": packers}}
    properties = {"StageName": "dev", "Auth": {**access, "ApiKeyRequired": True, "UsagePlan": plan}}
    event = {"Type": "Api", "Properties": {"Path": "/orders", "Method": "get", "RestApiId": {"Ref": "Api"}}}
    return {
        "Pool": {"Type": "AWS::Cognito::UserPool"},
        "Api": {"Type": "AWS::Serverless::Api", "Properties": properties},
        "Show": function(Events={"Get": event}),
    }


def connected() -> dict[str, Any]:
    """A function with a connector to a table, an alias and a destination."""
    destination = {"OnFailure": {"Type": "SQS"}}
    settings = {"AutoPublishAlias": "live", "EventInvokeConfig": {"DestinationConfig": destination}}
    ends = {"Source": {"Id": "Pack"}, "Destination": {"Id": "Orders"}, "Permissions": ["Read", "Write"]}
    return {
        "Orders": {"Type": "AWS::Serverless::SimpleTable"},
        "Pack": function(**settings),
        "Connector": {"Type": "AWS::Serverless::Connector", "Properties": ends},
    }


@pytest.mark.parametrize("project", [events, guarded_api, connected])
def test_a_sam_project_is_made_and_changed(stack, project):
    transform = {"Transform": "AWS::Serverless-2016-10-31"}
    stack(project(), **transform)
    changed = json.loads(json.dumps(project()).replace("'packed': True", "'packed': False"))
    stack(changed, **transform)


def test_gradual_deployments_are_refused_by_name(stack):
    preference = {"AutoPublishAlias": "live", "DeploymentPreference": {"Type": "Canary10Percent5Minutes"}}
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::CodeDeploy::Application"):
        stack({"Pack": function(**preference)}, Transform="AWS::Serverless-2016-10-31")


def test_a_bucket_is_what_its_template_says_and_keeps_its_objects(local_aws, stack):
    s3 = boto3.client("s3")
    name = f"parcel-labels-{next(_numbers)}"

    def bucket(**properties: Any) -> dict[str, Any]:
        return {"Labels": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}}

    def said(operation: str, key: str) -> Any:
        try:
            return getattr(s3, f"get_{operation}")(Bucket=name)[key]
        except ClientError as error:
            return error.response["Error"]["Code"]

    cors = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://parcel.example"], "MaxAge": "60", "Id": "shop"}
    outputs = stack(
        bucket(
            VersioningConfiguration={"Status": "Enabled"},
            Tags=[{"Key": "team", "Value": "labels"}],
            CorsConfiguration={"CorsRules": [cors]},
            LifecycleConfiguration={"Rules": [{"Status": "Enabled", "Prefix": "old/", "ExpirationInDays": 30}]},
            PublicAccessBlockConfiguration={"BlockPublicAcls": "true", "BlockPublicPolicy": True},
            WebsiteConfiguration={"IndexDocument": "index.html"},
        ),
        {"Arn": {"Fn::GetAtt": ["Labels", "Arn"]}, "Domain": {"Fn::GetAtt": ["Labels", "RegionalDomainName"]}},
    )
    assert outputs == {"Arn": f"arn:aws:s3:::{name}", "Domain": f"{name}.s3.us-east-1.amazonaws.com"}
    assert said("bucket_versioning", "Status") == "Enabled"
    assert said("bucket_tagging", "TagSet") == [{"Key": "team", "Value": "labels"}]
    [rule] = said("bucket_cors", "CORSRules")
    assert (rule["ID"], rule["AllowedOrigins"], rule["MaxAgeSeconds"]) == ("shop", ["https://parcel.example"], 60)
    [rule] = said("bucket_lifecycle_configuration", "Rules")
    assert (rule["Expiration"]["Days"], rule["Filter"]["Prefix"]) == (30, "old/")
    block = said("public_access_block", "PublicAccessBlockConfiguration")
    assert [name for name, is_on in block.items() if is_on] == ["BlockPublicAcls", "BlockPublicPolicy"]
    assert said("bucket_website", "IndexDocument") == {"Suffix": "index.html"}

    s3.put_object(Bucket=name, Key="P-1042.pdf", Body=b"label")
    stack(bucket(Tags=[{"Key": "team", "Value": "shop"}]))
    assert said("bucket_tagging", "TagSet") == [{"Key": "team", "Value": "shop"}]
    assert said("bucket_versioning", "Status") == "Suspended"
    assert said("bucket_cors", "CORSRules") == "NoSuchCORSConfiguration"
    assert said("bucket_lifecycle_configuration", "Rules") == "NoSuchLifecycleConfiguration"
    assert said("public_access_block", "PublicAccessBlockConfiguration") == "NoSuchPublicAccessBlockConfiguration"
    assert said("bucket_website", "IndexDocument") == "NoSuchWebsiteConfiguration"
    assert s3.get_object(Bucket=name, Key="P-1042.pdf")["Body"].read() == b"label"
    boto3.resource("s3").Bucket(name).object_versions.delete()


def test_what_a_bucket_cannot_have_here_is_refused_by_name(local_aws):
    client = boto3.client("cloudformation")
    replicated = {"Type": "AWS::S3::Bucket", "Properties": {"ReplicationConfiguration": {"Role": "r", "Rules": []}}}
    client.create_stack(StackName="replicated", TemplateBody=json.dumps({"Resources": {"Labels": replicated}}))
    events = client.describe_stack_events(StackName="replicated")["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events if event["LogicalResourceId"] == "Labels"]
    assert any("cannot give a bucket of a stack its ReplicationConfiguration" in reason for reason in reasons)
    client.delete_stack(StackName="replicated")


def test_a_key_is_changed_in_place_and_waits_for_its_deletion(local_aws, stack):
    kms = boto3.client("kms")
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    statement = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}

    def key(**properties: Any) -> dict[str, Any]:
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        alias = {"AliasName": "alias/parcel-labels", "TargetKeyId": {"Ref": "Key"}}
        return {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy, **properties}},
            "Alias": {"Type": "AWS::KMS::Alias", "Properties": alias},
        }

    outputs = {"Id": {"Ref": "Key"}, "Arn": {"Fn::GetAtt": ["Key", "Arn"]}}
    tags = [{"Key": "team", "Value": "labels"}]
    made = stack(key(Description="Labels", EnableKeyRotation="true", Tags=tags), outputs)
    described = kms.describe_key(KeyId="alias/parcel-labels")["KeyMetadata"]
    assert (described["KeyId"], described["Arn"], described["Description"]) == (made["Id"], made["Arn"], "Labels")
    assert kms.get_key_rotation_status(KeyId=made["Id"])["KeyRotationEnabled"] is True
    assert json.loads(kms.get_key_policy(KeyId=made["Id"], PolicyName="default")["Policy"])["Statement"] == [statement]
    assert kms.list_resource_tags(KeyId=made["Id"])["Tags"] == [{"TagKey": "team", "TagValue": "labels"}]

    assert stack(key(Description="Letters", Enabled=False), outputs) == made
    described = kms.describe_key(KeyId=made["Id"])["KeyMetadata"]
    assert (described["Description"], described["KeyState"]) == ("Letters", "Disabled")
    assert kms.list_resource_tags(KeyId=made["Id"])["Tags"] == []

    another = stack(key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"), outputs)
    assert another["Id"] != made["Id"]
    assert kms.describe_key(KeyId="alias/parcel-labels")["KeyMetadata"]["KeyId"] == another["Id"]
    assert kms.describe_key(KeyId=made["Id"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
