"""How long the executor takes by itself: from an event in hand to a payload and its log lines, no AWS API in between."""

from __future__ import annotations

import contextlib
import http.client
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.findings import Bar, Contestant, Finding, each_timed, taking_turns
from benchmarks.local_functions import ECHO, EVENT, MEMORY, DeployedFunction, zipped
from benchmarks.peers import PythonLambdaLocal, RuntimeInterfaceEmulator
from benchmarks.peers.guests import Guests
from coldstart.runtime.clock import Clock
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.function import Function
from coldstart.runtime.host import Host
from coldstart.runtime.identifiers import Identifiers

LIMIT_MS = 0.3


def measure(guests: Guests, rounds: int) -> Finding:
    """Invoke an echo handler without boto3."""
    with contextlib.ExitStack() as stack:
        function = stack.enter_context(_function())
        contestants: dict[str, Contestant] = {"ours: Function.invoke()": each_timed(lambda: function.invoke(EVENT))}
        if rie := guests.join(stack, RuntimeInterfaceEmulator, lambda peer: peer.running(ECHO)):
            contestants[f"{RuntimeInterfaceEmulator.name}, raw HTTP"] = each_timed(stack.enter_context(_RawHttp(rie)))
        if forking := guests.join(stack, PythonLambdaLocal, lambda peer: peer.running(ECHO)):
            contestants[PythonLambdaLocal.name] = forking
        for contestant in contestants.values():
            list(contestant(20))
        finding = Finding("The executor alone, warm", taking_turns(contestants, rounds=rounds, block=20))
    finding.bars.append(
        Bar("the executor alone, warm", finding.timings[0].median * 1000, LIMIT_MS, " ms", at_least=False)
    )
    return finding


@contextlib.contextmanager
def _function() -> Iterator[Function]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        host = Host(
            Path(folder) / "host",
            clock=Clock(),
            identifiers=Identifiers(),
            log_sink=lambda configuration, stream, events: None,
            cloud_variables=lambda configuration: {},
        )
        configuration = FunctionConfiguration(
            function_name="echo",
            function_arn="arn:aws:lambda:us-east-1:123456789012:function:echo",
            version="$LATEST",
            runtime="python3.14",
            handler="app.handler",
            code=host.packages.unpack(zipped(ECHO)),
            memory_size=MEMORY,
            timeout=60,
            region="us-east-1",
            environment={},
            log_group="/aws/lambda/echo",
            layers=None,
        )
        try:
            yield Function(configuration, host)
        finally:
            host.stop()


class _RawHttp:
    """Invokes a function at a peer's address over one kept connection, without boto3's work."""

    def __init__(self, function: DeployedFunction) -> None:
        address = urlsplit(function.client.meta.endpoint_url)
        self._path = f"/2015-03-31/functions/{function.name}/invocations"
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port)

    def __enter__(self) -> _RawHttp:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __call__(self) -> bytes:
        self._connection.request("POST", self._path, EVENT, {"Content-Type": "application/json"})
        return self._connection.getresponse().read()
