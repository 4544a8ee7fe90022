"""The lesson contract: the rules that every lesson keeps, each a function whose name is the rule.

`coldstart build` holds all lessons to it before it runs anything. Each rule has an example that breaks it in
tests/course/broken_course.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from coldstart.course import prose_contract
from coldstart.course.exercise import RUNGS, Exercise
from coldstart.course.facts import Facts
from coldstart.course.lesson import Cell, ExercisePlace, Lesson, Part, Prose
from coldstart.course.misconceptions import Misconception
from coldstart.course.problems import LessonProblem

MOST_CELLS_WITHOUT_AN_ANSWER = 5
WIDEST_CODE = 78
"""Characters that a line of code may have: so many are seen on a page of the site beside its two lists."""

_ASKS = re.compile(r"\b(predict|quiz|check)\(")
_NAMED = re.compile(r"\b(predict|compare|quiz|check|hint)\(\s*[\"']([^\"']*)[\"']")
_HEADING = re.compile(r"^(#{1,6}) ", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_WRITES = re.compile(r"^%%writefile\s+(?:-a\s+)?(\S+)")


def problems_of(
    lessons: list[Lesson], facts: Facts, misconceptions: dict[str, Misconception], today: datetime.date
) -> list[LessonProblem]:
    """Find everything that is wrong with the lessons.

    Args:
        lessons: all lessons.
        facts: the course's figures.
        misconceptions: what misconceptions.yml names, by id.
        today: the day on which facts are held to be fresh.
    """
    numbers = {lesson.number for lesson in lessons}
    problems = facts.expired(today)
    for lesson in lessons:
        problems += one_title_and_no_heading_left_out(lesson)
        problems += prerequisites_exist(lesson, numbers)
        problems += an_answer_every_five_cells(lesson)
        problems += code_is_read_without_scrolling(lesson)
        problems += cells_name_what_there_is(lesson)
        problems += objectives_are_tested(lesson)
        problems += questions_have_an_objective_and_a_place(lesson)
        problems += exercises_have_a_place(lesson)
        problems += numbers_rise_as_one_reads(lesson)
        problems += exercises_are_whole(lesson)
        problems += named_facts_exist(lesson, facts)
        problems += wrong_options_and_answers_name_misconceptions(lesson, misconceptions)
        problems += prose_contract.links_lead_somewhere(lesson, {other.name for other in lessons})
        problems += prose_contract.figures_are_facts_or_outputs(lesson)
        problems += prose_contract.no_banned_words(lesson)
        problems += prose_contract.minutes_are_plausible(lesson)
    return [
        *problems,
        *files_are_written_once(lessons),
        *prose_contract.misconceptions_are_refuted(lessons, misconceptions),
        *prose_contract.stubs_use_what_was_taught(lessons),
    ]


def one_title_and_no_heading_left_out(lesson: Lesson) -> Iterator[LessonProblem]:
    """There is one H1, first, and no heading level is left out."""
    levels = []
    for part in lesson.parts:
        if isinstance(part, Prose):
            levels += [(len(marks), part.line) for marks in _HEADING.findall(_FENCED.sub("", part.text))]
    titles = [line for level, line in levels if level == 1]
    if not levels or levels[0][0] != 1:
        yield LessonProblem(lesson.source, levels[0][1] if levels else None, "begin with the lesson's title: `# Title`")
    for line in titles[1:]:
        yield LessonProblem(lesson.source, line, "a second title; a lesson has one H1, so write `## `")
    for (before, _), (level, line) in itertools.pairwise(levels):
        if level > before + 1:
            what = f"a heading of level {level} follows one of level {before}; write `{'#' * (before + 1)} `"
            yield LessonProblem(lesson.source, line, what)


def prerequisites_exist(lesson: Lesson, numbers: set[str]) -> Iterator[LessonProblem]:
    """The lessons that come before a lesson exist, and come before it."""
    for number in lesson.front_matter.prerequisites:
        if number not in numbers or number >= lesson.number:
            what = f"the prerequisite {number!r} is no earlier lesson; there are {', '.join(sorted(numbers))}"
            yield LessonProblem(lesson.source, _line(lesson.source, "prerequisites"), what)


def an_answer_every_five_cells(lesson: Lesson) -> Iterator[LessonProblem]:
    """The learner predicts, answers or solves something at least every five code cells; tabs count once."""
    since, tab_before = 0, False
    for part in lesson.parts:
        if isinstance(part, ExercisePlace) or (isinstance(part, Cell) and _ASKS.search(part.source)):
            since, tab_before = 0, False
        elif isinstance(part, Cell):
            since += not (tab_before and "tab" in part.options)
            tab_before = "tab" in part.options
            if since == MOST_CELLS_WITHOUT_AN_ANSWER + 1:
                what = f"cell {since} in a row that asks nothing; put a predict(...), quiz(...) or exercise before it"
                yield LessonProblem(lesson.source, part.line, what)
                since = 0
        else:
            tab_before = False


def code_is_read_without_scrolling(lesson: Lesson) -> Iterator[LessonProblem]:
    """The lines of a cell, and of what an exercise begins with, fit the page."""
    for part in lesson.parts:
        if isinstance(part, Cell) and (what := _too_wide(part.source)):
            yield LessonProblem(lesson.source, part.line, f"this cell has {what}")
    for exercise in lesson.exercises.values():
        if what := _too_wide(exercise.stub):
            place = _line_of(lesson, exercise.id)
            yield LessonProblem(lesson.folder / "exercises.py", place, f"the stub of {exercise.id} has {what}")


def _too_wide(code: str) -> str:
    longest = max(code.splitlines(), key=len, default="")
    if len(longest) <= WIDEST_CODE:
        return ""
    return f"a line of {len(longest)} characters, and {WIDEST_CODE} fit the page; break it: {longest.strip()[:40]} ..."


def cells_name_what_there_is(lesson: Lesson) -> Iterator[LessonProblem]:
    """A cell that asks or checks something names an exercise or a question of this lesson; a prediction is compared."""
    predictions = {question.id for question in lesson.question_bank.predictions}
    questions = {question.id for question in lesson.question_bank.questions} | {lesson.number}
    known = {
        "check": set(lesson.exercises),
        "hint": set(lesson.exercises),
        "predict": predictions,
        "compare": predictions,
        "quiz": questions,
    }
    compared = {name for _, _, called, name in _calls(lesson) if called == "compare"}
    for part, line, called, name in _calls(lesson):
        if name not in known[called]:
            listed = ", ".join(sorted(known[called])) or "none"
            what = f'{called}("{name}") is not in this lesson; there are: {listed}'
            yield LessonProblem(lesson.source, line, what)
        elif called == "predict" and name not in compared:
            what = f'nothing shows how the prediction came out; add a cell compare("{name}") after the run'
            yield LessonProblem(lesson.source, part.line, what)


def objectives_are_tested(lesson: Lesson) -> Iterator[LessonProblem]:
    """Every objective is tested by an exercise or a question of the lesson."""
    for objective in lesson.front_matter.objectives:
        line = _line(lesson.source, f"id: {objective.id}")
        if not objective.tested_by:
            what = f"nothing tests the objective {objective.id}; name an exercise or a question in tested_by"
            yield LessonProblem(lesson.source, line, what)
        for test in objective.tested_by:
            if test not in lesson.exercises and lesson.question(test) is None:
                what = f"the objective {objective.id} is tested by {test}, which this lesson does not have"
                yield LessonProblem(lesson.source, line, what)


def questions_have_an_objective_and_a_place(lesson: Lesson) -> Iterator[LessonProblem]:
    """Every question begins with the lesson's number and stands in the lesson; a quiz question has an objective."""
    path = lesson.folder / "quiz.yml"
    objectives = {objective.id for objective in lesson.front_matter.objectives}
    placed = {name for _, _, called, name in _calls(lesson) if called in ("predict", "quiz")}
    predictions = {question.id for question in lesson.question_bank.predictions}
    for question in lesson.question_bank.all:
        line = _line(path, f"id: {question.id}")
        is_prediction = question.id in predictions
        if not question.id.startswith(f"{lesson.number}."):
            yield LessonProblem(path, line, f"the id {question.id} has to begin with {lesson.number}.")
        if question.id not in placed and (is_prediction or lesson.number not in placed):
            call = f'{"predict" if is_prediction else "quiz"}("{question.id}")'
            yield LessonProblem(
                path, line, f"the question {question.id} stands nowhere in lesson.md; add a cell {call}"
            )
        if not is_prediction and question.objective not in objectives:
            what = (
                f"the question {question.id} needs the `objective` it tests; there are: {', '.join(sorted(objectives))}"
            )
            yield LessonProblem(path, line, what)


