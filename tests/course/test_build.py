"""Building runs every lesson; building again changes nothing; what changed is noticed, what may differ is not."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from coldstart.course import build
from coldstart.course.stable_outputs import keep_stable_outputs, same_but_for_measurements, sanitize

DURATION = re.compile(r"Duration: [\d.]+ ms")


def built_files(lessons: Path) -> dict[str, bytes]:
    root = lessons.parent
    folders = ("notebooks", "solutions", "site")
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.timeout(400)
@pytest.mark.long
def test_what_a_build_stores(small_course: Path) -> None:
    """One test, since each build starts kernels."""
    notebook = small_course.parent / "notebooks" / "01-greet.ipynb"
    solution = small_course.parent / "solutions" / "01-greet.ipynb"
    page = small_course.parent / "site" / "docs" / "lessons" / "01-greet.md"
    assert build.build(small_course, ["01"]) == []
    assert sorted(built_files(small_course)) == sorted(
        path.relative_to(small_course.parent).as_posix() for path in (notebook, solution, page)
    )
    assert "Exercise 01.1 · Greet the customer: not yet (0 of 1 requirements met)" in notebook.read_text()
    assert "Exercise 01.1 · Greet the customer: passed (1 of 1 requirements met)" in solution.read_text()
    for path in (notebook, solution):
        text = path.read_text()
        assert "widget-view" not in text, "a stored widget without its kernel shows only an error"
        assert str(small_course.parent) not in text
        assert "iopub" not in text, "no times of execution"

    # Prose needs no run; code does.
    assert build.build(small_course, ["01"], check=True, run=False) == []
    edit(small_course / "01-greet" / "lesson.md", "Parcel greets its customers", "Parcel greets everybody")
    assert len(build.build(small_course, ["01"], check=True, run=False)) == 3
    assert build.build(small_course, ["01"], run=False) == []
    assert "Parcel greets everybody" in notebook.read_text()
    assert build.build(small_course, ["01"], check=True, run=False) == []
    edit(small_course / "01-greet" / "lesson.md", "print(6 * 7)", "print(6 * 9)")
    problems = [str(problem) for problem in build.build(small_course, ["01"], run=False)]
    assert "notebooks/01-greet.ipynb has no output of this cell as it is now. Run `make build`." in problems[0]
    edit(small_course / "01-greet" / "lesson.md", "print(6 * 9)", "print(6 * 7)")


MEASURED = """
```python
import time

print(6 * 7)
print(f"Duration: {time.process_time() * 1000:.2f} ms")
```
"""


@pytest.mark.timeout(400)
@pytest.mark.long
def test_what_the_next_build_notices(small_course: Path) -> None:
    """With the lesson that needs no local AWS."""
    lesson = small_course / "02-thank" / "lesson.md"
    lesson.write_text(lesson.read_text("utf-8") + MEASURED, "utf-8")
    notebook = small_course.parent / "notebooks" / "02-thank.ipynb"
    solution = small_course.parent / "solutions" / "02-thank.ipynb"
    page = small_course.parent / "site" / "docs" / "lessons" / "02-thank.md"
    assert build.build(small_course, ["02"]) == []

    # Another duration counts for nothing; another value does; and looking changes nothing.
    measured = DURATION.search(notebook.read_text())
    assert measured is not None
    edit(notebook, measured[0], "Duration: 98765.43 ms")
    edit(page, measured[0], "Duration: 98765.43 ms")
    edit(solution, '"42\\n', '"43\\n')
    (small_course.parent / "notebooks" / "07-gone.ipynb").write_text("{}")
    stored = built_files(small_course)
    problems = [str(problem) for problem in build.build(small_course, ["02"], check=True)]
    assert len(problems) == 2
    assert problems[1] == "notebooks/07-gone.ipynb: there is no lesson of this name; delete the file"
    assert "solutions/02-thank.ipynb: building changes this file. Run `make build`" in problems[0]
    assert '-      "43\\n",' in problems[0]
    assert '+      "42\\n",' in problems[0]
    assert built_files(small_course) == stored
    (small_course.parent / "notebooks" / "07-gone.ipynb").unlink()

    # What changed is stored; a fresh build stores what it measured, too.
    ids = [cell.id for cell in nbformat.read(notebook, 4).cells]
    edit(lesson, "print(6 * 7)", "print(6 * 8)")
    assert build.build(small_course, ["02"], fresh=True) == []
    assert '"48\\n' in notebook.read_text()
    assert "98765.43" not in notebook.read_text()
    assert [cell.id for cell in nbformat.read(notebook, 4).cells] == ids


def test_an_unknown_lesson_says_which_there_are(small_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["05-queues"]) == 1
    assert "There is no lesson '05-queues'. There are: 01-greet, 02-thank." in capsys.readouterr().err


def stream(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("stream", text=text)


def notebook(*outputs: nbformat.NotebookNode) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("run()", id="run-1", outputs=list(outputs))
    return nbformat.v4.new_notebook(cells=[cell])


REPORT = (
    "REPORT RequestId: 6e2b1c4e-0000-4000-8000-000000000001\tDuration: {}\tBilled Duration: {}\tMemory Size: 128 MB\t"
    "Max Memory Used: {} MB\tInit Duration: {}\t\n"
)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (REPORT.format("1.83 ms", "93 ms", 36, "90.62 ms"), REPORT.format("12.10 ms", "204 ms", 41, "191.07 ms")),
        ("2026-11-23T09:41:07.123Z", "2027-01-02T23:59:59.001Z"),
        ("2026/11/23/[$LATEST]0f", "2027/01/02/[$LATEST]0f"),
    ],
    ids=["REPORT", "timestamp", "log-stream"],
)
def test_what_was_measured_may_differ(one: str, two: str) -> None:
    assert same_but_for_measurements([stream(one)], [stream(two)])
    run = notebook(stream(two))
    keep_stable_outputs(run, notebook(stream(one)))
    assert run.cells[0].outputs == [stream(one)]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("42\n", "43\n"),
        ("6e2b1c4e-0000-4000-8000-000000000001", "6e2b1c4e-0000-4000-8000-000000000002"),
        ("Memory Size: 128 MB", "Memory Size: 256 MB"),
        ("2026/11/23/[$LATEST]0f", "2026/11/23/[7]0f"),
        ("Task timed out after 3.00 seconds", "Task timed out after 4.00 seconds"),
    ],
    ids=["value", "request-id", "memory-size", "version", "timeout"],
)
def test_all_else_may_not(one: str, two: str) -> None:
    assert not same_but_for_measurements([stream(one)], [stream(two)])
    run = notebook(stream(two))
    keep_stable_outputs(run, notebook(stream(one)))
    assert run.cells[0].outputs == [stream(two)]


def test_a_longer_or_shorter_output_is_another_one() -> None:
    assert not same_but_for_measurements([stream("42\n")], [])
    assert not same_but_for_measurements([stream("42\n")], [stream("42\n"), stream("42\n")])


def test_the_sanitizer_is_the_one_that_nbval_uses() -> None:
    from nbval.plugin import get_sanitize_patterns

    from coldstart.course.stable_outputs import SANITIZER

    text = REPORT.format("1.83 ms", "93 ms", 36, "90.62 ms") + "2026-11-23T09:41:07.123Z 2026/11/23/[$LATEST]0f"
    text += '\n    with open("partner-discounts.json") as file:\n         ~~~~^^^^^^^^^^^^^^^\nFileNotFoundError\n'
    for_nbval = text
    for pattern, replacement in get_sanitize_patterns(SANITIZER.read_text("utf-8")):
        for_nbval = re.sub(pattern, replacement, for_nbval)
    assert for_nbval == sanitize(text) != text
    assert for_nbval.endswith("as file:\nFileNotFoundError\n"), "Python's versions mark the place differently"
