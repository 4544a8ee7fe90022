"""Resetting puts a stub back and keeps a dated copy of what the learner wrote."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path

from coldstart.course import catalogue, progress
from coldstart.lab.reset import reset

PROJECT = Path(__file__).resolve().parents[2]
NOW = datetime.datetime(2026, 12, 1, 9, 30)


def _answer_cell(notebook: Path, exercise_id: str) -> str:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    marks = {"exercise": exercise_id, "role": "answer"}
    return next("".join(cell["source"]) for cell in cells if cell["metadata"].get("coldstart") == marks)


def _write_answer(notebook: Path, exercise_id: str, source: str) -> None:
    document = json.loads(notebook.read_text("utf-8"))
    for cell in document["cells"]:
        if cell["metadata"].get("coldstart") == {"exercise": exercise_id, "role": "answer"}:
            cell["source"] = source
    notebook.write_text(json.dumps(document), "utf-8")


def _learner(folder: Path) -> Path:
    """A learner's folder with two answers in lesson 01."""
    notebook = folder / "01-first-function.ipynb"
    shutil.copy(PROJECT / "notebooks" / notebook.name, notebook)
    for exercise_id in ("01.1", "01.2"):
        exercise = catalogue.exercise(exercise_id)
        _write_answer(notebook, exercise_id, f"%%writefile {exercise.file}\n# mine\n{exercise.solution}")
        (folder / exercise.file).write_text("# mine\n")
        with progress.recording(folder / ".coldstart" / "progress.json") as record:
            record.checked(exercise_id, passed=True)
    return notebook


def test_one_exercise_goes_back_and_the_others_stay(tmp_path: Path) -> None:
    notebook = _learner(tmp_path)
    first, second = catalogue.exercise("01.1"), catalogue.exercise("01.2")
    kept = reset(tmp_path, [first], NOW)
    assert _answer_cell(notebook, "01.1") == f"%%writefile {first.file}\n{first.stub.rstrip()}"
    assert "# mine" in _answer_cell(notebook, "01.2")
    assert not (tmp_path / first.file).exists()
    assert (tmp_path / second.file).exists()
    done = json.loads((tmp_path / ".coldstart" / "progress.json").read_text())["exercises"]
    assert list(done) == ["01.2"]
    assert kept == tmp_path / ".coldstart/kept/2026-12-01-093000"
    assert "# mine" in _answer_cell(kept / notebook.name, "01.1")
    assert (kept / first.file).read_text() == "# mine\n"


def test_where_nothing_was_done_there_is_nothing_to_reset(tmp_path: Path) -> None:
    (tmp_path / "notes.ipynb").write_text("not a notebook")
    assert reset(tmp_path, [catalogue.exercise("01.1")], NOW) is None
    assert not (tmp_path / ".coldstart").exists()
