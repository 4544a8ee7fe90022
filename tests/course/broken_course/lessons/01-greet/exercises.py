"""The exercise of the lesson."""

from coldstart.course import Exercise, Requirement, Submission, WrongAnswer, expect


def _greets_by_name(submission: Submission) -> None:
    answer = submission.deploy().invoke({"name": "Grace"}).payload
    expect(
        answer == {"greeting": "Hello, Grace"},
        expected='{"greeting": "Hello, Grace"}',
        got=repr(answer),
        why="The next customer has another name." if "Ada" in repr(answer) else "The customer reads the greeting.",
        next_step='Take the name from `event["name"]`.',
    )


greet = Exercise(
    id="01.1",
    title="Greet the customer",
    objective="greet",
    file="greet.py",
    handler="greet.handler",
    runtime="python3.14",
    task="Answer with a greeting for whoever the event names.",
    stub="""\
def handler(event, context):
    return {"greeting": "Hello, you"}
""",
    solution="""\
def handler(event, context):
    return {"greeting": f"Hello, {event['name']}"}
""",
    other_solution="""\
def handler(event, context):
    return dict(greeting="Hello, " + event["name"])
""",
    requirements=[Requirement("Greets whoever the event names", _greets_by_name)],
    wrong_answers=[
        WrongAnswer(
            "greets_only_ada",
            code="""\
def handler(event, context):
    return {"greeting": "Hello, Ada"}
""",
            message="The next customer has another name.",
        ),
        WrongAnswer(
            "returns_nothing",
            code="""\
def handler(event, context):
    print("Hello", event["name"])
""",
            misconception="M1",
            message="None",
        ),
    ],
    stub_message="'Hello, you'",
    hints=[
        "Read the task again.",
        "The name is in the event.",
        "The event is a dict; look at its key `name`.",
        'Fill the gap: `f"Hello, {...}"`.',
    ],
    why_solution="The name comes from the event.",
)

EXERCISES = [greet]
