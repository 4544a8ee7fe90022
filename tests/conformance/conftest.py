"""A local AWS for conformance tests, and the way to deploy a function in one line."""

from __future__ import annotations

import functools
import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from coldstart import cloud
from coldstart.runtime.clock import Clock
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.function import Function
from coldstart.runtime.host import Host, make_root
from coldstart.runtime.identifiers import Identifiers


@dataclass
class Deployed:
    """A function of the test's own."""

    name: str
    clients: Callable[[str], Any]

    @property
    def client(self) -> Any:
        """boto3's client of Lambda."""
        return self.clients("lambda")

    def invoke(self, event: object = None, **parameters: Any) -> Any:
        """Invoke with an event (any JSON value); return boto3's response with ``Payload`` parsed."""
        payload = json.dumps({} if event is None else event).encode()
        response = self.client.invoke(FunctionName=self.name, **{"Payload": payload, **parameters})
        body = response["Payload"].read()
        response["Payload"] = json.loads(body) if body else None
        return response

    def log(self) -> list[dict[str, Any]]:
        """Return the events of the function's log group, oldest first."""
        pages = self.clients("logs").get_paginator("filter_log_events")
        return [event for page in pages.paginate(logGroupName=f"/aws/lambda/{self.name}") for event in page["events"]]

    def lines(self) -> list[str]:
        """Return the messages of the function's log."""
        return [event["message"] for event in self.log()]


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """Return a deployment package with these files; those that begin with ``#!`` are executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if content[:2] in ("#!", b"#!") else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def clients(local_aws: cloud.Cloud) -> Callable[[str], Any]:
    """boto3's clients by service, each made once: that takes longer than most calls."""
    return functools.cache(boto3.client)


@pytest.fixture
def deploy(clients: Callable[[str], Any]) -> Iterator[Callable[..., Deployed]]:
    """Deploy a function from its code: ``deploy("def handler(event, context): ...", Timeout=1)``."""
    client = clients("lambda")
    names = []

    def deploy_function(code: str, **parameters: Any) -> Deployed:
        name = f"parcel-{next(_numbers)}"
        runtime = parameters.get("Runtime", "python3.14")
        file = parameters.pop("file", "app.py" if runtime.startswith("python") else "app.mjs")
        client.create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.14",
                "Role": "arn:aws:iam::123456789012:role/parcel-function",
                "Handler": "app.handler",
                "Code": {"ZipFile": zipped({file: code})},
                **parameters,
            }
        )
        names.append(name)
        return Deployed(name, clients)

    yield deploy_function
    for name in names:
        client.delete_function(FunctionName=name)


@pytest.fixture
def run() -> Iterator[Callable[..., Function]]:
    """A function without a cloud around it, for what no AWS API shows: ``run({"app.py": code}, timeout=1).invoke(b"{}")``.

    Its log is in the list ``function.log``, as (log stream, message).
    """
    log: list[tuple[str, str]] = []
    host = Host(
        make_root(),
        clock=Clock(),
        identifiers=Identifiers(),
        log_sink=lambda configuration, stream, events: log.extend((stream, event.message) for event in events),
        cloud_variables=lambda configuration: {},
    )
    functions = []

    def make(files: dict[str, str], *, layer: dict[str, str] | None = None, **configuration: Any) -> Function:
        name = f"bare-{next(_numbers)}"
        defaults = {
            "function_name": name,
            "function_arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
            "runtime": "python3.14",
            "handler": "app.handler",
            "code": host.packages.unpack(zipped(files)),
            "layers": host.packages.unpack(zipped(layer)) if layer else None,
            "log_group": f"/aws/lambda/{name}",
        }
        function = Function(FunctionConfiguration(**{**defaults, **configuration}), host)
        function.log = log  # type: ignore[attr-defined]
        functions.append(function)
        return function

    yield make
    for function in functions:
        function.retire()
    host.stop()


@dataclass
class HttpResponse:
    """What a server said to a client."""

    status: int
    headers: dict[str, str]
    """Names in lower case; values of a repeated header joined with line ends."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body's document."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def http(url: str, method: str = "GET", body: bytes | str = b"", **headers: str) -> HttpResponse:
    """Send a request as any HTTP client would; underscores in header names stand for hyphens."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, body.encode() if isinstance(body, str) else body, named)
        response = connection.getresponse()
        found: dict[str, str] = {}
        for name, value in response.getheaders():
            found[name.lower()] = f"{found[name.lower()]}\n{value}" if name.lower() in found else value
        return HttpResponse(response.status, found, response.read())
    finally:
        connection.close()
