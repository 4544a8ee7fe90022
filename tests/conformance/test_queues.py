"""SQS as moto does it, corrected: what the patches in ``coldstart.cloud.moto_patches`` are for."""

from __future__ import annotations

import itertools

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.sqs import models

from coldstart.cloud import Cloud

ATTRIBUTES = {"till": {"DataType": "Number", "StringValue": "3"}}


def test_messages_hide_and_reappear_by_the_clouds_clock(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="hide-and-seek", Attributes={"MessageRetentionPeriod": "3600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="here")
    first = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    local_aws.clock.advance(seconds=31)
    second = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert (first["MessageId"], second["Attributes"]["ApproximateReceiveCount"]) == (second["MessageId"], "2")
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=0)
    third = sqs.receive_message(QueueUrl=url, VisibilityTimeout=5)["Messages"][0]
    assert third["MessageId"] == first["MessageId"]
    local_aws.clock.advance(hours=1)
    assert "Messages" not in sqs.receive_message(QueueUrl=url), "its retention period is over"
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"
    sqs.delete_queue(QueueUrl=url)


def test_fifo_queues_number_their_messages_and_know_duplicates_for_five_minutes(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="numbered.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send(text: str) -> int:
        sent = sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId="g", MessageDeduplicationId=text)
        return int(sent.get("SequenceNumber", 0))

    assert send("a") < send("b") < send("c")
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["a", "b", "c"]
    for message in received:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    send("a")
    assert "Messages" not in sqs.receive_message(QueueUrl=url), "it was sent before, though it is deleted"
    local_aws.clock.advance(minutes=6)
    send("a")
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["a"]
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize("seconds", ["2 minutes", "-1", "43201", "1.5", ""])
def test_an_attribute_that_is_no_number_of_its_range_is_refused(local_aws: Cloud, seconds: str) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html."""
    sqs = boto3.client("sqs")
    with pytest.raises(ClientError) as refused:
        sqs.create_queue(QueueName="never-made", Attributes={"VisibilityTimeout": seconds})
    assert refused.value.response["Error"]["Code"] == "InvalidAttributeValue"
    assert "Invalid value for the parameter VisibilityTimeout." in str(refused.value)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="never-made")
    url = sqs.create_queue(QueueName="at-most", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)


def test_what_ended_in_a_dead_letter_queue_goes_back_as_new(local_aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html."""
    sqs = boto3.client("sqs")
    dead, other = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("given-up", "elsewhere"))
    dead_arn, other_arn, unknown_arn = (
        f"arn:aws:sqs:us-east-1:123456789012:{name}" for name in ("given-up", "elsewhere", "nowhere")
    )
    policy = f'{{"deadLetterTargetArn": "{dead_arn}", "maxReceiveCount": 1}}'
    url = sqs.create_queue(QueueName="orders-again", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "1"})[
        "QueueUrl"
    ]
    with pytest.raises(ClientError, match=r"Source queue must be configured as a Dead Letter Queue\."):
        sqs.start_message_move_task(SourceArn=other_arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sqs.start_message_move_task(SourceArn=unknown_arn)
    first = sqs.send_message(QueueUrl=url, MessageBody="P-1", MessageAttributes=ATTRIBUTES)["MessageId"]
    sqs.send_message(QueueUrl=dead, MessageBody="sent here by hand")
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    local_aws.clock.advance(minutes=1)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    handle = sqs.start_message_move_task(SourceArn=dead_arn)["TaskHandle"]
    (again,) = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("P-1", "1")
    assert again["MessageAttributes"]["till"]["StringValue"] == "3"
    assert again["MessageId"] != first
    assert "DeadLetterQueueSourceArn" not in again["Attributes"]
    (task,) = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (
        "COMPLETED",
        1,
        2,
    )
    with pytest.raises(ClientError, match="Only active tasks can be cancelled"):
        sqs.cancel_message_move_task(TaskHandle=handle)
    sqs.start_message_move_task(SourceArn=dead_arn, DestinationArn=other_arn)
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=other)["Messages"]] == ["sent here by hand"]
    assert len(sqs.list_message_move_tasks(SourceArn=dead_arn, MaxResults=10)["Results"]) == 2
    for queue in (url, dead, other):
        sqs.delete_queue(QueueUrl=queue)


def test_what_was_received_together_comes_back_together(local_aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a machine on which a moment passes between one message and the next."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="parcel-together", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    entries = [{"Id": str(number), "MessageBody": f"P-10{number}"} for number in range(10)]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)

    ahead = itertools.count()
    with monkeypatch.context() as slow:
        now = models.unix_time_millis
        slow.setattr(models, "unix_time_millis", lambda *moment: now(*moment) + 100 * next(ahead))
        assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 10
    local_aws.clock.advance(seconds=30.5)
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])) in (0, 10)
    local_aws.clock.advance(seconds=60)
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 10
    sqs.delete_queue(QueueUrl=url)
