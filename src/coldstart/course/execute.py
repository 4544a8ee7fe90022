"""Runs a lesson's notebook in a fresh kernel and folder, and holds its cells to what the lesson says of them."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from coldstart.course.lesson import Lesson
from coldstart.course.notebook import Draft
from coldstart.course.problems import LessonProblem
from coldstart.course.progress import Progress

CELL_SECONDS = 60

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Means something only to the kernel that made it; the text twins stay.
_LIVE_ONLY = "application/vnd.jupyter.widget-view+json"


class _ThisPythonsKernel(AsyncKernelManager):
    """A kernel of the Python that runs the build, whatever kernels the machine has under the name python3."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start it."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=40"]
        return KernelSpec(argv=argv, display_name="Python 3 (ipykernel)", language="python")


def execute(draft: Draft, lesson: Lesson, ran: Callable[[], None] = lambda: None) -> list[LessonProblem]:
    """Run every cell and store its outputs in the draft's notebook.

    Args:
        draft: the notebook to run. When it has the solutions, its checks have to be green.
        lesson: the lesson it was made from.
        ran: called after each code cell, to show how far it is.

    Returns:
        What went against the lesson: a cell that failed and was not to, did not fail and was to, or failed with another
        error; a figure without words; a solution that did not pass. The run goes on after a failure, so that one build
        shows them all.
    """
    notebook = draft.notebook
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started: list[str] = []
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        allow_errors=True,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        kernel_manager_class=_ThisPythonsKernel,
        on_cell_start=lambda cell, cell_index: started.append(cell.id),
        on_cell_executed=lambda cell, cell_index, execute_reply: ran(),
    )
    with tempfile.TemporaryDirectory(prefix="coldstart-build-") as folder:
        progress_file = Path(folder) / "progress.json"
        work = Path(folder) / "work"
        work.mkdir()
        client.resources = {"metadata": {"path": str(work)}}
        environment = {
            "COLDSTART_PROGRESS": str(progress_file),
            "COLDSTART_LESSONS": str(lesson.folder.parent.resolve()),
            "COLDSTART_SEED": "0",
            "IPYTHONDIR": str(Path(folder) / "ipython"),
            "SOURCE_DATE_EPOCH": "0",
        }
        try:
            client.execute(env={**os.environ, **environment})
        except (CellTimeoutError, DeadKernelError) as error:
            what = (
                f"the cell runs longer than {CELL_SECONDS} seconds"
                if isinstance(error, CellTimeoutError)
                else "the kernel died here"
            )
            return [LessonProblem(lesson.source, draft.lines[started[-1]] if started else None, what)]
        progress = _progress(progress_file)
    problems = []
    for number, cell in enumerate(cells, 1):
        _clean(cell, number)
        problems += _broken_promises(cell, draft.lines[cell.id], lesson)
        if notebook.metadata["coldstart"]["solutions"]:
            problems += _not_passed(cell, draft.lines[cell.id], lesson, progress)
    notebook.metadata["language_info"] = {"name": "python"}
    return problems


def _progress(file: Path) -> Progress:
    return Progress.model_validate_json(file.read_bytes()) if file.exists() else Progress()


def _broken_promises(cell: nbformat.NotebookNode, line: int, lesson: Lesson) -> list[LessonProblem]:
    errors = [output for output in cell.outputs if output.output_type == "error"]
    meant = cell.metadata.get("raises")
    if errors and meant != errors[0].ename:
        what = f"the cell fails with {errors[0].ename}: {errors[0].evalue}\n"
        what += (
            f"It is to fail with {meant}; mend one of the two."
            if meant
            else f'Mend it; or, when it fails on purpose, write ```python raises="{errors[0].ename}"'
        )
        return [LessonProblem(lesson.source, line, what)]
    if meant and not errors:
        what = f'the cell has raises="{meant}" but does not fail; take that away, or let it fail'
        return [LessonProblem(lesson.source, line, what)]
    if not cell.metadata.get("alt") and any(_is_figure(output) for output in cell.outputs):
        what = 'the cell shows a figure; say in words what it shows: ```python alt="..."'
        return [LessonProblem(lesson.source, line, what)]
    return []


def _is_figure(output: nbformat.NotebookNode) -> bool:
    return any(kind.startswith("image/") for kind in output.get("data", {}))


def _not_passed(cell: nbformat.NotebookNode, line: int, lesson: Lesson, progress: Progress) -> list[LessonProblem]:
    mark = cell.metadata.get("coldstart", {})
    if mark.get("role") != "check":
        return []
    exercise = progress.exercises.get(mark["exercise"])
    if exercise is not None and exercise.passed:
        return []
    said = "\n".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    return [
        LessonProblem(lesson.source, line, f"the solution of {mark['exercise']} does not pass its own check:\n{said}")
    ]


def _clean(cell: nbformat.NotebookNode, number: int) -> None:
    """Leave out what differs from run to run and helps no reader: ids of live widgets, colours, paths in tracebacks."""
    cell.execution_count = number
    for output in cell.outputs:
        if output.output_type == "execute_result":
            output.execution_count = number
        if output.output_type in ("execute_result", "display_data"):
            output.data.pop(_LIVE_ONLY, None)
        if output.output_type == "error":
            output.traceback = [_ANSI.sub("", f"{output.ename}: {output.evalue}")]
