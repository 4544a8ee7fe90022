"""`coldstart build`: lessons/ becomes notebooks/, solutions/ and the site's lesson pages."""

from __future__ import annotations

import datetime
import difflib
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from rich.console import Console
from rich.progress import Progress

from coldstart.course import catalogue, contract
from coldstart.course.facts import Facts
from coldstart.course.glossary import read_glossary
from coldstart.course.lesson import Lesson, read_lesson
from coldstart.course.misconceptions import read_misconceptions
from coldstart.course.notebook import make_notebook
from coldstart.course.pages import write_page
from coldstart.course.problems import LessonProblem
from coldstart.course.run_record import note_run
from coldstart.course.stable_outputs import keep_stable_outputs, take_stored_outputs

# A notebook keeps a kernel and its functions busy: more at once than this only makes their durations longer.
_AT_ONCE = 2
_MOST_CHANGED_LINES = 20


@dataclass(frozen=True)
class Products:
    """Where a build writes: below the project, or below another folder.

    Attributes:
        root: the folder that holds notebooks/, solutions/ and site/.
    """

    root: Path

    def notebook(self, name: str, *, solutions: bool = False) -> Path:
        """The learner's notebook of a lesson, or the one with the solutions."""
        return self.root / ("solutions" if solutions else "notebooks") / f"{name}.ipynb"

    def page(self, name: str) -> Path:
        """The site's page of a lesson."""
        return self.root / "site" / "docs" / "lessons" / f"{name}.md"

    def all(self, name: str) -> list[Path]:
        """Everything that is built from a lesson."""
        return [self.notebook(name), self.notebook(name, solutions=True), self.page(name)]

    def make_folders(self) -> None:
        """Make the folders that are not there."""
        for path in self.all("any"):
            path.parent.mkdir(parents=True, exist_ok=True)

    def without_a_lesson(self, names: set[str]) -> list[Path]:
        """Built files whose lesson is gone."""
        folders = [(path.parent, path.suffix) for path in self.all("any")]
        found = [path for folder, suffix in folders for path in sorted(folder.glob(f"[0-9][0-9]-*{suffix}"))]
        return [path for path in found if path.stem not in names]


@dataclass(frozen=True)
class Course:
    """The lessons and what they share."""

    folder: Path
    lessons: list[Lesson]
    facts: Facts
    glossary: dict[str, str]


def main(names: Sequence[str] = (), *, check: bool = False, fresh: bool = False, run: bool = True) -> int:
    """Build all lessons, or those named; print what is wrong with them.

    Args:
        names: lessons by name or number, such as "01-first-function" or "01"; all when there is none.
        check: change nothing in the project; fail, naming the file, when building would change it.
        fresh: store what this run printed, also where it differs only in durations and the like.
        run: run the cells; otherwise every cell keeps the outputs that are stored for it.

    Returns:
        0 when all went well, else 1.
    """
    console = Console(highlight=False, soft_wrap=True, stderr=True)
    try:
        problems = build(catalogue.lessons_folder(), names, check=check, fresh=fresh, run=run, console=console)
    except catalogue.NotInTheCourse as error:
        console.print(str(error), style="red", markup=False)
        return 1
    for problem in problems:
        console.print(str(problem), style="red", markup=False)
    return 1 if problems else 0


def build(
    folder: Path,
    names: Sequence[str] = (),
    *,
    check: bool = False,
    fresh: bool = False,
    run: bool = True,
    console: Console | None = None,
) -> list[LessonProblem]:
    """Build lessons; the products go beside the folder of the lessons.

    Args:
        folder: the folder of the lessons.
        names: as in `main`.
        check: as in `main`.
        fresh: as in `main`.
        run: as in `main`.
        console: where progress is shown; nowhere by default.

    Returns:
        What is wrong. When the lessons break their contract, nothing is run; when a lesson's notebooks fail, nothing of
        it is written.

    Raises:
        NotInTheCourse: no lesson has one of the names.
    """
    console = console or Console(quiet=True)
    problems, course = read_course(folder)
    if problems or course is None:
        return problems
    wanted = _named(course.lessons, names)
    project = Products(folder.parent)
    with tempfile.TemporaryDirectory(prefix="coldstart-build-") as temporary:
        built = Products(Path(temporary))
        built.make_folders()
        problems = _build(wanted, course, stored=project, built=built, fresh=fresh, run=run, console=console)
        failed = {problem.path.parent.name for problem in problems}
        done = [lesson for lesson in wanted if lesson.name not in failed]
        if check:
            problems += _differences(done, project, built)
        else:
            project.make_folders()
            for lesson in done:
                for source, target in zip(built.all(lesson.name), project.all(lesson.name), strict=True):
                    shutil.copyfile(source, target)
    for path in project.without_a_lesson({lesson.name for lesson in course.lessons}):
        problems.append(LessonProblem(path, None, "there is no lesson of this name; delete the file"))
    if not problems:
        console.print(
            f"{len(wanted)} {'lesson' if len(wanted) == 1 else 'lessons'} {'up to date' if check else 'built'}."
        )
    return problems


