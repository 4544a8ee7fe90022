"""`tuning_curve("parcel-labels", event)`: what a function takes and costs at each memory size, measured by running it.

The function is invoked for real at every size; durations come from its REPORT lines and prices from facts.toml. Its memory
size is put back at the end.
"""

from __future__ import annotations

import base64
import json
import math
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from coldstart import cloud
from coldstart.course import catalogue
from coldstart.widgets.figure import Figure, words

SIZES = (128, 256, 512, 1024, 1769)
INVOCATIONS = 3
_WIDTH, _HEIGHT = 760.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, 70.0, 40.0, 270.0
_DURATION = re.compile(r"\tDuration: ([\d.]+) ms\t")


class NothingToCompare(RuntimeError):
    """Functions run where CPU does not come with memory; the message says where it does."""


@dataclass(frozen=True)
class Measured:
    """One memory size.

    Attributes:
        memory: in MB.
        milliseconds: the median duration of warm invocations.
        dollars: the price of a million such invocations, for their time alone.
    """

    memory: int
    milliseconds: float
    dollars: float


def tuning_curve(
    function: str, event: Any = None, sizes: Sequence[int] = SIZES, invocations: int = INVOCATIONS
) -> Figure:
    """Run a function at several memory sizes and draw its time and its price.

    Args:
        function: the function's name.
        event: any JSON value.
        sizes: memory sizes in MB.
        invocations: how many warm ones are measured at each size; one that starts the environment comes before them.

    Raises:
        NothingToCompare: the size makes no difference here.
    """
    if cloud.current().host == "inline":
        raise NothingToCompare(
            "In this page every function has the whole CPU, whatever its memory size. Draw the curve in the notebook."
        )
    client = boto3.client("lambda")
    before = client.get_function_configuration(FunctionName=function)["MemorySize"]
    price = float(str(catalogue.fact("price_gb_second").value))
    try:
        return draw(function, [_measure(client, function, event, size, invocations, price) for size in sizes])
    finally:
        _set_memory(client, function, before)


def draw(function: str, measured: Sequence[Measured]) -> Figure:
    """Return the figure of what was measured, with the cheapest and the fastest size named."""
    x = _scale([math.log2(each.memory) for each in measured], _LEFT, _WIDTH - _RIGHT)
    slowest, dearest = max(each.milliseconds for each in measured), max(each.dollars for each in measured)

    def places(value: Callable[[Measured], float], most: float) -> list[tuple[float, float]]:
        return [
            (x(math.log2(each.memory)), _BOTTOM - (_BOTTOM - _TOP - 20) * value(each) / (most or 1))
            for each in measured
        ]

    times = places(lambda each: each.milliseconds, slowest)
    prices = places(lambda each: each.dollars, dearest)
    ticks = "".join(
        words(left, _BOTTOM + 20, f"{each.memory:,}", anchor="middle")
        for (left, _), each in zip(times, measured, strict=True)
    )
    drawing = (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}" stroke="currentColor"/>'
        + ticks
        + words(_WIDTH / 2, _BOTTOM + 42, "Memory in MB", anchor="middle")
        + _line(times, "#1a7f9e", "", "●")
        + _line(prices, "#c77700", "7 5", "■")
        + words(0, 18, f"● time: up to {slowest:.0f} ms, solid line")
        + words(_WIDTH, 18, f"■ price: up to ${dearest:.2f} a million calls, dashed line", anchor="end")
    )
    cheapest = min(measured, key=lambda each: each.dollars)
    fastest = min(measured, key=lambda each: each.milliseconds)
    label = f"{function}: cheapest at {cheapest.memory:,} MB, fastest at {fastest.memory:,} MB"
    rows = [f"{'Memory':>9}  {'Time':>9}  {'A million calls':>15}"]
    rows += [f"{each.memory:>6,} MB  {each.milliseconds:>6.0f} ms  ${each.dollars:>14.2f}" for each in measured]
    return Figure(drawing, _WIDTH, _HEIGHT, label, "\n".join([label, *rows]))


def _measure(client: Any, function: str, event: Any, memory: int, invocations: int, price: float) -> Measured:
    _set_memory(client, function, memory)
    durations = []
    for _ in range(invocations + 1):
        response = client.invoke(FunctionName=function, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(response["LogResult"]).decode(errors="replace")
        if "FunctionError" in response:
            raise RuntimeError(
                f"{function} failed at {memory} MB: {response['Payload'].read().decode(errors='replace')}"
            )
        found = _DURATION.search(log)
        assert found is not None, log
        durations.append(float(found[1]))
    milliseconds = statistics.median(durations[1:])
    return Measured(memory, milliseconds, memory / 1024 * math.ceil(milliseconds) / 1000 * price * 1_000_000)


def _set_memory(client: Any, function: str, memory: int) -> None:
    client.update_function_configuration(FunctionName=function, MemorySize=memory)
    client.get_waiter("function_updated_v2").wait(FunctionName=function)


def _scale(values: Sequence[float], left: float, right: float) -> Callable[[float], float]:
    low, high = min(values), max(values)
    return lambda value: left + (right - left) * ((value - low) / (high - low) if high > low else 0.5)


def _line(places: Sequence[tuple[float, float]], colour: str, dashes: str, mark: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = "".join(
        f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle" fill="{colour}" font-size="16">{mark}</text>'
        for x, y in places
    )
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"{dashed}/>{marks}'
