"""S3 invokes functions: https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html.

The record: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html.
"""

from __future__ import annotations

import itertools
import json
import re
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.recording import RECORDER, events_of, function_arn, messages_in, permit, queue_for

_numbers = itertools.count(1)


@pytest.fixture
def s3(local_aws):
    return boto3.client("s3")


@pytest.fixture
def bucket(s3):
    name = f"parcel-labels-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def notify(s3, bucket: str, function: Any, events: list[str], **rules: str) -> None:
    configuration = {"Id": "labels", "LambdaFunctionArn": function_arn(function), "Events": events}
    if rules:
        filter_rules = [{"Name": name, "Value": value} for name, value in rules.items()]
        configuration["Filter"] = {"Key": {"FilterRules": filter_rules}}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )


@pytest.fixture
def told(deploy, s3, bucket):
    """A function that is told of everything in the bucket."""
    function = deploy(RECORDER)
    permit(function, "s3", f"arn:aws:s3:::{bucket}")
    notify(s3, bucket, function, ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"])
    return function


def test_the_record_of_an_upload(local_aws, s3, bucket, told):
    put = s3.put_object(Bucket=bucket, Key="a/b c+d.json", Body=b"12345")
    local_aws.clock.settle()
    [event] = events_of(told)
    [record] = event["Records"]
    assert record["eventVersion"] == "2.1"
    assert record["eventSource"] == "aws:s3"
    assert record["awsRegion"] == "us-east-1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["eventTime"])
    age = local_aws.clock.now() - datetime.fromisoformat(record["eventTime"]).timestamp()
    assert 0 <= age < 60
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["userIdentity"] == {"principalId": "AWS:123456789012"}
    assert record["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    assert re.fullmatch(r"[0-9A-F]{16}", record["responseElements"]["x-amz-request-id"])
    assert record["responseElements"]["x-amz-id-2"]
    assert record["s3"]["s3SchemaVersion"] == "1.0"
    assert record["s3"]["configurationId"] == "labels"
    owner = record["s3"]["bucket"].pop("ownerIdentity")
    assert re.fullmatch(r"A[0-9A-Z]{13}", owner["principalId"])
    assert record["s3"]["bucket"] == {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}
    sequencer = record["s3"]["object"].pop("sequencer")
    assert re.fullmatch(r"[0-9A-F]{18}", sequencer)
    assert record["s3"]["object"] == {"key": "a/b+c%2Bd.json", "size": 5, "eTag": put["ETag"].strip('"')}


def test_what_happened_is_named(local_aws, s3, bucket, told):
    s3.put_object(Bucket=bucket, Key="one", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="two", CopySource={"Bucket": bucket, "Key": "one"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="three")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="three", UploadId=upload, PartNumber=1, Body=b"333")
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="three",
        UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
    )
    s3.delete_object(Bucket=bucket, Key="one")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "two"}, {"Key": "three"}]})
    s3.delete_object(Bucket=bucket, Key="never there")
    local_aws.clock.settle()
    records = [event["Records"][0] for event in events_of(told)]
    assert sorted((record["eventName"], record["s3"]["object"]["key"]) for record in records) == [
        ("ObjectCreated:CompleteMultipartUpload", "three"),
        ("ObjectCreated:Copy", "two"),
        ("ObjectCreated:Put", "one"),
        ("ObjectRemoved:Delete", "one"),
        ("ObjectRemoved:Delete", "three"),
        ("ObjectRemoved:Delete", "two"),
    ]
    by_sequencer = sorted(records, key=lambda record: record["s3"]["object"]["sequencer"])
    assert [record["s3"]["object"]["key"] for record in by_sequencer] == ["one", "two", "three", "one", "two", "three"]
    assert all(set(record["s3"]["object"]) == {"key", "sequencer"} for record in by_sequencer[3:])


def test_versions(local_aws, s3, bucket, told):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket=bucket, Key="label", Body=b"1")
    marker = s3.delete_object(Bucket=bucket, Key="label")
    s3.delete_object(Bucket=bucket, Key="label", VersionId=put["VersionId"])
    local_aws.clock.settle()
    records = [event["Records"][0] for event in events_of(told)]
    records.sort(key=lambda record: record["s3"]["object"]["sequencer"])
    assert [(record["eventName"], record["s3"]["object"]["versionId"]) for record in records] == [
        ("ObjectCreated:Put", put["VersionId"]),
        ("ObjectRemoved:DeleteMarkerCreated", marker["VersionId"]),
        ("ObjectRemoved:Delete", put["VersionId"]),
    ]


