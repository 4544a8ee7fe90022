"""Notes in a notebook when, and with which versions, the outputs it stores were printed.

The site shows it on every lesson page. Building again changes it only when something else in the notebook changes.
"""

from __future__ import annotations

import datetime
import platform
import shutil
import subprocess
from functools import cache
from importlib.metadata import version

import nbformat

_NAMED = ("awslambdaric", "boto3", "moto")


def note_run(executed: nbformat.NotebookNode, stored: nbformat.NotebookNode | None) -> None:
    """Write the record into an executed notebook, under `metadata.coldstart.run`.

    Args:
        executed: the notebook, with the outputs that will be stored.
        stored: what an earlier build stored. When its cells are the same, its record is kept.
    """
    before = stored.metadata.get("coldstart", {}).get("run") if stored is not None else None
    unchanged = stored is not None and _said(stored) == _said(executed)
    executed.metadata["coldstart"]["run"] = before if before and unchanged else _now()


def _said(notebook: nbformat.NotebookNode) -> list[tuple[str, str, list[nbformat.NotebookNode]]]:
    return [(cell.cell_type, cell.source, cell.get("outputs", [])) for cell in notebook.cells]


def _now() -> dict[str, object]:
    versions = {"Python": platform.python_version(), **{name: version(name) for name in _NAMED}}
    if node := _node_version():
        versions["Node.js"] = node
    return {"date": datetime.date.today().isoformat(), "versions": versions}


@cache
def _node_version() -> str:
    """The version of the `node` on the path, such as "20.20.2"; empty when there is none."""
    path = shutil.which("node")
    if path is None:
        return ""
    return subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip().lstrip("v")
