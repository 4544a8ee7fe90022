"""What S3 tells about objects: the record that a function gets, the EventBridge event, and which keys a filter means.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from coldstart.events.event_time import with_milliseconds, with_seconds

_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectRestore": "Object Restore Completed",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectAcl": "Object ACL Updated",
}
_DELETION_TYPES = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}
_NEWER = ("ObjectTagging", "ObjectAcl", "LifecycleExpiration", "LifecycleTransition", "IntelligentTiering")


@dataclass(frozen=True)
class ObjectChange:
    """Something that happened to an object."""

    name: str
    """As in the record, without ``s3:``: ``ObjectCreated:Put``."""
    bucket: str
    region: str
    key: str
    seconds: float
    """When, on the cloud's clock."""
    sequencer: str
    """Hexadecimal; a later change of the same key has a greater one."""
    size: int | None
    """Bytes; None for a removal."""
    etag: str | None
    version_id: str | None
    """None while the bucket is not versioned."""
    principal_id: str
    source_ip: str
    request_id: str
    host_id: str


def record(change: ObjectChange, configuration_id: str, account_id: str) -> dict[str, Any]:
    """Return the one entry of ``Records``."""
    return {
        "eventVersion": "2.3" if change.name.startswith(_NEWER) else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": change.region,
        "eventTime": with_milliseconds(change.seconds),
        "eventName": change.name,
        "userIdentity": {"principalId": change.principal_id},
        "requestParameters": {"sourceIPAddress": change.source_ip},
        "responseElements": {"x-amz-request-id": change.request_id, "x-amz-id-2": change.host_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": change.bucket,
                "ownerIdentity": {"principalId": owner_id(account_id)},
                "arn": f"arn:aws:s3:::{change.bucket}",
            },
            "object": _known(
                {
                    "key": encoded_key(change.key),
                    "size": change.size,
                    "eTag": change.etag,
                    "versionId": change.version_id,
                    "sequencer": change.sequencer,
                }
            ),
        },
    }


def eventbridge_event(change: ObjectChange, event_id: str, account_id: str) -> dict[str, Any]:
    """Return the event that a bucket with EventBridge turned on sends to the default event bus."""
    kind = change.name.partition(":")[0]
    detail = {
        "version": "0",
        "bucket": {"name": change.bucket},
        "object": _known(
            {
                "key": change.key,  # not URL-encoded here
                "size": change.size,
                "etag": change.etag,
                "version-id": change.version_id,
                "sequencer": change.sequencer,
            }
        ),
        "request-id": change.request_id,
        "requester": account_id,
        "source-ip-address": change.source_ip,
    }
    if change.name in _REASONS:
        detail["reason"] = _REASONS[change.name]
    if change.name in _DELETION_TYPES:
        detail["deletion-type"] = _DELETION_TYPES[change.name]
    return {
        "version": "0",
        "id": event_id,
        "detail-type": _DETAIL_TYPES.get(change.name) or _DETAIL_TYPES.get(kind) or kind,
        "source": "aws.s3",
        "account": account_id,
        "time": with_seconds(change.seconds),
        "region": change.region,
        "resources": [f"arn:aws:s3:::{change.bucket}"],
        "detail": detail,
    }


def test_event(bucket: str, seconds: float, request_id: str, host_id: str) -> dict[str, Any]:
    """Return what a queue or topic gets when a bucket is told to notify it."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": with_milliseconds(seconds),
        "Bucket": bucket,
        "RequestId": request_id,
        "HostId": host_id,
    }


def _known(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def encoded_key(key: str) -> str:
    """Return a key as the record has it: ``a/b c+d`` is ``a/b+c%2Bd``."""
    return quote_plus(key, safe="/")


def owner_id(account_id: str) -> str:
    """Return the principal id that stands for a bucket's owner."""
    return "A" + hashlib.sha256(account_id.encode()).hexdigest()[:13].upper()


# --- which changes a configuration is about


@dataclass(frozen=True)
class Rule:
    """One configuration of a bucket's notifications."""

    events: Sequence[str]
    """As configured: ``s3:ObjectCreated:*``."""
    prefix: str = ""
    suffix: str = ""

    def matches(self, change: ObjectChange) -> bool:
        """Say whether this change is to be told.

        A filter's special characters may stand for themselves or be URL-encoded.
        """
        return (
            any(_covers(event, f"s3:{change.name}") for event in self.events)
            and change.key.startswith((self.prefix, unquote_plus(self.prefix)))
            and change.key.endswith((self.suffix, unquote_plus(self.suffix)))
        )

    def overlaps(self, other: Rule) -> bool:
        """Say whether S3 would not know which of two configurations to follow."""
        return (
            any(_covers(one, two) or _covers(two, one) for one in self.events for two in other.events)
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        )


def _covers(configured: str, event: str) -> bool:
    return configured == event or (configured.endswith(":*") and event.startswith(configured[:-1]))
