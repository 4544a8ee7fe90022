"""Dead-letter queues are worked off again: StartMessageMoveTask and what belongs to it, which moto (sqs/responses.py) has not.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html. A message goes
back to the queue that it came from, or to the one that is named, and is a new message there. All move at once, so a task is completed
as soon as it has begun.
"""

# mypy: disable-error-code="attr-defined"
from __future__ import annotations

import base64
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import unix_time_millis
from moto.moto_api._internal import mock_random
from moto.sqs.exceptions import InvalidParameterValue, SQSException
from moto.sqs.models import Queue, SQSBackend
from moto.sqs.responses import SQSResponse

from coldstart.cloud.moto_patches import queue_messages

_MOST_LISTED = 10


def apply() -> None:
    """Give moto's SQS the three operations."""
    SQSResponse.start_message_move_task = _start
    SQSResponse.list_message_move_tasks = _list
    SQSResponse.cancel_message_move_task = _cancel


def _start(response: SQSResponse) -> ActionResult:
    backend, source_arn = response.sqs_backend, str(response._get_param("SourceArn"))
    destination_arn = response._get_param("DestinationArn")
    source = _queue(backend, source_arn, "SourceArn")
    if not any(queue.dead_letter_queue is source for queue in backend.queues.values()):
        raise InvalidParameterValue("Source queue must be configured as a Dead Letter Queue.")
    destination = _queue(backend, str(destination_arn), "DestinationArn") if destination_arn else None
    task: dict[str, Any] = {
        "TaskHandle": base64.b64encode(
            f'{{"taskId":"{mock_random.uuid4()}","sourceArn":"{source_arn}"}}'.encode()
        ).decode(),
        "Status": "COMPLETED",
        "SourceArn": source_arn,
        "DestinationArn": destination_arn,
        "MaxNumberOfMessagesPerSecond": response._get_param("MaxNumberOfMessagesPerSecond"),
        "ApproximateNumberOfMessagesToMove": len(queue_messages.messages_of(source)),
        "StartedTimestamp": int(unix_time_millis()),
    }
    task["ApproximateNumberOfMessagesMoved"] = queue_messages.move(
        source, lambda arn: destination or _origin(backend, arn)
    )
    _tasks(source).insert(0, task)
    return ActionResult({"TaskHandle": task["TaskHandle"]})


def _list(response: SQSResponse) -> ActionResult:
    source = _queue(response.sqs_backend, str(response._get_param("SourceArn")), "SourceArn")
    most = min(int(response._get_param("MaxResults") or 1), _MOST_LISTED)
    shown = [{name: value for name, value in task.items() if name != "TaskHandle"} for task in _tasks(source)[:most]]
    return ActionResult({"Results": shown})


def _cancel(response: SQSResponse) -> ActionResult:
    handle = response._get_param("TaskHandle")
    known = (task for queue in response.sqs_backend.queues.values() for task in _tasks(queue))
    if any(task["TaskHandle"] == handle for task in known):
        raise InvalidParameterValue("Only active tasks can be cancelled.")
    raise SQSException("ResourceNotFoundException", "Task does not exist.")


def _queue(backend: SQSBackend, arn: str, parameter: str) -> Queue:
    queue = backend.queues.get(arn.rpartition(":")[2])
    if queue is None or queue.queue_arn != arn:
        raise SQSException(
            "ResourceNotFoundException", f"The resource that you specified for the {parameter} parameter doesn't exist."
        )
    return queue


def _origin(backend: SQSBackend, arn: str) -> Queue | None:
    """Return the queue that a message came from; None when it is gone, or the message was sent here at once."""
    return backend.queues.get(arn.rpartition(":")[2]) if arn else None


def _tasks(queue: Queue) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = queue.__dict__.setdefault("_coldstart_move_tasks", [])
    return tasks