def exercises_have_a_place(lesson: Lesson) -> Iterator[LessonProblem]:
    """Every exercise stands in the lesson, once."""
    placed = [part.exercise_id for part in lesson.parts if isinstance(part, ExercisePlace)]
    for part in lesson.parts:
        if isinstance(part, ExercisePlace) and part.exercise_id not in lesson.exercises:
            what = f"there is no exercise {part.exercise_id} in exercises.py; write it, or mend the number"
            yield LessonProblem(lesson.source, part.line, what)
    for exercise_id in lesson.exercises:
        if placed.count(exercise_id) != 1:
            what = f"the exercise {exercise_id} stands {placed.count(exercise_id)} times in lesson.md; "
            what += f"write <!-- exercise {exercise_id} --> once"
            yield LessonProblem(lesson.folder / "exercises.py", _line_of(lesson, exercise_id), what)


def numbers_rise_as_one_reads(lesson: Lesson) -> Iterator[LessonProblem]:
    """Who comes to exercise 2 has met exercise 1; the same for predictions and for questions."""
    last = {"exercise": 0, "p": 0, "q": 0}
    for part in lesson.parts:
        named = [part.exercise_id] if isinstance(part, ExercisePlace) else []
        if isinstance(part, Cell):
            named = [name for called, name in _NAMED.findall(part.source) if called in ("predict", "quiz")]
        for name in named:
            found = re.fullmatch(r"\d+\.([pq]?)(\d+)", name)
            if found is None:
                continue
            kind, number = found[1] or "exercise", int(found[2])
            if number < last[kind]:
                what = f"{name} stands behind one with a higher number; number them in the order in which they are read"
                yield LessonProblem(lesson.source, part.line, what)
            last[kind] = max(last[kind], number)


