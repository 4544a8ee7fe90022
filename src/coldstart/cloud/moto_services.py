"""moto in this process: answers every AWS request but the invocation of functions."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask
from moto.backends import SERVICE_NAMES
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from coldstart.cloud.moto_patches import apply_all
from coldstart.runtime.http_wire import HttpRequest, response_bytes

_KEPT_HOSTS = 1024
_NO_SUCH_PATH = b"<!doctype html>\n<html lang=en>\n<title>404"
"""The page with which moto's web framework answers what no service of moto's knows."""


class MotoServices:
    """Calls moto's WSGI application with requests from the front door. State starts empty.

    Args:
        seed: from which moto draws its identifiers; the same calls get the same ones.
    """

    def __init__(self, seed: int = 0) -> None:
        default_user_config["iam"] = {"load_aws_managed_policies": True}
        apply_all()
        moto_api_backend.reset()
        mock_random.seed(seed)
        self._application = application = DomainDispatcherApplication(_create_service)
        # moto looks through its folders for every request, to find which service a host is: a third of the time of a call.
        application.get_backend_for_host = lru_cache(_KEPT_HOSTS)(application.get_backend_for_host)  # type: ignore[method-assign]

    def answer(self, request: HttpRequest) -> bytes:
        """Return moto's response, ready to send.

        Raises:
            NotImplementedError: moto does not know the service or the operation.
        """
        answered: list[tuple[int, dict[str, str], bytes]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            lengths = [value for name, value in headers if name.lower() == "content-length"]
            length = (lengths or ["0"])[-1].encode()
            answered.append((int(status.split(maxsplit=1)[0]), _without_length(headers), length))

        body = b"".join(self._application(_wsgi_environment(request), start_response))
        status, headers, length = answered[-1]
        if status == 404 and body.startswith(_NO_SUCH_PATH):
            raise NotImplementedError(f"it has no operation {request.method} {unquote(request.target)}")
        if request.method == "HEAD":  # the length of what GET would return, and no body
            return response_bytes(status, headers).replace(b"Content-Length: 0", b"Content-Length: " + length)
        return response_bytes(status, headers, body)


def empty_region(account_id: str, region: str) -> None:
    """Let every service forget what it holds in one region."""
    services: list[Any] = list(BackendDict._instances)  # type: ignore[misc]
    for service in services:
        regions = service.get(account_id)
        if regions is not None and region in regions.keys():  # noqa: SIM118 (`in regions` is true of every region AWS has)
            regions[region].reset()


def _create_service(name: SERVICE_NAMES | None) -> Flask:
    if name is None:
        raise NotImplementedError("it has no such service")
    return create_backend_app(name)


def _without_length(headers: list[tuple[str, str]]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers:
        if name.lower() == "content-length":
            continue
        kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def _wsgi_environment(request: HttpRequest) -> dict[str, object]:
    parts = urlsplit(request.target)
    environment: dict[str, object] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": request.headers.get("host", ":80").rpartition(":")[2],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name not in ("content-type", "content-length", "transfer-encoding"):
            environment["HTTP_" + name.upper().replace("-", "_")] = value
    return environment
