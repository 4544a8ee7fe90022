"""One exercise; nothing here runs, the page only shows it."""

from coldstart.course import Exercise

ship = Exercise(
    id="01.1",
    title="Ship a parcel",
    objective="ship",
    file="ship.py",
    handler="ship.handler",
    runtime="python3.14",
    task="Answer with the parcel's number.",
    stub="def handler(event, context):\n    pass\n",
    solution='def handler(event, context):\n    return event["number"]\n',
    other_solution='def handler(event, context):\n    return event.get("number")\n',
    requirements=[],
    wrong_answers=[],
    stub_message="",
    hints=["Read again.", "It is in the event.", "Under `number`."],
    why_solution="The number comes from the event.",
)
EXERCISES = [ship]
