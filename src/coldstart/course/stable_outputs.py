"""Keeps a stored output when a new run differs only in what may differ, so that building again changes nothing.

What is stored always comes from a run; a duration in it is one that was measured. What may differ is in
nbval_sanitize.cfg, which nbval reads too.
"""

from __future__ import annotations

import configparser
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

SANITIZER = Path(__file__).with_name("nbval_sanitize.cfg")


def keep_stable_outputs(executed: nbformat.NotebookNode, stored: nbformat.NotebookNode) -> None:
    """Put stored outputs back into an executed notebook wherever they say the same.

    Args:
        executed: the notebook that has just run; it is changed.
        stored: what an earlier build stored for the same lesson.
    """
    before = {cell.id: cell for cell in stored.cells if cell.cell_type == "code"}
    for cell in executed.cells:
        old = before.get(cell.id)
        if cell.cell_type == "code" and old is not None and same_but_for_measurements(old.outputs, cell.outputs):
            counts = [output.get("execution_count") for output in cell.outputs]
            cell.outputs = old.outputs
            for output, count in zip(cell.outputs, counts, strict=True):
                if output.output_type == "execute_result":
                    output.execution_count = count


def take_stored_outputs(draft: nbformat.NotebookNode, stored: nbformat.NotebookNode) -> list[str]:
    """Put the outputs of an earlier run, and the record of that run, into a notebook that was not run.

    Args:
        draft: the notebook; it is changed.
        stored: what an earlier build stored for the same lesson.

    Returns:
        The ids of the code cells that did not run as they are now: new ones, and those with another source.
    """
    before = {cell.id: cell for cell in stored.cells if cell.cell_type == "code"}
    changed = []
    cells = [cell for cell in draft.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, 1):
        old = before.get(cell.id)
        if old is None or old.source != cell.source:
            changed.append(cell.id)
            continue
        cell.execution_count = number
        cell.outputs = old.outputs
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    draft.metadata["coldstart"]["run"] = stored.metadata.get("coldstart", {}).get("run")
    return changed


def same_but_for_measurements(first: list[nbformat.NotebookNode], second: list[nbformat.NotebookNode]) -> bool:
    """Say whether two cells' outputs are the same after sanitising; execution counts do not matter."""
    return _sanitized(_uncounted(first)) == _sanitized(_uncounted(second))


def sanitize(text: str) -> str:
    """Replace every measurement in a text, as nbval does before it compares."""
    for pattern, replacement in _rules():
        text = pattern.sub(replacement, text)
    return text


def _uncounted(outputs: list[nbformat.NotebookNode]) -> list[dict[str, Any]]:
    return [{key: value for key, value in output.items() if key != "execution_count"} for output in outputs]


def _sanitized(value: Any) -> Any:
    """Sanitise every text inside a JSON value."""
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, list):
        return [_sanitized(each) for each in value]
    if isinstance(value, dict):
        return {key: _sanitized(each) for key, each in value.items()}
    return value


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    config = configparser.RawConfigParser()
    config.read(SANITIZER, encoding="utf-8")
    return [(re.compile(config.get(name, "regex")), config.get(name, "replace")) for name in config.sections()]
