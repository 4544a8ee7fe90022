"""Does something to modules of moto as soon as they are loaded, before anybody can use them.

moto loads a service when it is first asked for. What the cloud corrects in a service, and what it takes over from it, has to be in its
place by then; loading it all at the start took half of a start. So Python's import system tells of every module here. It holds a
module's lock while the module is loaded: no other thread finds it before it is as the cloud needs it. What is done then may import
modules of the same service, and of moto's core; another service could be half loaded at that moment.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_PREFIX = "moto."

Task = Callable[[], object]


class _Watch(MetaPathFinder):
    """Finds modules of moto as Python does, and takes note of their loading."""

    def __init__(self, correct: Callable[[ModuleType], None]) -> None:
        self._correct = correct
        self._being_loaded: set[str] = set()
        self.before: dict[str, list[Task]] = defaultdict(list)
        self.after: dict[str, list[Task]] = defaultdict(list)
        for name, module in list(sys.modules.items()):
            if name.startswith(_PREFIX):
                correct(module)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find a module."""
        spec = PathFinder.find_spec(name, path, target) if name.startswith(_PREFIX) else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            for do in self.before[name]:
                do()
            self._being_loaded.add(name)
            try:
                execute(module)
            finally:
                self._being_loaded.remove(name)
            self._correct(module)
            for do in list(self.after[name]):
                do()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def when_loaded(self, name: str, do: Task) -> None:
        self.after[name].append(do)
        if name in sys.modules and name not in self._being_loaded:
            do()


_watch: _Watch | None = None


def watch(correct: Callable[[ModuleType], None]) -> bool:
    """Begin to watch; return False when that has been done before.

    Args:
        correct: is called with every module of moto: those that are loaded already, and all others when they are.
    """
    global _watch
    if _watch is not None:
        return False
    _watch = _Watch(correct)
    sys.meta_path.insert(0, _watch)
    return True


def before_loading(name: str, do: Task) -> None:
    """Do something just before a module is loaded."""
    _watching().before[name].append(do)


def when_loaded(name: str, do: Task) -> Task:
    """Do something as soon as a module is loaded: now, if it is already. Return what takes that back if it has not come to it."""
    watch = _watching()
    watch.when_loaded(name, do)
    return lambda: watch.after[name].remove(do)


def _watching() -> _Watch:
    assert _watch is not None, "watch() comes first"
    return _watch
