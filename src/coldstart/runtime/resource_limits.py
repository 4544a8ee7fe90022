"""Keeps an execution environment to its CPU and memory while a function runs.

There is no thread for it: whoever waits for the function calls :meth:`ResourceLimits.look` when it is due. Invocations that end
before the first look pay nothing.
"""

from __future__ import annotations

import os

from coldstart.runtime.cpu_share import CpuShare
from coldstart.runtime.processes import RuntimeProcess

FIRST_LOOK_SECONDS = 0.002
"""How long an invocation runs before anything is looked at."""
LOOK_SECONDS = 0.005
"""Time between two looks at the memory; a function that allocates 2 GB a second gets 10 MB more than it has."""
REFRESH_SECONDS = 0.020
"""Time between two looks for processes that the function has started."""
MEASURE_EVERY = 16
"""Of so many invocations that end before the first look, one is measured."""
_CPUS = os.cpu_count() or 1


class ResourceLimits:
    """The limits of one runtime process and of what it starts.

    Memory: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html; a function that exceeds it is killed. The pages
    of the processes count, files in the temporary directory do not.

    Args:
        process: the environment's first process.
        memory_size: of the function, in MB.
    """

    def __init__(self, process: RuntimeProcess, memory_size: int) -> None:
        self._process = process
        self._tree = process.tree
        self._memory_size = memory_size
        self._share = CpuShare(memory_size)
        self._is_shared = False
        self._is_stopped = False
        self._used = 0.0
        self._was_looked_at = False
        self._unmeasured = MEASURE_EVERY
        self._refresh_due = 0.0
        self.next_look = 0.0
        """When to look next, in monotonic seconds."""
        self.out_of_memory = False
        """Whether the processes were killed because they held more memory than the function has."""
        self.peak_memory_mb = 0
        """The most memory that was seen, in MB."""

    def begin_init(self, now: float) -> None:
        """The processes start: they may use all of the machine's CPU, as in Lambda's INIT phase."""
        self._begin(now, is_shared=False)

    def begin_invocation(self, now: float) -> None:
        """An invocation starts: CPU comes in proportion to memory, one period's quota at once."""
        self._begin(now, self._share.vcpus < _CPUS)

    def look(self, now: float) -> None:
        """Enforce the limits, and set :attr:`next_look`."""
        self._was_looked_at = True
        if now >= self._refresh_due:
            self._tree.refresh()
            self._refresh_due = now + REFRESH_SECONDS
        used = self._tree.cpu_seconds()
        if used > self._used:  # what does not run does not allocate
            self._used = used
            self._check_memory()
        may_run, seconds = self._share.step(now, used) if self._is_shared else (True, LOOK_SECONDS)
        if not may_run and not self._is_stopped:
            self._tree.refresh()  # what was started since the last look has to be stopped too
            self._tree.freeze()
        elif may_run and self._is_stopped:
            self._tree.thaw()
        self._is_stopped = not may_run
        self.next_look = now + (min(seconds, LOOK_SECONDS) if may_run else seconds)

    def measure_peak(self) -> None:
        """Bring :attr:`peak_memory_mb` and :attr:`out_of_memory` up to date when the processes have stopped working.

        A peak between two looks counts too. After invocations that were too short for a look it is measured now and then.
        """
        self._unmeasured += 1
        if self._was_looked_at or self._unmeasured >= MEASURE_EVERY:
            self._unmeasured = 0
            self._tree.refresh()
            self.peak_memory_mb = max(self.peak_memory_mb, self._tree.peak_memory_mb())
            self.out_of_memory = self.out_of_memory or self.peak_memory_mb > self._memory_size

    def _begin(self, now: float, is_shared: bool) -> None:
        self._is_shared = is_shared
        self._is_stopped = self._was_looked_at = False
        self._used = self._tree.cpu_seconds()
        self._refresh_due = now + REFRESH_SECONDS
        self.next_look = now + min(self._share.begin(now, self._used), FIRST_LOOK_SECONDS)

    def _check_memory(self) -> None:
        held = self._tree.memory_mb()
        if held > self._memory_size and self._tree.has_others:
            held = self._tree.memory_counted_once_mb()
        self.peak_memory_mb = max(self.peak_memory_mb, -int(-held // 1))
        if held > self._memory_size:
            self.out_of_memory = True
            self._process.kill()
