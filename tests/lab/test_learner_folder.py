"""The learner's copies of the notebooks: new editions arrive, and nothing a learner wrote is ever lost."""

from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from nbformat.sign import NotebookNotary

from coldstart.lab.learner_folder import Editions, bring_up_to_date

LESSON = "01-first-function.ipynb"


class Course:
    """The shipped notebooks and one learner's folder."""

    def __init__(self, root: Path) -> None:
        self.shipped = root / "notebooks"
        self.folder = root / "learn"
        self.shipped.mkdir()

    def ship(self, text: str, name: str = LESSON, output: str = "") -> None:
        cell = v4.new_code_cell(text, outputs=[v4.new_output("stream", text=output)] if output else [])
        nbformat.write(v4.new_notebook(cells=[cell]), self.shipped / name)

    def open(self) -> Editions:
        return bring_up_to_date(self.shipped, self.folder)

    def write(self, text: str, name: str = LESSON) -> None:
        notebook = nbformat.read(self.folder / name, as_version=4)
        notebook.cells[0].source = text
        nbformat.write(notebook, self.folder / name)

    def run(self, output: str, name: str = LESSON) -> None:
        notebook = nbformat.read(self.folder / name, as_version=4)
        notebook.cells[0].outputs = [v4.new_output("stream", text=output)]
        nbformat.write(notebook, self.folder / name)

    def text(self, name: str = LESSON) -> str:
        return nbformat.read(self.folder / name, as_version=4).cells[0].source

    def notebooks(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.ipynb*"))


@pytest.fixture(autouse=True)
def signatures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the signatures of these notebooks out of the Jupyter of whoever runs the tests."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(tmp_path)
    course.ship("first edition")
    course.open()
    return course


def test_the_first_start_copies_every_notebook(tmp_path: Path) -> None:
    course = Course(tmp_path)
    course.ship("the map", "00-start-here.ipynb")
    course.ship("first edition")
    assert course.open() == Editions(added=["00-start-here.ipynb", LESSON])
    assert course.text() == "first edition"


def test_a_second_start_changes_nothing(course: Course) -> None:
    course.write("my work")
    assert course.open() == Editions()
    assert course.text() == "my work"


def test_a_notebook_the_learner_removed_comes_back(course: Course) -> None:
    (course.folder / LESSON).unlink()
    assert course.open() == Editions(added=[LESSON])


def test_a_new_edition_replaces_a_notebook_that_was_only_run(course: Course) -> None:
    course.run("START RequestId")
    course.ship("second edition")
    assert course.open() == Editions(refreshed=[LESSON])
    assert course.text() == "second edition"


def test_a_new_edition_never_replaces_what_the_learner_wrote(course: Course) -> None:
    course.write("my work")
    course.ship("second edition")
    assert course.open() == Editions(beside=[(LESSON, "01-first-function.new-edition.ipynb")])
    assert course.text() == "my work"
    assert course.text("01-first-function.new-edition.ipynb") == "second edition"


def test_a_new_edition_is_offered_once(course: Course) -> None:
    course.write("my work")
    course.ship("second edition")
    course.open()
    assert course.open() == Editions()


def test_a_third_edition_replaces_the_second_one_beside(course: Course) -> None:
    course.write("my work")
    for edition in ("second edition", "third edition"):
        course.ship(edition)
        course.open()
    assert course.notebooks() == ["01-first-function.ipynb", "01-first-function.new-edition.ipynb"]
    assert course.text("01-first-function.new-edition.ipynb") == "third edition"


def test_work_in_the_edition_beside_is_kept_too(course: Course) -> None:
    course.write("my work")
    course.ship("second edition")
    course.open()
    course.write("more of my work", "01-first-function.new-edition.ipynb")
    course.ship("third edition")
    assert course.open() == Editions(beside=[(LESSON, "01-first-function.new-edition-2.ipynb")])
    assert course.text("01-first-function.new-edition.ipynb") == "more of my work"
    assert course.text("01-first-function.new-edition-2.ipynb") == "third edition"


def test_new_outputs_alone_are_no_reason_for_a_second_notebook(course: Course) -> None:
    course.write("my work")
    course.ship("first edition", output="Duration: 2.1 ms")
    assert course.open() == Editions()
    assert course.notebooks() == [LESSON]


def test_the_learners_notebooks_are_kept_when_the_record_is_lost(course: Course) -> None:
    (course.folder / ".coldstart/editions.json").write_text("{ half a rec")
    course.ship("second edition")
    assert course.open().beside == [(LESSON, "01-first-function.new-edition.ipynb")]
    assert course.text() == "first edition"


def test_a_damaged_notebook_is_kept(course: Course) -> None:
    (course.folder / LESSON).write_text('{"cells": [')
    course.ship("second edition")
    assert course.open().beside == [(LESSON, "01-first-function.new-edition.ipynb")]
    assert (course.folder / LESSON).read_text() == '{"cells": ['


def test_the_learners_copy_does_not_give_away_what_the_cells_will_print(tmp_path: Path) -> None:
    course = Course(tmp_path)
    course.ship("first edition", output="the tenth order says 10")
    course.open()
    cell = nbformat.read(course.folder / LESSON, as_version=4).cells[0]
    assert (cell.outputs, cell.execution_count) == ([], None)


def test_what_the_learner_ran_stays_when_only_the_courses_outputs_are_new(course: Course) -> None:
    course.run("START RequestId")
    course.ship("first edition", output="Duration: 2.1 ms")
    assert course.open() == Editions()
    assert nbformat.read(course.folder / LESSON, as_version=4).cells[0].outputs[0].text == "START RequestId"


def test_jupyterlab_trusts_the_courses_own_notebooks(course: Course) -> None:
    shipped = nbformat.read(course.folder / LESSON, as_version=4)
    assert NotebookNotary().check_signature(shipped)
    course.write("my work")
    assert not NotebookNotary().check_signature(nbformat.read(course.folder / LESSON, as_version=4))


def test_a_course_without_notebooks_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there are no notebooks in"):
        bring_up_to_date(tmp_path, tmp_path / "learn")
