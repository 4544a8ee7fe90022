"""The operations of Lambda's API for event source mappings, and the mappings themselves at work.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html. A mapping changes its state in the background, as
on AWS: ``Creating`` becomes ``Enabled`` as soon as the request is answered.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from coldstart.cloud.arrivals import arrivals
from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.destinations import Destinations
from coldstart.cloud.event_targets import TargetRefused
from coldstart.cloud.function_metrics import FunctionMetrics
from coldstart.cloud.mapped_functions import MappedFunctions
from coldstart.cloud.mapping_configuration import (
    Source,
    check_settings,
    check_starting_position,
    defaults,
    queue_settings,
    refused,
    source_of,
    stream_settings,
)
from coldstart.cloud.mapping_metrics import put_mapping_metric
from coldstart.cloud.pagination import take_page
from coldstart.events.queue_mapping import QueueMapping
from coldstart.events.stream_mapping import DiscardedBatch, Stream, StreamMapping
from coldstart.runtime.clock import Clock
from coldstart.runtime.execution_environment import InvocationResult
from coldstart.runtime.identifiers import Identifiers

MAX_LISTED = 100

_NOT_STORED = {"FunctionName", "Enabled", "Tags", "UUID"}
_CLEARED_WHEN_EMPTY = ("FilterCriteria", "ScalingConfig", "ProvisionedPollerConfig", "MetricsConfig")


class Runner(Protocol):
    """A mapping at work."""

    def start(self) -> None:
        """Begin, or begin again where it stopped."""
        ...

    def stop(self) -> None:
        """Begin no more batches."""
        ...

    def arrived(self) -> None:
        """Take note that there may be something to do."""
        ...


@dataclass
class EventSourceMapping:
    """A mapping as the API shows it, with what does its work."""

    region: str
    source: Source
    configuration: dict[str, Any]
    """EventSourceMappingConfiguration."""
    tags: dict[str, str]
    is_enabled: bool
    runner: Runner | None = None

    @property
    def uuid(self) -> str:
        """The mapping's name."""
        return str(self.configuration["UUID"])

    @property
    def source_arn(self) -> str:
        """The ARN of the queue or stream."""
        return str(self.configuration["EventSourceArn"])

    @property
    def listened_arn(self) -> str:
        """The ARN under which arrivals are told of: for a consumer with enhanced fan-out that of its stream."""
        return self.source_arn.partition("/consumer/")[0]

    def shown(self) -> dict[str, Any]:
        """Return what GetEventSourceMapping tells."""
        if isinstance(self.runner, StreamMapping):
            return self.configuration | {"LastProcessingResult": self.runner.last_result}
        return dict(self.configuration)


