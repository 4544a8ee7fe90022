"""Buckets tell functions, queues, topics and EventBridge about their objects.

moto calls its own ``s3/notifications.py`` for that, inside the request, with made-up records and no check of permissions.
Here the records are true, are delivered after the request, and a configuration is refused as S3 refuses it:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from flask import has_request_context
from flask import request as http_request
from moto.backends import get_backend
from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, Notification, S3Backend

from coldstart.cloud.event_targets import Delivery, EventTargets, TargetRefused
from coldstart.cloud.replacements import Replacements
from coldstart.events.s3_event import ObjectChange, Rule, eventbridge_event, record, test_event
from coldstart.runtime.clock import Clock
from coldstart.runtime.identifiers import Identifiers

PRINCIPAL = "s3.amazonaws.com"


class S3Notifications:
    """Takes the place of moto's notifications, in all buckets of one account."""

    def __init__(
        self,
        targets: EventTargets,
        send_to_event_bus: Callable[[str, dict[str, Any]], None],
        clock: Clock,
        identifiers: Identifiers,
        account_id: str,
    ) -> None:
        """Prepare.

        Args:
            send_to_event_bus: takes a region and an event for its default event bus.
        """
        self._targets = targets
        self._send_to_event_bus = send_to_event_bus
        self._clock = clock
        self._identifiers = identifiers
        self._account_id = account_id
        self._lock = threading.Lock()
        self._last_sequence = 0

    def attach(self, moto: Replacements) -> None:
        """Take over from moto."""
        completing = ContextVar("completing", default=False)

        def send_event(account_id: str, event_name: str, bucket: FakeBucket, key: Any) -> None:
            name = str(getattr(event_name, "value", event_name)).removeprefix("s3:")
            if name.startswith("ObjectRemoved:"):
                return  # moto tells of some removals only
            if completing.get() and name != "ObjectCreated:CompleteMultipartUpload":
                return  # moto puts and tags an object to complete an upload
            if name == "ObjectTagging:Put" and "tagging" not in http_request.args:
                return  # moto tags whatever is put
            self._changed(bucket, name, key)

        def delete_object(
            backend: S3Backend, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
        ) -> Any:
            bucket = backend.get_bucket(bucket_name)
            existed = key_name in bucket.keys
            done, metadata = delete(backend, bucket_name, key_name, version_id=version_id, bypass=bypass)
            if done and existed:
                self._removed(bucket, key_name, version_id, metadata)
            return done, metadata

        def complete_multipart_upload(backend: S3Backend, *arguments: Any, **named: Any) -> Any:
            token = completing.set(True)
            try:
                return complete(backend, *arguments, **named)
            finally:
                completing.reset(token)

        def set_notification_configuration(bucket: FakeBucket, configuration: Any) -> None:
            previous = bucket.notification_configuration
            configure(bucket, configuration)
            try:
                self._check(bucket)
            except S3ClientError:
                bucket.notification_configuration = previous
                raise
            self._greet(bucket)

        moto.put(notifications, "send_event", send_event)
        moto.put(notifications, "send_test_event", lambda account_id, bucket: None)  # sent after the check
        delete = moto.put(S3Backend, "delete_object", delete_object)
        complete = moto.put(S3Backend, "complete_multipart_upload", complete_multipart_upload)
        configure = moto.put(FakeBucket, "set_notification_configuration", set_notification_configuration)

    def _removed(self, bucket: FakeBucket, key: str, version_id: str | None, metadata: dict[str, Any]) -> None:
        if bucket.is_versioned and version_id is None:
            self._tell(bucket, "ObjectRemoved:DeleteMarkerCreated", key, version_id=metadata["version-id"])
        else:
            self._tell(bucket, "ObjectRemoved:Delete", key, version_id=version_id)

    def _changed(self, bucket: FakeBucket, name: str, key: Any) -> None:
        version_id = str(key.version_id) if bucket.is_versioned else None
        self._tell(bucket, name, key.name, size=key.size, etag=key.etag.strip('"'), version_id=version_id)

    def _tell(
        self,
        bucket: FakeBucket,
        name: str,
        key: str,
        *,
        size: int | None = None,
        etag: str | None = None,
        version_id: str | None = None,
    ) -> None:
        configuration = bucket.notification_configuration
        if configuration is None:
            return
        principal_id, source_ip, trace_id = _caller(self._account_id)
        change = ObjectChange(
            name=name,
            bucket=bucket.name,
            region=bucket.region_name,
            key=key,
            seconds=self._clock.now(),
            sequencer=self._sequencer(),
            size=size,
            etag=etag,
            version_id=version_id,
            principal_id=principal_id,
            source_ip=source_ip,
            request_id=self._identifiers.hex(16).upper(),
            host_id=self._identifiers.hex(64),
        )
        for notification in _notifications(bucket):
            if _rule(notification).matches(change):
                body = json.dumps({"Records": [record(change, notification.id, self._account_id)]})
                self._deliver(bucket, notification.arn, body, trace_id)
        if configuration.event_bridge is not None:
            event = eventbridge_event(change, self._identifiers.uuid(), self._account_id)
            self._send_to_event_bus(bucket.region_name, event)

    def _deliver(self, bucket: FakeBucket, arn: str, body: str, trace_id: str = "", subject: str | None = None) -> None:
        parameters = {"Subject": subject or "Amazon S3 Notification"} if ":sns:" in arn else {}
        delivery = Delivery(arn, body, PRINCIPAL, bucket.arn, parameters, trace_id)

        def send() -> None:
            with contextlib.suppress(TargetRefused):  # there is no dead-letter queue: what cannot be delivered is lost
                self._targets.send(delivery)

        self._clock.work(send, f"notification of {bucket.name}")

    def _sequencer(self) -> str:
        with self._lock:
            self._last_sequence = max(self._last_sequence + 1, int(self._clock.now() * 1_000_000))
            return f"{self._last_sequence:018X}"

    def _check(self, bucket: FakeBucket) -> None:
        """Refuse what S3 refuses.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html.
        """
        notifications = list(_notifications(bucket))
        for name in ("prefix", "suffix"):
            if any(_rule_names(notification).count(name) > 1 for notification in notifications):
                raise S3ClientError("InvalidArgument", f"Cannot specify more than one {name} rule in a filter.")
        rules = [_rule(notification) for notification in notifications]
        for number, rule in enumerate(rules):
            for other in rules[:number]:
                if not rule.overlaps(other):
                    continue
                if rule.prefix or rule.suffix or other.prefix or other.suffix:
                    raise S3ClientError(
                        "InvalidArgument",
                        "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the "
                        "prefixes are overlapping for the same event type.",
                    )
                raise S3ClientError(
                    "InvalidArgument",
                    "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
                )
        if has_request_context() and http_request.headers.get("x-amz-skip-destination-validation") == "true":
            return
        if not all(self._targets.is_open(notification.arn, PRINCIPAL, bucket.arn) for notification in notifications):
            raise S3ClientError("InvalidArgument", "Unable to validate the following destination configurations")

    def _greet(self, bucket: FakeBucket) -> None:
        for arn in {n.arn for n in _notifications(bucket) if ":lambda:" not in n.arn}:
            request_id, host_id = self._identifiers.hex(16).upper(), self._identifiers.hex(64)
            body = json.dumps(test_event(bucket.name, self._clock.now(), request_id, host_id))
            self._deliver(bucket, arn, body)


