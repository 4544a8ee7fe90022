"""Many files in one row of bytes: a line of JSON with their paths and sizes, then what is in them, one after the other.

``site/browser/files.mjs`` reads the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping


def pack(files: Mapping[str, bytes]) -> bytes:
    """Put files in a row.

    Args:
        files: what is in each, by its path.
    """
    index = json.dumps([[path, len(content)] for path, content in files.items()])
    return b"\n".join([index.encode(), b"".join(files.values())])


def unpack(packed: bytes) -> dict[str, bytes]:
    """Return the files that :func:`pack` put in a row."""
    line, _, contents = packed.partition(b"\n")
    files, place = {}, 0
    for path, size in json.loads(line):
        files[path] = contents[place : place + size]
        place += size
    return files