def read_course(folder: Path) -> tuple[list[LessonProblem], Course | None]:
    """Read all lessons and hold them to their contract.

    Returns:
        What is wrong, and the course when it can be read.
    """
    problems: list[LessonProblem] = []
    lessons: list[Lesson] = []
    for child in catalogue.lesson_folders(folder):
        try:
            lessons.append(read_lesson(child))
        except LessonProblem as problem:
            problems.append(problem)
    try:
        facts = Facts(folder / "facts.toml")
        misconceptions = read_misconceptions(folder)
        glossary = read_glossary(folder)
    except LessonProblem as problem:
        return [*problems, problem], None
    if problems:
        return problems, None
    problems = contract.problems_of(lessons, facts, misconceptions, datetime.date.today())
    return problems, Course(folder, lessons, facts, glossary)


def _named(lessons: list[Lesson], names: Sequence[str]) -> list[Lesson]:
    for name in names:
        if not any(name in (lesson.name, lesson.number) for lesson in lessons):
            there_are = ", ".join(lesson.name for lesson in lessons)
            raise catalogue.NotInTheCourse(f"There is no lesson {name!r}. There are: {there_are}.")
    return [lesson for lesson in lessons if not names or lesson.name in names or lesson.number in names]


def _build(
    wanted: list[Lesson], course: Course, *, stored: Products, built: Products, fresh: bool, run: bool, console: Console
) -> list[LessonProblem]:
    with Progress(console=console, transient=True) as bars, ThreadPoolExecutor(_AT_ONCE) as workers:

        def one(task: tuple[Lesson, bool]) -> list[LessonProblem]:
            lesson, solutions = task
            old = None if fresh else stored.notebook(lesson.name, solutions=solutions)
            new = built.notebook(lesson.name, solutions=solutions)
            if not run:
                return _rebuild_notebook(
                    lesson, course, stored.notebook(lesson.name, solutions=solutions), new, solutions
                )
            return _build_notebook(lesson, course, old, new, solutions, bars)

        tasks = [(lesson, solutions) for lesson in wanted for solutions in (False, True)]
        problems = [problem for found in workers.map(one, tasks) for problem in found]
    failed = {problem.path.parent.name for problem in problems}
    for lesson in wanted:
        if lesson.name not in failed:
            page = built.page(lesson.name)
            try:
                write_page(
                    lesson,
                    built.notebook(lesson.name),
                    page,
                    facts=course.facts,
                    lessons=course.lessons,
                    glossary=course.glossary,
                )
            except LessonProblem as problem:
                problems.append(problem)
    # The same fault shows in both notebooks of a lesson.
    return list({str(problem): problem for problem in problems}.values())


def _build_notebook(
    lesson: Lesson, course: Course, old: Path | None, new: Path, solutions: bool, bars: Progress
) -> list[LessonProblem]:
    try:
        draft = make_notebook(lesson, course.facts, course.lessons, solutions=solutions)
    except LessonProblem as problem:
        return [problem]
    cells = sum(cell.cell_type == "code" for cell in draft.notebook.cells)
    bar = bars.add_task(f"{new.parent.name}/{new.name}", total=cells)
    from coldstart.course.execute import execute  # it loads half of Jupyter, and --no-run does without

    problems = execute(draft, lesson, ran=lambda: bars.advance(bar))
    if problems:
        return problems
    stored = nbformat.read(old, 4) if old is not None and old.exists() else None
    if stored is not None:
        keep_stable_outputs(draft.notebook, stored)
    note_run(draft.notebook, stored)
    nbformat.validate(draft.notebook)
    nbformat.write(draft.notebook, new)
    bars.console.print(f"{new.parent.name}/{new.name}: {cells} cells", markup=False)
    return []


def _rebuild_notebook(lesson: Lesson, course: Course, stored: Path, new: Path, solutions: bool) -> list[LessonProblem]:
    """Make a notebook of today's prose and cells with the outputs of an earlier run."""
    try:
        draft = make_notebook(lesson, course.facts, course.lessons, solutions=solutions)
    except LessonProblem as problem:
        return [problem]
    before = nbformat.read(stored, 4) if stored.exists() else nbformat.v4.new_notebook()
    changed = take_stored_outputs(draft.notebook, before)
    if changed:
        what = f"{stored.parent.name}/{stored.name} has no output of this cell as it is now. Run `make build`."
        return [LessonProblem(lesson.source, draft.lines[cell_id], what) for cell_id in changed]
    nbformat.write(draft.notebook, new)
    return []


def _differences(lessons: list[Lesson], project: Products, built: Products) -> list[LessonProblem]:
    """Name each stored file that building would change, with the first lines that differ."""
    problems = []
    for lesson in lessons:
        for stored, new in zip(project.all(lesson.name), built.all(lesson.name), strict=True):
            before = stored.read_text("utf-8") if stored.exists() else ""
            after = new.read_text("utf-8")
            if before != after:
                changes = difflib.unified_diff(
                    before.splitlines(), after.splitlines(), "stored", "built", lineterm="", n=1
                )
                shown = list(changes)
                cut = ["..."] if len(shown) > _MOST_CHANGED_LINES else []
                lines = "\n".join(line[:200] for line in [*shown[:_MOST_CHANGED_LINES], *cut])
                what = f"building changes this file. Run `make build`, look at what changed, commit it.\n{lines}"
                problems.append(LessonProblem(stored, None, what))
    return problems