def _notifications(bucket: FakeBucket) -> Iterator[Notification]:
    configuration = bucket.notification_configuration
    if configuration is not None:
        yield from (*configuration.cloud_function, *configuration.queue, *configuration.topic)


def _filter_rules(notification: Notification) -> list[dict[str, str]]:
    return list(notification.filters.get("S3Key", {}).get("FilterRule", []))


def _rule_names(notification: Notification) -> list[str]:
    return [rule["Name"].lower() for rule in _filter_rules(notification)]


def _rule(notification: Notification) -> Rule:
    values = {rule["Name"].lower(): rule["Value"] for rule in _filter_rules(notification)}
    return Rule(notification.events, values.get("prefix", ""), values.get("suffix", ""))


def _caller(account_id: str) -> tuple[str, str, str]:
    """Return principal id, IP address and trace header of the request that is being answered."""
    if not has_request_context():
        return f"AWS:{account_id}", "127.0.0.1", ""
    authorization = http_request.headers.get("Authorization", "")
    access_key = authorization.partition("Credential=")[2].partition("/")[0]
    role = get_backend("sts")[account_id]["aws"].get_assumed_role_from_access_key(access_key)
    principal_id = f"AWS:{role.user_id if role else account_id}"
    return principal_id, http_request.remote_addr or "127.0.0.1", http_request.headers.get("X-Amzn-Trace-Id", "")
