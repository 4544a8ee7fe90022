"""Runs functions in this interpreter, for places without processes: a page in a browser. ``cloud.start(host="inline")``.

AWS's own bootstrap loads and calls the handler, as everywhere, and our transport below it speaks to the same Runtime API: the
connection between them is in memory. When the bootstrap asks for an event and there is none, it is left where it stands, and run
anew with the next one; the function's module stays loaded.

What needs a process is not here: other languages than Python, external extensions, SnapStart. And some of what Lambda does to
a function from outside:

- CPU and memory are the interpreter's: no share of the CPU, no memory limit; ``Max Memory Used`` is 0 MB, for not measured.
- A function that has used up its time is stopped when it sleeps, prints, answers, or begins another round of a loop; until then it
  goes on. Loops in Python take some times longer than elsewhere for that.
- ``asyncio.run`` needs what only some browsers have (stack switching).
- Nothing runs at the same time: no threads, and of two invocations the second waits for the first, unless the first is in the
  middle of calling AWS. A program that the function starts, and what it writes to file descriptors, are not seen.
- Python is the browser's. A part of its library is not in it, such as ``hashlib.pbkdf2_hmac``.
- No port is open: who speaks to the Runtime API by hand, as internal extensions do, finds nobody.
- The AWS SDK is the caller's. A function that patches it has patched it for everybody, unless it is for tracing.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import importlib.util
import io
import math
import selectors
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coldstart.runtime import interrupts
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.extensions import Extensions
from coldstart.runtime.http_wire import HttpRequest, RequestParser
from coldstart.runtime.inline_interpreter import Interior
from coldstart.runtime.language_runtimes import LanguageRuntime, RuntimeMissing, python_runtime
from coldstart.runtime.log_collector import LogCollector
from coldstart.runtime.runtime_api import RuntimeApi
from coldstart.runtime.telemetry import Telemetry

_NO_ADDRESS = "127.0.0.1:9"
_OUR_OWN_VARIABLES = ("COLDSTART_LAYERS_DIR", "PYTHONPATH", "_LAMBDA_TELEMETRY_LOG_FD")
"""They lead the program of a process; here it is led otherwise."""


class _Paused(BaseException):
    """The runtime waits for an event."""


class _TimedOut(BaseException):
    """The time of a phase is over."""


class _Left(BaseException):
    """The function has called ``os._exit``."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class InlineRuntimeApi(RuntimeApi):
    """The Runtime API of a sandbox in this interpreter, which runs while it is served."""

    address = _NO_ADDRESS

    def __init__(self, collector: LogCollector, extensions: Extensions) -> None:
        super().__init__(collector, extensions, Telemetry(selectors.SelectSelector(), collector.now))
        self._sandbox: InlineSandbox | None = None

    def attach(self, process: InlineSandbox, limits: object) -> None:
        """Take the sandbox that will talk to this API."""
        self._sandbox = process
        process.connect(self, self._collector.feed)

    def serve_until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Run the sandbox until it waits for an event or has ended; return False when its time was over before."""
        if done() or self.is_broken or self._sandbox is None:
            return True
        return self._sandbox.run(deadline)

    def close(self) -> None:
        """Serve no more."""
        self._collector.listener = None


class InlineSandbox:
    """One start of a function's runtime.

    Args:
        variables: its environment variables.
        folders: where its modules come from: package, layers, Lambda's runtime.
        tmp: what takes the place of ``/tmp``; None when it has its temporary directory by name only.
    """

    def __init__(self, variables: dict[str, str], folders: list[Path], tmp: Path | None) -> None:
        self._handler = variables["_HANDLER"]
        self._context = contextvars.Context()
        self._output = _Output(self._write)
        text = io.TextIOWrapper(self._output, encoding="utf-8", newline="\n", write_through=True)  # type: ignore[type-var]
        self._interior = Interior(folders, variables, folders[0], text, self._sleep, _leave, self._check_time, tmp)
        self._sleep_really = time.sleep
        self._connection = _Connection(self._check_time)
        self._feed: Callable[[bytes], None] = _ignore
        self._api: RuntimeApi | None = None
        self._bootstrap: Any = None
        self._client: Any = None
        self._logging: Any = None
        self._deadline = math.inf

    def connect(self, api: RuntimeApi, feed: Callable[[bytes], None]) -> None:
        """Take the Runtime API to talk to, and what takes the function's output."""
        self._api = self._connection.api = api
        self._feed = feed

    def run(self, deadline: float) -> bool:
        """Run on until the runtime waits for an event or ends, which the Runtime API hears; return whether it came to that in time.

        Args:
            deadline: in monotonic seconds.
        """
        assert self._api is not None
        self._deadline = deadline
        with self._interior.turn():
            ending = self._ending()
        self._deadline = math.inf  # what calls the function's code between two turns is not its time
        if isinstance(ending, KeyboardInterrupt):
            raise ending
        if not isinstance(ending, (_Paused, _TimedOut)):
            self._api.exit = f"exit {self._exit_code(ending)}"
        return not isinstance(ending, _TimedOut)

    def freeze(self) -> None:
        """Do nothing: it only runs while it is served."""

    def thaw(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Forget the function's modules."""
        if self._logging is not None:
            atexit.unregister(self._logging.shutdown)
        self._bootstrap = self._client = self._logging = None

    def close(self) -> None:
        """Do nothing: it holds nothing of the system."""

    def _ending(self) -> BaseException:
        """Run the program on; return what ended that. Nothing else is done in the function's turn, which may be over any time."""
        try:
            with interrupts.may_break_in():
                self._context.run(self._run_program)
        except BaseException as ending:
            return ending
        raise AssertionError("AWS's bootstrap asks for events until it is stopped")

    def _run_program(self) -> None:
        """Do what ``python/bootstrap.py`` does in a process."""
        if self._bootstrap is None:
            self._load()
        self._bootstrap.run(self._handler, self._client)

    def _load(self) -> None:
        """Load AWS's runtime, on top of a connection in memory."""
        transport = _module("runtime_client", Path(__file__).with_name("python") / "runtime_client.py")
        transport._socket = self._connection
        sys.modules["runtime_client"] = transport
        import logging

        from awslambdaric import bootstrap
        from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
        from awslambdaric.lambda_runtime_marshaller import to_json

        def call_rapid(
            method: str, endpoint: str, _: int, payload: Any = None, headers: dict[str, str] | None = None
        ) -> None:
            named = {name.lower(): value for name, value in (headers or {}).items()}
            body = b"" if payload is None else to_json(payload).encode()
            self._connection.request(HttpRequest(method, endpoint, named, body))

        self._logging = logging
        self._bootstrap = bootstrap
        self._client = LambdaRuntimeClient(_NO_ADDRESS)
        self._client.call_rapid = call_rapid
        sink = bootstrap.FramedTelemetryLogSink(0)
        sink.file = self._output
        bootstrap.create_log_sink = lambda: contextlib.nullcontext(sink)
        set_up = bootstrap._setup_logging

        def set_up_once(*arguments: Any) -> None:
            set_up(*arguments)
            bootstrap._setup_logging = bootstrap._log_preview_runtime_warning = _ignore

        bootstrap._setup_logging = set_up_once

    def _exit_code(self, ending: BaseException) -> int:
        """Return the code with which a process would end, and print what it would print."""
        if isinstance(ending, _Left):
            return ending.code
        if isinstance(ending, SystemExit):
            if ending.code is None or isinstance(ending.code, int):
                return ending.code or 0
            self._feed(f"{ending.code}\n".encode())
            return 1
        self._feed("".join(traceback.format_exception(ending.with_traceback(_inner(ending)))).encode())
        return 1

    def _write(self, data: bytes) -> None:
        self._check_time()
        self._feed(data)

    def _sleep(self, seconds: float) -> None:
        left = self._deadline - time.monotonic()
        self._sleep_really(max(0.0, min(seconds, left)) if seconds >= 0 else seconds)
        if seconds > left:
            raise _TimedOut

    def _check_time(self, *_: object) -> None:
        if time.monotonic() > self._deadline:
            raise _TimedOut


class _Output(io.RawIOBase):
    """A function's standard output."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes."""
        self._take(bytes(data))
        return len(data)


class _Connection:
    """What our transport takes for the module ``_socket``, and for the one connection that it makes with it.

    Args:
        check_time: raises an exception when the time is over.
    """

    AF_INET = SOCK_STREAM = IPPROTO_TCP = TCP_NODELAY = 0

    def __init__(self, check_time: Callable[[], None]) -> None:
        self._check_time = check_time
        self._parser = RequestParser()
        self._answers = bytearray()
        self.api: RuntimeApi | None = None

    def socket(self, *_: object) -> _Connection:
        """Return itself."""
        return self

    def connect(self, _: object) -> None:
        """Do nothing."""

    def setsockopt(self, *_: object) -> None:
        """Do nothing."""

    def sendall(self, data: bytes) -> None:
        """Take bytes from the runtime, and let the Runtime API answer."""
        self._parser.feed(data)
        while request := self._parser.next_request():
            self.request(request)

    def request(self, request: HttpRequest) -> None:
        """Take a request from the runtime, and let the Runtime API answer."""
        self._check_time()
        assert self.api is not None
        self.api.answer(self, request)

    def send(self, response: bytes) -> None:
        """Take bytes from the Runtime API."""
        self._answers += response

    send_now = send

    def recv(self, _: int) -> bytes:
        """Return bytes for the runtime."""
        if not self._answers:
            raise _Paused
        answers, self._answers = self._answers, bytearray()
        return bytes(answers)


class _NoLimits:
    """What this interpreter can tell of a function's CPU and memory: nothing."""

    out_of_memory = False
    peak_memory_mb = 0

    def begin_init(self, now: float) -> None:
        """Do nothing."""

    def begin_invocation(self, now: float) -> None:
        """Do nothing."""

    def measure_peak(self) -> None:
        """Do nothing."""


class InlineSandboxes:
    """Makes sandboxes in this interpreter; see :class:`~coldstart.runtime.sandboxes.Sandboxes`.

    Args:
        root: the cloud's folder.
        runtime_directory: what stands for /var/runtime.
    """

    can_restore = False

    def __init__(self, root: Path, runtime_directory: Path) -> None:
        self._root = root
        self._runtime_directory = runtime_directory
        # The file system of a browser is the interpreter's alone.
        self._replaces_tmp = sys.platform == "emscripten"

    def language_runtime(self, configuration: FunctionConfiguration) -> LanguageRuntime:
        """Return this interpreter, or raise RuntimeMissing."""
        if not configuration.runtime.startswith("python"):
            raise RuntimeMissing(
                f"{configuration.runtime} functions need a process of their own, and this page has none. "
                "They run in the notebook of this lesson; Python functions run here too."
            )
        if configuration.layers is not None and (configuration.layers / "extensions").is_dir():
            raise RuntimeMissing(
                "The function's layers have an extension, which needs a process of its own, and this page has none. "
                "It runs in the notebook of this lesson; functions without extensions run here too."
            )
        return python_runtime()

    def name_of_tmp(self, folder: Path) -> Path:
        """Return ``/tmp`` where it can be replaced, else the folder."""
        return Path("/tmp") if self._replaces_tmp else folder

    def open_api(self, collector: LogCollector, extensions: Extensions) -> InlineRuntimeApi:
        """Return a Runtime API that is called directly."""
        return InlineRuntimeApi(collector, extensions)

    def extensions(self, configuration: FunctionConfiguration, api: InlineRuntimeApi, tmp: Path) -> None:
        """Return None: there are no external extensions."""

    def spawn(
        self,
        argv: list[str],
        environment: dict[str, str],
        cwd: str,
        *,
        tmp: Path | None = None,
        layers: Path | None = None,
        **_: object,
    ) -> InlineSandbox:
        """Return a sandbox that loads its function when it is served first; the size of its temporary directory is not limited."""
        variables = {name: value for name, value in environment.items() if name not in _OUR_OWN_VARIABLES}
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        in_layers = (
            [layers / "python" / "lib" / f"python{version}" / "site-packages", layers / "python"] if layers else []
        )
        folders = [Path(cwd), *in_layers, self._runtime_directory]
        return InlineSandbox(variables, folders, tmp if self._replaces_tmp else None)

    def restore(self, snapshot: object, *_: object, **__: object) -> InlineSandbox:
        """Never called: nothing can be restored."""
        raise NotImplementedError

    def limits(self, sandbox: InlineSandbox, memory_size: int) -> _NoLimits:
        """Return limits that limit nothing."""
        return _NoLimits()

    def stop(self) -> None:
        """Remove the cloud's folder; no sandbox outlives its environment."""
        shutil.rmtree(self._root, ignore_errors=True)


def _leave(code: int) -> None:
    raise _Left(code)


def _ignore(*_: object) -> None:
    pass


def _module(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _inner(error: BaseException) -> Any:
    """Return the traceback of an exception from where AWS's bootstrap begins."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") != "awslambdaric.bootstrap":
        trace = trace.tb_next
    return trace
