"""The Runtime API of one execution environment: what AWS's runtime clients talk to.

Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. There is no server thread: whoever invokes the
function does the socket work itself in :meth:`RuntimeApi.serve_until`, reads the function's output on the way and
notices when the process ends. One instance serves one start of a runtime process.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from coldstart.runtime import interrupts
from coldstart.runtime.extensions import EXTENSION_PATH, Extensions
from coldstart.runtime.http_wire import HttpRequest, MalformedRequest, RequestParser, response_bytes
from coldstart.runtime.log_collector import LogCollector
from coldstart.runtime.processes import RuntimeProcess
from coldstart.runtime.resource_limits import ResourceLimits
from coldstart.runtime.response_stream import STREAMING, ResponseSink, ResponseStream
from coldstart.runtime.telemetry import TELEMETRY_PATH, Telemetry

_RUNTIME = "/2018-06-01/runtime"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ACCEPTED = response_bytes(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')


class PostedError(NamedTuple):
    """An error that a runtime posted: its type and the JSON document it posted."""

    error_type: str
    body: bytes


@dataclass
class Outcome:
    """What the runtime has said so far about the event it was given."""

    request_id: str
    stream: ResponseStream = field(default_factory=lambda: ResponseStream(None))
    response: bytes | None = None
    """The response, empty when it went to a sink; None until all of it has been said."""
    error: PostedError | None = None
    too_large: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the runtime has answered."""
        return self.response is not None or self.error is not None or self.too_large


class _Connection:
    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.parser = RequestParser()
        self._held = b""

    def send(self, response: bytes) -> None:
        """Send a response; when the next request is here already, together with the next response."""
        if self.parser.has_more:
            self._held += response
            return
        held, self._held = self._held, b""
        self.socket.sendall(held + response)


