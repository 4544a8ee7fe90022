"""SQS queues as event sources.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and its neighbours; each test names what it holds on to.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from coldstart.cloud import Cloud
from tests.conformance.conftest import Deployed, zipped

RECORDS_EVENTS = """
import json, os

def handler(event, context):
    print("EVENT " + json.dumps(event))
"""
FAILS = """
import json

def handler(event, context):
    print("EVENT " + json.dumps(event))
    raise RuntimeError("no")
"""

_numbers = itertools.count(1)


@dataclass
class Queue:
    url: str
    arn: str
    client: Any

    def send(self, *bodies: object, **parameters: Any) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.client.send_message(QueueUrl=self.url, MessageBody=text, **parameters)

    def send_batch(self, *bodies: object) -> None:
        for chunk in itertools.batched(bodies, 10) if hasattr(itertools, "batched") else _chunks(bodies):
            entries = [
                {"Id": str(index), "MessageBody": body if isinstance(body, str) else json.dumps(body)}
                for index, body in enumerate(chunk)
            ]
            self.client.send_message_batch(QueueUrl=self.url, Entries=entries)

    def counts(self) -> tuple[int, int]:
        """Return how many messages are visible, and how many are not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(attributes[names[0]]), int(attributes[names[1]])


def _chunks(items: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
    for start in range(0, len(items), 10):
        yield items[start : start + 10]


@pytest.fixture
def make_queue(local_aws: Cloud) -> Iterator[Callable[..., Queue]]:
    client = boto3.client("sqs")
    urls = []

    def make(suffix: str = "", **attributes: Any) -> Queue:
        attributes = {name: str(value) for name, value in attributes.items()}
        url = client.create_queue(QueueName=f"polled-{next(_numbers)}{suffix}", Attributes=attributes)["QueueUrl"]
        urls.append(url)
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return Queue(url, arn, client)

    yield make
    for url in urls:
        client.delete_queue(QueueUrl=url)


@pytest.fixture
def map_to(local_aws: Cloud) -> Iterator[Callable[..., str]]:
    """Map a queue to a function; return the UUID."""
    client = boto3.client("lambda")
    uuids = []

    def create(function: Deployed, queue: Queue, **parameters: Any) -> str:
        mapping = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=queue.arn, **parameters)
        uuids.append(mapping["UUID"])
        local_aws.clock.settle()
        return str(mapping["UUID"])

    yield create
    for uuid in uuids:
        try:
            client.delete_event_source_mapping(UUID=uuid)
        except client.exceptions.ResourceNotFoundException:
            continue
    local_aws.clock.settle()


def events(function: Deployed) -> list[dict[str, Any]]:
    """Return the events that the function printed, in order; none when it was never invoked."""
    try:
        return [json.loads(line[6:]) for line in function.lines() if line.startswith("EVENT ")]
    except boto3.client("logs").exceptions.ResourceNotFoundException:
        return []


def bodies(function: Deployed) -> list[list[str]]:
    return [[record["body"] for record in event["Records"]] for event in events(function)]


