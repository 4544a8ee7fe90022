"""Prints what was found: a table of timings for each question, and one of the bars."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.findings import Bar, Finding


def machine() -> str:
    """Return what was measured on, as far as it matters for speed."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}"


def show(console: Console, finding: Finding) -> None:
    """Print the timings and notes of one question."""
    console.print(f"\n[bold]{finding.question}[/bold]")
    if finding.timings:
        table = Table()
        for heading in ("", "samples", "median ms", "p99 ms", "times ours"):
            table.add_column(heading, justify="left" if not heading else "right", overflow="fold")
        ours = finding.timings[0].median
        for timings in finding.timings:
            ratio = f"{timings.median / ours:.2f}" if timings is not finding.timings[0] else ""
            table.add_row(
                timings.who,
                str(len(timings.seconds)),
                _milliseconds(timings.median),
                _milliseconds(timings.p99),
                ratio,
            )
        console.print(table)
    for note in finding.notes:
        console.print(f"  {note}", highlight=False)


def show_bars(console: Console, bars: Sequence[Bar]) -> None:
    """Print what was promised, what was measured, and whether it holds."""
    table = Table()
    for heading in ("promised", "measured", "limit", "result"):
        table.add_column(heading, justify="right" if heading in ("measured", "limit") else "left", overflow="fold")
    for bar in bars:
        limit = f"{'at least' if bar.at_least else 'at most'} {bar.limit:g}{bar.unit}"
        table.add_row(bar.promise, f"{bar.figure:.3g}{bar.unit}", limit, "PASS" if bar.holds else "SHORT")
    console.print("\n[bold]What was promised[/bold]")
    console.print(table)
    held = sum(bar.holds for bar in bars)
    console.print(f"{held} of {len(bars)} hold in this run; SHORT means that the bar was missed.")


def _milliseconds(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.2f}" if milliseconds < 100 else f"{milliseconds:,.0f}"
