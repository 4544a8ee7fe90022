"""EventBridge's envelope, and what a target makes of an event: Input, InputPath and InputTransformer.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from coldstart.events.event_time import with_milliseconds, with_seconds

_STEP = re.compile(r"""\.([\w-]+)|\[(\d+)\]|\[['"]([^'"]+)['"]\]""")
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")
_MISSING = object()


class InvalidInput(ValueError):
    """The transformed input is not what the target takes; EventBridge would not deliver it."""


def envelope(
    *,
    event_id: str,
    source: str,
    detail_type: str,
    account: str,
    seconds: float,
    region: str,
    detail: Mapping[str, Any],
    resources: Iterable[str] = (),
) -> dict[str, Any]:
    """Return an event as rules see it; `seconds` is its time since the epoch."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": with_seconds(seconds),
        "region": region,
        "resources": list(resources),
        "detail": dict(detail),
    }


def scheduled_event(*, event_id: str, account: str, seconds: float, region: str, rule_arn: str) -> dict[str, Any]:
    """Return the event that a rule with a schedule makes when it is due."""
    return envelope(
        event_id=event_id,
        source="aws.events",
        detail_type="Scheduled Event",
        account=account,
        seconds=seconds,
        region=region,
        detail={},
        resources=[rule_arn],
    )


def is_path(path: str) -> bool:
    """Say whether a text is a JSON path such as EventBridge takes: ``$.detail.items[0]``."""
    return path.startswith("$") and re.fullmatch(rf"(?:{_STEP.pattern})*", path[1:]) is not None


def at_path(event: Any, path: str) -> Any:
    """Return the part of an event that a JSON path points to; None when it has none."""
    found = _at(event, path)
    return None if found is _MISSING else found


def _at(event: Any, path: str) -> Any:
    found = event
    for name, index, quoted in _STEP.findall(path[1:]):
        if index:
            if not isinstance(found, list) or int(index) >= len(found):
                return _MISSING
            found = found[int(index)]
        else:
            if not isinstance(found, dict) or (name or quoted) not in found:
                return _MISSING
            found = found[name or quoted]
    return found


def target_input(
    event: Mapping[str, Any], target: Mapping[str, Any], *, rule_arn: str, rule_name: str, ingestion_seconds: float
) -> str:
    """Return the text that a rule's target gets for an event: JSON, but for a template that is no JSON object.

    Raises:
        InvalidInput: the template with the event's values in it is not valid JSON.
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = _at(event, target["InputPath"])
        if found is _MISSING:
            raise InvalidInput(f"The event has nothing at {target['InputPath']}")
        return json.dumps(found)
    if transformer := target.get("InputTransformer"):
        variables = {
            "aws.events.rule-arn": rule_arn,
            "aws.events.rule-name": rule_name,
            "aws.events.event.ingestion-time": with_milliseconds(ingestion_seconds),
            "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
            "aws.events.event.json": event,
        }
        for name, path in transformer.get("InputPathsMap", {}).items():
            variables[name] = _at(event, path)
        return transformed(transformer["InputTemplate"], variables)
    return json.dumps(event)


def transformed(template: str, variables: Mapping[str, Any]) -> str:
    """Return a template with its ``<variables>`` filled in; one without a value leaves nothing behind.

    Raises:
        InvalidInput: a template that is a JSON object is not one any more.
    """
    template = template.strip()
    is_object = template.startswith("{")

    def value_of(match: re.Match[str]) -> str:
        value = variables.get(match[1], _MISSING)
        if value is _MISSING:
            return ""
        if not is_object or _is_inside_string(template, match.start()):
            text = value if isinstance(value, str) else json.dumps(value)
            return json.dumps(text)[1:-1] if is_object or template.startswith('"') else text
        return json.dumps(value)

    filled = _PLACEHOLDER.sub(value_of, template)
    if not is_object and not template.startswith('"'):
        return filled
    try:
        document = json.loads(filled, strict=False)
    except ValueError as error:
        raise InvalidInput(f"Input template is not valid JSON: {error}") from None
    return document if isinstance(document, str) else json.dumps(document)


def _is_inside_string(text: str, position: int) -> bool:
    """Say whether a place in a JSON text lies between the quotation marks of a string."""
    return len(re.findall(r'(?<!\\)(?:\\\\)*"', text[:position])) % 2 == 1
