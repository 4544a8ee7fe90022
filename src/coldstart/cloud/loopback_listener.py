"""The cloud's port: kept-alive HTTP on loopback, in the learner's process, with a thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from coldstart.runtime.http_wire import HttpRequest, MalformedRequest, RequestParser

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Respond = Callable[[HttpRequest, Callable[[bytes], None]], bool]
"""Answers a request through what sends bytes; returns False when the connection cannot be used any further."""

TakeOver = Callable[[HttpRequest, socket.socket, Callable[[], bytes]], bool]
"""Goes on with a connection in another protocol, from a request that asks for it, with what has been received after it; returns
when that is over, or False at once when the request is an ordinary one."""


class LoopbackListener:
    """Takes connections from :meth:`start` on; its port is known before."""

    def __init__(self) -> None:
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def start(self, respond: Respond, take_over: TakeOver) -> None:
        """Let requests be answered."""
        self._respond = respond
        self._take_over = take_over
        threading.Thread(target=self._accept, name="coldstart-front-door", daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        parser = RequestParser()
        try:
            with connection:
                while data := connection.recv(262_144):
                    parser.feed(data)
                    while request := parser.next_request():
                        if self._take_over(request, connection, parser.take_rest):
                            return
                        if not self._respond(request, connection.sendall) or not request.keeps_alive:
                            return
                    if parser.take_expectation():
                        connection.sendall(_CONTINUE)
        except (OSError, MalformedRequest):
            pass  # the caller has gone, or never spoke HTTP
        finally:
            self._connections.discard(connection)