class RuntimeApi:
    """Listens on a loopback port of its own for the processes of one execution environment.

    Args:
        collector: takes what the processes write.
        extensions: takes what extensions ask for.
    """

    def __init__(self, collector: LogCollector, extensions: Extensions) -> None:
        self._collector = collector
        self.extensions = extensions
        self.ended_extensions: set[str] = set()
        """Names of the external extensions whose process has ended."""
        self._processes: list[tuple[RuntimeProcess, LogCollector]] = []
        self._limits: ResourceLimits | None = None
        self._waiting: _Connection | None = None
        self._outcome: Outcome | None = None
        self._connections: set[_Connection] = set()
        self.init_error: PostedError | None = None
        self.restore_error: PostedError | None = None
        self.is_at_snapshot = False
        """Whether the runtime waits to be restored, after its before-snapshot hooks."""
        self.exit: str | None = None
        """``exit CODE``, ``signal NUMBER`` or ``exec ERRNO`` once the runtime's process has ended."""
        self._selector = selectors.PollSelector() if hasattr(selectors, "PollSelector") else selectors.SelectSelector()
        self.telemetry = Telemetry(self._selector, collector.now)
        collector.listener = self.telemetry.add
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        """What the function's processes find in ``AWS_LAMBDA_RUNTIME_API``."""

    def attach(self, process: RuntimeProcess, limits: ResourceLimits) -> None:
        """Watch the process that will talk to this API, and keep it to its limits while it is served."""
        self._limits = limits
        self._watch(process, self._collector, lambda: setattr(self, "exit", process.wait()))

    def attach_extension(self, name: str, process: RuntimeProcess) -> None:
        """Watch the process of an external extension."""

        def ended() -> None:
            self.ended_extensions.add(name)
            self.extensions.exited(name, process.wait())

        self._watch(process, self._collector.beside(), ended)

    @property
    def is_ready(self) -> bool:
        """Whether the runtime waits for an event, and every extension too."""
        return self._waiting is not None and self.extensions.are_waiting

    @property
    def runtime_is_ready(self) -> bool:
        """Whether the runtime waits for an event."""
        return self._waiting is not None

    @property
    def is_broken(self) -> bool:
        """Whether the environment cannot go on: the runtime's process has ended, or an extension has failed."""
        return self.exit is not None or self.extensions.failure is not None

    @property
    def is_initialised(self) -> bool:
        """Whether the INIT phase is over: the runtime waits for an event, or for its snapshot to be taken."""
        return self.is_ready or self.is_at_snapshot

    def send_event(
        self, request_id: str, headers: dict[str, str], event: bytes, sink: ResponseSink | None = None
    ) -> Outcome:
        """Answer the waiting runtime with an event; its answer will appear in the returned outcome, and in the sink."""
        assert self._waiting is not None
        connection, self._waiting = self._waiting, None
        self._outcome = Outcome(request_id, ResponseStream(sink))
        if self.extensions.all:
            self.extensions.invoke(_invoke_event(headers))
        connection.send(response_bytes(200, headers, event))
        return self._outcome

    def serve_until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Serve the environment's processes until ``done()`` or the deadline (``time.monotonic()`` seconds).

        Returns:
            True when done; False when the deadline passed first. Ends early, with True, when the environment is broken.
        """
        limits = self._limits
        while not done() and not self.is_broken:
            now = time.monotonic()
            if now >= deadline:
                return False
            if limits is None:
                self._serve(deadline - now)
                continue
            if now >= limits.next_look:
                limits.look(now)
            self._serve(min(deadline, limits.next_look) - now)
        self._drain_logs()
        return True

    def end_init(self) -> None:
        """Let no extension subscribe to telemetry any more: all of them wait for their first event."""
        if not self.telemetry.close_registration():
            self._collector.listener = None

    def serve_ending(self, done: Callable[[], bool], deadline: float) -> bool:
        """Serve the processes in the same way while they end: without limits, and whatever happens to them."""
        while not done():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            self._serve(remaining)
        return True

    def _serve(self, seconds: float) -> None:
        with interrupts.may_break_in():
            ready = self._selector.select(max(0.0, seconds))
        for key, _ in ready:
            key.data(key.fileobj)

    def close(self) -> None:
        """Read what the ended processes still said and close every socket."""
        self._drain_logs()
        self._collector.listener = None
        self.telemetry.close()
        for connection in list(self._connections):
            self._drop(connection)
        self._listener.close()
        self._selector.close()

    def _accept(self, listener: socket.socket) -> None:
        connected, _ = listener.accept()
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(connected)
        self._connections.add(connection)
        self._selector.register(connected, selectors.EVENT_READ, lambda _: self._read(connection))

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(262_144)
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        try:
            connection.parser.feed(data)
            while request := connection.parser.next_request():
                self._answer(connection, request)
            if begun := connection.parser.begun_request():
                if connection.parser.take_expectation():
                    connection.socket.sendall(_CONTINUE)
                self._take_part(connection, begun)
        except (MalformedRequest, OSError):
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        if connection is self._waiting:
            self._waiting = None
        self.extensions.dropped(connection.socket.sendall)
        self._connections.discard(connection)
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection.socket)
        connection.socket.close()

    def _answer(self, connection: _Connection, request: HttpRequest) -> None:
        if request.is_from_a_web_page:
            connection.socket.sendall(_refusal(403, "Forbidden", "The Runtime API does not serve web pages."))
            return
        if request.target == f"{_RUNTIME}/invocation/next" and request.method == "GET":
            self._waiting = connection
            self.extensions.close_registration()
            return
        if request.target.rstrip("/") == TELEMETRY_PATH and request.method == "PUT":
            response, subscribed = self.telemetry.subscribe(request, self.extensions.named_by(request))
            connection.socket.sendall(response)
            if subscribed is not None:
                self._collector.platform(subscribed)
            return
        if request.target.startswith(EXTENSION_PATH):
            answer = self.extensions.answer(request, connection.socket.sendall)
            if answer is not None:
                connection.socket.sendall(answer)
            return
        if request.target == f"{_RUNTIME}/restore/next" and request.method == "GET":
            self.is_at_snapshot = True  # the answer comes after the restore, in the process that it makes
            return
        if request.method == "POST" and request.target in (f"{_RUNTIME}/init/error", f"{_RUNTIME}/restore/error"):
            if request.target.endswith("/init/error"):
                self.init_error = _posted_error(request)
            else:
                self.restore_error = _posted_error(request)
            connection.socket.sendall(_ACCEPTED)
            return
        connection.send(self._take_result(request))

    def _take_result(self, request: HttpRequest) -> bytes:
        outcome = self._outcome
        prefix, _, kind = request.target.rpartition("/")
        if request.method != "POST" or not prefix.startswith(f"{_RUNTIME}/invocation/"):
            return response_bytes(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
        if outcome is None or outcome.is_known or not prefix.endswith("/" + outcome.request_id):
            return _refusal(400, "InvalidRequestID", "Invalid request ID")
        if kind == "error":
            outcome.error = _posted_error(request)
            return _ACCEPTED
        if _is_streamed(request):
            outcome.stream.begin_streaming()
        failed_late = "lambda-runtime-function-error-type" in request.trailers
        if request.body or not failed_late:
            outcome.stream.take(request.headers.get("content-type", ""), request.body)
        if outcome.stream.is_too_large:
            outcome.too_large = True
            message = f"Exceeded maximum allowed payload size ({outcome.stream.limit} bytes)."
            return _refusal(413, "RequestEntityTooLarge", message)
        if failed_late:
            outcome.error = _late_error(request)
        else:
            outcome.response = outcome.stream.kept
        return _ACCEPTED

    def _take_part(self, connection: _Connection, begun: HttpRequest) -> None:
        outcome = self._outcome
        if outcome is None or outcome.is_known or not _is_streamed(begun):
            return
        if begun.target == f"{_RUNTIME}/invocation/{outcome.request_id}/response":
            outcome.stream.begin_streaming()
            if part := connection.parser.take_body_part():
                outcome.stream.take(begun.headers.get("content-type", ""), part)

    def _watch(self, process: RuntimeProcess, collector: LogCollector, ended: Callable[[], object]) -> None:
        def process_ended(status_fd: int) -> None:
            self._selector.unregister(status_fd)
            ended()

        self._processes.append((process, collector))
        self._selector.register(process.log_fd, selectors.EVENT_READ, lambda fd: self._read_log(fd, collector))
        self._selector.register(process.status_fd, selectors.EVENT_READ, process_ended)

    def _read_log(self, log_fd: int, collector: LogCollector) -> None:
        try:
            data = os.read(log_fd, 262_144)
        except BlockingIOError:
            return
        if data:
            collector.feed(data)
        else:
            self._selector.unregister(log_fd)

    def _drain_logs(self) -> None:
        # The processes write before they ask for the next event, so all they have said is in the pipes by now.
        for process, collector in self._processes:
            with contextlib.suppress(BlockingIOError):
                while data := os.read(process.log_fd, 262_144):
                    collector.feed(data)
            if collector is not self._collector:
                collector.flush()


def _invoke_event(headers: dict[str, str]) -> dict[str, object]:
    """Return an Invoke event for extensions, from the headers of the runtime's event."""
    return {
        "deadlineMs": int(headers["Lambda-Runtime-Deadline-Ms"]),
        "requestId": headers["Lambda-Runtime-Aws-Request-Id"],
        "invokedFunctionArn": headers["Lambda-Runtime-Invoked-Function-Arn"],
        "tracing": {"type": "X-Amzn-Trace-Id", "value": headers["Lambda-Runtime-Trace-Id"]},
    }


def _is_streamed(request: HttpRequest) -> bool:
    is_chunked = request.headers.get("transfer-encoding", "").lower() == "chunked"
    return is_chunked and request.headers.get("lambda-runtime-function-response-mode", "").lower() == STREAMING


def _late_error(request: HttpRequest) -> PostedError:
    """Return the error that a stream ended with: the trailers have its type, and its document in base64."""
    try:
        body = base64.b64decode(request.trailers.get("lambda-runtime-function-error-body", ""), validate=True)
    except binascii.Error:
        body = b""
    return PostedError(request.trailers["lambda-runtime-function-error-type"], body or b"{}")


def _posted_error(request: HttpRequest) -> PostedError:
    error_type = request.headers.get("lambda-runtime-function-error-type", "Unhandled")
    return PostedError(error_type, request.body)


def _refusal(status: int, error_type: str, message: str) -> bytes:
    body = f'{{"errorMessage":"{message}","errorType":"{error_type}"}}'.encode()
    return response_bytes(status, {"Content-Type": "application/json"}, body)
