"""The part of the lesson contract that is about words: links, figures, names, pace.

:mod:`coldstart.course.contract` runs these rules with its own; each has an example that breaks it in tests/course/broken_course.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator

from coldstart.course.exercise import Exercise
from coldstart.course.lesson import Cell, ExercisePlace, InstructorNote, Lesson, Prose
from coldstart.course.misconceptions import Misconception
from coldstart.course.problems import LessonProblem

BANNED = (
    "simply",
    "just",
    "easy",
    "easily",
    "obviously",
    "of course",
    "basically",
    "trivial",
    "trivially",
    "seamless",
    "seamlessly",
    "powerful",
    "effortless",
    "effortlessly",
    "delve",
)
"""Words that tell a learner who is stuck that they should not be, or that praise instead of showing."""

# What a lesson takes: reading, running a cell, answering a question, solving an exercise.
WORDS_A_MINUTE = 200
MINUTES_A_CELL = 0.3
MINUTES_A_QUESTION = 0.5
MINUTES_AN_EXERCISE = 3.0
_FURTHEST_OFF = 1.7

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
_FIGURE = re.compile(
    r"(?<![\w.])(?P<number>\$?\d[\d,]*(?:\.\d+)?)[\s-]?(?:%|(?:KB|MB|GB|GiB|MiB|ms|µs|milliseconds?|seconds?|minutes?|hours?|"
    r"days?|times|USD|cents?|dollars?|vCPUs?|requests?|invocations?|messages?|retries)\b)|\$\d[\d,.]*"
)
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_STRING = re.compile(r"(\"\"\"|'''|`).*?\1|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|#[^\n]*|//[^\n]*", re.DOTALL)
_JAVASCRIPT = frozenset(
    _WORD.findall("""
        async await break case catch class const continue default delete do else export extends finally for from function if
        import in instanceof let new of return static super switch this throw try typeof undefined var void while with yield
        null true false console log JSON stringify parse Error Promise Object Array Map Set Math Number String Date process
        exports module require
    """)
)
_OWN_PAGES = re.compile(r"\.\./(\d\d-[\w-]+)/lesson\.md(#[\w-]*)?$")


def links_lead_somewhere(lesson: Lesson, names: set[str]) -> Iterator[LessonProblem]:
    """A link is a lesson that exists or will, an https address, or a heading; a picture says what it shows."""
    for part in lesson.parts:
        if not isinstance(part, Prose):
            continue
        for link in _LINK.finditer(_without_code(part.text)):
            picture, words, target = link.groups()
            line = _line_in(part, link.start())
            if picture and not words.strip():
                yield LessonProblem(lesson.source, line, "a picture without words; say in its [...] what it shows")
            own = _OWN_PAGES.fullmatch(target)
            if own and int(own[1][:2]) < int(lesson.number) and own[1] not in names:
                what = f"the link leads to {own[1]}, which is no lesson; there are {', '.join(sorted(names))}"
                yield LessonProblem(lesson.source, line, what)
            if not (own or picture or target.startswith(("https://", "#"))):
                what = f"the link to {target!r} leads nowhere; write https://..., #heading or ../NN-name/lesson.md"
                yield LessonProblem(lesson.source, line, what)


def figures_are_facts_or_outputs(lesson: Lesson) -> Iterator[LessonProblem]:
    """A number with a unit in the prose comes from facts.toml, or stands in a cell of the lesson."""
    code = "\n".join(part.source for part in lesson.parts if isinstance(part, Cell))
    numbers = set(re.findall(r"\d+(?:\.\d+)?", code.replace("_", "")))
    for part in lesson.parts:
        if isinstance(part, Prose):
            for figure in _FIGURE.finditer(_without_code(part.text)):
                number = re.sub(r"[^\d.]", "", figure[0]).rstrip(".")
                if number not in numbers:
                    what = (
                        f"“{figure[0].strip()}” is a figure in the prose; put it into facts.toml and write "
                        "{{fact:name}}, or let a cell print it"
                    )
                    yield LessonProblem(lesson.source, _line_in(part, figure.start()), what)


def no_banned_words(lesson: Lesson) -> Iterator[LessonProblem]:
    """The prose, the tasks, the hints and the questions leave out the words in BANNED."""
    banned = re.compile(rf"\b({'|'.join(BANNED)})\b", re.IGNORECASE)
    for part in lesson.parts:
        if isinstance(part, Prose):
            for word in banned.finditer(_without_code(part.text)):
                yield LessonProblem(
                    lesson.source, _line_in(part, word.start()), f"leave out “{word[0]}”: {_WHY_BANNED}"
                )
    for exercise in lesson.exercises.values():
        words = "\n".join([exercise.task, *exercise.hints, exercise.why_solution])
        for word in banned.finditer(_without_code(words)):
            what = f"{exercise.id}: leave out “{word[0]}”: {_WHY_BANNED}"
            yield LessonProblem(lesson.folder / "exercises.py", None, what)
    for question in lesson.question_bank.all:
        said = [question.question, *(text for option in question.options for text in (option.text, option.explain))]
        for word in banned.finditer(_without_code("\n".join(said))):
            yield LessonProblem(
                lesson.folder / "quiz.yml", None, f"{question.id}: leave out “{word[0]}”: {_WHY_BANNED}"
            )


_WHY_BANNED = "it says nothing, or that whoever is stuck should not be"


def minutes_are_plausible(lesson: Lesson) -> Iterator[LessonProblem]:
    """The lesson's minutes are near what its words, cells, questions and exercises take."""
    estimate = estimated_minutes(lesson)
    minutes = lesson.front_matter.minutes
    if not estimate / _FURTHEST_OFF <= minutes <= estimate * _FURTHEST_OFF:
        what = f"{minutes} minutes; its words, cells, questions and exercises take about {estimate:.0f}. Correct one of the two"
        yield LessonProblem(lesson.source, _line_of(lesson, "minutes:"), what)


