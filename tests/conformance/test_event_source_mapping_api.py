"""The API of event source mappings: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html and neighbours."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from coldstart.cloud import Cloud
from tests.conformance.conftest import Deployed

NOTHING = "def handler(event, context): pass"
NOBODY = "00000000-0000-4000-8000-000000000000"

_numbers = itertools.count(1)


@pytest.fixture
def client(local_aws: Cloud) -> Iterator[Any]:
    """A client whose mappings are gone after the test."""
    client = boto3.client("lambda")
    before = {mapping["UUID"] for mapping in client.list_event_source_mappings()["EventSourceMappings"]}
    yield client
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        if mapping["UUID"] not in before:
            client.delete_event_source_mapping(UUID=mapping["UUID"])
    local_aws.clock.settle()


@pytest.fixture
def queue_arn(local_aws: Cloud) -> str:
    return make_queue()


def make_queue(suffix: str = "", **attributes: str) -> str:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=f"mapped-{next(_numbers)}{suffix}", Attributes=attributes)["QueueUrl"]
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


@pytest.fixture
def stream_arn(local_aws: Cloud) -> str:
    kinesis = boto3.client("kinesis")
    name = f"mapped-{next(_numbers)}"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    return str(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"])


@pytest.fixture
def table_stream_arn(local_aws: Cloud) -> str:
    table = boto3.client("dynamodb").create_table(
        TableName=f"mapped-{next(_numbers)}",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    return str(table["TableDescription"]["LatestStreamArn"])


def shown(mapping: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in ("ResponseMetadata", "LastModified", "UUID")}


def arn_of(function: Deployed) -> str:
    return str(function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"])


def error(call: Callable[[], object]) -> tuple[int, str, str]:
    """Return status, code and message with which AWS refuses."""
    with pytest.raises(ClientError) as refused:
        call()
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def test_a_queue_is_mapped_with_these_defaults(
    local_aws: Cloud, deploy: Callable[..., Deployed], client: Any, queue_arn: str
) -> None:
    function = deploy(NOTHING)
    created = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=queue_arn)
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert abs(created["LastModified"].timestamp() - local_aws.clock.now()) < 60
    uuid = created["UUID"]
    assert shown(created) == {
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": queue_arn,
        "FunctionArn": arn_of(function),
        "FunctionResponseTypes": [],
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}",
    }
    local_aws.clock.settle()
    assert shown(client.get_event_source_mapping(UUID=uuid)) == {**shown(created), "State": "Enabled"}


def test_streams_are_mapped_with_these_defaults(
    local_aws: Cloud, deploy: Callable[..., Deployed], client: Any, stream_arn: str, table_stream_arn: str
) -> None:
    function = deploy(NOTHING)
    for arn in (stream_arn, table_stream_arn):
        created = client.create_event_source_mapping(
            FunctionName=function.name, EventSourceArn=arn, StartingPosition="LATEST"
        )
        assert shown(created) == {
            "BatchSize": 100,
            "BisectBatchOnFunctionError": False,
            "DestinationConfig": {"OnFailure": {}},
            "EventSourceArn": arn,
            "EventSourceMappingArn": created["EventSourceMappingArn"],
            "FunctionArn": arn_of(function),
            "FunctionResponseTypes": [],
            "LastProcessingResult": "No records processed",
            "MaximumBatchingWindowInSeconds": 0,
            "MaximumRecordAgeInSeconds": -1,
            "MaximumRetryAttempts": -1,
            "ParallelizationFactor": 1,
            "StartingPosition": "LATEST",
            "State": "Creating",
            "StateTransitionReason": "User action",
            "TumblingWindowInSeconds": 0,
        }


def test_states_on_the_way(local_aws: Cloud, deploy: Callable[..., Deployed], client: Any, queue_arn: str) -> None:
    """The states: https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html."""
    function = deploy(NOTHING)

    def now(uuid: str) -> str:
        local_aws.clock.settle()
        return str(client.get_event_source_mapping(UUID=uuid)["State"])

    created = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=queue_arn, Enabled=False)
    uuid = created["UUID"]
    assert (created["State"], now(uuid)) == ("Creating", "Disabled")
    updated = client.update_event_source_mapping(UUID=uuid, Enabled=True)
    assert (updated["State"], now(uuid)) == ("Enabling", "Enabled")
    updated = client.update_event_source_mapping(UUID=uuid, BatchSize=5)
    assert (updated["State"], updated["BatchSize"], now(uuid)) == ("Updating", 5, "Enabled")
    updated = client.update_event_source_mapping(UUID=uuid, Enabled=False)
    assert (updated["State"], now(uuid)) == ("Disabling", "Disabled")
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    local_aws.clock.settle()
    gone = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
    assert error(lambda: client.get_event_source_mapping(UUID=uuid)) == gone
    assert error(lambda: client.update_event_source_mapping(UUID=uuid, Enabled=True)) == gone
    assert error(lambda: client.delete_event_source_mapping(UUID=NOBODY)) == gone


def test_an_alias_or_a_version_can_be_mapped(
    local_aws: Cloud, deploy: Callable[..., Deployed], client: Any, queue_arn: str
) -> None:
    function = deploy("def handler(event, context): print('ARN', context.invoked_function_arn)")
    version = client.publish_version(FunctionName=function.name)["Version"]
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    created = client.create_event_source_mapping(FunctionName=f"{function.name}:live", EventSourceArn=queue_arn)
    assert created["FunctionArn"] == f"{arn_of(function)}:live"
    sqs = boto3.client("sqs")
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName=queue_arn.rsplit(":", maxsplit=1)[-1])["QueueUrl"], MessageBody="x"
    )
    local_aws.clock.settle()
    assert f"ARN {arn_of(function)}:live\n" in function.lines()
    listed = client.list_event_source_mappings(FunctionName=f"{function.name}:live")["EventSourceMappings"]
    assert [mapping["UUID"] for mapping in listed] == [created["UUID"]]
    assert client.list_event_source_mappings(FunctionName=function.name)["EventSourceMappings"] == []
    retargeted = client.update_event_source_mapping(UUID=created["UUID"], FunctionName=arn_of(function))
    assert retargeted["FunctionArn"] == arn_of(function)


def test_mappings_are_listed_by_source_and_in_pages(
    deploy: Callable[..., Deployed], client: Any, queue_arn: str
) -> None:
    functions = [deploy(NOTHING) for _ in range(3)]
    uuids = [
        client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=queue_arn)["UUID"]
        for function in functions
    ]
    pages = client.get_paginator("list_event_source_mappings").paginate(
        EventSourceArn=queue_arn, PaginationConfig={"PageSize": 2}
    )
    found = [[mapping["UUID"] for mapping in page["EventSourceMappings"]] for page in pages]
    assert found == [uuids[:2], uuids[2:]]
    assert boto3.client("lambda", region_name="eu-west-1").list_event_source_mappings()["EventSourceMappings"] == []


def test_settings_are_stored_changed_and_cleared(deploy: Callable[..., Deployed], client: Any, queue_arn: str) -> None:
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"state": ["paid"]}})}]}
    uuid = client.create_event_source_mapping(
        FunctionName=deploy(NOTHING).name,
        EventSourceArn=queue_arn,
        BatchSize=500,
        MaximumBatchingWindowInSeconds=5,
        FilterCriteria=criteria,
        ScalingConfig={"MaximumConcurrency": 2},
        MetricsConfig={"Metrics": ["EventCount"]},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )["UUID"]
    mapping = client.get_event_source_mapping(UUID=uuid)
    assert mapping["FilterCriteria"] == criteria
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    mapping = client.update_event_source_mapping(
        UUID=uuid, FilterCriteria={}, ScalingConfig={}, FunctionResponseTypes=[]
    )
    assert "FilterCriteria" not in mapping
    assert "ScalingConfig" not in mapping
    assert mapping["FunctionResponseTypes"] == []
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (500, 5)


def test_mappings_have_tags(deploy: Callable[..., Deployed], client: Any, queue_arn: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/tags-esm.html."""
    arn = client.create_event_source_mapping(
        FunctionName=deploy(NOTHING).name, EventSourceArn=queue_arn, Tags={"shop": "parcel"}
    )["EventSourceMappingArn"]
    client.tag_resource(Resource=arn, Tags={"team": "orders"})
    assert client.list_tags(Resource=arn)["Tags"] == {"shop": "parcel", "team": "orders"}
    client.untag_resource(Resource=arn, TagKeys=["shop"])
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "orders"}
    nowhere = f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{NOBODY}"
    assert error(lambda: client.list_tags(Resource=nowhere))[:2] == (404, "ResourceNotFoundException")