class EventSourceMappings:
    """Handles the operations; see :class:`coldstart.cloud.service_api.ServiceApi`."""

    def __init__(
        self,
        functions: MappedFunctions,
        destinations: Destinations,
        clock: Clock,
        identifiers: Identifiers,
        account_id: str,
        metrics: FunctionMetrics,
    ) -> None:
        self._functions = functions
        self._metrics = metrics
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._destinations = destinations
        self._lock = threading.RLock()
        self._mappings: dict[str, EventSourceMapping] = {}

    def create_event_source_mapping(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Make a mapping and let it begin.

        Raises:
            AwsError: the parameters do not go together, or there is no such function, queue or stream.
        """
        source = source_of(params)
        check_starting_position(source, params)
        configuration = defaults(source) | {name: value for name, value in params.items() if name not in _NOT_STORED}
        check_settings(source, params["EventSourceArn"], configuration)
        function = self._functions.find(params["FunctionName"], region)
        if function is None:
            raise refused("Function does not exist")
        self._check_source(source, params["EventSourceArn"], function.timeout)
        uuid = self._identifiers.uuid()
        configuration |= {
            "UUID": uuid,
            "EventSourceMappingArn": f"arn:aws:lambda:{region}:{self._account_id}:event-source-mapping:{uuid}",
            "FunctionArn": function.arn,
            "StateTransitionReason": "User action" if source.is_stream else "USER_INITIATED",
        }
        _drop_empty(configuration)
        mapping = EventSourceMapping(
            region, source, configuration, dict(params.get("Tags") or {}), params.get("Enabled", True)
        )
        with self._lock:
            self._check_unique(mapping, function.name)
            self._mappings[uuid] = mapping
            mapping.runner = self._runner(mapping, function.role)
            return self._transition(mapping, "Creating")

    def get_event_source_mapping(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return a mapping's configuration.

        Raises:
            AwsError: there is none (ResourceNotFoundException).
        """
        with self._lock:
            return self._find(region, params["UUID"]).shown()

    def list_event_source_mappings(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the mappings of the region, of a source, or of a function."""
        with self._lock:
            found = [mapping.shown() for mapping in self._mappings.values() if mapping.region == region]
        if arn := params.get("EventSourceArn"):
            found = [mapping for mapping in found if mapping["EventSourceArn"] == arn]
        if name := params.get("FunctionName"):
            function = self._functions.find(name, region)
            found = [mapping for mapping in found if function is not None and mapping["FunctionArn"] == function.arn]
        page, marker = take_page(found, params, lambda mapping: str(mapping["UUID"]), MAX_LISTED)
        return {"EventSourceMappings": page, "NextMarker": marker}

    def update_event_source_mapping(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Change a mapping; it goes on from where it is.

        Raises:
            AwsError: there is none, or the parameters do not go together.
        """
        with self._lock:
            mapping = self._find(region, params["UUID"])
            changes = {name: value for name, value in params.items() if name not in _NOT_STORED}
            configuration = mapping.configuration | changes
            check_settings(mapping.source, mapping.source_arn, defaults(mapping.source) | _settings(configuration))
            if "FunctionName" in params:
                function = self._functions.find(params["FunctionName"], region)
                if function is None:
                    raise refused("Function does not exist")
                configuration["FunctionArn"] = function.arn
                self._check_source(mapping.source, mapping.source_arn, function.timeout)
            _drop_empty(configuration)
            mapping.configuration = configuration
            was_enabled, mapping.is_enabled = mapping.is_enabled, params.get("Enabled", mapping.is_enabled)
            self._configure(mapping)
            if was_enabled == mapping.is_enabled:
                return self._transition(mapping, "Updating")
            return self._transition(mapping, "Enabling" if mapping.is_enabled else "Disabling")

    def delete_event_source_mapping(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Stop a mapping and forget it.

        Raises:
            AwsError: there is none (ResourceNotFoundException).
        """
        with self._lock:
            mapping = self._find(region, params["UUID"])
            mapping.is_enabled = False
            return self._transition(mapping, "Deleting")

    def tags_of(self, arn: str) -> dict[str, str] | None:
        """Return the tags of the mapping with this ARN, to be changed in place; None when it is no mapping's.

        Raises:
            AwsError: it is the ARN of a mapping that is not there (ResourceNotFoundException).
        """
        parts = arn.split(":")
        if len(parts) != 7 or parts[5] != "event-source-mapping":
            return None
        with self._lock:
            return self._find(parts[3], parts[6]).tags

    def forget(self, region: str) -> None:
        """Stop and forget the mappings of a region."""
        with self._lock:
            gone = [mapping for mapping in self._mappings.values() if mapping.region == region]
            for mapping in gone:
                del self._mappings[mapping.uuid]
        for mapping in gone:
            self._stop(mapping)

    def stop(self) -> None:
        """Stop and forget every mapping."""
        for region in {mapping.region for mapping in self._mappings.values()}:
            self.forget(region)

    def _find(self, region: str, uuid: str) -> EventSourceMapping:
        mapping = self._mappings.get(uuid)
        if mapping is None or mapping.region != region:
            raise AwsError(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        return mapping

    def _check_unique(self, mapping: EventSourceMapping, function_name: str) -> None:
        for other in self._mappings.values():
            if other.source_arn != mapping.source_arn:
                continue
            if other.configuration["FunctionArn"] != mapping.configuration["FunctionArn"]:
                continue
            which = f'(" {mapping.source_arn} ") and function (" {function_name} ")'
            raise AwsError(
                409,
                "ResourceConflictException",
                (
                    f"The event source arn {which} provided mapping already exists. "
                    if mapping.source.is_stream
                    else f"An event source mapping with SQS arn {which} already exists. "
                )
                + f"Please update or delete the existing mapping with UUID {other.uuid}",
            )

    def _check_source(self, source: Source, arn: str, function_timeout: int) -> None:
        from coldstart.cloud.queue_source import find_queue
        from coldstart.cloud.stream_sources import find_kinesis_stream, find_table

        if source is Source.KINESIS and find_kinesis_stream(arn) is None:
            raise refused(f"Stream not found: {arn}")
        if source is Source.DYNAMODB and find_table(arn) is None:
            raise refused(f"Stream not found: {arn}")
        if source is not Source.QUEUE:
            return
        queue = find_queue(arn)
        if queue is None:
            raise refused(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            )
        visibility_timeout: int = queue.visibility_timeout  # type: ignore[attr-defined]
        if visibility_timeout < function_timeout:
            raise refused(
                f"Queue visibility timeout: {visibility_timeout} seconds is less than Function timeout: "
                f"{function_timeout} seconds"
            )

    def _runner(self, mapping: EventSourceMapping, role_arn: str) -> Runner:
        from coldstart.cloud.queue_source import QueueSource
        from coldstart.cloud.stream_sources import DynamoDbSource, KinesisSource

        def target(event: bytes, trace_id: str) -> InvocationResult:
            arn = mapping.configuration["FunctionArn"]
            return self._functions.invoke(arn, event, region=mapping.region, trace_id=trace_id)

        def measure(name: str, value: float) -> None:
            put_mapping_metric(self._metrics, mapping.region, mapping.configuration, name, value)

        configuration = mapping.configuration
        if mapping.source is Source.QUEUE:
            settings = queue_settings(configuration)
            return QueueMapping(QueueSource(mapping.source_arn), target, self._clock, settings, measure)
        stream: Stream
        if mapping.source is Source.KINESIS:
            stream = KinesisSource(mapping.source_arn, role_arn)
        else:
            stream = DynamoDbSource(mapping.source_arn)

        def discard(batch: DiscardedBatch) -> None:
            destination = mapping.configuration["DestinationConfig"].get("OnFailure", {}).get("Destination")
            if destination and self._tell(destination, batch, stream, mapping):
                measure("OnFailureDestinationDeliveredEventCount", len(batch.records))

        return StreamMapping(
            stream,
            target,
            self._clock,
            stream_settings(mapping.source, configuration),
            position=configuration["StartingPosition"],
            timestamp=configuration.get("StartingPositionTimestamp", 0.0),
            discard=discard,
            measure=measure,
        )

    def _tell(self, destination: str, batch: DiscardedBatch, stream: Stream, mapping: EventSourceMapping) -> bool:
        """Tell a queue or topic where the records of a batch are, a bucket also the records; say whether it was taken."""
        arn = mapping.configuration["FunctionArn"]
        record = batch.document(stream, arn, self._identifiers.uuid(), self._clock.now())
        if destination.startswith("arn:aws:s3:"):
            record["payload"] = batch.event.decode()
        try:
            self._destinations.send_record(destination, record, arn, folder=f"{mapping.uuid}/{batch.shard_id}")
        except TargetRefused:
            return False  # the batch is lost, as on AWS
        return True

    def _configure(self, mapping: EventSourceMapping) -> None:
        """Let a mapping at work go by its new configuration."""
        if isinstance(mapping.runner, QueueMapping):
            mapping.runner.settings = queue_settings(mapping.configuration)
        elif isinstance(mapping.runner, StreamMapping):
            mapping.runner.settings = stream_settings(mapping.source, mapping.configuration)

    def _transition(self, mapping: EventSourceMapping, state: str) -> dict[str, Any]:
        """Put the mapping into a passing state and return its configuration; it enters the lasting one in the background."""
        mapping.configuration |= {"State": state, "LastModified": self._clock.now()}

        def enter() -> None:
            with self._lock:
                if mapping.configuration["State"] != state:
                    return  # overtaken by another request
                mapping.configuration["State"] = "Enabled" if mapping.is_enabled else "Disabled"
                if state == "Deleting":
                    del self._mappings[mapping.uuid]
                (self._start if mapping.is_enabled else self._stop)(mapping)

        result = mapping.shown()
        self._clock.work(enter, f"{state.lower()} {mapping.uuid}")
        return result

    def _start(self, mapping: EventSourceMapping) -> None:
        assert mapping.runner is not None
        arrivals.forget(mapping.listened_arn, mapping.runner.arrived)
        arrivals.listen(mapping.listened_arn, mapping.runner.arrived)
        mapping.runner.start()

    def _stop(self, mapping: EventSourceMapping) -> None:
        assert mapping.runner is not None
        arrivals.forget(mapping.listened_arn, mapping.runner.arrived)
        mapping.runner.stop()


def _settings(configuration: Mapping[str, Any]) -> dict[str, Any]:
    shown_only = {
        "EventSourceMappingArn",
        "FunctionArn",
        "LastModified",
        "LastProcessingResult",
        "State",
        "StateTransitionReason",
    }
    return {name: value for name, value in configuration.items() if name not in shown_only}


def _drop_empty(configuration: dict[str, Any]) -> None:
    for name in _CLEARED_WHEN_EMPTY:
        if name in configuration and not any(configuration[name].values()):
            del configuration[name]
