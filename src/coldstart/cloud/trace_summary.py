"""What X-Ray says of a trace in a few words: how long it took, what failed, which services took part, its annotations.

https://docs.aws.amazon.com/xray/latest/api/API_TraceSummary.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coldstart.cloud.trace_store import Document, Trace, all_parts, end_of, segment_type


def summary(trace: Trace) -> dict[str, Any]:
    """Return the TraceSummary of a trace."""
    root = trace.root
    parts = list(parts_of(trace))
    http = http_of(root)
    named = {"HttpURL": "url", "HttpStatus": "status", "HttpMethod": "method", "UserAgent": "user_agent"}
    return {
        "Id": trace.id,
        "StartTime": trace.start,
        "Duration": round(trace.end - trace.start, 3),
        "ResponseTime": round(end_of(root) - float(root["start_time"]), 3),
        "HasFault": any(part.get("fault") for part in parts),
        "HasError": any(part.get("error") for part in parts),
        "HasThrottle": any(part.get("throttle") for part in parts),
        "IsPartial": trace.is_partial,
        "Http": {name: http[key] for name, key in named.items() if key in http}
        | ({"ClientIp": http["client_ip"]} if "client_ip" in http else {}),
        "Annotations": _annotations(trace),
        "Users": [
            {"UserName": segment["user"], "ServiceIds": [service_id(segment)]}
            for segment in trace.segments
            if segment.get("user")
        ],
        "ServiceIds": _distinct([service_id(segment) for segment in trace.segments]),
        "ResourceARNs": [
            {"ARN": arn} for arn in dict.fromkeys(filter(None, (one.get("resource_arn") for one in trace.segments)))
        ],
        "EntryPoint": service_id(root),
        "Revision": len(trace.segments),
    }


def service_id(segment: Document) -> dict[str, Any]:
    """Return the ServiceId of what made a segment."""
    identity = {"Name": segment["name"], "Names": [segment["name"]], "Type": segment_type(segment)}
    account = (segment.get("aws") or {}).get("account_id")
    return identity | ({"AccountId": account} if account else {})


def http_of(segment: Document) -> dict[str, Any]:
    """Return what a segment says of its HTTP request and response, in one mapping."""
    http = segment.get("http") or {}
    return {**(http.get("request") or {}), **(http.get("response") or {})}


def parts_of(trace: Trace) -> Iterator[Document]:
    """Return all segments and subsegments of a trace."""
    for segment in trace.segments:
        yield from all_parts(segment)


def _annotations(trace: Trace) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, dict[Any, list[dict[str, Any]]]] = {}
    for segment in trace.segments:
        for part in all_parts(segment):
            for name, value in (part.get("annotations") or {}).items():
                services = found.setdefault(name, {}).setdefault((type(value), value), [])
                if service_id(segment) not in services:
                    services.append(service_id(segment))
    return {
        name: [{"AnnotationValue": _typed(value), "ServiceIds": services} for (_, value), services in values.items()]
        for name, values in found.items()
    }


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BooleanValue": value}
    if isinstance(value, int | float):
        return {"NumberValue": float(value)}
    return {"StringValue": str(value)}


def _distinct(services: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [service for place, service in enumerate(services) if service not in services[:place]]