REFUSED_FOR_QUEUES = [
    (
        {"BatchSize": 11},
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
    ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
    ({"ParallelizationFactor": 2}, "Unsupported ParallelizationFactor parameter for given event source mapping type."),
    (
        {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:x"}}},
        "Unsupported DestinationConfig parameter for given event source mapping type.",
    ),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": "x"}'}]}}, "Invalid filter pattern definition."),
    ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern definition."),
    ({"FunctionName": "nobody"}, "Function does not exist"),
    (
        {"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:nothing"},
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
        "SQS Error Message: The specified queue does not exist.",
    ),
    (
        {"EventSourceArn": "arn:aws:s3:::bucket"},
        "Unrecognized event source, must be kinesis, dynamodb stream, sqs or kafka.",
    ),
    (
        {"EventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/shop/1", "Topics": ["orders"]},
        "The local AWS has no Apache Kafka, Amazon MQ or Amazon DocumentDB: its event source mappings read SQS queues, "
        "Kinesis streams and DynamoDB streams.",
    ),
]


@pytest.mark.parametrize(
    ("parameters", "message"), REFUSED_FOR_QUEUES, ids=[str(entry[0]) for entry in REFUSED_FOR_QUEUES]
)
def test_what_a_queue_mapping_refuses(
    parameters: dict[str, Any], message: str, deploy: Callable[..., Deployed], client: Any, queue_arn: str
) -> None:
    given = {"FunctionName": deploy(NOTHING).name, "EventSourceArn": queue_arn, **parameters}
    refused = error(lambda: client.create_event_source_mapping(**given))
    assert refused == (400, "InvalidParameterValueException", message)


def test_limits_of_the_service_model(deploy: Callable[..., Deployed], client: Any, queue_arn: str) -> None:
    for parameters in ({"BatchSize": 10001}, {"ScalingConfig": {"MaximumConcurrency": 1}}):
        given = {"FunctionName": deploy(NOTHING).name, "EventSourceArn": queue_arn, **parameters}
        boto = boto3.client("lambda", config=boto3.session.Config(parameter_validation=False))
        status, code, message = error(lambda boto=boto, given=given: boto.create_event_source_mapping(**given))
        assert (status, code) == (400, "ValidationException")
        assert message.startswith("1 validation error detected: Value ")


def test_fifo_queues_have_small_batches_and_no_window(deploy: Callable[..., Deployed], client: Any) -> None:
    arn = make_queue(".fifo", FifoQueue="true")
    name = deploy(NOTHING).name
    for parameters in ({"MaximumBatchingWindowInSeconds": 1}, {"BatchSize": 11}):
        given = {"FunctionName": name, "EventSourceArn": arn, **parameters}
        status, code, message = error(lambda given=given: client.create_event_source_mapping(**given))
        assert (status, code) == (400, "InvalidParameterValueException")
        assert "FIFO" in message


def test_a_function_that_may_run_longer_than_messages_are_hidden_is_refused(
    deploy: Callable[..., Deployed], client: Any, queue_arn: str
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    slow = deploy(NOTHING, Timeout=60)
    refused = (
        400,
        "InvalidParameterValueException",
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
    )
    assert (
        error(lambda: client.create_event_source_mapping(FunctionName=slow.name, EventSourceArn=queue_arn)) == refused
    )
    uuid = client.create_event_source_mapping(FunctionName=deploy(NOTHING).name, EventSourceArn=queue_arn)["UUID"]
    assert error(lambda: client.update_event_source_mapping(UUID=uuid, FunctionName=slow.name)) == refused


def test_the_same_mapping_twice_is_refused(
    deploy: Callable[..., Deployed], client: Any, queue_arn: str, stream_arn: str
) -> None:
    name = deploy(NOTHING).name
    uuid = client.create_event_source_mapping(FunctionName=name, EventSourceArn=queue_arn)["UUID"]
    assert error(lambda: client.create_event_source_mapping(FunctionName=name, EventSourceArn=queue_arn)) == (
        409,
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {queue_arn} ") and function (" {name} ") already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}",
    )
    given = {"FunctionName": name, "EventSourceArn": stream_arn, "StartingPosition": "LATEST"}
    uuid = client.create_event_source_mapping(**given)["UUID"]
    assert error(lambda: client.create_event_source_mapping(**given)) == (
        409,
        "ResourceConflictException",
        f'The event source arn (" {stream_arn} ") and function (" {name} ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}",
    )


def test_what_a_stream_mapping_refuses(
    deploy: Callable[..., Deployed], client: Any, stream_arn: str, table_stream_arn: str
) -> None:
    """Messages recorded from AWS by others: starting positions."""
    name = deploy(NOTHING).name

    def message(arn: str, **parameters: Any) -> str:
        given = {"FunctionName": name, "EventSourceArn": arn, **parameters}
        status, code, text = error(lambda: client.create_event_source_mapping(**given))
        assert (status, code) == (400, "InvalidParameterValueException")
        return text

    assert message(stream_arn) == (
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."
    )
    assert message(stream_arn, StartingPosition="LATEST", StartingPositionTimestamp=1) == (
        "Timestamp only valid with StartingPosition AT_TIMESTAMP"
    )
    assert message(table_stream_arn, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1) == (
        f"Unsupported starting position for arn type: {table_stream_arn}"
    )
    assert message(stream_arn, StartingPosition="LATEST", ScalingConfig={"MaximumConcurrency": 2}) == (
        "Unsupported ScalingConfig parameter for given event source mapping type."
    )
    missing = stream_arn + "-not"
    assert message(missing, StartingPosition="LATEST") == f"Stream not found: {missing}"
    stale = table_stream_arn[:-4] + "9999"
    assert message(stale, StartingPosition="LATEST") == f"Stream not found: {stale}"


def test_counts_of_events_are_metrics_when_asked_for(
    local_aws: Cloud, deploy: Callable[..., Deployed], client: Any, queue_arn: str
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue_arn.rsplit(":", maxsplit=1)[-1])["QueueUrl"]
    for body in ('{"keep": true}', '{"keep": false}', '{"keep": true}'):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    uuid = client.create_event_source_mapping(
        FunctionName=deploy(NOTHING).name,
        EventSourceArn=queue_arn,
        MetricsConfig={"Metrics": ["EventCount"]},
        FilterCriteria={"Filters": [{"Pattern": '{"body": {"keep": [true]}}'}]},
    )["UUID"]
    local_aws.clock.settle()

    def total(name: str) -> float:
        now = local_aws.clock.now()
        points = boto3.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "EventSourceMappingUUID", "Value": uuid}],
            StartTime=now - 600,
            EndTime=now + 600,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    names = ("PolledEventCount", "FilteredOutEventCount", "InvokedEventCount", "DeletedEventCount")
    assert [total(name) for name in names] == [3, 1, 2, 3]
