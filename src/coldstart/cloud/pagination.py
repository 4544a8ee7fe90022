"""Pages of a list with AWS's Marker and MaxItems."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from coldstart.cloud.aws_error import AwsError

Item = TypeVar("Item")


def take_page(
    items: Sequence[Item], params: Mapping[str, Any], key: Callable[[Item], str], most: int = 50
) -> tuple[list[Item], str | None]:
    """Return the page that a request asks for, and the NextMarker when there are more.

    A marker holds the position and the key of the last item that was given out, so a page goes on at the right place when
    items before it have come or gone.

    Args:
        params: the request's, with ``Marker`` and ``MaxItems`` if given.
        key: names an item uniquely.
        most: the largest page, whatever MaxItems asks for.

    Raises:
        AwsError: the marker was not given out here (InvalidParameterValueException).
    """
    start = _after(items, params["Marker"], key) if params.get("Marker") else 0
    size = min(params.get("MaxItems") or most, most)
    page = list(items[start : start + size])
    end = start + len(page)
    if end >= len(items):
        return page, None
    return page, base64.urlsafe_b64encode(f"{end}:{key(page[-1])}".encode()).decode()


def _after(items: Sequence[Item], marker: str, key: Callable[[Item], str]) -> int:
    try:
        position, _, last = base64.urlsafe_b64decode(marker).decode().partition(":")
        start = int(position)
    except (ValueError, binascii.Error):
        raise AwsError(400, "InvalidParameterValueException", "Invalid Marker.") from None
    for index, item in enumerate(items):
        if key(item) == last:
            return index + 1
    return start
