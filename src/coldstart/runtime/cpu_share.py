"""CPU in proportion to memory: a controller that says when a function's processes may run.

AWS gives one vCPU at 1,769 MB and enforces shares in periods of 20 ms (period measured in arXiv 2506.01283; ratio:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). Here processes are stopped when they have used
up their quota of a period, and continued in the next one. The loop is closed: what they used beyond the quota, because no
timer is exact, is taken off the following periods; what they did not use is lost, as on AWS.
"""

from __future__ import annotations

MB_PER_VCPU = 1_769
PERIOD_SECONDS = 0.020
_SHORTEST_RUN_SECONDS = 0.0005


class CpuShare:
    """Decides; who uses it measures, stops and continues the processes.

    Args:
        memory_size: of the function, in MB.
    """

    def __init__(self, memory_size: int) -> None:
        self.vcpus = memory_size / MB_PER_VCPU
        """CPU seconds per second."""
        self._quota = self.vcpus * PERIOD_SECONDS
        self._left = self._quota
        self._period_ends = 0.0
        self._used = 0.0
        self._is_exhausted = False

    def begin(self, now: float, used: float) -> float:
        """Start with a full quota, when an invocation starts; return after how many seconds to call :meth:`step`.

        Args:
            now: monotonic seconds.
            used: CPU seconds that the processes have used in their life.
        """
        self._left = self._quota
        self._period_ends = now + PERIOD_SECONDS
        self._used = used
        self._is_exhausted = False
        return self._quota

    def step(self, now: float, used: float) -> tuple[bool, float]:
        """Return whether the processes may run now, and after how many seconds to ask again."""
        self._left -= used - self._used
        self._used = used
        if now >= self._period_ends:
            periods = int((now - self._period_ends) / PERIOD_SECONDS) + 1
            self._period_ends += periods * PERIOD_SECONDS
            self._left += periods * self._quota
            if not self._is_exhausted:
                self._left = min(self._left, self._quota)
        self._is_exhausted = self._left <= 0
        if self._is_exhausted:
            further_periods = int(-self._left / self._quota)
            return False, self._period_ends - now + further_periods * PERIOD_SECONDS
        return True, max(self._left, _SHORTEST_RUN_SECONDS)
