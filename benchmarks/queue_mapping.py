"""How many SQS messages a second go through an event source mapping, and whether a longer backlog slows it down."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3

from benchmarks.findings import Bar, Finding, Timings
from benchmarks.local_functions import create_function, create_role, local_aws
from benchmarks.peers import MiniStack
from benchmarks.peers.guests import Guests

BACKLOGS = (1_000, 10_000)
PEERS_BACKLOG = 1_000
BATCH = 10
PATIENCE_SECONDS = 60
_BODY = "{:09d}"

_RECEIVER = """
import os, socket

connection = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))

def handler(event, context):
    connection.sendall("".join(record["body"] + "\\n" for record in event["Records"]).encode())
"""


class _Received(socketserver.ThreadingTCPServer):
    """Takes what handlers received, over a connection for each environment: they share no folder with anybody."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.bodies: list[str] = []
        self.changed = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have come.

        Raises:
            RuntimeError: they did not.
        """
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.bodies) >= count, PATIENCE_SECONDS):
                raise RuntimeError(f"only {len(self.bodies)} of {count} messages came in {PATIENCE_SECONDS} s")

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: _Received
    rest = ""

    def handle(self) -> None:
        while received := self.request.recv(65536):
            self.rest += received.decode()
            *bodies, self.rest = self.rest.split("\n")
            with self.server.changed:
                self.server.bodies += bodies
                self.server.changed.notify_all()


def measure(guests: Guests, rounds: int) -> Finding:
    """Put messages into a queue, then map the queue to a function and wait until all of them have arrived."""
    finding = Finding(f"SQS messages through an event source mapping, batches of {BATCH}: time for each message")
    with contextlib.ExitStack() as stack:
        stack.enter_context(local_aws())
        role = create_role()
        for backlog in BACKLOGS:
            name = f"ours, {backlog:,} messages waiting"
            finding.timings.append(Timings(name))
            for number in range(rounds):
                seconds = _seconds_a_message(boto3.client, role, backlog, f"{backlog}-{number}")
                finding.timings[-1].seconds.append(seconds)
        if ministack := guests.join(stack, MiniStack, MiniStack.running):
            seconds = _seconds_a_message(ministack.client, role, PEERS_BACKLOG, "ministack")
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


def _seconds_a_message(client: Callable[[str], Any], role: str, count: int, run: str) -> float:
    """Return the seconds from the mapping's creation to the last message, for each message.

    Raises:
        RuntimeError: messages were lost, or came twice.
    """
    name = f"receiver-{run}"
    sqs, functions = client("sqs"), client("lambda")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    _fill(sqs, url, count)
    with _Received() as received:
        variables = {"PORT": str(received.server_address[1])}
        create_function(functions, name, _RECEIVER, Role=role, Environment={"Variables": variables})
        started = time.perf_counter()
        mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=BATCH)
        received.wait_for(count)
        seconds = time.perf_counter() - started
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
        functions.delete_function(FunctionName=name)
    if sorted(received.bodies) != [_BODY.format(number) for number in range(count)]:
        raise RuntimeError(f"of {count} messages some were lost or came twice")
    return seconds / count


def _fill(sqs: Any, url: str, count: int) -> None:
    for first in range(0, count, 10):
        numbers = range(first, min(first + 10, count))
        entries = [{"Id": str(number), "MessageBody": _BODY.format(number)} for number in numbers]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
