"""The Runtime API of one execution environment: what AWS's runtime clients ask, and what they are answered.

Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. How requests come is for those who extend it to say: from
processes through sockets (:mod:`~coldstart.runtime.runtime_api_server`), or from a function in this interpreter
(:mod:`~coldstart.runtime.inline`). One instance serves one start of a runtime.
"""

from __future__ import annotations

import base64
import binascii
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from coldstart.runtime.extensions import EXTENSION_PATH, Extensions
from coldstart.runtime.http_wire import HttpRequest, response_bytes
from coldstart.runtime.log_collector import LogCollector
from coldstart.runtime.response_stream import STREAMING, ResponseSink, ResponseStream
from coldstart.runtime.telemetry import TELEMETRY_PATH, Telemetry

_RUNTIME = "/2018-06-01/runtime"
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


class Client(Protocol):
    """Who sent a request, and waits for the answer."""

    def send(self, response: bytes) -> None:
        """Send a response that may wait for the next one, when the next request is here already."""

    def send_now(self, response: bytes) -> None:
        """Send a response at once."""


class RuntimeApi(ABC):
    """Answers the runtime of one execution environment, and its extensions.

    Args:
        collector: takes what Lambda itself tells.
        extensions: takes what extensions ask for.
        telemetry: takes subscriptions.
    """

    address: str
    """What the function finds in ``AWS_LAMBDA_RUNTIME_API``."""

    def __init__(self, collector: LogCollector, extensions: Extensions, telemetry: Telemetry) -> None:
        self._collector = collector
        self.extensions = extensions
        self.telemetry = telemetry
        collector.listener = telemetry.add
        self._waiting: Client | None = None
        self._outcome: Outcome | None = None
        self.init_error: PostedError | None = None
        self.restore_error: PostedError | None = None
        self.is_at_snapshot = False
        """Whether the runtime waits to be restored, after its before-snapshot hooks."""
        self.exit: str | None = None
        """``exit CODE``, ``signal NUMBER`` or ``exec ERRNO`` once the runtime has ended."""

    @abstractmethod
    def attach(self, process: Any, limits: Any) -> None:
        """Take the runtime that will talk to this API, and what keeps it to its limits while it is served."""

    @abstractmethod
    def serve_until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Serve the environment until ``done()`` or the deadline (``time.monotonic()`` seconds).

        Returns:
            True when done; False when the deadline passed first. Ends early, with True, when the environment is broken.
        """

    @abstractmethod
    def close(self) -> None:
        """Take in what the runtime, which has ended, still said, and serve nobody any more."""

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
        """Whether the environment cannot go on: the runtime has ended, or an extension has failed."""
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
        client, self._waiting = self._waiting, None
        self._outcome = Outcome(request_id, ResponseStream(sink))
        if self.extensions.all:
            self.extensions.invoke(_invoke_event(headers))
        client.send(response_bytes(200, headers, event))
        return self._outcome

    def end_init(self) -> None:
        """Let no extension subscribe to telemetry any more: all of them wait for their first event."""
        if not self.telemetry.close_registration():
            self._collector.listener = None

    def answer(self, client: Client, request: HttpRequest) -> None:
        """Answer a request, now or when there is an answer."""
        if request.is_from_a_web_page:
            client.send_now(_refusal(403, "Forbidden", "The Runtime API does not serve web pages."))
            return
        if request.target == f"{_RUNTIME}/invocation/next" and request.method == "GET":
            self._waiting = client
            self.extensions.close_registration()
            return
        if request.target.rstrip("/") == TELEMETRY_PATH and request.method == "PUT":
            response, subscribed = self.telemetry.subscribe(request, self.extensions.named_by(request))
            client.send_now(response)
            if subscribed is not None:
                self._collector.platform(subscribed)
            return
        if request.target.startswith(EXTENSION_PATH):
            answer = self.extensions.answer(request, client.send_now)
            if answer is not None:
                client.send_now(answer)
            return
        if request.target == f"{_RUNTIME}/restore/next" and request.method == "GET":
            self.is_at_snapshot = True  # the answer comes after the restore, in the process that it makes
            return
        if request.method == "POST" and request.target in (f"{_RUNTIME}/init/error", f"{_RUNTIME}/restore/error"):
            if request.target.endswith("/init/error"):
                self.init_error = _posted_error(request)
            else:
                self.restore_error = _posted_error(request)
            client.send_now(_ACCEPTED)
            return
        client.send(self._take_result(request))

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

    def stream_of(self, begun: HttpRequest) -> ResponseStream | None:
        """Return what takes the body of a request while it arrives; None when the request is answered as a whole."""
        outcome = self._outcome
        if outcome is None or outcome.is_known or not _is_streamed(begun):
            return None
        if begun.target != f"{_RUNTIME}/invocation/{outcome.request_id}/response":
            return None
        outcome.stream.begin_streaming()
        return outcome.stream


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
