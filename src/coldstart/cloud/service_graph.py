"""X-Ray's service graph: which services called which, how often, and what came of it.

https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from coldstart.cloud.trace_store import Document, Trace, all_parts, end_of, segment_type

_CLIENT = "client"


@dataclass
class _Counts:
    """The calls of a service, or from one to another."""

    times: list[float] = field(default_factory=list)
    faults: int = 0
    errors: int = 0
    throttles: int = 0
    start: float = float("inf")
    end: float = 0.0

    def add(self, segment: Document) -> None:
        end = end_of(segment)
        self.times.append(end - float(segment["start_time"]))
        self.start, self.end = min(self.start, float(segment["start_time"])), max(self.end, end)
        self.faults += bool(segment.get("fault"))
        self.throttles += bool(segment.get("throttle"))
        self.errors += bool(segment.get("error") and not segment.get("throttle"))

    def shown(self) -> dict[str, Any]:
        total = len(self.times)
        return {
            "SummaryStatistics": {
                "OkCount": total - self.faults - self.errors - self.throttles,
                "ErrorStatistics": {
                    "ThrottleCount": self.throttles,
                    "OtherCount": self.errors,
                    "TotalCount": self.errors + self.throttles,
                },
                "FaultStatistics": {"OtherCount": self.faults, "TotalCount": self.faults},
                "TotalCount": total,
                "TotalResponseTime": round(sum(self.times), 3),
            },
            "ResponseTimeHistogram": [
                {"Value": value, "Count": count}
                for value, count in sorted(Counter(round(time, 3) for time in self.times).items())
            ],
            "StartTime": self.start,
            "EndTime": self.end,
        }


_Node = tuple[str, str]
"""Name and type."""


def service_graph(traces: Iterable[Trace]) -> list[dict[str, Any]]:
    """Return the Services of a graph of these traces; whoever made a request that no segment tells of is a ``client``."""
    nodes: dict[_Node, _Counts] = {}
    edges: dict[tuple[_Node, _Node], _Counts] = {}
    roots: set[_Node] = set()
    for trace in traces:
        owners = {part["id"]: segment for segment in trace.segments for part in all_parts(segment)}
        for segment in trace.segments:
            node = (segment["name"], segment_type(segment))
            caller = owners.get(segment.get("parent_id", ""))
            if caller is None:
                roots.add(node)
                source = (segment["name"], _CLIENT)
                nodes.setdefault(source, _Counts()).add(segment)
            else:
                source = (caller["name"], segment_type(caller))
            nodes.setdefault(node, _Counts()).add(segment)
            edges.setdefault((source, node), _Counts()).add(segment)
    numbers = {node: number for number, node in enumerate(nodes)}
    services = []
    for node, counts in nodes.items():
        name, kind = node
        own = [
            {"ReferenceId": numbers[target], "Aliases": [], **edge.shown()}
            for (source, target), edge in edges.items()
            if source == node
        ]
        service: dict[str, Any] = {"ReferenceId": numbers[node], "Type": kind, "Edges": own, "State": "active"}
        service |= {"StartTime": counts.start, "EndTime": counts.end}
        if kind != _CLIENT:
            service |= {"Name": name, "Names": [name], "Root": node in roots, **counts.shown()}
            service["DurationHistogram"] = service["ResponseTimeHistogram"]
        services.append(service)
    return services
