"""How many SQS messages a second go through an event source mapping, and whether a longer backlog slows it down."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from benchmarks.findings import Bar, Finding, Timings
from benchmarks.local_functions import create_function, create_role, local_aws
from benchmarks.peers import MiniStack
from benchmarks.peers.environments import FOLDER
from benchmarks.peers.guests import Guests

BACKLOGS = (1_000, 10_000)
PEERS_BACKLOG = 1_000
BATCH = 10
PATIENCE_SECONDS = 180
_BODY = "{:09d}"
_LINE_BYTES = 10

_RECEIVER = """
import os

def handler(event, context):
    lines = "".join(record["body"] + "\\n" for record in event["Records"]).encode()
    received = os.open(os.environ["RECEIVED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(received, lines)
    os.close(received)
"""


def measure(guests: Guests, rounds: int) -> Finding:
    """Put messages into a queue, then map the queue to a function and wait until all of them have arrived."""
    finding = Finding(f"SQS messages through an event source mapping, batches of {BATCH}: time for each message")
    with contextlib.ExitStack() as stack:
        FOLDER.mkdir(exist_ok=True)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=FOLDER)))  # /tmp is each environment's own
        stack.enter_context(local_aws())
        role = create_role()
        for backlog in BACKLOGS:
            name = f"ours, {backlog:,} messages waiting"
            finding.timings.append(Timings(name))
            for number in range(rounds):
                received = folder / f"{backlog}-{number}"
                finding.timings[-1].seconds.append(_seconds_a_message(boto3.client, role, backlog, received))
        if ministack := guests.join(stack, MiniStack, MiniStack.running):
            seconds = _seconds_a_message(ministack.client, role, PEERS_BACKLOG, folder / "ministack")
            finding.timings.append(Timings(f"MiniStack, {PEERS_BACKLOG:,} messages waiting", [seconds]))
    finding.notes += [f"{each.who}: {1 / each.median:,.0f} messages a second." for each in finding.timings]
    few, many = finding.timings[:2]
    finding.bars.append(
        Bar(
            f"time for each of {BACKLOGS[1]:,} messages, times that of {BACKLOGS[0]:,}",
            many.median / few.median,
            1.5,
            "x",
            False,
        )
    )
    return finding


def _seconds_a_message(client: Callable[[str], Any], role: str, count: int, received: Path) -> float:
    """Return the seconds from the mapping's creation to the last message, for each message.

    Raises:
        RuntimeError: messages were lost, or came twice.
    """
    name = f"receiver-{received.name}"
    sqs, functions = client("sqs"), client("lambda")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    _fill(sqs, url, count)
    create_function(functions, name, _RECEIVER, Role=role, Environment={"Variables": {"RECEIVED": str(received)}})
    started = time.perf_counter()
    mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=BATCH)
    _wait_for(received, count * _LINE_BYTES)
    seconds = time.perf_counter() - started
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    functions.delete_function(FunctionName=name)
    if sorted(received.read_text().split()) != [_BODY.format(number) for number in range(count)]:
        raise RuntimeError(f"of {count} messages some were lost or came twice")
    return seconds / count


def _fill(sqs: Any, url: str, count: int) -> None:
    for first in range(0, count, 10):
        numbers = range(first, min(first + 10, count))
        entries = [{"Id": str(number), "MessageBody": _BODY.format(number)} for number in numbers]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def _wait_for(received: Path, size: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not received.exists() or received.stat().st_size < size:
        if time.monotonic() > deadline:
            arrived = received.stat().st_size // _LINE_BYTES if received.exists() else 0
            raise RuntimeError(f"only {arrived} of {size // _LINE_BYTES} messages came in {PATIENCE_SECONDS} s")
        time.sleep(0.005)
