"""The learner's private AWS, in this process and on this machine only.

    from coldstart import cloud
    cloud.start()

From then on plain boto3 (and whatever else reads ``AWS_ENDPOINT_URL``) works against it. It is moto for every service but the
running of functions, which :mod:`coldstart.runtime` does for real. All that is loaded with the first start: the command line and
the checks of an exercise import this module, and most of them start nothing.
"""

from __future__ import annotations

import gc
import sys
import threading
from typing import TYPE_CHECKING, Any, get_args

from coldstart.cloud.said_in_one_line import SaidInOneLine
from coldstart.runtime.sandboxes import HostKind, default_host

if TYPE_CHECKING:
    from coldstart.cloud.local_cloud import Cloud

__all__ = ["Cloud", "current", "start", "stop"]

_lock = threading.Lock()
_running: Cloud | None = None


class NotStarted(SaidInOneLine, RuntimeError):
    """There is no local AWS yet; the message says how to start it."""


def start(*, host: HostKind | None = None) -> Cloud:
    """Start the local AWS, or return the one that runs already.

    Args:
        host: ``process`` or ``inline`` (:mod:`coldstart.runtime.sandboxes`); without it the one that this interpreter can be.

    Raises:
        ValueError: there is no such host, or the local AWS runs already with the other one.
    """
    global _running
    if host not in (None, *get_args(HostKind)):
        raise ValueError(
            f'There is no host {host!r}. Functions run in processes of their own, host="process", or host="inline".'
        )
    with _lock:
        if _running is None:
            _running = _load()(host or default_host())
        elif host not in (None, _running.host):
            raise ValueError(f"The local AWS runs already, with the host {_running.host!r}. Run cloud.stop() first.")
        return _running


def stop() -> None:
    """Stop the local AWS with everything in it; do nothing when it does not run."""
    global _running
    with _lock:
        if _running is not None:
            _running.stop()
            _running = None


def current() -> Cloud:
    """Return the running local AWS.

    Raises:
        NotStarted: it does not run.
    """
    if _running is None:
        raise NotStarted("The local AWS is not running. Run the cell with cloud.start() first.")
    return _running


def _load() -> type[Cloud]:
    is_first = "coldstart.cloud.local_cloud" not in sys.modules
    from coldstart.cloud.local_cloud import Cloud

    if is_first:
        gc.freeze()  # these modules stay, and looking through them for garbage again and again took a sixth of a first cell
    return Cloud


def __getattr__(name: str) -> Any:
    """Import the class when somebody asks for it."""
    if name != "Cloud":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from coldstart.cloud.local_cloud import Cloud

    return Cloud
