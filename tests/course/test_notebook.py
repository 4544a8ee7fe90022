"""From lesson.md to a notebook: what becomes a cell, with which id, and what stays away from learners."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from coldstart.course import build
from coldstart.course.notebook import Draft, make_notebook


def draft(lessons: Path, name: str = "01-greet", *, solutions: bool = False) -> Draft:
    problems, course = build.read_course(lessons)
    assert problems == []
    assert course is not None
    lesson = next(lesson for lesson in course.lessons if lesson.name == name)
    return make_notebook(lesson, course.facts, course.lessons, solutions=solutions)


def sources(made: Draft) -> list[str]:
    return [cell.source for cell in made.notebook.cells]


def test_the_first_cells_say_what_the_lesson_is_for(small_course: Path) -> None:
    title, overview, prose = sources(draft(small_course, "02-thank"))[:3]
    assert title == "# Thank"
    assert overview == (
        "*About 2 minutes · after [01 Greet](01-greet.ipynb)*\n\n**Afterwards you can:**\n\n- Thank a customer"
    )
    assert prose.startswith("After [greeting](01-greet.ipynb) comes thanking.")


def test_a_link_to_a_lesson_that_is_not_written_yet_leaves_its_words(small_course: Path) -> None:
    assert "Parting is not written yet." in sources(draft(small_course, "02-thank"))[2]


def test_figures_come_from_the_facts(small_course: Path) -> None:
    assert sources(draft(small_course))[2] == "Parcel greets its customers, in functions of 128 MB."


def test_an_exercise_becomes_task_answer_and_check(small_course: Path) -> None:
    cells = [cell for cell in draft(small_course).notebook.cells if cell.metadata.get("coldstart", {}).get("exercise")]
    assert [cell.metadata.coldstart.role for cell in cells] == ["task", "answer", "check"]
    task, answer, check = (cell.source for cell in cells)
    assert task.startswith("### Exercise 01.1 · Greet the customer\n\nAnswer with a greeting")
    assert "1. Greets whoever the event names" in task, "the list is made from the requirements"
    assert answer == '%%writefile greet.py\ndef handler(event, context):\n    return {"greeting": "Hello, you"}'
    assert check == 'check("01.1")'


def test_the_solutions_differ_in_the_answers_alone(small_course: Path) -> None:
    stub, solution = draft(small_course), draft(small_course, solutions=True)
    differ = [
        (one.source, two.source)
        for one, two in zip(stub.notebook.cells, solution.notebook.cells, strict=True)
        if (one.id, one.source, one.metadata) != (two.id, two.source, two.metadata)
    ]
    assert len(differ) == 1
    assert "event['name']" in differ[0][1]


def test_notes_for_instructors_stay_away_from_learners(small_course: Path) -> None:
    for solutions in (False, True):
        assert "Who is greeted" not in nbformat.writes(draft(small_course, solutions=solutions).notebook)


def test_a_fence_of_another_language_stays_prose(small_course: Path) -> None:
    lesson = small_course / "02-thank" / "lesson.md"
    text = "A listing:\n\n````js\nexports.handler = 1\n```python\nnot_a_cell()\n```\n# no heading\n````"
    lesson.write_text(lesson.read_text().replace("After [greeting]", f"{text}\n\nAfter [greeting]"))
    cells = draft(small_course, "02-thank").notebook.cells
    assert [cell.cell_type for cell in cells] == ["markdown", "markdown", "markdown", "code", "code"]
    assert "not_a_cell()" in cells[2].source


def test_what_stands_behind_a_fence_reaches_the_cell(small_course: Path) -> None:
    lesson = small_course / "02-thank" / "lesson.md"
    lesson.write_text(
        lesson.read_text().replace("```python\n%%writefile", '```python tab="Text" alt="a note"\n%%writefile')
    )
    cell = next(cell for cell in draft(small_course, "02-thank").notebook.cells if cell.cell_type == "code")
    assert cell.metadata == {"tab": "Text", "alt": "a note"}


def test_a_section_keeps_its_ids_when_another_grows(small_course: Path) -> None:
    before = {cell.id: cell.source for cell in draft(small_course).notebook.cells}
    lesson = small_course / "01-greet" / "lesson.md"
    lesson.write_text(lesson.read_text().replace("## Count", "```python\n1 + 1\n```\n\n## Count"))
    after = {cell.id: cell.source for cell in draft(small_course).notebook.cells}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()


@pytest.mark.parametrize("solutions", [False, True])
def test_the_notebook_is_valid(small_course: Path, solutions: bool) -> None:
    nbformat.validate(draft(small_course, solutions=solutions).notebook)
