"""JupyterLite, notebooks in the browser: the other way to run a cell with no server, with the same Pyodide and the same packages."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.gzip_server import served
from benchmarks.peers.environments import PeerMissing, packages_for, python_environment
from benchmarks.peers.pyodide_wheels import Wheel, lock_of, wheel_of
from coldstart.course.browser_packages import PYODIDE, CannotMake, page_packages, slim_package

_CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "package.json")
# What its kernel imports before the first cell.
_KERNEL = ["micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython"]
_PYTHON_SIDE = (
    "micropip ipython comm jedi parso traitlets decorator prompt-toolkit pygments matplotlib-inline stack-data executing "
    "asttokens pure-eval wcwidth ipython-pygments-lexers packaging"
)
_PYTHON = "3.14"
NOTEBOOK = "cell.ipynb"


class JupyterLite:
    """A JupyterLite site that brings everything with it."""

    name = "JupyterLite"

    def __init__(self) -> None:
        self._environment = python_environment("jupyterlite")
        self._kernel = packages_for(_PYTHON, "jupyterlite-kernel")

    @contextlib.contextmanager
    def running(self, cell: str) -> Iterator[str]:
        """Serve a notebook with one cell while the block runs; yields its address."""
        with tempfile.TemporaryDirectory() as folder:
            built = self._build(Path(folder), cell)
            with served(built) as address:
                yield f"{address}notebooks/index.html?path={NOTEBOOK}"

    def _build(self, folder: Path, cell: str) -> Path:
        source, contents = folder / "source", folder / "contents"
        pyodide = source / "static" / "pyodide"
        pyodide.mkdir(parents=True)
        contents.mkdir()
        nbformat.write(_notebook(cell), contents / NOTEBOOK)
        for name in _CORE:
            shutil.copyfile(PYODIDE / name, pyodide / name)
        try:
            wheels = [*self._kernels_wheels(), *map(wheel_of, page_packages())]
        except CannotMake as missing:
            raise PeerMissing(str(missing)) from missing
        for wheel in wheels:
            (pyodide / wheel.file_name).write_bytes(wheel.content)
        (pyodide / "pyodide-lock.json").write_text(json.dumps(lock_of(wheels)))
        kernel = {"disablePyPIFallback": True, "loadPyodideOptions": {"packages": [*_KERNEL, "boto3", "moto"]}}
        settings = {"@jupyterlite/pyodide-kernel-extension:kernel": kernel}
        config = {"jupyter-lite-schema-version": 0, "jupyter-config-data": {"litePluginSettings": settings}}
        (source / "jupyter-lite.json").write_text(json.dumps(config))
        command = ["lite", "build", "--lite-dir", source, "--contents", contents, "--output-dir", folder / "built"]
        program = self._environment / "bin" / "jupyter"
        done = subprocess.run([program, *command], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PeerMissing(f"jupyter lite build failed: {done.stderr.strip().splitlines()[-1:]}")
        return folder / "built"

    def _kernels_wheels(self) -> Iterator[Wheel]:
        wanted = json.loads((PYODIDE / "pyodide-lock.json").read_text("utf-8"))["packages"]["micropip"]["version"]
        micropip = next(iter(importlib.metadata.distributions(name="micropip", path=[str(self._kernel)])))
        if micropip.version != wanted:  # another one does not start in this Pyodide
            raise PeerMissing(f"this Pyodide takes micropip {wanted}, and the lock has {micropip.version}: `make lock`")
        for name in _PYTHON_SIDE.split():
            found = next(iter(importlib.metadata.distributions(name=name, path=[str(self._kernel)])), None)
            if found is not None:
                yield wheel_of(slim_package(found))
        extension = self._environment / "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/static/pypi"
        for path in sorted(extension.glob("*.whl")):
            if not path.name.startswith("widgetsnbextension"):
                yield Wheel(path.name, path.read_bytes())


def _notebook(cell: str) -> nbformat.NotebookNode:
    kernel = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
    return new_notebook(cells=[new_code_cell(cell, id="cell")], metadata={"kernelspec": kernel})
