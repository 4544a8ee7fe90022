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
order = {"order_id": "P-1042", "items": 3}
print(order.get("customer"))
```

```python
compare("<number>.p1")
```

What it means for Parcel stands here, and one sentence to keep in bold. **A missing key is not an error until somebody needs
it.**

<!-- instructor
Ask: what would have happened with order["customer"]?
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

_ORDERS = ({"order_id": "P-2001", "items": 1}, {"order_id": "P-2002", "items": 4})


def _counts_the_items(submission: Submission) -> None:
    function = submission.deploy()
    for order in _ORDERS:
        answer = function.invoke(order).payload
        expect(
            answer == {"parcels": order["items"]},
            expected=f'{{"parcels": {order["items"]}}} for order {order["order_id"]}',
            got=repr(answer),
            why="Every order has its own number of items." if answer else "The caller gets what the handler returns.",
            next_step='Take the number from the event: `event["items"]`.',
        )


parcels = Exercise(
    id="<number>.1",
    title="Count the parcels",
    objective="say-what-it-does",
    file="<file>.py",
    handler="<file>.handler",
    runtime="python3.14",
    task="Answer with the number of `parcels` an order needs: one for each of its `items`.",
    stub="""\\
def handler(event, context):
    return {"parcels": 0}
""",
    solution="""\\
def handler(event, context):
    return {"parcels": event["items"]}
""",
    other_solution="""\\
def handler(order, context):
    answer = dict(parcels=order["items"])
    return answer
""",
    requirements=[Requirement("The answer counts the items of the order that was sent", _counts_the_items)],
    wrong_answers=[
        WrongAnswer(
            "always_three",
            code="""\\
def handler(event, context):
    return {"parcels": 3}
""",
            misconception="<misconception>",
            message="Every order has its own number of items.",
        ),
        WrongAnswer(
            "prints_it",
            code="""\\
def handler(event, context):
    print({"parcels": event["items"]})
""",
            message="The caller gets what the handler returns.",
        ),
    ],
    stub_message='{"parcels": 1} for order P-2001',
    hints=[
        "Read the task again. Which part of the order is counted?",
        "The number of parcels is in the event already.",
        "The event is a dict; its key is `items`.",
        'Fill the gap: `return {"parcels": event[...]}`.',
    ],
    why_solution="The number comes from the event, so every order gets its own.",
)

EXERCISES = [parcels]
'''

_QUIZ = """\
predictions:
  - id: <number>.p1
    question: "The order has no customer. What does order.get(\\"customer\\") print?"
    options:
      - text: "None"
        correct: true
        explain: "get returns None for a key that is not there."
      - text: "An error, a KeyError"
        explain: "That is what order[\\"customer\\"] does. get asks politely."
        misconception: <misconception>

questions:
  - id: <number>.q1
    objective: say-what-it-does
    question: "An event has no items. What does the handler with event[\\"items\\"] do?"
    options:
      - text: "It raises a KeyError, and the caller gets a function error."
        correct: true
        explain: "Square brackets raise for a key that is not there."
      - text: "It counts none."
        explain: "Nothing turns a missing key into a number."
        misconception: <misconception>
"""

_MISCONCEPTION = """
<misconception>:
  belief: Every event looks like the one I tried.
  truth: Callers send what they send. A handler reads the event it is given.
"""
