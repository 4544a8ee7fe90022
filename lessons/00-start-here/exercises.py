"""The exercise of lesson 00: meet `check` and `hint`."""

from coldstart.course import Exercise, Requirement, Submission, WrongAnswer, expect


def _greets_by_name(submission: Submission) -> None:
    function = submission.deploy()
    for name in ("Grace", "Linus"):
        answer = function.invoke({"name": name}).payload
        expect(
            answer is not None,
            expected='a dict with one key, {"greeting": ...}',
            got="nothing: the caller received null",
            why="Only what the handler returns reaches the caller. Printed text goes to the log.",
            next_step="End the handler with `return` and a dict that has the key `greeting`.",
        )
        expect(
            isinstance(answer, dict),
            expected='a dict with one key, {"greeting": ...}',
            got=repr(answer),
            why="The web page looks for the key `greeting`. A bare text has no keys.",
            next_step='Put the text into a dict: `{"greeting": ...}`.',
        )
        expect(
            answer.get("greeting") == f"Hello, {name}",
            expected=f'for the event {{"name": "{name}"}} the greeting "Hello, {name}"',
            got=repr(answer.get("greeting", answer)),
            why="The next caller has another name. What differs between calls has to come from the event.",
            next_step='Take the name out of the event: `event["name"]`.',
        )


welcome = Exercise(
    id="00.1",
    title="Greet the customer",
    objective="work-through",
    file="welcome.py",
    handler="welcome.handler",
    runtime="python3.14",
    task=(
        'Parcel greets everybody as "you". Change the function so that the event `{"name": "Ada"}` is answered with '
        '`{"greeting": "Hello, Ada"}`, and likewise for every other name.'
    ),
    stub="""\
def handler(event, context):
    return {"greeting": "Hello, you"}
""",
    solution="""\
def handler(event, context):
    return {"greeting": f"Hello, {event['name']}"}
""",
    other_solution="""\
def greeting_for(name):
    return "Hello, " + name


def handler(event, context):
    answer = dict(greeting=greeting_for(event.get("name", "you")))
    return answer
""",
    requirements=[Requirement("Greets whoever the event names", _greets_by_name)],
    wrong_answers=[
        WrongAnswer(
            "greets_only_ada",
            code="""\
def handler(event, context):
    return {"greeting": "Hello, Ada"}
""",
            misconception=None,
            message="What differs between calls has to come from the event.",
        ),
        WrongAnswer(
            "prints_instead_of_returning",
            code="""\
def handler(event, context):
    print({"greeting": f"Hello, {event['name']}"})
""",
            misconception="M17",
            message="the caller received null",
        ),
        WrongAnswer(
            "returns_text_instead_of_a_dict",
            code="""\
def handler(event, context):
    return f"Hello, {event['name']}"
""",
            misconception=None,
            message="A bare text has no keys.",
        ),
    ],
    stub_message="'Hello, you'",
    hints=[
        "Read the cell again: which word in it would be different for another customer?",
        "The caller's data arrives as the first parameter, `event`. It is a dict.",
        'Put `event["name"]` where the word `you` stands now.',
        'An f-string does it. Fill the gap: `return {"greeting": f"Hello, {...}"}`. Inside the braces use single '
        "quotes: `event['name']`.",
    ],
    why_solution=(
        "The greeting is made from the event, so it is right for names nobody thought of. The other solution does the "
        "same in a function of its own, and falls back to “you” when no name was sent."
    ),
)

EXERCISES = [welcome]
