"""A notebook says when its stored outputs were printed, and says it until something in it changes."""

from __future__ import annotations

import datetime
import platform
from typing import Any

from nbformat.v4 import new_code_cell, new_notebook, new_output

from coldstart.course.run_record import note_run


def _notebook(printed: str, run: dict[str, Any] | None = None) -> Any:
    cell = new_code_cell("ship()", outputs=[new_output("stream", text=printed)])
    mark = {"lesson": "01-ship", **({"run": run} if run else {})}
    return new_notebook(cells=[cell], metadata={"coldstart": mark})


def test_a_first_run_is_dated_and_names_its_versions() -> None:
    notebook = _notebook("7\n")
    note_run(notebook, None)
    run = notebook.metadata.coldstart.run
    assert run["date"] == datetime.date.today().isoformat()
    assert run["versions"]["Python"] == platform.python_version()
    assert {"awslambdaric", "boto3", "moto"} <= set(run["versions"])


def test_the_record_stays_while_the_outputs_do() -> None:
    run = {"date": "2025-01-02", "versions": {"Python": "3.11.0"}}
    same, other = _notebook("7\n"), _notebook("8\n")
    note_run(same, _notebook("7\n", run))
    note_run(other, _notebook("7\n", run))
    assert same.metadata.coldstart.run == run
    assert other.metadata.coldstart.run["date"] == datetime.date.today().isoformat()
