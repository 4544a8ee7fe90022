"""Puts functions of ours in the place of moto's, for as long as a cloud runs."""

from __future__ import annotations

from typing import Any

from coldstart.cloud.moto_loading import Task, when_loaded

_NOTHING = object()


class Replacements:
    """What has been replaced, so that it can be put back."""

    def __init__(self) -> None:
        self._originals: list[tuple[object, str, Any]] = []
        self._forget: list[Task] = []

    def put(self, owner: object, name: str, replacement: Any) -> Any:
        """Replace a name of a module or a method of a class; return the original."""
        original = getattr(owner, name)
        self._originals.append((owner, name, original))
        setattr(owner, name, replacement)
        return original

    def add(self, owner: object, name: str, addition: Any) -> None:
        """Give a module or class a name that it has not."""
        self._originals.append((owner, name, _NOTHING))
        setattr(owner, name, addition)

    def when_loaded(self, module: str, do: Task) -> None:
        """Do something as soon as moto has loaded a module: now, if it has, and never again when it is undone."""
        self._forget.append(when_loaded(module, do))

    def undo(self) -> None:
        """Put all originals back."""
        while self._forget:
            self._forget.pop()()
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
