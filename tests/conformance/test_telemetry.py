"""The Telemetry API: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html and telemetry-schema-reference.html."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager

import pytest

from tests.conformance.test_extensions import PREAMBLE

LISTENER = (
    PREAMBLE
    + """
import http.server, socket, threading
class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        heard = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with socket.create_connection(("127.0.0.1", int(os.environ["HEARD"]))) as told:
            told.sendall("".join(json.dumps(event) + "\\n" for event in heard).encode())
            told.shutdown(socket.SHUT_WR)
            told.recv(1)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
identifier, _ = register("INVOKE", "SHUTDOWN")
def subscribe(**asked):
    body = {"schemaVersion": "2022-12-13", "types": ["platform", "function"],
            "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{server.server_port}/"}} | asked
    api.request("PUT", "/2022-07-01/telemetry", json.dumps(body), {"Lambda-Extension-Identifier": identifier})
    response = api.getresponse()
    return response.status, response.read().decode()
ASK
while next_event(identifier)["eventType"] != "SHUTDOWN":
    pass
"""
)
FUNCTION = "def handler(event, context):\n    print('packing', event)\n    return 1 / event.get('boxes', 1)\n"


@contextmanager
def _listening():
    """A port to which an extension tells what it has heard, for it can write no file that is seen outside; and the lines."""
    lines = []

    class Listener(socketserver.StreamRequestHandler):
        def handle(self):
            lines.extend(self.rfile.read().decode().splitlines())
            self.wfile.write(b"1")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_address[1]), lines
        server.shutdown()


def _heard(run, events):
    with _listening() as (port, lines):
        function, results = _run_listening(run, port, events)
    return function, results, [json.loads(line) for line in lines]


def _run_listening(run, port, events):
    function = run(
        {"app.py": FUNCTION},
        layer={"extensions/listener": LISTENER.replace("ASK", "say(*subscribe())")},
        environment={"HEARD": port},
        timeout=10,
    )
    results = [function.invoke(json.dumps(event).encode()) for event in events]
    function.retire()
    return function, results


def test_an_extension_hears_of_every_phase(run):
    function, [result, again], heard = _heard(run, [{}, {}])
    assert ("TELEMETRY\tName: listener\tState: Subscribed\tTypes: [Platform, Function]\n") in [
        line for _, line in function.log
    ]
    kinds = [event["type"] for event in heard]
    assert kinds == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.extension",
        "platform.initReport",
        *["platform.start", "function", "platform.runtimeDone", "platform.report"] * 2,
    ]
    start, printed, done, report = heard[4:8]
    assert start["record"]["requestId"] == done["record"]["requestId"] == result.request_id
    assert printed["record"] == "packing {}\n"
    assert done["record"]["status"] == "success"
    assert report["record"]["status"] == "success"
    metrics = report["record"]["metrics"]
    assert metrics["billedDurationMs"] == result.report.billed_ms
    assert metrics["initDurationMs"] == pytest.approx(result.report.init_ms, abs=0.001)
    assert "initDurationMs" not in heard[-1]["record"]["metrics"]
    assert heard[-1]["record"]["requestId"] == again.request_id
    assert all(event["time"].endswith("Z") and len(event["time"]) == 24 for event in heard)


def test_an_extension_hears_of_errors(run):
    _, _, heard = _heard(run, [{"boxes": 0}])
    [done] = [event["record"] for event in heard if event["type"] == "platform.runtimeDone"]
    assert (done["status"], done["errorType"]) == ("error", "Unhandled")
    [report] = [event["record"] for event in heard if event["type"] == "platform.report"]
    assert report["status"] == "error"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"types": ["everything"]}, "The types have to be among platform, function, extension."),
        ({"destination": {"protocol": "TCP", "port": 5}}, "'URI'"),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://example.com:80/"}},
            "The destination has to be a port of sandbox.localdomain.",
        ),
    ],
)
def test_a_wrong_subscription_is_refused(run, asked, message):
    layer = {"extensions/listener": LISTENER.replace("ASK", f"say(*subscribe(**{asked!r}))")}
    function = run({"app.py": FUNCTION}, layer=layer, timeout=10)
    assert function.invoke(b"{}").function_error is None
    [said] = [line for _, line in function.log if line.startswith("listener 400")]
    assert json.loads(said.removeprefix("listener 400 ")) == {"errorType": "ValidationError", "errorMessage": message}


def test_who_does_not_listen_is_no_hindrance(run):
    asked = {"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:1/"}}
    layer = {"extensions/listener": LISTENER.replace("ASK", f"say(*subscribe(**{asked!r}))")}
    function = run({"app.py": FUNCTION}, layer=layer, timeout=10)
    assert function.invoke(b"{}").function_error is None
    assert function.invoke(b"{}").function_error is None
