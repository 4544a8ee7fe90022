"""moto's services tell the cloud's time: what waits for minutes on AWS waits for the clock here."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from coldstart import cloud
from coldstart.cloud import Cloud


def _name() -> str:
    return f"clock-{uuid.uuid4().hex[:8]}"


def test_a_message_in_flight_is_visible_again_when_its_timeout_has_passed(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=_name(), Attributes={"VisibilityTimeout": "120"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="P-1042")
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    local_aws.clock.advance(seconds=121)
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "P-1042"


def test_a_delayed_message_arrives_when_its_delay_has_passed(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=_name())["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="P-1042", DelaySeconds=600)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    local_aws.clock.advance(minutes=10, seconds=1)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_objects_log_events_and_queues_carry_the_clouds_time(local_aws: Cloud) -> None:
    local_aws.clock.advance(days=1)
    s3, logs, sqs = boto3.client("s3"), boto3.client("logs"), boto3.client("sqs")
    bucket, group = _name(), _name()
    now = local_aws.clock.now()
    assert now > time.time() + 86_000
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="label.pdf", Body=b"x")
    modified = s3.head_object(Bucket=bucket, Key="label.pdf")["LastModified"].timestamp()
    logs.create_log_group(logGroupName=group)
    created = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["creationTime"] / 1000
    queue = sqs.create_queue(QueueName=_name())["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="P-1042")
    received = sqs.receive_message(QueueUrl=queue, AttributeNames=["SentTimestamp"])["Messages"][0]
    sent = int(received["Attributes"]["SentTimestamp"]) / 1000
    for told in (modified, created, sent):
        assert told == pytest.approx(now, abs=60)


def test_stream_records_carry_the_clouds_time(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html."""
    table = _name()
    dynamodb, streams = boto3.client("dynamodb"), boto3.client("dynamodbstreams")
    made = dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    local_aws.clock.advance(hours=1)
    dynamodb.put_item(TableName=table, Item={"id": {"S": "P-1042"}})
    shard = streams.describe_stream(StreamArn=made["LatestStreamArn"])["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=made["LatestStreamArn"], ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    record = streams.get_records(ShardIterator=iterator)["Records"][0]
    created = record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
    assert created == pytest.approx(local_aws.clock.now(), abs=60)


def _kinesis() -> datetime:
    kinesis, name = boto3.client("kinesis"), _name()
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.put_record(StreamName=name, Data=b"P-1042", PartitionKey="P-1042")
    shard = kinesis.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"][0]["ApproximateArrivalTimestamp"]


def _log_event_ingestion() -> datetime:
    logs, group = boto3.client("logs"), _name()
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="parcels")
    now = int(cloud.current().clock.now() * 1000)
    logs.put_log_events(
        logGroupName=group, logStreamName="parcels", logEvents=[{"timestamp": now, "message": "P-1042 arrived"}]
    )
    event = logs.filter_log_events(logGroupName=group)["events"][0]
    return datetime.fromtimestamp(event["ingestionTime"] / 1000, UTC)


def _metric() -> datetime:
    cloudwatch, namespace = boto3.client("cloudwatch"), _name()
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Parcels", "Value": 1}])
    now = datetime.fromtimestamp(cloud.current().clock.now(), UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName="Parcels",
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=["Sum"],
    )
    return found["Datapoints"][0]["Timestamp"]


def _dashboard() -> datetime:
    cloudwatch, name = boto3.client("cloudwatch"), _name()
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody="{}")
    return cloudwatch.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"][0]["LastModified"]


def _secret() -> datetime:
    secrets, name = boto3.client("secretsmanager"), _name()
    secrets.create_secret(Name=name, SecretString="P-1042")
    return secrets.describe_secret(SecretId=name)["CreatedDate"]


def _parameter() -> datetime:
    ssm, name = boto3.client("ssm"), _name()
    ssm.put_parameter(Name=name, Value="P-1042", Type="String")
    return ssm.get_parameter(Name=name)["Parameter"]["LastModifiedDate"]


def _rest_api() -> datetime:
    return boto3.client("apigateway").create_rest_api(name=_name())["createdDate"]


def _schedule() -> datetime:
    scheduler, name = boto3.client("scheduler"), _name()
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression="rate(30 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:none", "RoleArn": role},
    )
    created = scheduler.get_schedule(Name=name)["CreationDate"]
    scheduler.delete_schedule(Name=name)
    return created


def _state_machine() -> datetime:
    made = boto3.client("stepfunctions").create_state_machine(
        name=_name(),
        definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/states",
    )
    return made["creationDate"]


def _role() -> datetime:
    return boto3.client("iam").create_role(RoleName=_name(), AssumeRolePolicyDocument="{}")["Role"]["CreateDate"]


def _credentials() -> datetime:
    """An hour is the default: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html."""
    role = "arn:aws:iam::123456789012:role/parcel-function"
    credentials = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="parcels")["Credentials"]
    return credentials["Expiration"] - timedelta(hours=1)


def _token() -> datetime:
    """An hour is the default: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html."""
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=_name())["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="parcels", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ada", TemporaryPassword="Parcel-1042")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ada", Password="Parcel-1042!", Permanent=True)
    token = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": "Parcel-1042!"},
    )["AuthenticationResult"]["IdToken"]
    payload = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return datetime.fromtimestamp(claims["exp"], UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    "told_by",
    [
        _kinesis,
        _log_event_ingestion,
        _metric,
        _dashboard,
        _secret,
        _parameter,
        _rest_api,
        _schedule,
        _state_machine,
        _role,
        _credentials,
        _token,
    ],
)
def test_every_service_tells_the_clouds_time(local_aws: Cloud, told_by: Callable[[], datetime]) -> None:
    local_aws.clock.advance(hours=3)
    told = told_by()
    assert told.tzinfo is not None, "boto3 reads naive times as it likes"
    assert told.timestamp() == pytest.approx(local_aws.clock.now(), abs=90)


def test_a_message_is_lost_when_its_retention_period_has_passed(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html: four days by default."""
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=_name(), Attributes={"MessageRetentionPeriod": "3600"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="P-1042")
    local_aws.clock.advance(minutes=61)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_requests_and_addresses_that_boto3_signs_with_the_machines_time_stay_valid(local_aws: Cloud) -> None:
    s3, bucket = boto3.client("s3"), _name()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="label.pdf", Body=b"P-1042")
    address = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "label.pdf"}, ExpiresIn=60)
    local_aws.clock.advance(days=2)
    assert s3.get_object(Bucket=bucket, Key="label.pdf")["Body"].read() == b"P-1042"
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"P-1042"


def test_only_moto_tells_the_clouds_time(local_aws: Cloud) -> None:
    """The machine's time stays what it is for the learner's own code, for signing and for waiting."""
    local_aws.clock.advance(hours=1)
    assert datetime.now(UTC).timestamp() == pytest.approx(time.time(), abs=60)
    assert time.time() < local_aws.clock.now() - 3500
