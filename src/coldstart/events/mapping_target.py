"""What an event source mapping hands its batches to, and what it tells about its work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from coldstart.runtime.execution_environment import InvocationResult

Measure = Callable[[str, float], None]
"""Takes a metric of event source mappings by AWS's name, such as ``IteratorAge`` (ms) or ``PolledEventCount``, and its value.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

OK = "OK"
NO_RECORDS = "No records processed"
FUNCTION_FAILED = "PROBLEM: Function call failed"


class Target(Protocol):
    """The function of a mapping."""

    def __call__(self, event: bytes, trace_id: str) -> InvocationResult:
        """Invoke it with a batch and wait.

        Args:
            event: JSON.
            trace_id: the X-Amzn-Trace-Id header that came with the batch; empty when none did.

        Raises:
            Exception: Lambda has not run the function, because of throttling for one; the batch is tried again.
        """
        ...