def estimated_minutes(lesson: Lesson) -> float:
    """Return how many minutes a lesson takes, from what is in it."""
    words = sum(len(part.text.split()) for part in lesson.parts if isinstance(part, Prose))
    cells = sum(isinstance(part, Cell) for part in lesson.parts)
    return max(
        1.5,
        words / WORDS_A_MINUTE
        + cells * MINUTES_A_CELL
        + len(lesson.question_bank.all) * MINUTES_A_QUESTION
        + len(lesson.exercises) * MINUTES_AN_EXERCISE,
    )


def misconceptions_are_refuted(
    lessons: list[Lesson], misconceptions: dict[str, Misconception]
) -> Iterator[LessonProblem]:
    """A misconception that a lesson's quiz names is refuted by a cell of it or of an earlier lesson.

    The run that follows a prediction refutes what its wrong options stand for, the check of an exercise what its wrong answers
    stand for; any other cell says so itself, with `refutes="M3"` behind its fence.
    """
    refuted: set[str] = set()
    for lesson in lessons:
        refuted |= {
            option.misconception
            for question in lesson.question_bank.predictions
            for option in question.options
            if option.misconception
        }
        for exercise in lesson.exercises.values():
            refuted |= {wrong.misconception for wrong in exercise.wrong_answers if wrong.misconception}
        for part in lesson.parts:
            if isinstance(part, Cell):
                for named in str(part.options.get("refutes", "")).split():
                    refuted.add(named)
                    if named not in misconceptions:
                        what = f"the cell refutes {named}, which is not in misconceptions.yml"
                        yield LessonProblem(lesson.source, part.line, what)
        for named, where in sorted(_named_misconceptions(lesson).items()):
            if named in misconceptions and named not in refuted:
                what = (
                    f"{where} names {named} ({misconceptions[named].belief}), and no cell refutes it; "
                    f'write refutes="{named}" behind the fence of the cell that does'
                )
                yield LessonProblem(lesson.source, None, what)


def stubs_use_what_was_taught(lessons: list[Lesson]) -> Iterator[LessonProblem]:
    """Every name in a stub has been seen in a cell, in the prose or in the task, here or in an earlier lesson.

    A name that no solution keeps is part of the fault to be found.
    """
    seen: set[str] = set()
    for lesson in lessons:
        for part in lesson.parts:
            if isinstance(part, Prose):
                seen |= set(_WORD.findall(part.text))
            elif isinstance(part, Cell):
                seen |= set(_WORD.findall(part.source))
            elif isinstance(part, ExercisePlace) and part.exercise_id in lesson.exercises:
                exercise = lesson.exercises[part.exercise_id]
                known = seen | set(_WORD.findall(exercise.task)) | set(_WORD.findall(exercise.requirements_text))
                kept = set(_WORD.findall(exercise.solution + exercise.other_solution))
                for name in sorted((_names_used(exercise) & kept) - known):
                    what = f"{exercise.id}: the stub uses `{name}`, which no cell or text before it has shown; show it, or leave it out"
                    yield LessonProblem(lesson.folder / "exercises.py", None, what)
                seen |= set(_WORD.findall(exercise.stub)) | set(_WORD.findall(exercise.solution))


def _names_used(exercise: Exercise) -> set[str]:
    """The names that a stub uses and does not make itself."""
    if not exercise.file.endswith((".py", ".mjs", ".js", ".cjs")):
        return set()
    words = set(_WORD.findall(_STRING.sub(" ", exercise.stub)))
    if not exercise.file.endswith(".py"):
        made = set(re.findall(r"(?:const|let|var|function|class)\s+(\w+)", exercise.stub))
        made |= {
            name for group in re.findall(r"\(([\w\s,]*)\)\s*(?:=>|\{)", exercise.stub) for name in _WORD.findall(group)
        }
        return words - made - _JAVASCRIPT
    made = set(dir(builtins)) | set(keyword.kwlist) | set(keyword.softkwlist)
    try:
        tree = ast.parse(exercise.stub)
    except SyntaxError:
        return set()  # a stub may be broken on purpose; what it uses cannot be told
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.alias) and node.asname:
            made.add(node.asname)
    return words - made


def _named_misconceptions(lesson: Lesson) -> dict[str, str]:
    """Misconceptions that the wrong options of the lesson's quiz come from, each with the question that names it."""
    named: dict[str, str] = {}
    for question in lesson.question_bank.questions:
        for option in question.options:
            if option.misconception:
                named.setdefault(option.misconception, question.id)
    return named


def _without_code(text: str) -> str:
    """The text with code, fences and facts blanked out, so that positions stay."""
    for pattern in (_FENCED, _CODE, re.compile(r"\{\{[^}]*\}\}")):
        text = pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return text


def _line_in(part: Prose | InstructorNote, position: int) -> int:
    return part.line + part.text.count("\n", 0, position)


def _line_of(lesson: Lesson, fragment: str) -> int | None:
    lines = lesson.source.read_text("utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(fragment)), None)
