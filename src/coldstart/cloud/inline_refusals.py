"""What the local AWS does not do where there are no threads: each refusal says where it works."""

from __future__ import annotations

from coldstart.cloud.aws_error import AwsError
from coldstart.runtime.http_wire import HttpRequest


class InTheNotebookOnly:
    """In place of a service's API.

    Args:
        service: its name, as AWS writes it.
        why: what it needs.
    """

    def __init__(self, service: str, why: str) -> None:
        self._message = f"{service} needs {why}, and this page has none. Run this cell in the notebook of the lesson."

    def answer(self, request: HttpRequest, region: str) -> bytes | None:
        """Refuse a request."""
        raise AwsError(400, "UnsupportedOperationException", self._message)
