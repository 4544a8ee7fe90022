"""Reads Protocol Buffers messages without their schema: https://protobuf.dev/programming-guides/encoding/."""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


class MalformedMessage(ValueError):
    """The bytes are no message."""


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Return number and value of each field: a number for varints, the bytes as they are for all others.

    Raises:
        MalformedMessage: the bytes are no message.
    """
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == _LENGTH:
            length, position = _varint(data, position)
        elif wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire_type == _EIGHT_BYTES else 4
        else:
            raise MalformedMessage(f"wire type {wire_type}")
        end = position + length
        if end > len(data):
            raise MalformedMessage("it ends too early")
        yield number, data[position:end]
        position = end


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position
    raise MalformedMessage("it ends in a number")