def exercises_are_whole(lesson: Lesson) -> Iterator[LessonProblem]:
    """An exercise has requirements, wrong answers each with a message of its own, and hints; it has an objective."""
    objectives = {objective.id for objective in lesson.front_matter.objectives}
    for exercise in lesson.exercises.values():
        for what in _missing(exercise, lesson.number, objectives):
            yield LessonProblem(lesson.folder / "exercises.py", _line_of(lesson, exercise.id), f"{exercise.id}: {what}")


def _missing(exercise: Exercise, number: str, objectives: set[str]) -> Iterator[str]:
    if not exercise.id.startswith(f"{number}."):
        yield f"the id has to begin with {number}."
    if exercise.objective not in objectives:
        yield f"the objective {exercise.objective!r} is not in lesson.md; there are: {', '.join(sorted(objectives))}"
    stem = Path(exercise.file).stem
    if exercise.handler and exercise.handler.rpartition(".")[0] != stem:
        yield f"the handler {exercise.handler!r} is not in the learner's file, {exercise.file}; begin it with {stem}."
    if not exercise.requirements:
        yield "it asks for nothing; add a Requirement"
    if len(exercise.hints) != len(RUNGS) or not all(hint.strip() for hint in exercise.hints):
        rungs = ", ".join(rung.lower() for rung in RUNGS)
        yield f"it needs {len(RUNGS)} hints, none of them empty, one for each rung: {rungs}"
    if not exercise.wrong_answers:
        yield "it foresees no wrong answer; add a WrongAnswer"
    if not exercise.stub_message.strip():
        yield "write in stub_message which feedback the untouched stub must get"
    messages = [wrong.message for wrong in exercise.wrong_answers]
    for wrong in exercise.wrong_answers:
        if not wrong.message.strip():
            yield f"write in the message of {wrong.name} which feedback it must get"
        elif messages.count(wrong.message) > 1:
            yield f"the message of {wrong.name} is also another wrong answer's; each needs one of its own"


