"""Has compiled what a page would compile: most of the seconds that Python takes to start there went into that.

Only the Python of a page can do it, of which another has other bytecode. Node runs it (``site/browser/compile.mjs``). Without Node a
page gets the sources alone, and takes longer to start.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from coldstart.course.catalogue import PROJECT
from coldstart.course.file_stream import pack, unpack
from coldstart.runtime.runtime_directory import PYTHON_RUNTIME_PACKAGES

COMPILE = PROJECT / "site" / "browser" / "compile.mjs"
_ZIP, _PACKAGES = "/lib/python314.zip/", "/lib/python3.14/site-packages/"
_COURSE = f"{_PACKAGES}coldstart/"
_NODE = 18
_TAG = "cpython-314"
_SHOWN = {*PYTHON_RUNTIME_PACKAGES, "aws_lambda_powertools", "aws_xray_sdk"}
"""What functions import. Their stack traces show its lines, so that its sources come along; of the rest nobody sees any."""


def can_compile() -> bool:
    """Say whether there is a Node to compile with, new enough for Pyodide."""
    node = shutil.which("node")
    if node is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)", said)
    return version is not None and int(version[1]) >= _NODE


def compiled_modules(files: Mapping[str, bytes], pyodide: Path, kept: Path) -> dict[str, bytes]:
    """Return the bytecode of the modules that lessons import, by the paths of their sources in a page.

    Args:
        files: what a page has of the packages, by paths below site-packages.
        pyodide: the folder of the page's Python.
        kept: a file for the bytecode of all but the course, which is not compiled again while that file is there.

    Raises:
        CannotCompile: Node cannot run it; the message says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        library, packages, compiled = (Path(folder) / name for name in ("library.zip", "packages", "compiled"))
        before = unpack(kept.read_bytes()) if kept.exists() else {}
        library.write_bytes(with_bytecode((pyodide / "python_stdlib.zip").read_bytes(), before))
        packages.write_bytes(pack({**files, **{_beside(path): code for path, code in _of_packages(before)}}))
        command = ["node", *map(str, (COMPILE, pyodide, library, packages, compiled))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotCompile(f"Node could not compile what a page imports: {done.stderr.strip()[-1000:]}")
        modules = unpack(compiled.read_bytes())
        _keep({source: code for source, code in modules.items() if not source.startswith(_COURSE)}, kept)
        return modules


def _keep(modules: Mapping[str, bytes], kept: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as part:
        part.write(pack(modules))
    os.replace(part.name, kept)


class CannotCompile(Exception):
    """The page's Python does not run here, or not what it was given."""


def with_compiled(files: Mapping[str, bytes], compiled: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the packages' files with the bytecode beside a source, or in its place when nobody sees the source."""
    together = dict(files)
    for path, bytecode in _of_packages(compiled):
        if path.parts[0].removesuffix(".py") in _SHOWN:
            together[_beside(path)] = bytecode
        elif together.pop(str(path), None) is not None:
            together[f"{path}c"] = bytecode
    return together


def _of_packages(compiled: Mapping[str, bytes]) -> list[tuple[PurePosixPath, bytes]]:
    return [
        (PurePosixPath(source.removeprefix(_PACKAGES)), bytecode)
        for source, bytecode in compiled.items()
        if source.startswith(_PACKAGES)
    ]


def _beside(path: PurePosixPath) -> str:
    return str(path.parent / "__pycache__" / f"{path.stem}.{_TAG}.pyc")


def with_bytecode(standard_library: bytes, compiled: Mapping[str, bytes]) -> bytes:
    """Return the zip of the standard library with the bytecode beside its sources.

    Nothing in it is compressed: as a whole it becomes smaller, and a browser unpacks it faster than its Python would.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(standard_library)) as sources, zipfile.ZipFile(packed, "w") as archive:
        for entry in sources.infolist():
            archive.writestr(zipfile.ZipInfo(entry.filename), sources.read(entry))
        for source, bytecode in compiled.items():
            if source.startswith(_ZIP):
                archive.writestr(zipfile.ZipInfo(f"{source.removeprefix(_ZIP)}c"), bytecode)
    return packed.getvalue()
