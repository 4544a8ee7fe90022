"""Puts exercises back to their stubs in the learner's folder. What the learner wrote is kept in a dated copy."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from coldstart.course import progress
from coldstart.course.exercise import Exercise

KEPT = ".coldstart/kept"


def reset(folder: Path, exercises: Sequence[Exercise], now: datetime.datetime | None = None) -> Path | None:
    """Put exercises back to how they were shipped.

    The answer cell of each gets its stub again in every notebook of the folder that has it, the answer's file goes, and what
    progress says about the exercise is forgotten. Before that, all of it is copied.

    Args:
        folder: the learner's folder.
        exercises: what to reset.
        now: the time that names the copy; the machine's when left out.

    Returns:
        The folder with the copy; None when there was nothing to put back.

    Raises:
        OSError: something cannot be read or written; nothing was changed before the copy was whole.
    """
    notebooks = [path for path in sorted(folder.glob("*.ipynb")) if _with_stubs(path, exercises) is not None]
    files = [folder / exercise.file for exercise in exercises if (folder / exercise.file).exists()]
    record = folder / ".coldstart" / "progress.json"
    if not notebooks and not files:
        return None
    kept = folder / KEPT / f"{now or datetime.datetime.now():%Y-%m-%d-%H%M%S}"
    kept.mkdir(parents=True, exist_ok=True)
    for path in [*notebooks, *files, *([record] if record.exists() else [])]:
        shutil.copy2(path, kept / path.name)
    for path in notebooks:
        document = _with_stubs(path, exercises)
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
        os.replace(part, path)
    for path in files:
        path.unlink()
    with progress.recording(record) as writing:
        for exercise in exercises:
            writing.progress.exercises.pop(exercise.id, None)
    return kept


def _with_stubs(path: Path, exercises: Sequence[Exercise]) -> dict[str, object] | None:
    """The notebook with the stubs in its answer cells; None when that changes nothing, or it is no notebook."""
    try:
        document = json.loads(path.read_text("utf-8"))
        cells = document["cells"]
    except (ValueError, KeyError, TypeError):
        return None
    stubs = {exercise.id: f"%%writefile {exercise.file}\n{exercise.stub.rstrip()}" for exercise in exercises}
    changed = False
    for cell in cells:
        mark = cell.get("metadata", {}).get("coldstart", {})
        if mark.get("role") in ("answer", "check") and mark.get("exercise") in stubs:
            source = stubs[mark["exercise"]] if mark["role"] == "answer" else "".join(cell["source"])
            if "".join(cell["source"]) != source or cell.get("outputs"):
                cell.update(source=source.splitlines(keepends=True), outputs=[], execution_count=None)
                changed = True
    return document if changed else None
