"""X-Ray's API: segments in, traces, summaries and graphs out.

moto 5.2.5 (``moto/xray/models.py``) keeps segments, but knows no filter, no annotation, no response time and no graph.
https://docs.aws.amazon.com/xray/latest/api/Welcome.html.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from coldstart.cloud import otlp_spans
from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.pagination import take_page
from coldstart.cloud.service_graph import service_graph
from coldstart.cloud.trace_filter import InvalidFilter, trace_filter
from coldstart.cloud.trace_store import Document, InvalidSegment, TraceStore
from coldstart.cloud.trace_summary import summary
from coldstart.runtime.clock import Clock

MOST_HOURS = 24
"""Between the two times of a question."""
_MOST_TRACES = 5
"""Of one BatchGetTraces."""
_DEFAULT_RULE = "Default"
_FIXED_RATE = 0.05
_TARGET_SECONDS = 10


class TraceApi:
    """The operations of X-Ray that the course uses."""

    def __init__(self, clock: Clock, account_id: str) -> None:
        self._clock = clock
        self._account_id = account_id
        self._stores: dict[str, TraceStore] = defaultdict(TraceStore)
        self.before_read: Callable[[], None] = lambda: None
        """Called before an answer is made: takes in what is on its way."""

    def put(self, region: str, document: Document) -> None:
        """Take in a segment of the cloud's own."""
        self._stores[region].put(document)

    def put_text(self, region: str, text: str) -> None:
        """Take in what a daemon got: a segment document or spans. What cannot be read is lost, as with AWS's daemon.

        Functions live in the machine's time; what they tell is moved to the cloud's.
        """
        ahead = self._clock.ahead
        if text.startswith(otlp_spans.SAMPLED):
            for document in otlp_spans.segments(text.removeprefix(otlp_spans.SAMPLED)):
                self._stores[region].put(document, ahead)
            return
        with contextlib.suppress(InvalidSegment):
            self._stores[region].put_text(text, ahead)

    def empty_region(self, region: str) -> None:
        """Forget a region's traces."""
        self._stores[region].clear()

    def put_trace_segments(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Take in segment documents; those that are none are named."""
        refused = []
        for text in params["TraceSegmentDocuments"]:
            try:
                self._stores[region].put_text(text)
            except InvalidSegment as error:
                refused.append({"Id": error.segment_id or None, "ErrorCode": error.code, "Message": str(error)})
        return {"UnprocessedTraceSegments": refused}

    def put_telemetry_records(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Take in what a daemon says of itself; nobody asks for it."""
        return {}

    def get_sampling_rules(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the one rule that every account has."""
        anything = dict.fromkeys(("ResourceARN", "ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath"), "*")
        rule = {
            "RuleName": _DEFAULT_RULE,
            "RuleARN": f"arn:aws:xray:{region}:{self._account_id}:sampling-rule/{_DEFAULT_RULE}",
            "Priority": 10_000,
            "FixedRate": _FIXED_RATE,
            "ReservoirSize": 1,
            "Version": 1,
            "Attributes": {},
            **anything,
        }
        return {"SamplingRuleRecords": [{"SamplingRule": rule, "CreatedAt": 0, "ModifiedAt": 0}]}

    def get_sampling_targets(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Tell those who sample by that rule how much they may."""
        now = self._clock.now()
        targets = [
            {
                "RuleName": document["RuleName"],
                "FixedRate": _FIXED_RATE,
                "ReservoirQuota": 1,
                "ReservoirQuotaTTL": now + _TARGET_SECONDS,
                "Interval": _TARGET_SECONDS,
            }
            for document in params["SamplingStatisticsDocuments"]
        ]
        return {"SamplingTargetDocuments": targets, "LastRuleModification": 0, "UnprocessedStatistics": []}

    def get_trace_summaries(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return a summary of each trace that began in a time and that the filter expression means."""
        self.before_read()
        start, end = _times(params)
        try:
            is_meant = trace_filter(params["FilterExpression"]) if params.get("FilterExpression") else None
        except InvalidFilter as error:
            raise _invalid(str(error)) from None
        traces = self._stores[region].between(start, end)
        found = [summary(trace) for trace in traces if is_meant is None or is_meant(trace)]
        page, token = take_page(found, {"Marker": params.get("NextToken")}, lambda one: str(one["Id"]), most=100)
        return {
            "TraceSummaries": page,
            "ApproximateTime": self._clock.now(),
            "TracesProcessedCount": len(traces),
            "NextToken": token,
        }

    def batch_get_traces(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return traces with their segments."""
        self.before_read()
        wanted = params["TraceIds"]
        if len(wanted) > _MOST_TRACES:
            raise _invalid(f"At most {_MOST_TRACES} trace IDs can be asked for at once; there are {len(wanted)}.")
        found = {trace_id: self._stores[region].find(trace_id) for trace_id in wanted}
        return {
            "Traces": [
                {
                    "Id": trace_id,
                    "Duration": round(trace.end - trace.start, 3),
                    "LimitExceeded": False,
                    "Segments": [{"Id": segment["id"], "Document": json.dumps(segment)} for segment in trace.segments],
                }
                for trace_id, trace in found.items()
                if trace is not None
            ],
            "UnprocessedTraceIds": [trace_id for trace_id, trace in found.items() if trace is None],
        }

    def get_service_graph(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the graph of all traces that began in a time."""
        self.before_read()
        start, end = _times(params)
        services = service_graph(self._stores[region].between(start, end))
        return {"StartTime": start, "EndTime": end, "Services": services, "ContainsOldGroupVersions": False}

    def get_trace_graph(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the graph of some traces."""
        self.before_read()
        found = [self._stores[region].find(trace_id) for trace_id in params["TraceIds"]]
        return {"Services": service_graph(trace for trace in found if trace is not None)}


def _times(params: dict[str, Any]) -> tuple[float, float]:
    start, end = float(params["StartTime"]), float(params["EndTime"])
    if start > end:
        raise _invalid("Start time must be before end time")
    if end - start > MOST_HOURS * 3600:
        raise _invalid(f"Time range cannot be longer than {MOST_HOURS} hours")
    return start, end


def _invalid(message: str) -> AwsError:
    return AwsError(400, "InvalidRequestException", message)
