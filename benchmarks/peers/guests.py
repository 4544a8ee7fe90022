"""Brings the peers into a run: installs and starts them, and leaves out with a plain line who cannot come."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from benchmarks.peers.environments import PeerMissing

Peer = TypeVar("Peer")
Running = TypeVar("Running")


class Guests:
    """The peers of one run.

    Args:
        are_wanted: whether to compare with peers at all.
    """

    def __init__(self, are_wanted: bool = True) -> None:
        self._are_wanted = are_wanted
        self._here: dict[type, Any] = {}

    def join(
        self,
        stack: contextlib.ExitStack,
        kind: Callable[[], Peer],
        start: Callable[[Peer], contextlib.AbstractContextManager[Running]],
    ) -> Running | None:
        """Install and start a peer until the stack closes; return what it gives, or None when it cannot take part."""
        peer = self.peer(kind)
        if peer is None:
            return None
        try:
            return stack.enter_context(start(peer))
        except PeerMissing as missing:
            _leave_out(kind, missing)
            return None

    def peer(self, kind: Callable[[], Peer]) -> Peer | None:
        """Install a peer; return None when it cannot take part."""
        assert isinstance(kind, type)
        if not self._are_wanted:
            return None
        if kind not in self._here:
            try:
                self._here[kind] = kind()
            except PeerMissing as missing:
                _leave_out(kind, missing)
                self._here[kind] = None
        peer: Peer | None = self._here[kind]
        return peer


def _leave_out(kind: Any, missing: PeerMissing) -> None:
    print(f"{kind.name} is left out: {missing}", file=sys.stderr, flush=True)
