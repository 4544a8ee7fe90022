"""Messages of AWS's event stream encoding, in which a streamed response travels.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html describes the bytes.
"""

from __future__ import annotations

import struct
from binascii import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_STRING = 7


def event_message(event_type: str, payload: bytes, content_type: str = "application/octet-stream") -> bytes:
    """Return one event as a complete message."""
    headers = b"".join(
        _header(name, value)
        for name, value in [(":message-type", "event"), (":event-type", event_type), (":content-type", content_type)]
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(encoded)) + encoded