@pytest.mark.parametrize(
    ("rules", "told_of"),
    [
        ({"prefix": "in/"}, ["in/a.jpg", "in/b.png", "in/c d.jpg"]),
        ({"suffix": ".jpg"}, ["in/a.jpg", "in/c d.jpg", "out/a.jpg"]),
        ({"Prefix": "in/", "Suffix": ".jpg"}, ["in/a.jpg", "in/c d.jpg"]),
        ({"prefix": "in/c%20d"}, ["in/c d.jpg"]),
        ({"prefix": "in/c+d"}, ["in/c d.jpg"]),
        ({"prefix": "", "suffix": "g"}, ["in/a.jpg", "in/b.png", "in/c d.jpg", "out/a.jpg"]),
    ],
)
def test_prefix_and_suffix(local_aws, deploy, s3, bucket, rules, told_of):
    """Special characters in a filter are URL-encoded."""
    function = deploy(RECORDER)
    permit(function, "s3", f"arn:aws:s3:::{bucket}")
    notify(s3, bucket, function, ["s3:ObjectCreated:Put"], **rules)
    for key in ("in/a.jpg", "in/b.png", "in/c d.jpg", "out/a.jpg"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    local_aws.clock.settle()
    keys = [event["Records"][0]["s3"]["object"]["key"].replace("+", " ") for event in events_of(function)]
    assert sorted(keys) == told_of


def test_the_upload_does_not_wait_for_the_function(local_aws, deploy, s3, bucket):
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(2)\n    print('slept')\n", Timeout=30)
    permit(function, "s3", f"arn:aws:s3:::{bucket}")
    notify(s3, bucket, function, ["s3:ObjectCreated:*"])
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function.name}")["logGroups"]
    assert not groups or "slept\n" not in function.lines()
    local_aws.clock.settle()
    assert "slept\n" in function.lines()


def refused(s3, bucket: str, **configuration: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refusal:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    error = refusal.value.response["Error"]
    return refusal.value.response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


UNABLE = (400, "InvalidArgument", "Unable to validate the following destination configurations")


def test_a_function_that_does_not_let_s3_in_is_refused(s3, bucket, deploy):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html."""
    function = deploy(RECORDER)
    arn = function_arn(function)
    configuration = [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
    assert refused(s3, bucket, LambdaFunctionConfigurations=configuration) == UNABLE
    permit(function, "s3", "arn:aws:s3:::another-bucket")
    assert refused(s3, bucket, LambdaFunctionConfigurations=configuration) == UNABLE
    assert "LambdaFunctionConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    function.client.remove_permission(FunctionName=function.name, StatementId="s3-may-invoke")
    permit(function, "s3", f"arn:aws:s3:::{bucket}", SourceAccount="999999999999")
    assert refused(s3, bucket, LambdaFunctionConfigurations=configuration) == UNABLE
    function.client.remove_permission(FunctionName=function.name, StatementId="s3-may-invoke")
    permit(function, "s3", f"arn:aws:s3:::{bucket}", SourceAccount="123456789012")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": configuration}
    )
    shown = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
    assert [(item["LambdaFunctionArn"], item["Events"]) for item in shown] == [(arn, ["s3:ObjectCreated:*"])]


def test_destinations_that_are_not_there(s3, bucket):
    for kind, key, arn in (
        ("LambdaFunctionConfigurations", "LambdaFunctionArn", "arn:aws:lambda:us-east-1:123456789012:function:none"),
        ("QueueConfigurations", "QueueArn", "arn:aws:sqs:us-east-1:123456789012:none"),
        ("TopicConfigurations", "TopicArn", "arn:aws:sns:us-east-1:123456789012:none"),
    ):
        assert refused(s3, bucket, **{kind: [{key: arn, "Events": ["s3:ObjectCreated:*"]}]}) == UNABLE
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={kind: [{key: arn, "Events": ["s3:ObjectCreated:*"]}]},
            SkipDestinationValidation=True,
        )
    s3.put_object(Bucket=bucket, Key="lost", Body=b"")


def test_overlapping_configurations_are_refused(s3, bucket, told):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html."""
    arn = function_arn(told)

    def configuration(events: list[str], **rules: str) -> dict[str, Any]:
        filter_rules = [{"Name": name, "Value": value} for name, value in rules.items()]
        return {"LambdaFunctionArn": arn, "Events": events, "Filter": {"Key": {"FilterRules": filter_rules}}}

    created, put = ["s3:ObjectCreated:*"], ["s3:ObjectCreated:Put"]
    ambiguous = (
        400,
        "InvalidArgument",
        "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
        "overlapping for the same event type.",
    )
    for one, two in (
        (configuration(created, prefix="in/"), configuration(put, prefix="in/jpg")),
        (configuration(created, suffix=".jpg"), configuration(created, prefix="in/")),
        (configuration(put, prefix="a", suffix="g"), configuration(put, prefix="ab", suffix=".jpg")),
    ):
        assert refused(s3, bucket, LambdaFunctionConfigurations=[one, two]) == ambiguous
    assert refused(s3, bucket, LambdaFunctionConfigurations=[configuration(created), configuration(put)]) == (
        400,
        "InvalidArgument",
        "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
    )
    twice = configuration(created, suffix=".jpg")
    twice["Filter"]["Key"]["FilterRules"].append({"Name": "suffix", "Value": ".png"})
    assert refused(s3, bucket, LambdaFunctionConfigurations=[twice]) == (
        400,
        "InvalidArgument",
        "Cannot specify more than one suffix rule in a filter.",
    )
    for one, two in (
        (configuration(created, prefix="in/"), configuration(created, prefix="out/")),
        (configuration(created, prefix="in/", suffix=".jpg"), configuration(created, prefix="in/", suffix=".png")),
        (configuration(put), configuration(["s3:ObjectRemoved:*"])),
    ):
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [one, two]}
        )


