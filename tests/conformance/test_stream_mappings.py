"""Kinesis streams and DynamoDB streams as event sources.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html, https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and their
neighbours; each test names what it holds on to.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from coldstart.cloud import Cloud
from tests.conformance.conftest import Deployed

PRINTS = """
import json

def handler(event, context):
    print("EVENT " + json.dumps(event))
"""
FAILS_ON_POISON = """
import base64, json

def handler(event, context):
    print("EVENT " + json.dumps(event))
    if any(base64.b64decode(record["kinesis"]["data"]) == b"poison" for record in event["Records"]):
        raise RuntimeError("no")
"""
REPORTS_POISON = """
import base64, json

def handler(event, context):
    print("EVENT " + json.dumps(event))
    return {"batchItemFailures": [
        {"itemIdentifier": record["kinesis"]["sequenceNumber"]}
        for record in event["Records"] if base64.b64decode(record["kinesis"]["data"]) == b"poison"
    ]}
"""

_numbers = itertools.count(1)


@dataclass
class KinesisStream:
    name: str
    arn: str
    client: Any

    def put(self, *texts: str, key: str = "k") -> list[str]:
        """Put records; return their sequence numbers."""
        records = [{"Data": text.encode(), "PartitionKey": key} for text in texts]
        response = self.client.put_records(StreamName=self.name, Records=records)
        return [record["SequenceNumber"] for record in response["Records"]]


@pytest.fixture
def make_stream(local_aws: Cloud) -> Iterator[Callable[..., KinesisStream]]:
    client = boto3.client("kinesis")
    names = []

    def make(shards: int = 1) -> KinesisStream:
        name = f"polled-{next(_numbers)}"
        client.create_stream(StreamName=name, ShardCount=shards)
        names.append(name)
        arn = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
        return KinesisStream(name, arn, client)

    yield make
    for name in names:
        client.delete_stream(StreamName=name)


@dataclass
class Table:
    name: str
    stream_arn: str
    client: Any

    def put(self, key: str, **attributes: Any) -> None:
        self.client.put_item(TableName=self.name, Item={"pk": {"S": key}, **attributes})


@pytest.fixture
def make_table(local_aws: Cloud) -> Iterator[Callable[..., Table]]:
    client = boto3.client("dynamodb")
    names = []

    def make(view: str = "NEW_AND_OLD_IMAGES") -> Table:
        name = f"polled-{next(_numbers)}"
        table = client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )["TableDescription"]
        names.append(name)
        return Table(name, table["LatestStreamArn"], client)

    yield make
    for name in names:
        client.delete_table(TableName=name)


@pytest.fixture
def map_to(local_aws: Cloud) -> Iterator[Callable[..., str]]:
    """Map a stream to a function from the beginning; return the UUID."""
    client = boto3.client("lambda")
    uuids = []

    def create(function: Deployed, arn: str, **parameters: Any) -> str:
        parameters = {"StartingPosition": "TRIM_HORIZON", **parameters}
        mapping = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn, **parameters)
        uuids.append(mapping["UUID"])
        local_aws.clock.settle()
        return str(mapping["UUID"])

    yield create
    for uuid in uuids:
        client.delete_event_source_mapping(UUID=uuid)
    local_aws.clock.settle()


@pytest.fixture
def failures(local_aws: Cloud) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """A queue as the destination on failure: ``failures.arn``, and ``failures()`` for what it got."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"discarded-{next(_numbers)}")["QueueUrl"]

    class Failures:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

        def __call__(self) -> list[dict[str, Any]]:
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return [json.loads(message["Body"]) for message in messages]

    yield Failures()
    sqs.delete_queue(QueueUrl=url)


def events(function: Deployed) -> list[dict[str, Any]]:
    """Return the events that the function printed, in order; none when it was never invoked."""
    try:
        return [json.loads(line[6:]) for line in function.lines() if line.startswith("EVENT ")]
    except boto3.client("logs").exceptions.ResourceNotFoundException:
        return []


