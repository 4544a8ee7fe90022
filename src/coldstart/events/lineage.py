"""Recursion detection: how often each function of a chain of requests has run, told by the trace header.

Lambda adds ``Lineage=1:<function>:<count>`` to ``X-Amzn-Trace-Id``; SDKs send the header on with every request that a handler
makes, and SQS, SNS, S3 and Lambda itself hand it to the next function. Other services drop it, so loops through them are not
seen. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

MOST_RUNS = 16
"""After about so many invocations in one chain Lambda stops the loop."""


def runs_of(function_arn: str, trace_id: str) -> int:
    """Return how often a function (ARN without a qualifier) has run in the chain that a trace header tells of."""
    return _counts(trace_id).get(_digest(function_arn), 0)


def with_run_of(function_arn: str, trace_id: str) -> str:
    """Return the trace header with one more run of the function."""
    counts = _counts(trace_id)
    digest = _digest(function_arn)
    counts[digest] = counts.get(digest, 0) + 1
    lineage = "|".join(f"{name}:{count}" for name, count in counts.items())
    fields = [field for field in trace_id.split(";") if field and not field.startswith("Lineage=")]
    return ";".join([*fields, f"Lineage=1:{lineage}"])


def lineage_of(trace_id: str) -> str:
    """Return the header when it tells of functions that have run, else an empty text: what a service keeps with a message."""
    return trace_id if _counts(trace_id) else ""


def without_lineage(trace_id: str) -> str:
    """Return the header as a service hands it on that takes no part in the detection."""
    return ";".join(field for field in trace_id.split(";") if not field.strip().startswith("Lineage="))


@lru_cache(maxsize=1024)
def _digest(function_arn: str) -> str:
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]


def _counts(trace_id: str) -> dict[str, int]:
    """Runs by digest of the function; a lineage that cannot be read is an empty one."""
    if "Lineage=" not in trace_id:
        return {}
    for field in trace_id.split(";"):
        name, _, value = field.strip().partition("=")
        if name == "Lineage":
            entries = [entry.rpartition(":") for entry in value.partition(":")[2].split("|")]
            return {name: int(count) for name, _, count in entries if name and count.isdecimal()}
    return {}
