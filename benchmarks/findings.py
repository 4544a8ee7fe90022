"""What a benchmark finds: timings of several contestants that took turns, and the bars they are held to."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Contestant = Callable[[int], Iterable[float]]
"""Does its thing so many times and says how many seconds each time took."""


class CannotMeasure(RuntimeError):
    """This machine lacks what a question needs; the message says what."""


@dataclass
class Timings:
    """What one contestant took, in seconds, in the order it was measured."""

    who: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        """What 99 of 100 stay below, in seconds; the slowest when there are fewer than 100."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


@dataclass(frozen=True)
class Bar:
    """Something promised, with the figure that was measured."""

    promise: str
    figure: float
    limit: float
    unit: str = ""
    at_least: bool = True
    """Whether the figure has to reach the limit, or to stay within it."""

    @property
    def holds(self) -> bool:
        """Whether the promise was kept in this run."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


@dataclass
class Finding:
    """The answer to one question."""

    question: str
    timings: list[Timings] = field(default_factory=list)
    """The first is ours; the others are compared with it."""
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, who: str) -> Timings | None:
        """Return the timings of a contestant; None when it could not take part."""
        return next((timings for timings in self.timings if timings.who == who), None)

    def faster_than(self, who: str, factor: float, promise: str, ours: str | None = None) -> None:
        """Hold us to a median at least `factor` times faster than a contestant's, if it took part."""
        theirs = self.of(who)
        mine = self.of(ours) if ours else self.timings[0]
        if theirs is not None and mine is not None:
            self.bars.append(Bar(promise, theirs.median / mine.median, factor, "x"))

    def within(self, who: str, factor: float, promise: str, ours: str | None = None) -> None:
        """Hold us to a median of at most `factor` times a contestant's, if it took part."""
        theirs = self.of(who)
        mine = self.of(ours) if ours else self.timings[0]
        if theirs is not None and mine is not None:
            self.bars.append(Bar(promise, mine.median / theirs.median, factor, "x", at_least=False))


def taking_turns(contestants: Mapping[str, Contestant], *, rounds: int, block: int) -> list[Timings]:
    """Let everybody do `block` times its thing in each round, in an order that changes from round to round.

    What else the machine does at the time then meets all of them alike, so that ratios are fair on a busy one.
    """
    timings = {who: Timings(who) for who in contestants}
    order = list(contestants)
    shuffle = random.Random(0).shuffle
    for _ in range(rounds):
        shuffle(order)
        for who in order:
            timings[who].seconds.extend(contestants[who](block))
    return list(timings.values())


def each_timed(action: Callable[[], object]) -> Contestant:
    """Make a contestant of something to call: the seconds are those of the call."""

    def run(times: int) -> list[float]:
        seconds = []
        for _ in range(times):
            started = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - started)
        return seconds

    return run
