"""The processes of one execution environment: which there are, what CPU and memory they use, and how to stop them all.

On Linux everything is read from the kernel directly, in microseconds, because it is read while a function runs;
elsewhere psutil reads it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import psutil

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MB = 1024 * 1024


class ProcessTree:
    """A process, leader of a process group of its own, and what it has started.

    Processes that were started and left by their parent are not found any more; they are in the group unless they left
    that too.

    Args:
        pid: the first process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._companions: list[int] = []
        self._others: list[int] = []
        self._cpu_seconds: dict[int, float] = {}

    def accompany(self, pid: int) -> None:
        """Add another process that leads a group of its own, with what it starts: an extension's."""
        self._companions.append(pid)
        self.refresh()

    def refresh(self) -> None:
        """Look which processes there are now besides the first one."""
        self._others = _descendants(self.pid)
        for companion in self._companions:
            self._others += [companion, *_descendants(companion)]

    def freeze(self) -> None:
        """Stop every process; none of them gets any CPU until :meth:`thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the processes run on."""
        self._signal(signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the processes have used in their lives, those that have ended included."""
        used = self._cpu_seconds
        used[self.pid] = _cpu_seconds(self.pid, used.get(self.pid, 0.0))
        if len(used) == 1 and not self._others:
            return used[self.pid]
        for pid in self._others:
            used[pid] = _cpu_seconds(pid, used.get(pid, 0.0))
        return sum(used.values())

    def memory_mb(self) -> float:
        """Return the memory that the processes hold now, in MB of 1,024 KB; 0 when they have ended."""
        return sum(_resident_bytes(pid) for pid in (self.pid, *self._others)) / _MB

    def memory_counted_once_mb(self) -> float:
        """Return the same with shared pages counted once, as the kernel's own limits do; slow (about 1 ms a process)."""
        return sum(_proportional_bytes(pid) for pid in (self.pid, *self._others)) / _MB

    def peak_memory_mb(self) -> int:
        """Return the most memory the first process has held so far, in MB; 0 when it cannot be told."""
        try:
            with open(f"/proc/{self.pid}/status", "rb") as status:
                text = status.read()
            start = text.index(b"VmHWM:") + 6
            return -(-int(text[start : text.index(b"kB", start)]) // 1024)
        except (OSError, ValueError):
            return 0

    def is_waiting(self) -> bool:
        """Return whether the first process's main thread waits for something; also True when that cannot be told."""
        try:
            with open(f"/proc/{self.pid}/task/{self.pid}/stat", "rb") as stat:
                return stat.read().rpartition(b") ")[2].startswith(b"S")
        except OSError:
            return True

    @property
    def has_others(self) -> bool:
        """Whether there was more than one process at the last :meth:`refresh`."""
        return bool(self._others)

    def _signal(self, number: signal.Signals) -> None:
        for leader in (self.pid, *self._companions):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(leader, number)
        for pid in self._others:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


if sys.platform.startswith("linux"):

    def _descendants(pid: int) -> list[int]:
        found: list[int] = []
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as children:
                    for child in children.read().split():
                        found += [int(child), *_descendants(int(child))]
        return found

    def _cpu_seconds(pid: int, last: float) -> float:
        try:
            return time.clock_gettime((~pid << 3) | 2)  # the clock of a process: see clock_getcpuclockid(3)
        except OSError:
            return last

    def _resident_bytes(pid: int) -> int:
        try:
            with open(f"/proc/{pid}/statm", "rb") as statm:
                return int(statm.read().split()[1]) * _PAGE_BYTES
        except (OSError, IndexError):
            return 0

    def _proportional_bytes(pid: int) -> int:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as smaps:
                for line in smaps:
                    if line.startswith(b"Pss:"):
                        return int(line.split()[1]) * 1024
        except OSError:
            pass
        return 0

else:

    def _descendants(pid: int) -> list[int]:
        try:
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        except psutil.Error:
            return []

    def _cpu_seconds(pid: int, last: float) -> float:
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.Error:
            return last
        return times.user + times.system

    def _resident_bytes(pid: int) -> int:
        try:
            return psutil.Process(pid).memory_info().rss
        except psutil.Error:
            return 0

    _proportional_bytes = _resident_bytes