def test_ten_messages_make_one_event_that_looks_like_the_one_of_aws(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """Example: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    sent_at = time.time() + local_aws.clock.ahead
    sent = queue.client.send_message(
        QueueUrl=queue.url,
        MessageBody="first",
        MessageAttributes={
            "colour": {"DataType": "String", "StringValue": "red"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
            "weight": {"DataType": "Number", "StringValue": "7"},
        },
    )
    queue.send(*(f"message {number}" for number in range(9)))
    map_to(function, queue)
    (event,) = events(function)
    assert list(event) == ["Records"]
    assert len(event["Records"]) == 10
    record = event["Records"][0]
    attributes = record.pop("attributes")
    assert record == {
        "messageId": sent["MessageId"],
        "receiptHandle": record["receiptHandle"],
        "body": "first",
        "messageAttributes": {
            "colour": {"stringValue": "red", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
            "bytes": {"binaryValue": "AAE=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
            "weight": {"stringValue": "7", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
        },
        "md5OfBody": sent["MD5OfMessageBody"],
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": "us-east-1",
    }
    assert set(attributes) == {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    assert attributes["ApproximateReceiveCount"] == "1"
    assert abs(int(attributes["SentTimestamp"]) / 1000 - sent_at) < 60
    assert int(attributes["ApproximateFirstReceiveTimestamp"]) >= int(attributes["SentTimestamp"])
    assert "md5OfMessageAttributes" not in event["Records"][1]
    assert queue.counts() == (0, 0), "what succeeded is deleted"


def test_batches_are_no_larger_than_asked_for(
    deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    queue.send_batch(*map(str, range(7)))
    map_to(function, queue, BatchSize=3, ScalingConfig={"MaximumConcurrency": 2})
    found = bodies(function)
    assert sorted(len(batch) for batch in found) == [1, 3, 3]
    assert sorted(itertools.chain(*found)) == list("0123456")


def test_a_message_that_arrives_later_is_delivered(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    map_to(function, queue)
    queue.send("late")
    local_aws.clock.settle()
    assert bodies(function) == [["late"]]
    queue.send("delayed", DelaySeconds=60)
    local_aws.clock.settle()
    assert bodies(function) == [["late"]]
    local_aws.clock.advance(seconds=61)
    assert bodies(function) == [["late"], ["delayed"]]


def test_a_batching_window_gathers_until_it_ends_or_the_batch_is_full(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching."""
    function, queue = deploy(RECORDS_EVENTS), make_queue(VisibilityTimeout=120)
    map_to(function, queue, BatchSize=100, MaximumBatchingWindowInSeconds=20)
    queue.send("a")
    local_aws.clock.advance(seconds=10)
    queue.send("b")
    local_aws.clock.settle()
    assert bodies(function) == []
    local_aws.clock.advance(seconds=11)
    assert bodies(function) == [["a", "b"]]
    queue.send_batch(*map(str, range(100)))
    local_aws.clock.settle()
    assert [len(batch) for batch in bodies(function)] == [2, 100], "a full batch does not wait"


def test_a_failed_batch_comes_back_after_the_visibility_timeout_and_ends_in_the_dead_letter_queue(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html."""
    dead_letters = make_queue()
    policy = json.dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": 3})
    function, queue = deploy(FAILS), make_queue(VisibilityTimeout=30, RedrivePolicy=policy)
    map_to(function, queue)
    queue.send("poison")
    local_aws.clock.settle()
    assert len(events(function)) == 1
    assert queue.counts() == (0, 1)
    local_aws.clock.advance(seconds=20)
    assert len(events(function)) == 1
    local_aws.clock.advance(minutes=5)
    counts = [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for event in events(function)]
    assert counts == ["1", "2", "3"]
    assert queue.counts() == (0, 0)
    assert dead_letters.counts() == (1, 0)


def test_a_dead_letter_queue_is_an_event_source_like_any_other(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    dead_letters = make_queue()
    policy = json.dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": 1})
    queue = make_queue(RedrivePolicy=policy)
    undertaker = deploy(RECORDS_EVENTS)
    map_to(deploy(FAILS), queue)
    map_to(undertaker, dead_letters)
    queue.send("poison")
    local_aws.clock.advance(minutes=1)
    (event,) = events(undertaker)
    assert event["Records"][0]["body"] == "poison"
    assert event["Records"][0]["attributes"]["DeadLetterQueueSourceArn"] == queue.arn


RESPONSES = [
    ("None", 0, "a null response"),
    ("{}", 0, "an empty response"),
    ("{'batchItemFailures': []}", 0, "an empty list"),
    ("{'batchItemFailures': None}", 0, "a null list"),
    ("{'batchItemFailures': [{'itemIdentifier': ids[1]}]}", 1, "one message"),
    ("{'batchItemFailures': [{'itemIdentifier': ''}]}", 3, "an empty identifier"),
    ("{'batchItemFailures': [{'itemIdentifier': None}]}", 3, "a null identifier"),
    ("{'batchItemFailures': [{'itemIdentifer': ids[1]}]}", 3, "a bad key name"),
    ("{'batchItemFailures': [{'itemIdentifier': 'nobody'}]}", 3, "an identifier of no message"),
    ("'fine'", 3, "something else than an object"),
]


@pytest.mark.parametrize(("response", "remaining", "what"), RESPONSES, ids=[response[2] for response in RESPONSES])
def test_partial_batch_responses(
    response: str,
    remaining: int,
    what: str,
    deploy: Callable[..., Deployed],
    make_queue: Callable[..., Queue],
    map_to: Callable[..., str],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting."""
    function = deploy(f"""
def handler(event, context):
    ids = [record["messageId"] for record in event["Records"]]
    return {response}
""")
    queue = make_queue()
    queue.send_batch("a", "b", "c")
    map_to(function, queue, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert queue.counts() == (0, remaining), what


def test_without_the_setting_a_partial_response_means_nothing(
    deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    function = deploy("""
def handler(event, context):
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
""")
    queue = make_queue()
    queue.send("a")
    map_to(function, queue)
    assert queue.counts() == (0, 0)


def test_messages_that_the_filter_refuses_are_deleted(
    deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html."""
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    queue.send_batch({"state": "paid", "id": 1}, {"state": "open", "id": 2}, "paid", {"state": "paid", "id": 3})
    map_to(function, queue, FilterCriteria={"Filters": [{"Pattern": '{"body": {"state": ["paid"]}}'}]})
    assert [json.loads(body)["id"] for body in bodies(function)[0]] == [1, 3]
    assert queue.counts() == (0, 0)


def test_fifo_groups_stay_in_order_and_one_that_failed_waits(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html ("FIFO queues")."""
    function = deploy("""
import json

def handler(event, context):
    print("EVENT " + json.dumps(event))
    failures = []
    for record in event["Records"]:
        first_time = record["attributes"]["ApproximateReceiveCount"] == "1"
        if failures or (record["body"] == "bad-1" and first_time):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
""")
    queue = make_queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for number in range(3):
        for group in ("good", "bad"):
            queue.send(f"{group}-{number}", MessageGroupId=group)
    queue.send("good-0", MessageGroupId="good")  # a duplicate
    map_to(function, queue, BatchSize=3, FunctionResponseTypes=["ReportBatchItemFailures"])
    attributes = events(function)[0]["Records"][0]["attributes"]
    assert {"MessageGroupId", "MessageDeduplicationId", "SequenceNumber"} <= attributes.keys()
    found = list(itertools.chain(*bodies(function)))
    assert [body for body in found if body.startswith("good")] == ["good-0", "good-1", "good-2"]
    queue.send("bad-3", MessageGroupId="bad")
    local_aws.clock.settle()
    assert "bad-3" not in itertools.chain(*bodies(function)), "its group is not done with bad-1"
    local_aws.clock.advance(seconds=31)
    again = [body for body in itertools.chain(*bodies(function)) if body.startswith("bad")]
    assert again[-3:] == ["bad-1", "bad-2", "bad-3"]
    assert queue.counts() == (0, 0)


def test_a_batch_is_no_larger_than_six_megabytes(
    deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """Quota: 6 MB for the payload of a synchronous invocation."""
    function = deploy("""
import json

def handler(event, context):
    print("SIZE", len(json.dumps(event)), len(event["Records"]))
""")
    queue = make_queue(VisibilityTimeout=60)
    for _ in range(8):
        queue.send("x" * 1_000_000)
    map_to(function, queue, BatchSize=100, MaximumBatchingWindowInSeconds=1)
    sizes = [line.split()[1:] for line in function.lines() if line.startswith("SIZE")]
    assert [count for _, count in sizes] == ["6"], "the other two wait for their window"
    assert int(sizes[0][0]) < 6_291_456


def test_not_more_batches_at_a_time_than_the_maximum_concurrency(
    deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency."""
    function = deploy("""
import time

def handler(event, context):
    time.sleep(0.05)
""")
    queue = make_queue()
    queue.send_batch(*map(str, range(12)))
    map_to(function, queue, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    streams = {event["logStreamName"] for event in function.log()}
    assert len(streams) == 2
    assert queue.counts() == (0, 0)


def test_a_throttled_function_gets_the_messages_later(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    queue.send("patient")
    map_to(function, queue)
    assert bodies(function) == []
    function.client.delete_function_concurrency(FunctionName=function.name)
    local_aws.clock.advance(seconds=31)
    assert bodies(function) == [["patient"]]


def test_a_deleted_mapping_delivers_no_more_and_a_disabled_one_goes_on_later(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    uuid = map_to(function, queue)
    function.client.update_event_source_mapping(UUID=uuid, Enabled=False)
    local_aws.clock.settle()
    queue.send("waits")
    local_aws.clock.advance(minutes=1)
    assert bodies(function) == []
    assert queue.counts() == (1, 0)
    function.client.update_event_source_mapping(UUID=uuid, Enabled=True)
    local_aws.clock.settle()
    assert bodies(function) == [["waits"]]
    function.client.delete_event_source_mapping(UUID=uuid)
    local_aws.clock.settle()
    queue.send("too late")
    local_aws.clock.advance(minutes=1)
    assert bodies(function) == [["waits"]]


def test_a_mapping_outlives_its_queue_and_its_function(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html: it is a resource of its own."""
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    uuid = map_to(function, queue)
    function.client.delete_function(FunctionName=function.name)
    queue.send("nobody's")
    local_aws.clock.advance(minutes=2)
    assert sum(queue.counts()) == 1
    queue.client.delete_queue(QueueUrl=queue.url)
    local_aws.clock.advance(minutes=2)
    assert function.client.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    assert function.client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    queue.client.create_queue(QueueName=queue.url.rsplit("/", maxsplit=1)[1])
    function.client.create_function(
        FunctionName=function.name,
        Runtime="python3.14",
        Role="arn:aws:iam::123456789012:role/parcel-function",
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": RECORDS_EVENTS})},
    )
    function.client.update_event_source_mapping(UUID=uuid, Enabled=True)
    queue.send("again")
    local_aws.clock.settle()
    assert bodies(function) == [["again"]]


def test_the_trace_header_comes_with_the_message(
    local_aws: Cloud, deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html: the header of the request becomes an attribute."""
    function, queue = deploy(RECORDS_EVENTS), make_queue()
    map_to(function, queue)
    header = "Root=1-67891233-abcdef012345678912345678;Lineage=1:a87bd80c:1"

    def add_header(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = header

    queue.client.meta.events.register("before-sign.sqs.SendMessage", add_header)
    queue.send("traced")
    queue.client.meta.events.unregister("before-sign.sqs.SendMessage", add_header)
    local_aws.clock.settle()
    assert events(function)[0]["Records"][0]["attributes"]["AWSTraceHeader"] == header


def test_a_long_backlog_takes_time_in_proportion(
    deploy: Callable[..., Deployed], make_queue: Callable[..., Queue], map_to: Callable[..., str]
) -> None:
    """16 times as many messages may take 16 times as long, not 256; the factor leaves room for a busy machine."""
    function = deploy("def handler(event, context): pass")

    def seconds(messages: int) -> float:
        queue = make_queue()
        started = time.perf_counter()
        queue.send_batch(*map(str, range(messages)))
        map_to(function, queue)
        assert queue.counts() == (0, 0)
        return time.perf_counter() - started

    seconds(50)  # starts the environments
    few = seconds(200)
    assert seconds(3200) < 16 * 5 * few
