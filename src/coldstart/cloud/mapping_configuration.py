"""What an event source mapping may be configured to do, and what AWS says to the rest.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html. The limits of single numbers are in the service
model and checked before; here is what depends on the kind of source.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.events.event_filter import EventPattern, InvalidEventPattern, RecordFilter
from coldstart.events.queue_mapping import DEFAULT_CONCURRENCY, QueueMappingSettings
from coldstart.events.stream_mapping import StreamMappingSettings

MAX_FILTERS = 5
"""Filters of a mapping; AWS raises it to 10 on request."""
MAX_FIFO_BATCH = 10
CONCURRENCY_OF_A_POLLER = 10
"""Invocations at a time of one provisioned poller."""
REPORT_BATCH_ITEM_FAILURES = "ReportBatchItemFailures"

_FOR_ALL = {
    "BatchSize",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KMSKeyArn",
    "MaximumBatchingWindowInSeconds",
    "MetricsConfig",
}
_FOR_QUEUES = _FOR_ALL | {"ProvisionedPollerConfig", "ScalingConfig"}
_FOR_STREAMS = {
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
_NOT_SETTINGS = {"UUID", "FunctionName", "EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "Tags"}


class Source(Enum):
    """The kinds of event sources that there are here; the value is the name that AWS's error messages use."""

    QUEUE = "SQS"
    KINESIS = "Kinesis"
    DYNAMODB = "DynamoDB"

    @property
    def is_stream(self) -> bool:
        """Say whether records are read in order and stay where they are."""
        return self is not Source.QUEUE

    @property
    def payload(self) -> str | None:
        """The field of a record that filters look into; see :class:`RecordFilter`."""
        return {Source.QUEUE: "body", Source.KINESIS: "data"}.get(self)


def refused(message: str) -> AwsError:
    """Return the error for a parameter that AWS does not accept."""
    return AwsError(400, "InvalidParameterValueException", message)


def source_of(params: Mapping[str, Any]) -> Source:
    """Return what kind of source a new mapping reads.

    Raises:
        AwsError: none, or one that this local AWS does not have.
    """
    elsewhere = {"SelfManagedEventSource", "Topics", "Queues", "DocumentDBEventSourceConfig"} & params.keys()
    arn = params.get("EventSourceArn")
    if arn is None and not elsewhere:
        raise refused("Unrecognized event source.")
    service, _, resource = _parts(arn or "")
    if service == "sqs":
        return Source.QUEUE
    if service == "kinesis":
        return Source.KINESIS
    if service == "dynamodb":
        if "/stream/" not in resource:
            raise refused("Unrecognized event source, must be kinesis, dynamodb stream, sqs or kafka.")
        return Source.DYNAMODB
    if elsewhere or service in ("kafka", "mq", "rds"):
        raise refused(
            "The local AWS has no Apache Kafka, Amazon MQ or Amazon DocumentDB: its event source mappings read SQS queues, "
            "Kinesis streams and DynamoDB streams."
        )
    raise refused("Unrecognized event source, must be kinesis, dynamodb stream, sqs or kafka.")


def _parts(arn: str) -> tuple[str, str, str]:
    """Return service, region and resource of an ARN."""
    parts = arn.split(":", 5)
    return (parts[2], parts[3], parts[5]) if len(parts) == 6 else ("", "", "")


