"""Where an event source mapping tells of the batches that it has given up.

A queue and a topic get where the records are, a bucket also the records themselves:
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from coldstart.events.stream_mapping import DiscardedBatch, Stream, iso_time
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers


class FailureDestination:
    """Sends the records about discarded batches. A destination that is not there loses them, as on AWS."""

    def __init__(self, clock: Clock, identifiers: Identifiers, account_id: str) -> None:
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id

    def send(self, arn: str, batch: DiscardedBatch, stream: Stream, function_arn: str, mapping_uuid: str) -> None:
        """Tell a queue, topic or bucket of a batch."""
        now = self._clock.now()
        document = batch.document(stream, function_arn, self._identifiers.uuid(), now)
        service, region = arn.split(":")[2:4]
        with contextlib.suppress(ServiceException):
            if service == "sqs":
                sqs_backends[self._account_id][region].send_message(arn.rpartition(":")[2], json.dumps(document))
            elif service == "sns":
                sns_backends[self._account_id][region].publish(message=json.dumps(document), arn=arn)
            elif service == "s3":
                self._put_object(arn, document | {"payload": batch.event.decode()}, batch.shard_id, mapping_uuid)

    def _put_object(self, arn: str, document: dict[str, Any], shard_id: str, mapping_uuid: str) -> None:
        time = iso_time(self._clock.now()).removesuffix("Z").replace(":", ".")
        day = time[:10].replace("-", "/")
        key = f"aws/lambda/{mapping_uuid}/{shard_id}/{day}/{time}-{self._identifiers.uuid()}"
        s3_backends[self._account_id]["aws"].put_object(arn.rpartition(":")[2], key, json.dumps(document).encode())
