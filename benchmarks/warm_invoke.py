"""How long a warm invocation takes through boto3, as a learner's cell calls it."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from urllib3.response import HTTPResponse

from benchmarks.findings import Contestant, Finding, each_timed, taking_turns
from benchmarks.local_functions import ECHO, EVENT, PRINTING, DeployedFunction, create_function, create_role, local_aws
from benchmarks.peers import MiniStack, RuntimeInterfaceEmulator, ServerlessOffline
from benchmarks.peers.guests import Guests

OURS = "ours"
OURS_PRINTING = "ours, handler prints"
STUB = "boto3 alone, answered by a stub"
MINISTACK_PRINTING = "MiniStack, handler prints"


def measure(guests: Guests, rounds: int) -> Finding:
    """Invoke an echo handler again and again, everywhere in turn."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(local_aws())
        role, client = create_role(), boto3.client("lambda")
        functions = {
            OURS: create_function(client, "echo", ECHO, Role=role),
            OURS_PRINTING: create_function(client, "printing", PRINTING, Role=role),
            STUB: DeployedFunction(_stubbed_client(), "echo"),
        }
        if rie := guests.join(stack, RuntimeInterfaceEmulator, lambda peer: peer.running(ECHO)):
            functions[RuntimeInterfaceEmulator.name] = rie
        if ministack := guests.join(stack, MiniStack, MiniStack.running):
            functions[MiniStack.name] = ministack.deploy("echo", ECHO)
            functions[MINISTACK_PRINTING] = ministack.deploy("printing", PRINTING)
        if offline := guests.join(stack, ServerlessOffline, lambda peer: peer.running(ECHO)):
            functions[ServerlessOffline.name] = offline
        contestants: dict[str, Contestant] = {who: each_timed(function.echo) for who, function in functions.items()}
        for function in functions.values():
            for _ in range(20):
                function.echo()
        finding = Finding("A warm invocation through boto3", taking_turns(contestants, rounds=rounds, block=10))
    finding.faster_than(RuntimeInterfaceEmulator.name, 1.3, "warm through boto3, faster than RIE + awslambdaric")
    finding.faster_than(
        MINISTACK_PRINTING, 8, "warm through boto3 with a printing handler, faster than MiniStack", ours=OURS_PRINTING
    )
    finding.within(STUB, 3, "warm through boto3, times what boto3 alone takes")
    return finding


def _stubbed_client() -> Any:
    """Return a client whose calls are answered before anything is sent: what is left is boto3's own work."""
    client = boto3.client("lambda")

    def answer(request: Any, **_: Any) -> AWSResponse:
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        body = HTTPResponse(io.BytesIO(EVENT), headers, preload_content=False)
        return AWSResponse(request.url, 200, headers, body)

    client.meta.events.register("before-send.lambda.Invoke", answer)
    return client
