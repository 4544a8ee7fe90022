"""The Extensions API of one execution environment: who has registered, and what each is told.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html; error types and texts are those of AWS's own
Runtime Interface Emulator. External extensions are processes of their own (the executables in ``extensions/`` of the layers),
internal ones run in the runtime's process. The Runtime API hands requests over; it sends what is returned or parked here.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from coldstart.runtime.http_wire import HttpRequest, response_bytes
from coldstart.runtime.platform_events import ExtensionState

EXTENSION_PATH = "/2020-01-01/extension/"
MAX_EXTENSIONS = 10
"""Per function (Lambda quotas page)."""
EXTERNAL_SHUTDOWN_SECONDS = 2.0
INTERNAL_SHUTDOWN_SECONDS = 0.5
"""How long the SHUTDOWN phase may take with external extensions, and with internal ones only."""

_JSON = {"Content-Type": "application/json"}
_ACCEPTED = response_bytes(202, _JSON, b'{"status":"OK"}')


@dataclass
class Extension:
    """One extension, from when its process is started or it registers."""

    name: str
    is_external: bool
    identifier: str = ""
    """Empty until it has registered."""
    events: list[str] = field(default_factory=list)
    state: str = "Started"
    error_type: str = ""
    send: Callable[[bytes], object] | None = None
    """Answers its waiting request for the next event; None while it is at work."""
    pending: bytes | None = None
    """An event that waits for it."""

    def told(self) -> ExtensionState:
        """Return what Lambda tells about it when INIT ends."""
        return ExtensionState(self.name, self.state, tuple(self.events), self.error_type)


@dataclass(frozen=True)
class ExtensionFailure:
    """Why an environment is lost because of an extension."""

    error_type: str
    message: str


class Extensions:
    """The extensions of one start of an environment.

    Args:
        description: ``functionName``, ``functionVersion`` and ``handler``: what an extension learns when it registers.
        account_id: what it learns besides when it asks for it.
        new_identifier: makes the ids of extensions and events.
    """

    def __init__(self, description: dict[str, str], account_id: str, new_identifier: Callable[[], str]) -> None:
        self._description = description
        self._account_id = account_id
        self._new_identifier = new_identifier
        self._extensions: dict[str, Extension] = {}
        self._is_open = True
        self.failure: ExtensionFailure | None = None

    @property
    def all(self) -> list[Extension]:
        """Every extension there is."""
        return list(self._extensions.values())

    @property
    def have_registered(self) -> bool:
        """Whether all external extensions have registered: then the runtime is started."""
        return all(extension.identifier for extension in self._extensions.values())

    @property
    def are_waiting(self) -> bool:
        """Whether every extension waits for its next event."""
        return all(extension.send is not None for extension in self._extensions.values())

    @property
    def shutdown_seconds(self) -> float:
        """How long a shutdown may take; a function without extensions gets no time at all."""
        if any(extension.is_external for extension in self._extensions.values()):
            return EXTERNAL_SHUTDOWN_SECONDS
        return INTERNAL_SHUTDOWN_SECONDS if self._extensions else 0.0

    def expect(self, name: str) -> None:
        """Take note that an external extension has been started."""
        self._extensions[name] = Extension(name, is_external=True)

    def close_registration(self) -> None:
        """Let nobody register any more: the runtime is initialised."""
        self._is_open = False

    def invoke(self, event: dict[str, Any]) -> None:
        """Tell the extensions that want to know of an invocation."""
        for extension in self._extensions.values():
            if "INVOKE" in extension.events:
                self._tell(extension, {"eventType": "INVOKE", **event})

    def shut_down(self, reason: str, deadline_ms: int) -> list[str]:
        """Tell the extensions that want to know that the environment ends; return the names of those external ones."""
        told = [extension for extension in self._extensions.values() if "SHUTDOWN" in extension.events]
        for extension in told:
            event = {"eventType": "SHUTDOWN", "deadlineMs": deadline_ms, "shutdownReason": reason}
            self._tell(extension, event)
        return [extension.name for extension in told]

    def dropped(self, send: Callable[[bytes], object]) -> None:
        """Take note that a connection has gone, on which an extension may have waited."""
        for extension in self._extensions.values():
            if extension.send == send:
                extension.send = None

    def exited(self, name: str, how: str) -> None:
        """Take note that an external extension's process has ended: ``exit CODE``, ``signal NUMBER`` or ``exec ERRNO``."""
        kind, _, number = how.partition(" ")
        extension = self._extensions[name]
        extension.send = None
        if kind == "exec":
            reason = os.strerror(int(number)).lower()
            self._fail(extension, "LaunchError", "Extension.LaunchError", f"fork/exec /opt/extensions/{name}: {reason}")
        else:
            signals = {"9": "killed", "15": "terminated"}
            message = f"exit status {number}" if kind == "exit" else f"signal: {signals.get(number, number)}"
            self._fail(extension, "Exited", "Extension.Crash", "exit code 0" if how == "exit 0" else message)

    def refuse_more(self) -> None:
        """Fail, because the layers have more extensions than a function may have."""
        self.failure = ExtensionFailure("Extension.LaunchError", f"Extension limit ({MAX_EXTENSIONS}) reached")

    def answer(self, request: HttpRequest, send: Callable[[bytes], object]) -> bytes | None:
        """Return the response to a request, or None when it has to wait; ``send`` answers it then."""
        operation = request.method, request.target.removeprefix(EXTENSION_PATH)
        if operation == ("POST", "register"):
            return self._register(request)
        by_identifier = {extension.identifier: extension for extension in self.all if extension.identifier}
        identifier = request.headers.get("lambda-extension-identifier", "")
        if not identifier:
            return refusal("Extension.MissingHeader", "Lambda-Extension-Identifier not found")
        if identifier not in by_identifier:
            return refusal("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        extension = by_identifier[identifier]
        if operation == ("GET", "event/next"):
            return self._next(extension, send)
        if operation in (("POST", "init/error"), ("POST", "exit/error")):
            return self._take_error(extension, request, operation[1])
        return response_bytes(404, {"Content-Type": "text/plain"}, b"404 page not found\n")

    def named_by(self, request: HttpRequest) -> Extension | None:
        """Return the extension that a request identifies."""
        identifier = request.headers.get("lambda-extension-identifier", "")
        return next((extension for extension in self.all if extension.identifier == identifier != ""), None)

    def _register(self, request: HttpRequest) -> bytes:
        name = request.headers.get("lambda-extension-name", "")
        if not name:
            return refusal("Extension.InvalidExtensionName", "Empty extension name")
        try:
            events = list(json.loads(request.body)["events"]) if request.body else []
        except (ValueError, KeyError, TypeError):
            return refusal("InvalidRequestFormat", "The body has to be JSON with a list of events.")
        known = self._extensions.get(name)
        for event in events:
            if event not in ("INVOKE", "SHUTDOWN"):
                return refusal("Extension.InvalidEventType", f"{event}: ErrorInvalidEventType")
            if event == "SHUTDOWN" and known is None:
                message = f"{event}: ShutdownEventNotSupportedForInternalExtension"
                return refusal("Extension.InvalidEventType", message)
        if known is not None and known.identifier:
            return refusal("Extension.InvalidExtensionState", "Extension with this name already registered")
        if known is None and not self._is_open:
            return refusal("Extension.RegistrationClosed", "Extension registration closed already")
        if known is None and len(self._extensions) >= MAX_EXTENSIONS:
            return refusal("Extension.TooManyExtensions", f"Extension limit ({MAX_EXTENSIONS}) reached")
        extension = self._extensions.setdefault(name, Extension(name, is_external=False))
        extension.identifier = self._new_identifier()
        extension.events = events
        extension.state = "Registered"
        features = request.headers.get("lambda-extension-accept-feature", "")
        more = {"accountId": self._account_id} if "accountId" in features.replace(" ", "").split(",") else {}
        body = json.dumps({**self._description, **more}).encode()
        return response_bytes(200, {**_JSON, "Lambda-Extension-Identifier": extension.identifier}, body)

    def _next(self, extension: Extension, send: Callable[[bytes], object]) -> bytes | None:
        extension.state = "Ready"
        if extension.pending is not None:
            event, extension.pending = extension.pending, None
            return event
        extension.send = send
        return None

    def _take_error(self, extension: Extension, request: HttpRequest, kind: str) -> bytes:
        error_type = request.headers.get("lambda-extension-function-error-type", "")
        if not error_type:
            return refusal("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
        is_init = kind == "init/error"
        state, fatal = ("InitError", "Extension.InitError") if is_init else ("ExitError", "Extension.ExitError")
        self._fail(extension, state, fatal, error_type)
        extension.error_type = error_type
        return _ACCEPTED

    def _fail(self, extension: Extension, state: str, error_type: str, message: str) -> None:
        extension.state = state
        extension.error_type = error_type
        if self.failure is None:
            self.failure = ExtensionFailure(error_type, message)

    def _tell(self, extension: Extension, event: dict[str, Any]) -> None:
        headers = {**_JSON, "Lambda-Extension-Event-Identifier": self._new_identifier()}
        response = response_bytes(200, headers, json.dumps(event).encode())
        if extension.send is None:
            extension.pending = response
            return
        send, extension.send = extension.send, None
        with contextlib.suppress(OSError):  # it has died; its process will say how
            send(response)


def refusal(error_type: str, message: str) -> bytes:
    """Return the 403 response with which the Extensions and Telemetry APIs refuse a request."""
    body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
    return response_bytes(403, _JSON, body)
