"""moto's services tell the cloud's time: what waits for minutes on AWS waits for the clock here."""

from __future__ import annotations

import time
import uuid

import boto3
import pytest

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


def test_dynamodb_items_expire_on_the_clouds_clock(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html: streams tell when a record was made."""
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
