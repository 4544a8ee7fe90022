"""python-lambda-local, which calls a handler in a process that it forks for each call, on PyPI.

It has no address that boto3 could be given, so its own call is measured, inside its own process.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator

from benchmarks.findings import Contestant
from benchmarks.local_functions import EVENT
from benchmarks.peers.environments import PeerMissing, python_environment
from benchmarks.peers.server import function_folder

_DRIVER = """
import json, logging, sys, time
from lambda_local.context import Context
from lambda_local.main import call
import app
logging.disable(logging.CRITICAL)
for line in sys.stdin:
    times, event = json.loads(line)
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        result, error = call(app.handler, event, Context(30))
        seconds.append(time.perf_counter() - started)
        assert error is None and result == event, result
    print(json.dumps(seconds), flush=True)
"""


class PythonLambdaLocal:
    """python-lambda-local's `call()`."""

    name = "python-lambda-local call()"

    def __init__(self) -> None:
        self._python = python_environment("python-lambda-local") / "bin/python"

    @contextlib.contextmanager
    def running(self, code: str) -> Iterator[Contestant]:
        """Give what calls the function so many times, while the block runs."""
        with (
            function_folder({"app.py": code, "driver.py": _DRIVER}) as folder,
            open(folder / "driver.log", "w+") as log,
        ):
            process = subprocess.Popen(
                [str(self._python), "driver.py"],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            assert process.stdin is not None
            assert process.stdout is not None
            orders, answers = process.stdin, process.stdout

            def run(times: int) -> list[float]:
                try:
                    orders.write(f"{json.dumps([times, json.loads(EVENT)])}\n")
                    orders.flush()
                    seconds: list[float] = json.loads(answers.readline())
                except (BrokenPipeError, ValueError):
                    log.seek(0)
                    raise PeerMissing(f"it failed: {(log.read().splitlines() or ['it said nothing'])[-1]}") from None
                return seconds

            try:
                run(1)
                yield run
            finally:
                process.kill()
                process.communicate()
