"""`timeline("parcel-orders")`: a function's execution environments as lanes, drawn from what they really did.

Each lane is one environment: hatched while it initialises or is restored, filled while the handler runs, a thin line while it
is frozen. Long pauses are cut short, and the cut says how long they were. A throttled invocation came to no environment, and
has a line of its own.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coldstart import cloud
from coldstart.runtime.environment_record import Phase
from coldstart.widgets.figure import STYLE, Figure, words

WIDTH = 760.0
_LEFT = 130.0
_RIGHT = 20.0
_LANE = 34.0
_TOP = 46.0
_CUT = 46.0
_LEAST = 3.0
_WORDS = {"init": "init", "restore": "restore", "invoke": "invoke", "shutdown": "shut down"}


@dataclass(frozen=True)
class Lane:
    """One environment.

    Attributes:
        name: what it is called here, such as "Environment 1".
        phases: what it did, in order.
    """

    name: str
    phases: list[Phase]


def timeline(function: str) -> Figure:
    """Draw what a function's environments have done so far.

    Args:
        function: the function's name.
    """
    phases = cloud.current().record.phases(function)
    if not phases:
        return _nothing(function)
    return draw(function, phases)


def draw(function: str, phases: Sequence[Phase]) -> Figure:
    """Return the figure of one function's phases."""
    lanes = lanes_of(phases)
    throttles = sorted((phase for phase in phases if phase.kind == "throttle"), key=lambda phase: phase.start_ms)
    axis = _Axis(phases)
    rows = [_lane(lane, axis, _TOP + number * _LANE) for number, lane in enumerate(lanes)]
    bottom = _TOP + len(lanes) * _LANE
    if throttles:
        rows.append(words(0, bottom + 21, "Throttled"))
        rows += [words(axis.x(phase.start_ms), bottom + 22, "✕", anchor="middle", weight="bold") for phase in throttles]
        bottom += _LANE
    cuts = [
        words(x, bottom + 16, f"⋯ {_spelled(milliseconds)}", anchor="middle", size=11) for x, milliseconds in axis.cuts
    ]
    drawing = STYLE + _legend() + "".join(rows) + "".join(cuts)
    counted = _counted(lanes, throttles)
    return Figure(
        drawing, WIDTH, bottom + 26, f"Timeline of {function}: {counted}", _twin(function, counted, lanes, throttles)
    )


def lanes_of(phases: Sequence[Phase]) -> list[Lane]:
    """Return the environments in the order in which they began, each with its phases in order."""
    by_environment: dict[str, list[Phase]] = {}
    for phase in sorted(phases, key=lambda phase: phase.start_ms):
        if phase.kind != "throttle":
            by_environment.setdefault(phase.environment, []).append(phase)
    return [Lane(f"Environment {number}", found) for number, found in enumerate(by_environment.values(), 1)]


