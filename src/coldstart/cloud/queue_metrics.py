"""The metrics of SQS queues that alarms on a backlog or on a dead-letter queue watch.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html. Queues are looked at when
somebody asks for metrics, alarms do so every minute: what is found is the value of the minute that is just over. A queue has metrics
while it holds messages, and for six hours after something arrived.
"""

from __future__ import annotations

from moto.sqs.models import Queue, sqs_backends

from coldstart.cloud.arrivals import arrivals
from coldstart.cloud.metric_store import MetricStores, metric
from coldstart.cloud.moto_patches.queue_messages import messages_of
from coldstart.runtime.clock import Clock

NAMESPACE = "AWS/SQS"
_ACTIVE_SECONDS = 6 * 3600
_JUST_BEFORE = 1.0
"""Seconds: what is found at a full minute is of the one before."""


class QueueMetrics:
    """Looks at the queues of one account."""

    def __init__(self, stores: MetricStores, clock: Clock, account_id: str) -> None:
        self._stores = stores
        self._clock = clock
        self._account_id = account_id
        self._seen: dict[str, tuple[int, dict[str, float]]] = {}
        self._active: dict[str, float] = {}
        stores.add_source(self._look)
        arrivals.told_of_all = self._arrived

    def stop(self) -> None:
        """Hear of arrivals no more."""
        arrivals.told_of_all = lambda arn: None

    def _arrived(self, arn: str) -> None:
        if ":sqs:" in arn:
            self._active[arn] = self._clock.now()
            self._stores.changed(arn.split(":")[3])

    def _look(self, region: str) -> None:
        now = self._clock.now()
        seconds = now - _JUST_BEFORE
        store = self._stores.write(region)
        for queue in list(sqs_backends[self._account_id][region].queues.values()):
            since = now - self._active.setdefault(queue.queue_arn, now)
            found = int(seconds // 60), _figures(queue, now)
            if self._seen.get(queue.queue_arn) == found or (since > _ACTIVE_SECONDS and not len(messages_of(queue))):
                continue
            self._seen[queue.queue_arn] = found
            for name, value in found[1].items():
                unit = "Seconds" if name == "ApproximateAgeOfOldestMessage" else "Count"
                store.add(metric(NAMESPACE, name, {"QueueName": queue.name}), seconds, [(value, 1)], unit)


def _figures(queue: Queue, now: float) -> dict[str, float]:
    messages = messages_of(queue)
    with messages.lock:
        visible, delayed, in_flight = messages.counts()
        oldest = min((int(message.sent_timestamp or 0) for message in messages), default=None)
    return {
        "ApproximateNumberOfMessagesVisible": visible,
        "ApproximateNumberOfMessagesDelayed": delayed,
        "ApproximateNumberOfMessagesNotVisible": in_flight,
        "ApproximateAgeOfOldestMessage": 0 if oldest is None else max(0, int(now - oldest / 1000)),
    }