def defaults(source: Source) -> dict[str, Any]:
    """Return what holds when nothing is said, under the API's names."""
    common = {"MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
    if source.is_stream:
        return {**common, **_FOR_STREAMS, "BatchSize": 100}
    return {**common, "BatchSize": 10}


def check_starting_position(source: Source, params: Mapping[str, Any]) -> None:
    """Check where a new mapping begins to read.

    Raises:
        AwsError: the position does not go with the source.
    """
    position = params.get("StartingPosition")
    if not source.is_stream:
        if position is not None or "StartingPositionTimestamp" in params:
            raise refused("StartingPosition is not valid for SQS event sources.")
        return
    if position is None:
        raise refused(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if position == "AT_TIMESTAMP":
        if source is Source.DYNAMODB:
            raise refused(f"Unsupported starting position for arn type: {params['EventSourceArn']}")
        if "StartingPositionTimestamp" not in params:
            raise refused("Timestamp is required with StartingPosition AT_TIMESTAMP")
    elif "StartingPositionTimestamp" in params:
        raise refused("Timestamp only valid with StartingPosition AT_TIMESTAMP")


def check_settings(source: Source, arn: str, settings: Mapping[str, Any]) -> None:
    """Check the complete settings of a mapping.

    Raises:
        AwsError: one of them is not for this kind of source, or they do not go together.
    """
    known = _FOR_ALL | _FOR_STREAMS.keys() if source.is_stream else _FOR_QUEUES
    for name, value in settings.items():
        if name not in known and name not in _NOT_SETTINGS and value:
            raise refused(f"Unsupported {name} parameter for given event source mapping type.")
    if "OnSuccess" in settings.get("DestinationConfig", {}):
        raise refused("Unsupported DestinationConfig parameter for given event source mapping type.")
    if 0 <= settings.get("MaximumRecordAgeInSeconds", -1) < 60:
        raise refused("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.")
    _check_filters(settings.get("FilterCriteria"))
    if source is not Source.QUEUE:
        return
    batch_size, window = settings["BatchSize"], settings["MaximumBatchingWindowInSeconds"]
    if arn.endswith(".fifo"):
        if window:
            raise refused("Batching window is not supported for FIFO queues")
        if batch_size > MAX_FIFO_BATCH:
            raise refused("Batch size must not exceed 10 for FIFO queues")
    if batch_size > 10 and not window:
        raise refused("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
    if settings.get("ProvisionedPollerConfig") and settings.get("ScalingConfig"):
        raise refused(
            "Provisioned mode for SQS ESM does not support maximum concurrency feature. Use MaximumPollers as the control "
            "mechanism and remove maximum concurrency."
        )


def _check_filters(criteria: Mapping[str, Any] | None) -> None:
    filters = (criteria or {}).get("Filters") or []
    if len(filters) > MAX_FILTERS:
        raise refused(f"The number of filters must not exceed {MAX_FILTERS}.")
    for entry in filters:
        try:
            EventPattern(entry.get("Pattern") or "")
        except InvalidEventPattern:
            raise refused("Invalid filter pattern definition.") from None


def record_filter(source: Source, settings: Mapping[str, Any]) -> RecordFilter:
    """Return the filter of a mapping."""
    filters = settings.get("FilterCriteria", {}).get("Filters", [])
    return RecordFilter((entry["Pattern"] for entry in filters), source.payload)


def queue_settings(settings: Mapping[str, Any]) -> QueueMappingSettings:
    """Return how a mapping reads its queue."""
    pollers = settings.get("ProvisionedPollerConfig", {}).get("MinimumPollers", 2)
    provisioned = CONCURRENCY_OF_A_POLLER * pollers if "ProvisionedPollerConfig" in settings else DEFAULT_CONCURRENCY
    return QueueMappingSettings(
        batch_size=settings["BatchSize"],
        batching_window=settings["MaximumBatchingWindowInSeconds"],
        maximum_concurrency=settings.get("ScalingConfig", {}).get("MaximumConcurrency", provisioned),
        reports_batch_item_failures=REPORT_BATCH_ITEM_FAILURES in settings["FunctionResponseTypes"],
        record_filter=record_filter(Source.QUEUE, settings),
    )


def stream_settings(source: Source, settings: Mapping[str, Any]) -> StreamMappingSettings:
    """Return how a mapping reads its stream."""
    return StreamMappingSettings(
        batch_size=settings["BatchSize"],
        batching_window=settings["MaximumBatchingWindowInSeconds"],
        parallelization_factor=settings["ParallelizationFactor"],
        maximum_retry_attempts=settings["MaximumRetryAttempts"],
        maximum_record_age=settings["MaximumRecordAgeInSeconds"],
        bisects_batch=settings["BisectBatchOnFunctionError"],
        reports_batch_item_failures=REPORT_BATCH_ITEM_FAILURES in settings["FunctionResponseTypes"],
        tumbling_window=settings["TumblingWindowInSeconds"],
        record_filter=record_filter(source, settings),
    )