class _Axis:
    """Time from left to right, with long pauses cut short."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        busy: list[list[float]] = []
        for start, end in sorted((phase.start_ms, phase.end_ms) for phase in phases):
            if busy and start <= busy[-1][1]:
                busy[-1][1] = max(busy[-1][1], end)
            else:
                busy.append([start, end])
        total = sum(end - start for start, end in busy) or 1.0
        pauses = [after[0] - before[1] for before, after in itertools.pairwise(busy)]
        long = [pause > max(total * 0.2, 1.0) for pause in pauses]
        cut = min(_CUT, (WIDTH - _LEFT - _RIGHT) * 0.5 / max(1, sum(long)))
        shown = total + sum(pause for pause, is_long in zip(pauses, long, strict=True) if not is_long)
        scale = (WIDTH - _LEFT - _RIGHT - cut * sum(long)) / shown
        self._marks: list[tuple[float, float]] = []
        self.cuts: list[tuple[float, float]] = []
        """Where a pause is cut short, and how many milliseconds it lasted."""
        x = _LEFT
        for number, (start, end) in enumerate(busy):
            self._marks.append((start, x))
            x += (end - start) * scale
            self._marks.append((end, x))
            if number < len(pauses):
                width = cut if long[number] else pauses[number] * scale
                if long[number]:
                    self.cuts.append((x + width / 2, pauses[number]))
                x += width

    def x(self, milliseconds: float) -> float:
        """Return where a time stands."""
        for (before, left), (after, right) in itertools.pairwise(self._marks):
            if before <= milliseconds <= after:
                return left + (right - left) * ((milliseconds - before) / (after - before) if after > before else 0)
        return self._marks[-1][1]


def _lane(lane: Lane, axis: _Axis, y: float) -> str:
    middle = y + 16
    first, last = lane.phases[0].start_ms, lane.phases[-1].end_ms
    parts = [
        words(0, middle + 5, lane.name),
        f'<line x1="{axis.x(first):.1f}" x2="{axis.x(last):.1f}" y1="{middle}" y2="{middle}" stroke="currentColor" '
        'stroke-width="1.5" stroke-dasharray="2 3"/>',
    ]
    for phase in lane.phases:
        x = axis.x(phase.start_ms)
        width = max(axis.x(phase.end_ms) - x, _LEAST)
        box = f'x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="24"'
        if phase.kind in ("init", "restore"):
            parts.append(f'<rect {box} fill="url(#cs-hatch)" stroke="#c77700"/>')
        elif phase.kind == "invoke":
            parts.append(f'<rect {box} fill="#1a7f9e" stroke="#1a7f9e"/>')
        else:
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y + 4}" y2="{y + 28}" stroke="currentColor" stroke-width="3"/>'
            )
        if phase.outcome and phase.kind != "shutdown":
            parts.append(words(x + width / 2, y + 2, "!", anchor="middle", weight="bold"))
    return "".join(parts)


def _legend() -> str:
    return (
        '<rect x="0" y="6" width="18" height="14" fill="url(#cs-hatch)" stroke="#c77700"/>'
        + words(24, 18, "init")
        + '<rect x="70" y="6" width="18" height="14" fill="#1a7f9e"/>'
        + words(94, 18, "invoke")
        + '<line x1="160" x2="184" y1="13" y2="13" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2 3"/>'
        + words(190, 18, "frozen")
        + words(250, 18, "! failed", weight="bold")
        + words(320, 18, "✕ throttled", weight="bold")
        + words(410, 18, "⋯ a pause, cut short")
    )


def _counted(lanes: list[Lane], throttles: list[Phase]) -> str:
    invocations = sum(phase.kind == "invoke" for lane in lanes for phase in lane.phases)
    counted = f"{len(lanes)} {'environment' if len(lanes) == 1 else 'environments'}, {invocations} "
    counted += "invocation" if invocations == 1 else "invocations"
    return counted + (f", {len(throttles)} throttled" if throttles else "")


def _twin(function: str, counted: str, lanes: list[Lane], throttles: list[Phase]) -> str:
    lines = [f"{function}: {counted}"]
    for lane in lanes:
        did: list[str] = []
        end = 0.0
        for phase in lane.phases:
            length = _spelled(phase.end_ms - phase.start_ms)
            if did and phase.start_ms < end:  # an init that an invocation had to begin with
                did[-1] += f" ({_WORDS[phase.kind]} {length} of them)"
                continue
            if did:
                did.append(f"frozen {_spelled(phase.start_ms - end)}")
            failed = f" ({phase.outcome})" if phase.outcome and phase.kind != "shutdown" else ""
            did.append(f"{_WORDS[phase.kind]} {length}{failed}")
            end = phase.end_ms
        lines.append(f"{lane.name}: {', '.join(did)}")
    reasons = Counter(phase.outcome for phase in throttles)
    lines += [f"Throttled {count} {'time' if count == 1 else 'times'}: {reason}" for reason, count in reasons.items()]
    return "\n".join(lines)


def _spelled(milliseconds: float) -> str:
    if milliseconds < 10_000:
        return f"{max(milliseconds, 0):.0f} ms"
    seconds = round(milliseconds / 1000)
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"


def _nothing(function: str) -> Figure:
    text = f"{function}: no environments yet. Invoke it, then look again."
    return Figure(words(0, 20, text), WIDTH, 30, text, text)
