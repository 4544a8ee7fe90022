"""S3 takes filter names in any case and empty filters, and shows that EventBridge is on; moto 5.2.5 answers HTTP 500, or nothing.

Corrects ``moto/s3/responses.py``: ``_notification_config_from_body`` asserts that names are in lower case and values not
empty, ``get_bucket_notification`` leaves EventBridgeConfiguration out.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_FilterRule.html.
"""

from __future__ import annotations

from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict  # type: ignore[import-untyped]
from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidNotificationARN, MalformedXML
from moto.s3.responses import S3Response

_SERVICES = {"Topic": "sns", "Queue": "sqs", "CloudFunction": "lambda"}


def apply() -> None:
    """Replace moto's reading and showing of notification configurations."""
    S3Response._notification_config_from_body = _configuration  # type: ignore[method-assign, assignment]
    S3Response.get_bucket_notification = _shown  # type: ignore[method-assign, assignment]


def _configuration(response: S3Response) -> dict[str, Any]:
    try:
        document = xmltodict.parse(response.body)["NotificationConfiguration"] or {}
        result: dict[str, Any] = {}
        for kind, service in _SERVICES.items():
            given = _list(document.get(f"{kind}Configuration"))
            if given:
                result[f"{kind}Configuration"] = [_notification(item, kind, service) for item in given]
        if "EventBridgeConfiguration" in document:
            result["EventBridgeConfiguration"] = {}
        return result
    except (ExpatError, KeyError, TypeError, AttributeError):
        raise MalformedXML() from None


def _notification(item: dict[str, Any], kind: str, service: str) -> dict[str, Any]:
    if not item[kind].startswith(f"arn:aws:{service}:"):
        raise InvalidNotificationARN()
    rules = _list(((item.get("Filter") or {}).get("S3Key") or {}).get("FilterRule"))
    read = {"Id": item.get("Id"), kind: item[kind], "Event": _list(item["Event"])}
    if rules:
        filter_rules = [{"Name": _filter_name(rule), "Value": rule.get("Value") or ""} for rule in rules]
        read["Filter"] = {"S3Key": {"FilterRule": filter_rules}}
    return read


def _filter_name(rule: dict[str, Any]) -> str:
    name = str(rule["Name"]).lower()
    if name not in ("prefix", "suffix"):
        raise KeyError(name)
    return name


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _shown(response: S3Response) -> Any:
    configuration = response.backend.get_bucket_notification_configuration(response.bucket_name)
    result: dict[str, Any] = {}
    for name, arn_name, notifications in (
        ("TopicConfigurations", "TopicArn", configuration.topic if configuration else []),
        ("QueueConfigurations", "QueueArn", configuration.queue if configuration else []),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn", configuration.cloud_function if configuration else []),
    ):
        if notifications:
            result[name] = [_item(notification, arn_name) for notification in notifications]
    if configuration and configuration.event_bridge is not None:
        result["EventBridgeConfiguration"] = {}
    response.data["Action"] = "GetBucketNotificationConfiguration"
    return response.serialized(ActionResult(result))


def _item(notification: Any, arn_name: str) -> dict[str, Any]:
    shown = {"Id": notification.id, arn_name: notification.arn, "Events": notification.events}
    if notification.filters:
        rules = notification.filters["S3Key"]["FilterRule"]
        shown["Filter"] = {"Key": {"FilterRules": [{**rule, "Name": rule["Name"].capitalize()} for rule in rules]}}
    return shown
