"""The server's end of a WebSocket (RFC 6455): the handshake, messages in and out, and the close.

Frames are read and written by websocket-client, which is made for the other end; a server differs in sending without a mask.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import threading

from websocket import ABNF, WebSocketException, continuous_frame, frame_buffer

from coldstart.events.websocket_event import (
    ABNORMAL,
    CLOSE_REASONS,
    MAX_FRAME_BYTES,
    MAX_MESSAGE_BYTES,
    NO_STATUS,
    PROTOCOL_ERROR,
    TOO_BIG,
    UNSUPPORTED,
    ConnectionClosed,
)
from coldstart.runtime.http_wire import response_head

_LINGER_SECONDS = 1.0
_LINGER_READS = 64
"""How long, and how often, a refused client is still listened to."""
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocketConnection:
    """One connection. Messages are received by one thread; any may send and close.

    Args:
        connection: of the client.
        received: what the client has sent after its request already.
    """

    def __init__(self, connection: socket.socket, received: bytes) -> None:
        self._connection = connection
        self._received = received
        self._frames = frame_buffer(self._read, skip_utf8_validation=False)
        self._parts = continuous_frame(fire_cont_frame=False, skip_utf8_validation=False)
        self._lock = threading.Lock()
        self._closed_with: int | None = None

    def accept(self, key: str, headers: list[tuple[str, str]]) -> None:
        """Answer the handshake.

        Args:
            key: ``Sec-WebSocket-Key`` of the request.
            headers: further ones of the answer.
        """
        accept = base64.b64encode(hashlib.sha1(f"{key}{_MAGIC}".encode(), usedforsecurity=False).digest()).decode()
        upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)]
        self._connection.sendall(response_head(101, [*upgrade, *headers]))

    def receive(self) -> str:
        """Wait for the next message and return it.

        Raises:
            ConnectionClosed: there is none. Where the client has closed the connection, :meth:`close` answers it.
        """
        try:
            return self._next_message()
        except (OSError, WebSocketException) as error:
            if self._closed_with is not None:
                raise ConnectionClosed(self._closed_with) from None
            status = PROTOCOL_ERROR if isinstance(error, WebSocketException) else ABNORMAL
            self.close(status)
            raise ConnectionClosed(status) from None

    def send(self, message: bytes) -> None:
        """Send a text message.

        Raises:
            OSError: the client has gone.
        """
        self._send(ABNF.OPCODE_TEXT, message)

    def close(self, status: int, reason: str = "") -> None:
        """Tell the client that the connection ends, and end it; nothing when that has been done."""
        if self._say_that_it_ends(status, reason):
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def _say_that_it_ends(self, status: int, reason: str = "") -> bool:
        with self._lock:
            if self._closed_with is not None:
                return False
            self._closed_with = status
        if status not in (NO_STATUS, ABNORMAL):
            said = struct.pack("!H", status) + (reason or CLOSE_REASONS.get(status, "")).encode()
            with contextlib.suppress(OSError):
                self._send(ABNF.OPCODE_CLOSE, said)
        return True

    def _next_message(self) -> str:
        size = 0
        while True:
            if self._frames.needs_header():
                self._frames.recv_header()
            self._frames.recv_length()
            size += self._frames.length or 0
            if (self._frames.length or 0) > MAX_FRAME_BYTES or size > MAX_MESSAGE_BYTES:
                self._refuse(TOO_BIG)
            frame = self._frames.recv_frame()
            data = frame.data.encode() if isinstance(frame.data, str) else frame.data
            if frame.opcode == ABNF.OPCODE_CLOSE:
                status = struct.unpack("!H", data[:2])[0] if data else NO_STATUS
                raise ConnectionClosed(status, data[2:].decode("utf-8", "replace"))
            if frame.opcode == ABNF.OPCODE_PING:
                self._send(ABNF.OPCODE_PONG, data)
            if frame.opcode in (ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
                size -= len(data)
                continue
            self._parts.validate(frame)
            self._parts.add(frame)
            if not self._parts.is_fire(frame):
                continue
            opcode, whole = self._parts.extract(frame)
            if opcode != ABNF.OPCODE_TEXT:
                self._refuse(UNSUPPORTED)
            return str(whole.data, "utf-8")

    def _refuse(self, status: int) -> None:
        """Close because of what the client sends; take the rest of it, or the client might lose the reason (a TCP reset)."""
        if self._say_that_it_ends(status):
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)
                self._connection.settimeout(_LINGER_SECONDS)
                for _ in range(_LINGER_READS):
                    if not self._connection.recv(65_536):
                        break
        raise ConnectionClosed(status)

    def _send(self, opcode: int, data: bytes) -> None:
        frame = ABNF.create_frame(data, opcode)
        frame.mask_value = 0
        with self._lock:
            self._connection.sendall(frame.format())

    def _read(self, size: int) -> bytes:
        if self._received:
            part, self._received = self._received[:size], self._received[size:]
            return part
        data = self._connection.recv(size)
        if not data:
            raise ConnectionResetError("the client has gone")
        return data