def texts(function: Deployed) -> list[list[str]]:
    """Return the data of the Kinesis records, by event."""
    return [
        [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
        for event in events(function)
    ]


def test_kinesis_records_look_like_those_of_aws(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """Example: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html."""
    function, stream = deploy(PRINTS), make_stream()
    put_at = time.time() + local_aws.clock.ahead
    first, second = stream.put("first", "second")
    assert int(second) > int(first)
    map_to(function, stream.arn)
    (event,) = events(function)
    assert len(event["Records"]) == 2
    record = event["Records"][0]
    arrived = record["kinesis"].pop("approximateArrivalTimestamp")
    assert abs(arrived - put_at) < 60
    assert record == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "k",
            "sequenceNumber": first,
            "data": base64.b64encode(b"first").decode(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{first}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/parcel-function",
        "awsRegion": "us-east-1",
        "eventSourceARN": stream.arn,
    }


def test_records_stay_in_the_stream_for_other_readers(
    deploy: Callable[..., Deployed], make_stream: Callable[..., KinesisStream], map_to: Callable[..., str]
) -> None:
    function, stream = deploy(PRINTS), make_stream()
    map_to(function, stream.arn)
    numbers = stream.put("a", "b", "c")
    iterator = stream.client.get_shard_iterator(
        StreamName=stream.name,
        ShardId="shardId-000000000000",
        ShardIteratorType="AFTER_SEQUENCE_NUMBER",
        StartingSequenceNumber=numbers[0],
    )["ShardIterator"]
    records = stream.client.get_records(ShardIterator=iterator)["Records"]
    assert [record["SequenceNumber"] for record in records] == numbers[1:]


def test_where_a_mapping_begins(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html ("StartingPosition")."""
    horizon, latest, timestamp = deploy(PRINTS), deploy(PRINTS), deploy(PRINTS)
    stream = make_stream()
    stream.put("old")
    local_aws.clock.advance(minutes=10)
    between = local_aws.clock.now() - 300
    stream.put("new")
    map_to(horizon, stream.arn)
    map_to(latest, stream.arn, StartingPosition="LATEST")
    map_to(timestamp, stream.arn, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=between)
    stream.put("newest")
    local_aws.clock.settle()
    assert list(itertools.chain(*texts(horizon))) == ["old", "new", "newest"]
    assert list(itertools.chain(*texts(timestamp))) == ["new", "newest"]
    assert list(itertools.chain(*texts(latest))) == ["newest"]


def test_batches_are_in_order_and_no_larger_than_asked_for(
    deploy: Callable[..., Deployed], make_stream: Callable[..., KinesisStream], map_to: Callable[..., str]
) -> None:
    function, stream = deploy(PRINTS), make_stream()
    stream.put(*map(str, range(7)))
    map_to(function, stream.arn, BatchSize=3)
    assert texts(function) == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_a_batching_window_gathers(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    function, stream = deploy(PRINTS), make_stream()
    map_to(function, stream.arn, MaximumBatchingWindowInSeconds=30)
    stream.put("a")
    local_aws.clock.advance(seconds=20)
    stream.put("b")
    local_aws.clock.settle()
    assert texts(function) == []
    local_aws.clock.advance(seconds=11)
    assert texts(function) == [["a", "b"]]


def test_a_failing_batch_blocks_its_shard_and_no_other(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html: by default until the record expires."""
    function, stream = deploy(FAILS_ON_POISON), make_stream(shards=2)
    keys = {}
    for number in range(20):
        put = stream.client.put_record(StreamName=stream.name, Data=b"-", PartitionKey=str(number))
        keys.setdefault(put["ShardId"], str(number))
    one, other = keys.values()
    map_to(function, stream.arn, StartingPosition="LATEST")
    stream.put("poison", key=one)
    local_aws.clock.settle()
    stream.put("behind", key=one)
    stream.put("free", key=other)
    local_aws.clock.advance(minutes=10)
    found = texts(function)
    assert ["free"] in found
    assert "behind" not in itertools.chain(*found)
    assert found.count(["poison"]) > 5
    local_aws.clock.advance(hours=24)
    stream.put("after", key=one)
    local_aws.clock.settle()
    assert texts(function)[-1] == ["after"], "the poison has expired"


def test_retries_are_limited_and_the_destination_hears_of_it(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
    failures: Any,
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html."""
    function, stream = deploy(FAILS_ON_POISON), make_stream()
    first, last = stream.put("fine", "poison")
    uuid = map_to(
        function,
        stream.arn,
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": failures.arn}},
    )
    local_aws.clock.advance(minutes=5)
    assert texts(function) == [["fine", "poison"]] * 3
    (document,) = failures()
    context = document["requestContext"]
    assert context.pop("requestId")
    arn = boto3.client("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    assert context == {"functionArn": arn, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3}
    assert document["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert document["version"] == "1.0"
    info = document["KinesisBatchInfo"]
    assert info.pop("approximateArrivalOfFirstRecord") <= info.pop("approximateArrivalOfLastRecord")
    assert info == {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": first,
        "endSequenceNumber": last,
        "batchSize": 2,
        "streamArn": stream.arn,
    }
    mapping = boto3.client("lambda").get_event_source_mapping(UUID=uuid)
    assert mapping["LastProcessingResult"] == "PROBLEM: Function call failed"
    stream.put("next")
    local_aws.clock.settle()
    assert texts(function)[-1] == ["next"]
    assert boto3.client("lambda").get_event_source_mapping(UUID=uuid)["LastProcessingResult"] == "OK"


def test_a_bucket_gets_the_records_too(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="discarded-batches")
    function, stream = deploy(FAILS_ON_POISON), make_stream()
    stream.put("poison")
    destination = {"OnFailure": {"Destination": "arn:aws:s3:::discarded-batches"}}
    uuid = map_to(function, stream.arn, MaximumRetryAttempts=0, DestinationConfig=destination)
    (entry,) = s3.list_objects_v2(Bucket="discarded-batches")["Contents"]
    assert entry["Key"].startswith(f"aws/lambda/{uuid}/shardId-000000000000/20")
    document = json.loads(s3.get_object(Bucket="discarded-batches", Key=entry["Key"])["Body"].read())
    assert json.loads(document["payload"]) == events(function)[0]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sqs:us-east-1:123456789012:nothing",
        "arn:aws:sns:us-east-1:123456789012:nothing",
        "arn:aws:s3:::nothing-of-this-name",
    ],
)
def test_a_destination_that_is_not_there_loses_the_batch(
    arn: str,
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    function, stream = deploy(FAILS_ON_POISON), make_stream()
    stream.put("poison")
    map_to(function, stream.arn, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}})
    stream.put("next")
    local_aws.clock.settle()
    assert texts(function) == [["poison"], ["next"]]


def test_throttling_is_no_retry(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html: throttled batches wait until the records expire."""
    function, stream = deploy(PRINTS), make_stream()
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    stream.put("patient")
    uuid = map_to(function, stream.arn, MaximumRetryAttempts=0)
    local_aws.clock.advance(minutes=10)
    assert texts(function) == []
    assert "Rate Exceeded" in function.client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"]
    function.client.delete_function_concurrency(FunctionName=function.name)
    local_aws.clock.advance(minutes=2)
    assert texts(function) == [["patient"]]


def test_bisecting_isolates_the_poison(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
    failures: Any,
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html ("Split batch on error")."""
    function, stream = deploy(FAILS_ON_POISON), make_stream()
    stream.put("a", "b", "c", "poison")
    map_to(
        function,
        stream.arn,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": failures.arn}},
    )
    local_aws.clock.advance(minutes=1)
    assert texts(function) == [
        ["a", "b", "c", "poison"],
        ["a", "b"],
        ["c", "poison"],
        ["c"],
        ["poison"],
        ["poison"],
    ]
    (document,) = failures()
    assert document["KinesisBatchInfo"]["batchSize"] == 1


def test_partial_failures_set_the_checkpoint_to_the_lowest_failed_record(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
    failures: Any,
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html."""
    function, stream = deploy(REPORTS_POISON), make_stream()
    numbers = stream.put("a", "poison", "b", "poison")
    map_to(
        function,
        stream.arn,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": failures.arn}},
    )
    local_aws.clock.advance(minutes=1)
    assert texts(function) == [["a", "poison", "b", "poison"], ["poison", "b", "poison"], ["poison", "b", "poison"]]
    (document,) = failures()
    assert document["KinesisBatchInfo"]["startSequenceNumber"] == numbers[1]
    assert document["KinesisBatchInfo"]["batchSize"] == 3
    assert "functionError" not in document["responseContext"]


def test_old_records_are_skipped(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
    failures: Any,
) -> None:
    """MaximumRecordAgeInSeconds: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html."""
    function, stream = deploy(PRINTS), make_stream()
    stream.put("old", "old too")
    local_aws.clock.advance(minutes=5)
    stream.put("young")
    destination = {"OnFailure": {"Destination": failures.arn}}
    map_to(function, stream.arn, MaximumRecordAgeInSeconds=60, DestinationConfig=destination)
    assert texts(function) == [["young"]]
    (document,) = failures()
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert document["requestContext"]["approximateInvokeCount"] == 0
    assert document["KinesisBatchInfo"]["batchSize"] == 2


def test_filters_look_into_the_data(
    deploy: Callable[..., Deployed], make_stream: Callable[..., KinesisStream], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html."""
    function, stream = deploy(PRINTS), make_stream()
    stream.put('{"weight": 3}', "not JSON", '{"weight": 30}')
    pattern = '{"data": {"weight": [{"numeric": [">", 20]}]}}'
    map_to(function, stream.arn, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    assert texts(function) == [['{"weight": 30}']]


def test_a_parallelization_factor_keeps_the_order_of_each_partition_key(
    deploy: Callable[..., Deployed], make_stream: Callable[..., KinesisStream], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html ("Concurrent batches per shard")."""
    function, stream = deploy(PRINTS), make_stream()
    for number in range(30):
        stream.put(f"{number % 6}:{number}", key=str(number % 6))
    map_to(function, stream.arn, ParallelizationFactor=3, BatchSize=2)
    found = list(itertools.chain(*texts(function)))
    assert len(found) == 30
    for key in range(6):
        assert sorted(text for text in found if text.startswith(f"{key}:")) == sorted(
            f"{key}:{number}" for number in range(key, 30, 6)
        )
    for event in events(function):
        by_key: dict[str, list[int]] = {}
        for record in event["Records"]:
            kinesis = record["kinesis"]
            by_key.setdefault(kinesis["partitionKey"], []).append(int(kinesis["sequenceNumber"]))
        assert all(numbers == sorted(numbers) for numbers in by_key.values())


def test_children_come_after_their_parents(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html."""
    function, stream = deploy(PRINTS), make_stream()
    stream.put("before 1", "before 2")
    stream.client.split_shard(
        StreamName=stream.name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127)
    )
    for number in range(8):
        stream.put(f"after {number}", key=str(number))
    map_to(function, stream.arn, BatchSize=1)
    found = list(itertools.chain(*texts(function)))
    assert found[:2] == ["before 1", "before 2"]
    assert sorted(found[2:]) == [f"after {number}" for number in range(8)]
    shards = {record["eventID"].split(":")[0] for event in events(function) for record in event["Records"]}
    assert shards == {"shardId-000000000000", "shardId-000000000001", "shardId-000000000002"}
    stream.client.merge_shards(
        StreamName=stream.name, ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000002"
    )
    stream.put("merged")
    local_aws.clock.settle()
    assert events(function)[-1]["Records"][0]["eventID"].startswith("shardId-000000000003:")


def test_a_tumbling_window_carries_its_state(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html."""
    function = deploy("""
import json

def handler(event, context):
    print("EVENT " + json.dumps(event))
    state = event["state"]
    state["count"] = state.get("count", 0) + len(event["Records"])
    return {"state": state}
""")
    stream = make_stream()
    now = local_aws.clock.now()
    local_aws.clock.advance(seconds=60 - now % 60 + 1)
    map_to(function, stream.arn, TumblingWindowInSeconds=60)
    stream.put("a", "b")
    local_aws.clock.settle()
    stream.put("c")
    local_aws.clock.advance(seconds=62)
    first, second, final = events(function)
    assert (first["state"], second["state"], final["state"]) == ({}, {"count": 2}, {"count": 3})
    assert [event["isFinalInvokeForWindow"] for event in (first, second, final)] == [False, False, True]
    assert final["Records"] == []
    assert final["shardId"] == "shardId-000000000000"
    assert final["eventSourceARN"] == stream.arn
    assert final["window"] == first["window"]
    assert set(first) == {
        "Records",
        "window",
        "state",
        "shardId",
        "eventSourceARN",
        "isFinalInvokeForWindow",
        "isWindowTerminatedEarly",
    }
    stream.put("d")
    local_aws.clock.settle()
    assert events(function)[-1]["state"] == {}, "a new window begins with nothing"


def test_a_disabled_mapping_goes_on_where_it_stopped(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    function, stream = deploy(PRINTS), make_stream()
    uuid = map_to(function, stream.arn)
    stream.put("1")
    local_aws.clock.settle()
    function.client.update_event_source_mapping(UUID=uuid, Enabled=False)
    local_aws.clock.settle()
    stream.put("2")
    local_aws.clock.advance(minutes=1)
    assert texts(function) == [["1"]]
    function.client.update_event_source_mapping(UUID=uuid, Enabled=True, ParallelizationFactor=2)
    local_aws.clock.settle()
    assert texts(function) == [["1"], ["2"]]


def test_the_age_of_the_iterator_is_a_metric(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""
    function, stream = deploy(PRINTS), make_stream()
    stream.put("waits")
    local_aws.clock.advance(minutes=2)
    map_to(function, stream.arn)
    now = local_aws.clock.now()
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="IteratorAge",
        Dimensions=[{"Name": "FunctionName", "Value": function.name}],
        StartTime=now - 600,
        EndTime=now + 600,
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert 120_000 <= points[0]["Maximum"] < 240_000


def test_dynamodb_records_look_like_those_of_aws(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_table: Callable[..., Table], map_to: Callable[..., str]
) -> None:
    """Example: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html."""
    function, table = deploy(PRINTS), make_table()
    table.put(
        "a", weight={"N": "7"}, tags={"SS": ["x", "y"]}, raw={"B": b"\x00\x01"}, more={"M": {"ok": {"BOOL": True}}}
    )
    table.put("a", weight={"N": "8"})
    table.put("a", weight={"N": "8"})  # changes nothing
    table.client.delete_item(TableName=table.name, Key={"pk": {"S": "a"}})
    map_to(function, table.stream_arn)
    (event,) = events(function)
    inserted, modified, removed = event["Records"]
    assert [record["eventName"] for record in event["Records"]] == ["INSERT", "MODIFY", "REMOVE"]
    change = inserted.pop("dynamodb")
    assert set(inserted) == {"eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "eventSourceARN"}
    assert (inserted["eventSource"], inserted["eventVersion"]) == ("aws:dynamodb", "1.1")
    assert inserted["eventSourceARN"] == table.stream_arn
    assert isinstance(change["ApproximateCreationDateTime"], int)
    assert change["Keys"] == {"pk": {"S": "a"}}
    assert change["NewImage"]["weight"] == {"N": "7"}
    assert sorted(change["NewImage"]["tags"]["SS"]) == ["x", "y"]
    assert change["NewImage"]["raw"] == {"B": "AAE="}
    assert change["NewImage"]["more"] == {"M": {"ok": {"BOOL": True}}}
    assert "OldImage" not in change
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert change["SizeBytes"] > 0
    assert modified["dynamodb"]["OldImage"]["weight"] == {"N": "7"}
    assert modified["dynamodb"]["NewImage"] == {"pk": {"S": "a"}, "weight": {"N": "8"}}
    assert "NewImage" not in removed["dynamodb"]
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in (modified, removed)]
    assert int(change["SequenceNumber"]) < numbers[0] < numbers[1]


def test_get_records_finds_what_the_function_saw(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_table: Callable[..., Table], map_to: Callable[..., str]
) -> None:
    function, table = deploy(PRINTS), make_table("KEYS_ONLY")
    map_to(function, table.stream_arn)
    for key in "abc":
        table.put(key)
    local_aws.clock.settle()
    streams = boto3.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=table.stream_arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=table.stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    read = [record["dynamodb"]["SequenceNumber"] for record in streams.get_records(ShardIterator=iterator)["Records"]]
    seen = [record["dynamodb"] for event in events(function) for record in event["Records"]]
    assert read == [record["SequenceNumber"] for record in seen]
    assert len(set(read)) == 3
    assert not any("NewImage" in record for record in seen)


def test_a_transaction_that_failed_leaves_no_records(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_table: Callable[..., Table], map_to: Callable[..., str]
) -> None:
    function, table = deploy(PRINTS), make_table()
    map_to(function, table.stream_arn)
    table.put("there")
    put = {"TableName": table.name, "Item": {"pk": {"S": "new"}}}
    again = {
        "TableName": table.name,
        "Item": {"pk": {"S": "there"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    with pytest.raises(table.client.exceptions.TransactionCanceledException):
        table.client.transact_write_items(TransactItems=[{"Put": put}, {"Put": again}])
    table.client.transact_write_items(TransactItems=[{"Put": {**put, "Item": {"pk": {"S": "later"}}}}])
    local_aws.clock.settle()
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for event in events(function) for record in event["Records"]]
    assert keys == ["there", "later"]


def test_an_item_whose_time_to_live_is_over_is_deleted_by_the_service(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_table: Callable[..., Table], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html."""
    function, table = deploy(PRINTS), make_table("OLD_IMAGE")
    now = int(local_aws.clock.now())
    table.put("before", ends={"N": str(now + 600)})
    specification = {"Enabled": True, "AttributeName": "ends"}
    table.client.update_time_to_live(TableName=table.name, TimeToLiveSpecification=specification)
    table.put("after", ends={"N": str(now + 1200)})
    table.put("prolonged", ends={"N": str(now + 600)})
    table.put("prolonged", ends={"N": str(now + 6000)})
    table.put("text", ends={"S": str(now + 600)})
    map_to(function, table.stream_arn, StartingPosition="LATEST")
    local_aws.clock.advance(minutes=30)
    records = [record for event in events(function) for record in event["Records"]]
    assert [record["dynamodb"]["OldImage"]["pk"]["S"] for record in records] == ["before", "after"]
    assert {record["eventName"] for record in records} == {"REMOVE"}
    assert records[0]["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert table.client.scan(TableName=table.name)["Count"] == 2


def test_a_consumer_with_enhanced_fan_out_is_a_source_too(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_stream: Callable[..., KinesisStream],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html ("dedicated throughput")."""
    function, stream = deploy(PRINTS), make_stream()
    consumer = stream.client.register_stream_consumer(StreamARN=stream.arn, ConsumerName="fan")["Consumer"]
    map_to(function, consumer["ConsumerARN"])
    stream.put("x")
    local_aws.clock.settle()
    assert texts(function) == [["x"]]
    assert events(function)[0]["Records"][0]["eventSourceARN"] == consumer["ConsumerARN"]


def test_dynamodb_filters_and_failure_records(
    local_aws: Cloud,
    deploy: Callable[..., Deployed],
    make_table: Callable[..., Table],
    map_to: Callable[..., str],
    failures: Any,
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html and services-dynamodb-errors.html."""
    function, table = deploy(PRINTS.replace("print(", "raise RuntimeError(", 1)), make_table("NEW_IMAGE")
    table.put("a", state={"S": "open"})
    table.put("b", state={"S": "paid"})
    pattern = '{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"state": {"S": ["paid"]}}}}'
    map_to(
        function,
        table.stream_arn,
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": failures.arn}},
    )
    (document,) = failures()
    info = document["DDBStreamBatchInfo"]
    assert info["batchSize"] == 1
    assert info["streamArn"] == table.stream_arn
    assert info["startSequenceNumber"] == info["endSequenceNumber"]
    assert len(info["approximateArrivalOfFirstRecord"]) == len("2026-11-23T10:00:00Z"), "without milliseconds"


def test_a_long_backlog_takes_time_in_proportion(
    deploy: Callable[..., Deployed], make_stream: Callable[..., KinesisStream], map_to: Callable[..., str]
) -> None:
    """16 times as many records may take 16 times as long, not 256; the factor leaves room for a busy machine."""
    function = deploy("def handler(event, context): pass")

    def seconds(records: int) -> float:
        stream = make_stream()
        started = time.perf_counter()
        for _ in range(records // 500):
            stream.put(*["x"] * 500)
        map_to(function, stream.arn, BatchSize=10)
        return time.perf_counter() - started

    seconds(500)
    few = seconds(500)
    assert seconds(8000) < 16 * 5 * few
