"""How much sooner a function with SnapStart is there: the restore of a snapshot against the same function's init."""

from __future__ import annotations

import base64
import re

import boto3

from benchmarks.findings import CannotMeasure, Finding, Timings
from benchmarks.local_functions import DeployedFunction, create_function, create_role, local_aws
from benchmarks.peers.guests import Guests

RESTORE = "restore of a snapshot"
INIT = "init of the same function"

_HEAVY = """
import boto3

tables = boto3.client("dynamodb")
objects = boto3.client("s3")

def handler(event, context):
    return event
"""


def measure(guests: Guests, rounds: int) -> Finding:
    """Start the same function both ways in turn; the figures are those of the REPORT lines."""
    restores, inits = Timings(RESTORE), Timings(INIT)
    with local_aws():
        client = boto3.client("lambda")
        function = create_function(
            client, "restored", _HEAVY, Role=create_role(), SnapStart={"ApplyOn": "PublishedVersions"}
        )
        for number in range(rounds):
            function.start_cold(number)
            version = client.publish_version(FunctionName=function.name)["Version"]
            client.get_waiter("published_version_active").wait(FunctionName=function.name, Qualifier=version)
            inits.seconds.append(_reported(function, "Init Duration", "$LATEST"))
            restores.seconds.append(_reported(function, "Restore Duration", version))
    finding = Finding("SnapStart: a function that imports boto3 and makes two clients", [restores, inits])
    finding.faster_than(INIT, 5, "SnapStart's restore, faster than the same function's init")
    return finding


def _reported(function: DeployedFunction, what: str, qualifier: str) -> float:
    """Invoke a version for the first time; return a duration from its REPORT line, in seconds."""
    answer = function.client.invoke(FunctionName=function.name, Qualifier=qualifier, LogType="Tail", Payload=b"{}")
    log = base64.b64decode(answer["LogResult"]).decode()
    found = re.search(rf"\t{what}: ([\d.]+) ms", log)
    if found is None:
        raise CannotMeasure(f"this platform's REPORT line has no {what}: {log.splitlines()[-1]!r}")
    return float(found[1]) / 1000
