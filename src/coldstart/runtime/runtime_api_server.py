"""Serves the Runtime API to the processes of one execution environment, on a loopback port of its own.

There is no server thread: whoever invokes the function does the socket work itself in :meth:`RuntimeApiServer.serve_until`,
reads the function's output on the way and notices when the process ends.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable

from coldstart.runtime import interrupts
from coldstart.runtime.extensions import Extensions
from coldstart.runtime.http_wire import HttpRequest, MalformedRequest, RequestParser
from coldstart.runtime.log_collector import LogCollector
from coldstart.runtime.processes import RuntimeProcess
from coldstart.runtime.resource_limits import ResourceLimits
from coldstart.runtime.runtime_api import RuntimeApi
from coldstart.runtime.telemetry import Telemetry

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Connection:
    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.parser = RequestParser()
        self.send_now = connected.sendall
        self._held = b""

    def send(self, response: bytes) -> None:
        """Send a response; when the next request is here already, together with the next response."""
        if self.parser.has_more:
            self._held += response
            return
        held, self._held = self._held, b""
        self.socket.sendall(held + response)


class RuntimeApiServer(RuntimeApi):
    """Listens as soon as it is made.

    Args:
        collector: takes what the processes write.
        extensions: takes what extensions ask for.
    """

    def __init__(self, collector: LogCollector, extensions: Extensions) -> None:
        self._selector = selectors.PollSelector() if hasattr(selectors, "PollSelector") else selectors.SelectSelector()
        super().__init__(collector, extensions, Telemetry(self._selector, collector.now))
        self.ended_extensions: set[str] = set()
        """Names of the external extensions whose process has ended."""
        self._processes: list[tuple[RuntimeProcess, LogCollector]] = []
        self._limits: ResourceLimits | None = None
        self._connections: set[_Connection] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

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

    def serve_until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Serve the environment's processes until ``done()`` or the deadline (``time.monotonic()`` seconds)."""
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
                self.answer(connection, request)
            if begun := connection.parser.begun_request():
                if connection.parser.take_expectation():
                    connection.socket.sendall(_CONTINUE)
                self._take_part(connection, begun)
        except (MalformedRequest, OSError):
            self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        if connection is self._waiting:
            self._waiting = None
        self.extensions.dropped(connection.send_now)
        self._connections.discard(connection)
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection.socket)
        connection.socket.close()

    def _take_part(self, connection: _Connection, begun: HttpRequest) -> None:
        if (stream := self.stream_of(begun)) and (part := connection.parser.take_body_part()):
            stream.take(begun.headers.get("content-type", ""), part)

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