def named_facts_exist(lesson: Lesson, facts: Facts) -> Iterator[LessonProblem]:
    """A figure that is written {{fact:name}} is in facts.toml."""
    for file in ("lesson.md", "exercises.py", "quiz.yml"):
        path = lesson.folder / file
        if path.exists():
            try:
                facts.fill_in(path.read_text("utf-8"), path, 1)
            except LessonProblem as problem:
                yield problem


def wrong_options_and_answers_name_misconceptions(
    lesson: Lesson, misconceptions: dict[str, Misconception]
) -> Iterator[LessonProblem]:
    """A wrong option names a misconception; a wrong answer may; all of them are in misconceptions.yml."""
    path = lesson.folder / "quiz.yml"
    for question in lesson.question_bank.all:
        for letter, option in question.lettered:
            if not option.correct and option.misconception not in misconceptions:
                named = (
                    f"{option.misconception} is not in misconceptions.yml" if option.misconception else "it names none"
                )
                what = f"option {letter} of {question.id} is wrong and shows a misconception; {named}"
                yield LessonProblem(path, _line(path, f"id: {question.id}"), what)
    for exercise in lesson.exercises.values():
        for wrong in exercise.wrong_answers:
            if wrong.misconception is not None and wrong.misconception not in misconceptions:
                what = f"{exercise.id}, {wrong.name}: {wrong.misconception} is not in misconceptions.yml"
                yield LessonProblem(lesson.folder / "exercises.py", _line_of(lesson, exercise.id), what)


def files_are_written_once(lessons: list[Lesson]) -> Iterator[LessonProblem]:
    """No two lessons write a file of the same name, and nothing writes over an exercise's file: all share a folder."""
    writers: dict[str, str] = {}
    for lesson in lessons:
        for exercise in lesson.exercises.values():
            writer = f"exercise {exercise.id}"
            if writers.setdefault(exercise.file, writer) != writer:
                what = f"{exercise.file} is written by {writers[exercise.file]} too; choose another name"
                path = lesson.folder / "exercises.py"
                yield LessonProblem(path, _line_of(lesson, exercise.id), what)
    for lesson in lessons:
        for file, line in _written_by(lesson.parts):
            writer = f"lesson {lesson.name}"
            if writers.setdefault(file, writer) != writer:
                yield LessonProblem(
                    lesson.source, line, f"{file} is written by {writers[file]} too; choose another name"
                )


def _written_by(parts: list[Part]) -> Iterator[tuple[str, int]]:
    for part in parts:
        if isinstance(part, Cell) and (written := _WRITES.match(part.source)):
            yield written[1], part.line


def _calls(lesson: Lesson) -> Iterator[tuple[Part, int, str, str]]:
    """Each call of predict, compare, quiz, check and hint in a cell: the cell, the line, the function, the id."""
    for part in lesson.parts:
        if isinstance(part, Cell):
            for call in _NAMED.finditer(part.source):
                yield part, part.line + 1 + part.source.count("\n", 0, call.start()), call[1], call[2]


def _line_of(lesson: Lesson, exercise_id: str) -> int | None:
    return _line(lesson.folder / "exercises.py", f'id="{exercise_id}"')


def _line(path: Path, fragment: str) -> int | None:
    """The first line of a file that holds a fragment."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return next((number for number, line in enumerate(lines, 1) if fragment in line), None)
