"""The lineage in a trace header counts how often each function of a chain has run."""

from __future__ import annotations

import pytest

from coldstart.events.lineage import lineage_of, runs_of, with_run_of

LABEL = "arn:aws:lambda:us-east-1:123456789012:function:label"
PACK = "arn:aws:lambda:us-east-1:123456789012:function:pack"
ROOT = "Root=1-6a27e6c1-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0"


def test_runs_are_counted_for_each_function() -> None:
    trace = ROOT
    for arn in (LABEL, PACK, LABEL):
        trace = with_run_of(arn, trace)
    assert (runs_of(LABEL, trace), runs_of(PACK, trace)) == (2, 1)
    assert trace.startswith(ROOT + ";Lineage=1:")


@pytest.mark.parametrize("trace", ["", ROOT, f"{ROOT};Lineage=", f"{ROOT};Lineage=1:zz", "Lineage=1:abc:many|:3"])
def test_what_tells_of_no_runs_counts_none(trace: str) -> None:
    assert runs_of(LABEL, trace) == 0
    assert lineage_of(trace) == ""


def test_a_header_with_runs_is_kept_whole() -> None:
    trace = with_run_of(LABEL, ROOT)
    assert lineage_of(trace) == trace
