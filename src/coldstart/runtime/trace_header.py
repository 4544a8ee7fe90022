"""The header ``X-Amzn-Trace-Id``: which trace a request belongs to, what made it, and whether the trace is recorded.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader.
"""

from __future__ import annotations

from typing import NamedTuple


class TraceHeader(NamedTuple):
    """What a header says; empty what it does not say."""

    root: str = ""
    """The trace's id, such as ``1-5759e988-bd862e3fe1be46a994272793``."""
    parent: str = ""
    """The segment that the request was made in."""
    sampled: str = ""
    """``1`` or ``0``; empty, or ``?``, when nobody has decided yet."""

    @property
    def is_sampled(self) -> bool:
        """Whether the trace is recorded."""
        return self.sampled == "1"

    @property
    def is_decided(self) -> bool:
        """Whether somebody has decided about that."""
        return self.sampled in ("0", "1")

    def __str__(self) -> str:
        named = {"Root": self.root, "Parent": self.parent, "Sampled": self.sampled}
        return ";".join(f"{name}={value}" for name, value in named.items() if value)


def trace_header(text: str) -> TraceHeader:
    """Read a header; what it says of other things (``Self``, ``Lineage``) is passed over."""
    fields = {}
    for field in text.split(";"):
        name, _, value = field.strip().partition("=")
        fields[name] = value
    return TraceHeader(fields.get("Root", ""), fields.get("Parent", ""), fields.get("Sampled", ""))