def test_malformed_filters_are_refused_and_the_cloud_stays_up(s3, bucket, told):
    arn = function_arn(told)
    bad_event = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectEaten"]}
    status, code, _ = refused(s3, bucket, LambdaFunctionConfigurations=[bad_event])
    assert (status, code) == (400, "InvalidArgument")
    bad_arn = {"LambdaFunctionArn": "not-an-arn", "Events": ["s3:ObjectCreated:*"]}
    assert refused(s3, bucket, LambdaFunctionConfigurations=[bad_arn])[:2] == (400, "InvalidArgument")
    bad_filter = {
        "LambdaFunctionArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "middle", "Value": "x"}]}},
    }
    assert refused(s3, bucket, LambdaFunctionConfigurations=[bad_filter])[1] in ("InvalidArgument", "MalformedXML")


def test_a_queue_and_a_topic_are_greeted_and_told(local_aws, s3, bucket):
    """A test event when the configuration is made: notification-content-structure.html."""
    url, arn = queue_for(f"{bucket}-queue", "s3")
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    local_aws.clock.settle()
    [greeting] = [json.loads(message["Body"]) for message in messages_in(url)]
    assert {key: greeting[key] for key in ("Service", "Event", "Bucket")} == {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Bucket": bucket,
    }
    assert set(greeting) == {"Service", "Event", "Bucket", "Time", "RequestId", "HostId"}
    s3.put_object(Bucket=bucket, Key="x", Body=b"12")
    local_aws.clock.settle()
    [message] = messages_in(url)
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["size"] == 2


def test_a_topic_is_told(local_aws, s3, bucket):
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name=f"{bucket}-topic")["TopicArn"]
    configuration = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    assert refused(s3, bucket, **configuration) == UNABLE
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "SNS:Publish",
        "Resource": topic,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    url = sqs.create_queue(QueueName=f"{bucket}-inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    local_aws.clock.settle()
    s3.put_object(Bucket=bucket, Key="x", Body=b"")
    local_aws.clock.settle()
    greeting, told = [json.loads(message["Body"]) for message in messages_in(url)]
    assert json.loads(greeting["Message"])["Event"] == "s3:TestEvent"
    assert told["Subject"] == "Amazon S3 Notification"
    assert json.loads(told["Message"])["Records"][0]["eventName"] == "ObjectCreated:Put"
