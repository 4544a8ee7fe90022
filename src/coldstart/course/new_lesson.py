"""`coldstart new-lesson 09-cold-starts`: a lesson's folder that builds and passes, to be written over.

Its parts are those of every lesson: a question first, a prediction, a run, a comparison, an exercise with its five proofs, a
quiz. Everything in it is sound, so an author always changes something that works.
"""

from __future__ import annotations

import re
from pathlib import Path

from coldstart.course import catalogue

_NAME = re.compile(r"(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)$")


class CannotMake(Exception):
    """The lesson cannot be made; the message says why, and what to do."""


def new_lesson(name: str, folder: Path | None = None) -> Path:
    """Write the skeleton of a lesson.

    Args:
        name: two digits and words, such as "09-cold-starts".
        folder: the folder of the lessons; the course's own when left out.

    Returns:
        The lesson's folder.

    Raises:
        CannotMake: the name has another form, or there is a lesson of that number.
    """
    lessons = folder or catalogue.lessons_folder()
    found = _NAME.fullmatch(name)
    if not found:
        raise CannotMake(
            f"{name!r} is no lesson's name; write two digits and small words: coldstart new-lesson 09-cold-starts"
        )
    number, slug = found.groups()
    there = [path.name for path in catalogue.lesson_folders(lessons)]
    for other in there:
        if other.startswith(number):
            raise CannotMake(f"There is a lesson {number} already, {other}. Choose another number.")
    title = slug.replace("-", " ").capitalize()
    misconception = f"M9{number}"
    home = lessons / name
    home.mkdir()
    before = [other[:2] for other in there if other[:2] < number]
    values = {
        "number": number,
        "title": title,
        "file": f"{slug.replace('-', '_')}_{number}",
        "misconception": misconception,
        "prerequisites": f'"{before[-1]}"' if before else "",
    }
    for file, text in (("lesson.md", _LESSON), ("exercises.py", _EXERCISES), ("quiz.yml", _QUIZ)):
        (home / file).write_text(_filled(text, values), "utf-8")
    with (lessons / "misconceptions.yml").open("a", encoding="utf-8") as known:
        known.write(_filled(_MISCONCEPTION, values))
    return home


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


_LESSON = """\
---
title: <title>
minutes: 7
prerequisites: [<prerequisites>]
objectives:
  - id: say-what-it-does
    text: Say what a handler answers to an event it was not written for
    tested_by: ["<number>.1", "<number>.q1"]
---
# <title>

A question of Parcel's stands here: what somebody in the shop wants to know, and cannot say yet.

```python
from coldstart import check, cloud, compare, hint, predict, quiz, solution

cloud.start()
```

## One thing shown

Say in one or two sentences what the next cell does. Then let the reader commit to an answer.

```python
predict("<number>.p1")
```

```python
parcel = {"parcel_id": "P-1042", "weight_kg": 3}
print(parcel.get("customer"))
```

```python
compare("<number>.p1")
```

What it means for Parcel stands here, and one sentence to keep in bold. **A missing key is not an error until somebody needs
it.**

<!-- instructor
Ask: what would have happened with parcel["customer"]?
Watch for: readers who expect an exception.
-->

## Your turn

<!-- exercise <number>.1 -->

## What stays

```python
quiz("<number>")
```
"""

_EXERCISES = '''\
"""The exercises of lesson <number>."""

from __future__ import annotations

from coldstart.course import Exercise, Requirement, Submission, WrongAnswer, expect

# An event, the right answer to it, and what learners read who get this case wrong and those before it right.
_CASES = (
    ({"weight_kg": 31}, {"accepted": False}, "The carrier sends back what is heavier than 30 kg."),
    ({"weight_kg": 4}, {"accepted": True}, "Parcel earns nothing from what it refuses."),
    ({"weight_kg": 30}, {"accepted": True}, "30 kg is what the carrier still takes."),
)


def _accepts_up_to_30_kg(submission: Submission) -> None:
    function = submission.deploy()
    for parcel, right, why in _CASES:
        answer = function.invoke(parcel).payload
        expect(
            isinstance(answer, dict),
            expected=f"{right} for {parcel}",
            got=repr(answer),
            why="The caller gets what the handler returns.",
            next_step="Return the answer.",
        )
        expect(
            answer == right,
            expected=f"{right} for {parcel}",
            got=repr(answer),
            why=why,
            next_step='Compare `event["weight_kg"]` with 30.',
        )


too_heavy = Exercise(
    id="<number>.1",
    title="Refuse what is too heavy",
    objective="say-what-it-does",
    file="<file>.py",
    handler="<file>.handler",
    runtime="python3.14",
    task="The carrier takes parcels of up to 30 kg. Say in `accepted` whether it takes this one.",
    stub="""\\
def handler(event, context):
    return {"accepted": True}
""",
    solution="""\\
def handler(event, context):
    return {"accepted": event["weight_kg"] <= 30}
""",
    other_solution="""\\
LIMIT_KG = 30


def handler(parcel, context):
    if parcel["weight_kg"] > LIMIT_KG:
        return {"accepted": False}
    return {"accepted": True}
""",
    why_solution="A comparison is already True or False; it needs no `if`.",
    requirements=[Requirement("Up to 30 kg is accepted, more is not", _accepts_up_to_30_kg)],
    stub_message="The carrier sends back what is heavier than 30 kg.",
    wrong_answers=[
        WrongAnswer(
            "refuses_everything",
            code="""\\
def handler(event, context):
    return {"accepted": False}
""",
            misconception="<misconception>",
            message="Parcel earns nothing from what it refuses.",
        ),
        WrongAnswer(
            "refuses_the_limit_itself",
            code="""\\
def handler(event, context):
    return {"accepted": event["weight_kg"] < 30}
""",
            message="30 kg is what the carrier still takes.",
        ),
        WrongAnswer(
            "prints_it",
            code="""\\
def handler(event, context):
    print({"accepted": event["weight_kg"] <= 30})
""",
            message="The caller gets what the handler returns.",
        ),
    ],
    hints=[
        "Read the task again. What happens to a parcel of exactly 30 kg?",
        "The answer is a comparison of two numbers.",
        'One of them is in the event, under `"weight_kg"`.',
        'Fill the gap: `return {"accepted": event["weight_kg"] ... 30}`.',
    ],
)

EXERCISES = [too_heavy]
'''

_QUIZ = """\
predictions:
  - id: <number>.p1
    question: "The parcel has no customer. What does parcel.get(\\"customer\\") print?"
    options:
      - text: "None"
        correct: true
        explain: "get returns None for a key that is not there."
      - text: "An error, a KeyError"
        explain: "That is what parcel[\\"customer\\"] does. get asks politely."
        misconception: <misconception>

questions:
  - id: <number>.q1
    objective: say-what-it-does
    question: "An event has no weight. What does the handler with event[\\"weight_kg\\"] do?"
    options:
      - text: "It raises a KeyError, and the caller gets a function error."
        correct: true
        explain: "Square brackets raise for a key that is not there."
      - text: "It takes the weight for zero."
        explain: "Nothing turns a missing key into a number."
        misconception: <misconception>
"""

_MISCONCEPTION = """
<misconception>:
  belief: Every event looks like the one I tried.
  truth: Callers send what they send. A handler reads the event it is given.
"""
