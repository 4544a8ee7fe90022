"""Lets functions and everything else take turns with one interpreter, as if each had its own.

While a function's code runs, the interpreter holds what belongs to its execution environment: modules, environment variables,
module path, working directory, standard output, temporary directory. All the while it does not, it holds what it held before. The
standard library is common to all but for the few modules in which functions leave something behind; so is the AWS SDK, which takes
seconds to load in a browser, but for its default session, and for the functions that X-Ray's SDK wraps.

A function that only computes has to be asked whether its time is over. From Python 3.12 on the interpreter does it at each round of
a loop; before, nobody does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from coldstart.runtime.runtime_directory import PYTHON_RUNTIME_PACKAGES

_COMMON = (
    sys.stdlib_module_names - {"logging", "random", "tempfile"}
    | set(PYTHON_RUNTIME_PACKAGES) - {"awslambdaric", "snapshot_restore_py"}
    | {"_pyodide", "_pyodide_core", "js", "pyodide", "pyodide_js"}
)
_OF_THE_RUNTIME = frozenset(["importlib", "json", "os", "sys", "time", "traceback"])
"""Modules that Lambda's runtime has loaded before the function: no file of a package takes their place."""
_PLACES: dict[tuple[str, str], tuple[str, ...]] = {
    ("boto3", ""): ("DEFAULT_SESSION",),
    ("botocore.client", ""): (),
    ("botocore.client", "BaseClient"): (),
    ("botocore.endpoint", "Endpoint"): (),
    ("http.client", ""): (),
    ("http.client", "HTTPConnection"): (),
    ("http.client", "HTTPResponse"): (),
    ("os", ""): ("_exit",),
    ("sqlite3", ""): ("connect",),
    ("sys", ""): ("dont_write_bytecode", "stderr", "stdout"),
    ("time", ""): ("sleep",),
}
"""What each of those who take turns has of its own in what they have in common: by module and class, the attributes, or all of them."""
_TOOL = 4
"""One of the numbers that :mod:`sys.monitoring` leaves to anybody."""
_STANDARD_LIBRARY = Path(os.__file__).parent
"""A folder, or in a browser a zip."""


@dataclass
class _Holding:
    """What the interpreter holds for one of those who take turns."""

    modules: dict[str, ModuleType]
    variables: dict[str, str]
    path: list[str]
    finders: list[Any]
    folder: str
    attributes: dict[tuple[str, str], dict[str, Any]]


class Interior:
    """What one execution environment has of the interpreter, from one of its turns to the next.

    Args:
        folders: where its modules come from, the first before the others: package, layers, Lambda's runtime.
        variables: its environment variables.
        folder: its working directory.
        output: its standard output, which takes standard error too.
        sleep: what ``time.sleep`` is for it.
        leave: what ``os._exit`` is for it.
        at_each_round: is called with anything during its loops.
        tmp: its temporary directory, when that takes the place of ``/tmp`` during its turns.
    """

    def __init__(
        self,
        folders: list[Path],
        variables: dict[str, str],
        folder: Path,
        output: Any,
        sleep: Callable[[float], None],
        leave: Callable[[int], None],
        at_each_round: Callable[..., None],
        tmp: Path | None = None,
    ) -> None:
        packages = {name.partition(".")[0] for place in folders if place.is_dir() for name in os.listdir(place)}
        self._common = _COMMON - (packages & sys.stdlib_module_names - _OF_THE_RUNTIME)
        self._tmp = tmp
        self._at_each_round = at_each_round
        self._held = _Holding(
            modules={"__main__": ModuleType("__main__")},
            variables=variables,
            path=[*map(str, folders), *(path for path in sys.path if _is_standard(path))],
            finders=[BuiltinImporter, FrozenImporter, PathFinder],
            folder=str(folder),
            attributes=_attributes()
            | {
                ("boto3", ""): {"DEFAULT_SESSION": None},
                ("os", ""): {"_exit": leave},
                ("sys", ""): {"dont_write_bytecode": True, "stderr": output, "stdout": output},
                ("time", ""): {"sleep": sleep},
            },
        )

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Let the environment have the interpreter.

        Raises:
            RuntimeError: another has it, which takes a thread.
        """
        global _inside
        if _inside is not None:
            raise RuntimeError("The local AWS runs one function at a time here. Do not call it from threads.")
        self._enter()
        _inside = self
        try:
            yield
        finally:
            try:
                self._leave()
            finally:
                _inside = None

    def _enter(self) -> None:
        self._exchange()
        if monitoring := _monitoring():
            try:
                monitoring.use_tool_id(_TOOL, "coldstart")
            except ValueError:  # somebody else has it
                self._exchange()
                raise
            monitoring.register_callback(_TOOL, monitoring.events.JUMP, self._at_each_round)
            monitoring.set_events(_TOOL, monitoring.events.JUMP)

    def _leave(self) -> None:
        if monitoring := _monitoring():
            monitoring.set_events(_TOOL, 0)
            monitoring.free_tool_id(_TOOL)
        self._exchange()

    def _exchange(self) -> None:
        before = _Holding(
            modules={name: module for name, module in sys.modules.items() if self._is_own(name)},
            variables=dict(os.environ),
            path=sys.path[:],
            finders=sys.meta_path[:],
            folder=os.getcwd(),
            attributes=_attributes(),
        )
        after, self._held = self._held, before
        try:
            self._exchange_folders(after.folder)
        except OSError:
            self._held = after
            raise
        for name in before.modules:
            del sys.modules[name]
        sys.modules.update(after.modules)
        if after.variables != before.variables:
            os.environ.clear()
            os.environ.update(after.variables)
        sys.path[:] = after.path
        sys.meta_path[:] = after.finders
        for place, attributes in after.attributes.items():
            if place in before.attributes:
                _set(_owner(*place), before.attributes[place], attributes)

    def _exchange_folders(self, folder: str) -> None:
        if self._tmp is not None:
            _exchange_tmp(self._tmp)
        try:
            os.chdir(folder)  # which may be below the directory that is /tmp now
        except OSError:
            if self._tmp is not None:
                _exchange_tmp(self._tmp)
            raise

    def _is_own(self, module: str) -> bool:
        return module.partition(".")[0] not in self._common


_inside: Interior | None = None


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Interrupt the turn of a function that calls the local AWS, if there is one, for what is not the function's."""
    global _inside
    if _inside is None:
        yield
        return
    interior, _inside = _inside, None
    interior._leave()
    try:
        yield
    finally:
        interior._enter()
        _inside = interior


def _attributes() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the attributes of all places that are loaded, as they are written down: a wrapper that is asked for gives another."""
    return {
        (module, within): {
            name: value
            for name, value in vars(_owner(module, within)).items()
            if (name in names if names else not (name.startswith("__") and name.endswith("__")))
        }
        for (module, within), names in _PLACES.items()
        if module in sys.modules
    }


def _set(owner: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    for name in before.keys() - after.keys():
        delattr(owner, name)
    for name, value in after.items():
        if name not in before or before[name] is not value:
            setattr(owner, name, value)


def _owner(module: str, within: str) -> Any:
    return getattr(sys.modules[module], within) if within else sys.modules[module]


def _monitoring() -> Any:
    return getattr(sys, "monitoring", None)


def _is_standard(path: str) -> bool:
    return Path(path) == _STANDARD_LIBRARY or Path(path).name == "lib-dynload"


def _exchange_tmp(folder: Path) -> None:
    """Give the directory ``/tmp`` and another one each the other's place."""
    between = folder.with_name("between")
    os.rename("/tmp", between)
    os.rename(folder, "/tmp")
    os.rename(between, folder)
