"""``make bench``, or ``make bench ARGS="warm cold --rounds 10"``: measure, compare, print."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable

import click
from rich.console import Console

from benchmarks import (
    cold_start,
    executor,
    lab_start,
    lighthouse_scores,
    many_invocations,
    page_run,
    queue_mapping,
    snapstart_restore,
    warm_invoke,
)
from benchmarks.findings import Bar, CannotMeasure, Finding
from benchmarks.peers.guests import Guests
from benchmarks.report import machine, show, show_bars

QUESTIONS: dict[str, tuple[Callable[[Guests, int], Finding], int]] = {
    "warm": (warm_invoke.measure, 40),
    "executor": (executor.measure, 40),
    "cold": (cold_start.measure, 15),
    "snapstart": (snapstart_restore.measure, 5),
    "at-once": (many_invocations.at_once, 1),
    "in-a-row": (many_invocations.in_a_row, 10),
    "queue": (queue_mapping.measure, 1),
    "lab": (lab_start.measure, 3),
    "page": (page_run.measure, 3),
    "lighthouse": (lighthouse_scores.measure, 3),
}
"""What can be asked: the measurement, and how many rounds it takes unless told otherwise."""


@click.command(help=__doc__)
@click.argument("questions", nargs=-1, type=click.Choice(list(QUESTIONS)))
@click.option("--rounds", type=click.IntRange(min=1), help="Rounds of each question (default: enough for each).")
@click.option("--peers/--no-peers", default=True, help="Compare with peers, or measure only ours.")
def main(questions: tuple[str, ...], rounds: int | None, peers: bool) -> None:
    """Answer the questions one by one; one that fails does not stop the others."""
    console = Console()
    console.print(f"{machine()}.", highlight=False)
    console.print("Contestants take turns: compare within a table. The p99 of fewer than 100 samples is the slowest.")
    guests = Guests(peers)
    bars: list[Bar] = []
    failed = []
    began = time.monotonic()
    for name in questions or QUESTIONS:
        measure, usual_rounds = QUESTIONS[name]
        try:
            finding = measure(guests, rounds or usual_rounds)
        except CannotMeasure as reason:
            console.print(f"\n{name} is left out: {reason}", markup=False)
            continue
        except Exception:
            failed.append(name)
            console.print(f"\n{name} could not be measured:\n{traceback.format_exc()}", style="bold", markup=False)
            continue
        show(console, finding)
        bars += finding.bars
    if bars:
        show_bars(console, bars)
    console.print(f"Took {time.monotonic() - began:.0f} s. {machine()}.", highlight=False)
    if failed:
        sys.exit(f"Could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
