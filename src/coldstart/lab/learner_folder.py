"""The learner's own copies of the notebooks, kept up to date without ever losing the learner's work.

A copy counts as changed when a cell's text differs from the edition it came from. Outputs do not count. Whoever only
ran a notebook gets the new edition in its place. Whoever wrote in it keeps it, and finds the new edition beside it.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

RECORD = ".coldstart/editions.json"


@dataclass
class Editions:
    """What bringing a learner's folder up to date did. Each list holds file names.

    Attributes:
        added: notebooks that were not there.
        refreshed: notebooks replaced by their new edition; the learner had not written in them.
        beside: pairs of a notebook the learner wrote in, which was kept, and the new edition put beside it.
    """

    added: list[str] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    beside: list[tuple[str, str]] = field(default_factory=list)


def bring_up_to_date(shipped: Path, folder: Path) -> Editions:
    """Copy the course's notebooks into the learner's folder.

    Args:
        shipped: the folder of the built notebooks (`notebooks/`).
        folder: the learner's folder; made when it is not there.

    Returns:
        What was added, refreshed and put beside a changed notebook.

    Raises:
        FileNotFoundError: `shipped` holds no notebook.
        OSError: the learner's folder cannot be written.
    """
    notebooks = sorted(shipped.glob("*.ipynb"))
    if not notebooks:
        raise FileNotFoundError(f"there are no notebooks in {shipped}")
    record_file = folder / RECORD
    record_file.parent.mkdir(parents=True, exist_ok=True)
    record = _read_record(record_file)
    done = Editions()

    def untouched(name: str) -> bool:
        return name in record and _sources(folder / name) == record[name]["sources"]

    for notebook in notebooks:
        name = notebook.name
        new = {"edition": _digest(notebook.read_bytes()), "sources": _sources(notebook)}
        if not (folder / name).exists():
            _copy(notebook, folder / name)
            record[name] = new
            done.added.append(name)
        elif record.get(name, {}).get("edition") == new["edition"]:
            continue
        elif _sources(folder / name) == new["sources"] or record.get(name, {}).get("sources") == new["sources"]:
            # The learner has this text already, or worked from it: only outputs are new, and those are not copied.
            record[name] = new
        elif untouched(name):
            _copy(notebook, folder / name)
            record[name] = new
            done.refreshed.append(name)
        else:
            beside = _free_name(folder, notebook.stem, untouched)
            _copy(notebook, folder / beside)
            record[beside] = new
            # The learner's copy still comes from the older text, but this edition need not be offered again.
            record[name] = {"edition": new["edition"], "sources": record.get(name, {}).get("sources", "")}
            done.beside.append((name, beside))
    _write(record_file, json.dumps(record, indent=1, sort_keys=True).encode())
    return done


def _free_name(folder: Path, stem: str, untouched: Callable[[str], bool]) -> str:
    number = 1
    while True:
        name = f"{stem}.new-edition.ipynb" if number == 1 else f"{stem}.new-edition-{number}.ipynb"
        if not (folder / name).exists() or untouched(name):
            return name
        number += 1


def _sources(notebook: Path) -> str:
    """A digest of what is written in a notebook's cells; empty for a file that is no notebook."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        written = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return _digest(json.dumps(written).encode())


def _read_record(file: Path) -> dict[str, dict[str, str]]:
    """The editions copied so far; empty when there is no readable record, so that nothing is taken for untouched."""
    try:
        record = json.loads(file.read_bytes())
        return {str(name): {"edition": entry["edition"], "sources": entry["sources"]} for name, entry in record.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _copy(notebook: Path, target: Path) -> None:
    """Copy a notebook without its outputs: who sees them cannot predict them, nor see which cells have been run.

    The copy is signed, as `jupyter trust` does: JupyterLab hides figures in what it does not trust.
    """
    copy = nbformat.read(notebook, as_version=4)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    _write(target, nbformat.writes(copy).encode())
    NotebookNotary().sign(copy)


def _write(target: Path, data: bytes) -> None:
    """Write a file in one step: an interrupted copy must not leave half a notebook."""
    temporary = target.with_name(target.name + ".part")
    temporary.write_bytes(data)
    os.replace(temporary, target)
