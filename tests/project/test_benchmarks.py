"""`make bench`: who is missing is left out, and figures are judged in words."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.findings import Bar, Timings, taking_turns
from benchmarks.peers import PeerMissing, ServerlessOffline
from benchmarks.peers.guests import Guests

PROJECT = Path(__file__).resolve().parents[2]


def test_a_peer_that_is_missing_is_left_out_with_a_plain_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PeerMissing):
        ServerlessOffline()
    guests = Guests()
    with contextlib.ExitStack() as stack:
        assert guests.join(stack, ServerlessOffline, lambda peer: peer.running("")) is None
        assert guests.join(stack, ServerlessOffline, lambda peer: peer.running("")) is None
    assert capsys.readouterr().err == "serverless-offline is left out: there is no node on this machine\n"


def test_everybody_takes_turns() -> None:
    turns: list[str] = []

    def contestant(name: str):
        def run(times: int) -> list[float]:
            turns.append(name)
            return [len(turns)] * times

        return run

    timings = taking_turns({"ours": contestant("ours"), "theirs": contestant("theirs")}, rounds=10, block=2)
    assert [len(each.seconds) for each in timings] == [20, 20]
    assert all({turns[turn], turns[turn + 1]} == {"ours", "theirs"} for turn in range(0, 20, 2))


def test_medians_and_bars() -> None:
    timings = Timings("ours", [float(number) for number in range(1, 201)])
    assert (timings.median, timings.p99) == (100.5, 199.0)
    assert Timings("few", [1.0, 9.0, 2.0]).p99 == 9.0
    assert Bar("fast", 1.31, 1.3).holds
    assert not Bar("fast", 1.29, 1.3).holds
    assert Bar("small", 0.3, 0.3, at_least=False).holds
    assert not Bar("small", 0.31, 0.3, at_least=False).holds


def test_one_command_prints_a_table_and_the_bars() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks",
            "warm",
            "executor",
            "cold",
            "snapstart",
            "queue",
            "--rounds",
            "1",
            "--no-peers",
        ],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src"), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=True,
    )
    for text in ("median ms", "p99 ms", "boto3 alone, answered by a stub", "promised", "hold in this run"):
        assert text in done.stdout
    assert re.search(r"PASS|SHORT", done.stdout)
