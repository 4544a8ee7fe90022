"""Our transport under awslambdaric against AWS's native one: the same conversation with the Runtime API."""

from __future__ import annotations

import importlib.machinery
import json
import os
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import pytest

import coldstart.runtime
from coldstart.runtime.http_wire import RequestParser, response_bytes

OURS = Path(coldstart.runtime.__file__).parent / "python"
NATIVE = Path(sysconfig.get_path("platlib"))
HANDLER = """
def handler(event, context):
    if event.get("bad"):
        raise ValueError("boom é")
    return {"event": event, "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis() > 0}
"""
EVENTS = [{"order": "P-1"}, {"bad": True}, {"städte": "Zürich", "long": "x" * 100_000}]


def _conversation(transport: Path, folder: Path) -> list[tuple[str, str, dict[str, str], object]]:
    """Run awslambdaric over a transport against a scripted Runtime API; return what it posted."""
    (folder / "app.py").write_text(HANDLER)
    (folder / "main.py").write_text(
        f"import sys\nsys.path[0:0] = [{str(transport)!r}, {str(folder)!r}]\n"
        "from awslambdaric import bootstrap\nfrom awslambdaric.lambda_runtime_client import LambdaRuntimeClient\n"
        "import os\nbootstrap.run('app.handler', LambdaRuntimeClient(os.environ['AWS_LAMBDA_RUNTIME_API']))\n"
    )
    posted = []
    listener = socket.create_server(("127.0.0.1", 0))
    events = iter(enumerate(EVENTS))
    finished = threading.Event()

    def serve(connection: socket.socket) -> None:
        parser = RequestParser()
        while data := connection.recv(65536):
            parser.feed(data)
            while request := parser.next_request():
                if request.method == "GET":
                    try:
                        number, event = next(events)
                    except StopIteration:
                        finished.set()
                        return
                    headers = {
                        "Content-Type": "application/json",
                        "Lambda-Runtime-Aws-Request-Id": f"request-{number}",
                        "Lambda-Runtime-Deadline-Ms": "99999999999999",
                        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:orders",
                        "Lambda-Runtime-Trace-Id": "Root=1-2-3",
                    }
                    connection.sendall(response_bytes(200, headers, json.dumps(event).encode()))
                    continue
                kept = {
                    name: request.headers.get(name, "")
                    for name in ("content-type", "lambda-runtime-function-error-type")
                }
                posted.append((request.method, request.target, kept, json.loads(request.body)))
                connection.sendall(response_bytes(202, {}, b'{"status":"OK"}'))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    with subprocess.Popen(
        [sys.executable, str(folder / "main.py")],
        env={"AWS_LAMBDA_RUNTIME_API": address, "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert finished.wait(20)
        process.kill()
    listener.close()
    return posted


@pytest.mark.skipif(sys.platform != "linux", reason="the native client is built for Linux only")
def test_both_transports_hold_the_same_conversation(tmp_path):
    assert any(NATIVE.glob(f"runtime_client*{importlib.machinery.EXTENSION_SUFFIXES[0]}"))
    (tmp_path / "native").mkdir()
    (tmp_path / "ours").mkdir()
    native = _conversation(NATIVE, tmp_path / "native")
    ours = _conversation(OURS, tmp_path / "ours")
    assert [entry[1].rpartition("/")[2] for entry in ours] == ["response", "error", "response"]
    normal = json.loads(json.dumps(ours).replace(str(tmp_path / "ours"), "TASK"))
    assert normal == json.loads(json.dumps(native).replace(str(tmp_path / "native"), "TASK"))
