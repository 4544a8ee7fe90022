"""Points the learner's process at the local AWS, and away from the real one.

While the cloud runs, real credentials, profiles and configuration files are out of reach of every SDK in this process, and a
botocore client that is aimed at another host is refused before anything is sent. The names of the learner's APIs and function
URLs (``*.localhost``) lead to this machine, whatever its resolver thinks of them, and past any proxy.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from coldstart.cloud.direct_route import DirectRoute

NO_HOST_PREFIX = {"AWS_DISABLE_HOST_PREFIX_INJECTION": "true"}
"""boto3 puts ``sync-`` and the like before the host of some operations, such as StartSyncExecution; 127.0.0.1 has no such names."""


class RealAwsRefused(BotoCoreError):
    """A client was aimed at something else than the local AWS."""

    fmt = (
        "Local mode does not talk to {host}: while the local AWS runs, nothing may reach the real one. "
        "Leave endpoint_url out of boto3.client(...), or run cloud.stop() first if you really mean your own account."
    )


_NO_PROXY = ("no_proxy", "NO_PROXY")
_NOT_THROUGH_A_PROXY = ("127.0.0.1", "localhost")  # also names that end with .localhost


class LearnerEnvironment:
    """Sets environment variables on :meth:`enter` and puts everything back on :meth:`leave`.

    Args:
        variables: those that lead to the local AWS.
        folder: where there are no configuration files.
        route: the short way to the local AWS.
    """

    def __init__(self, variables: dict[str, str], folder: Path, route: DirectRoute) -> None:
        self._route = route
        no_configuration = str(folder / "no-aws-configuration")
        self._variables = {
            **variables,
            "AWS_CONFIG_FILE": no_configuration,
            "AWS_SHARED_CREDENTIALS_FILE": no_configuration,
            "AWS_EC2_METADATA_DISABLED": "true",
            **NO_HOST_PREFIX,
        }
        self._before: dict[str, str] = {}
        self._proxy_exceptions: dict[str, str | None] = {}
        self._real_send: Callable[..., Any] | None = None
        self._real_getaddrinfo: Callable[..., Any] | None = None

    def enter(self) -> None:
        """Take out what is about AWS and put in the local variables."""
        self._before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        self._replace(self._variables)
        self._proxy_exceptions = {name: os.environ.get(name) for name in _NO_PROXY}
        known = next((value for value in self._proxy_exceptions.values() if value), "")
        exceptions = dict.fromkeys([*filter(None, known.split(",")), *_NOT_THROUGH_A_PROXY])
        os.environ.update(dict.fromkeys(_NO_PROXY, ",".join(exceptions)))
        self._guard()
        self._resolve_localhost()
        self._route.open()
        _forget_default_session()

    def leave(self) -> None:
        """Put the environment back as it was."""
        self._route.close()
        self._replace(self._before)
        for name, value in self._proxy_exceptions.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self._real_send is not None:
            URLLib3Session.send = self._real_send
        if self._real_getaddrinfo is not None:
            socket.getaddrinfo = self._real_getaddrinfo
        _forget_default_session()

    def _replace(self, variables: dict[str, str]) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(variables)

    def _guard(self) -> None:
        self._real_send = real_send = URLLib3Session.send

        def send_locally(session: URLLib3Session, request: Any) -> Any:
            answered = self._route.send(request)
            if answered is not None:
                return answered
            host = urlsplit(request.url).hostname or ""
            if not _is_loopback(host):
                raise RealAwsRefused(host=host)
            return real_send(session, request)

        URLLib3Session.send = send_locally

    def _resolve_localhost(self) -> None:
        """Give names under ``localhost`` the address 127.0.0.1, as RFC 6761 (section 6.3) asks of name resolution.

        Browsers and curl do so by themselves; the C library of many systems does not.
        """
        self._real_getaddrinfo = real_getaddrinfo = socket.getaddrinfo

        def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            if isinstance(name, str) and name.lower().rstrip(".").endswith(".localhost"):
                host = "127.0.0.1"
            return real_getaddrinfo(host, *arguments, **options)

        socket.getaddrinfo = getaddrinfo


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _forget_default_session() -> None:
    # boto3 keeps the credentials it found first in a module-level session.
    import boto3

    boto3.DEFAULT_SESSION = None
