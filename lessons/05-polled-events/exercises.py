"""The exercises of lesson 05.

Give back what failed; find out why everything came again; read a table's diary; set up a queue and its mapping. The events are ones
that the mappings really made.
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from typing import Any

from coldstart import cloud
from coldstart.course import Exercise, Reply, Requirement, Submission, WrongAnswer, expect

_NUMBERS = itertools.count(1)
_CAPTURE = """\
import json


def handler(event, context):
    print("EVENT", json.dumps(event))
"""


def _capturing_function(submission: Submission) -> str:
    """Make a function that writes its events into its log; return its name."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(zipfile.ZipInfo("capture.py", (1980, 1, 1, 0, 0, 0)), _CAPTURE)
    return submission.deploy(
        Handler="capture.handler", Runtime="python3.14", Code={"ZipFile": package.getvalue()}, Timeout=20
    ).name


def _captured_records(submission: Submission, function: str) -> list[dict[str, Any]]:
    cloud.current().settle()
    found = submission.aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}", filterPattern="EVENT")
    events = [json.loads(event["message"].removeprefix("EVENT ")) for event in found["events"]]
    return [record for event in events for record in event["Records"]]


def _queue_event(submission: Submission, orders: list[dict[str, Any]]) -> dict[str, Any]:
    """The event that a mapping makes of these orders in a queue."""
    sqs, functions = submission.aws("sqs"), submission.aws("lambda")
    capture = _capturing_function(submission)
    url = sqs.create_queue(QueueName=f"check-orders-{next(_NUMBERS)}", Attributes={"VisibilityTimeout": "60"})[
        "QueueUrl"
    ]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=capture)["UUID"]
    try:
        entries = [{"Id": str(number), "MessageBody": json.dumps(order)} for number, order in enumerate(orders)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
        return {"Records": _captured_records(submission, capture)}
    finally:
        functions.delete_event_source_mapping(UUID=mapping)
        sqs.delete_queue(QueueUrl=url)


def _readable(value: Any, event: dict[str, Any]) -> str:
    """An answer as a learner can compare it: each message id replaced by whose it is."""
    text = repr(value)
    for record in event["Records"]:
        text = text.replace(repr(record["messageId"]), f"<messageId of {json.loads(record['body'])['order_id']}>")
    return text


# 05.1 ----------------------------------------------------------------------------------------------------------------

_ORDERS = [
    {"order_id": "P-6101", "kg": 2},
    {"order_id": "P-6102"},
    {"order_id": "P-6103", "kg": 0.5},
    {"order_id": "P-6104"},
]


def _expect_failures(submission: Submission, orders: list[dict[str, Any]], failing: list[str]) -> str:
    """Hold the answer to the failures that it has to name; return the log of the call."""
    event = _queue_event(submission, orders)
    identifiers = {json.loads(record["body"])["order_id"]: record["messageId"] for record in event["Records"]}
    expected = {"batchItemFailures": [{"itemIdentifier": identifiers[order_id]} for order_id in failing]}
    function = submission.deploy()
    reply = function.invoke(event, may_fail=True)
    if reply.function_error and reply.payload["errorType"] != "ValueError":
        function.invoke(event)  # another error than that of `pack`: the feedback names its line
    why, next_step = _about(reply, list(identifiers))
    named = _named(reply.payload)
    expect(
        not reply.function_error and sorted(map(repr, named)) == sorted(map(repr, expected["batchItemFailures"])),
        expected=f"{', '.join(failing) or 'nothing'} given back, so the answer {_readable(expected, event)}",
        got=f"the whole call failed: {reply.payload['errorType']}: {reply.payload['errorMessage']}"
        if reply.function_error
        else _readable(reply.payload, event),
        why=why,
        next_step=next_step,
    )
    return reply.log


def _named(answer: Any) -> list[Any]:
    """The items that an answer gives back: none for null, for {} and for an empty list, as Lambda reads them."""
    if answer is None:
        return []
    items = (answer.get("batchItemFailures") or []) if isinstance(answer, dict) else [answer]
    return items if isinstance(items, list) else [items]


def _about(reply: Reply, order_ids: list[str]) -> tuple[str, str]:
    """Why a wrong answer matters, and the next step."""
    named = _named(reply.payload)
    if reply.function_error:
        return (
            "Then all messages come back, and what has been packed is packed again.",
            "Put a `try` around the work on one message, inside the loop, and go on with the next one.",
        )
    if any(text in order_ids for text in _texts(named)):
        return (
            "Lambda knows messages by their messageId. Of order numbers it knows nothing, and takes the whole batch for failed.",
            'Use `message["messageId"]`.',
        )
    if isinstance(reply.payload, str):
        return (
            "Lambda reads an object. A text that holds JSON is no object, and the whole batch counts as failed.",
            "Return the dict itself, without `json.dumps`.",
        )
    if all(isinstance(item, dict) and set(item) == {"itemIdentifier"} for item in named):
        return (
            "A message that failed and is not named counts as done, and is deleted. One that is named comes again.",
            "Name each message that failed, and return when all of them have been looked at, behind the loop.",
        )
    return (
        "Lambda reads exactly this form. From any other it cannot tell which messages to bring back.",
        'Collect one `{"itemIdentifier": ...}` for each message that failed, and return them under `batchItemFailures`.',
    )


def _texts(items: list[Any]) -> list[str]:
    return [str(item.get("itemIdentifier")) if isinstance(item, dict) else str(item) for item in items]


def _failed_ones_are_given_back(submission: Submission) -> None:
    _expect_failures(submission, _ORDERS, ["P-6102", "P-6104"])


def _good_ones_are_packed_once(submission: Submission) -> None:
    log = _expect_failures(submission, _ORDERS, ["P-6102", "P-6104"])
    for order_id in ("P-6101", "P-6103"):
        expect(
            log.count(f"packed {order_id}") == 1,
            expected=f"one line `packed {order_id}` in the log",
            got=f"{log.count(f'packed {order_id}')} of them",
            why="A message that is not given back counts as done. So it has to be done.",
            next_step="A bad message must not end the loop. Go on with the next one.",
        )


def _all_well_gives_nothing_back(submission: Submission) -> None:
    _expect_failures(submission, [_ORDERS[0], _ORDERS[2]], [])


give_back = Exercise(
    id="05.1",
    title="Give back what failed",
    objective="partial-failures",
    file="pack_batch.py",
    handler="pack_batch.handler",
    runtime="python3.14",
    task=(
        "The mapping has `ReportBatchItemFailures`. Pack what can be packed, printing `packed` and the order's number as `pack` does, and give "
        "back the messages whose order has no weight. `pack` stays as it is."
    ),
    stub="""\
import json


def pack(order):
    if "kg" not in order:
        raise ValueError(f"{order['order_id']} has no weight")
    print("packed", order["order_id"])


def handler(event, context):
    for message in event["Records"]:
        pack(json.loads(message["body"]))
""",
    solution="""\
import json


def pack(order):
    if "kg" not in order:
        raise ValueError(f"{order['order_id']} has no weight")
    print("packed", order["order_id"])


def handler(event, context):
    failed = []
    for message in event["Records"]:
        try:
            pack(json.loads(message["body"]))
        except ValueError as error:
            print("given back:", error)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
""",
    other_solution="""\
import json


def pack(order):
    if "kg" not in order:
        raise ValueError(f"{order['order_id']} has no weight")
    print("packed", order["order_id"])


def failed(message):
    try:
        pack(json.loads(message["body"]))
    except Exception:
        return True
    return False


def handler(event, context):
    again = [
        message["messageId"]
        for message in event["Records"]
        if failed(message)
    ]
    return {
        "batchItemFailures": [
            {"itemIdentifier": identifier} for identifier in again
        ]
    }
""",
    requirements=[
        Requirement("The messages that failed are given back, and only those", _failed_ones_are_given_back),
        Requirement("All others are packed, once", _good_ones_are_packed_once),
        Requirement("When all is well, nothing is given back", _all_well_gives_nothing_back),
    ],
    wrong_answers=[
        WrongAnswer(
            "names_the_orders",
            code="""\
import json


def handler(event, context):
    failed = []
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "kg" in order:
            print("packed", order["order_id"])
        else:
            failed.append({"itemIdentifier": order["order_id"]})
    return {"batchItemFailures": failed}
""",
            misconception="M8",
            message="Of order numbers it knows nothing",
        ),
        WrongAnswer(
            "lists_ids_only",
            code="""\
import json


def handler(event, context):
    failed = []
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "kg" in order:
            print("packed", order["order_id"])
        else:
            failed.append(message["messageId"])
    return {"batchItemFailures": failed}
""",
            misconception="M8",
            message="From any other it cannot tell which messages to bring back.",
        ),
        WrongAnswer(
            "ends_at_the_first_failure",
            code="""\
import json


def handler(event, context):
    for number, message in enumerate(event["Records"]):
        order = json.loads(message["body"])
        if "kg" not in order:
            raise ValueError(order["order_id"])
        print("packed", order["order_id"])
    return {"batchItemFailures": []}
""",
            misconception="M7",
            message="the whole call failed: ValueError: P-6102",
        ),
        WrongAnswer(
            "answers_after_the_first_message",
            code="""\
import json


def handler(event, context):
    failed = []
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "kg" in order:
            print("packed", order["order_id"])
        else:
            failed.append({"itemIdentifier": message["messageId"]})
        return {"batchItemFailures": failed}
""",
            misconception="M7",
            message="A message that failed and is not named counts as done",
        ),
        WrongAnswer(
            "writes_the_json_itself",
            code="""\
import json


def handler(event, context):
    failed = [m["messageId"] for m in event["Records"] if "kg" not in json.loads(m["body"])]
    return json.dumps({"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]})
""",
            misconception="M16",
            message="Return the dict itself, without `json.dumps`.",
        ),
        WrongAnswer(
            "takes_the_body_for_a_dict",
            code="""\
def handler(event, context):
    failed = []
    for message in event["Records"]:
        if "kg" in message["body"]["order_id"]:
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
""",
            misconception="M46",
            message="If it is JSON, `json.loads` makes a dict of it.",
        ),
        WrongAnswer(
            "looks_before_it_packs_and_never_packs",
            code="""\
import json


def handler(event, context):
    failed = [m for m in event["Records"] if "kg" not in json.loads(m["body"])]
    if failed:
        return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}
    for message in event["Records"]:
        print("packed", json.loads(message["body"])["order_id"])
    return {"batchItemFailures": []}
""",
            misconception="M7",
            message="0 of them",
        ),
    ],
    stub_message="the whole call failed: ValueError: P-6102 has no weight",
    hints=[
        "Read `pack_each.py` again. What does it do with a message that cannot be packed, and what does it return?",
        "Each message is worked on by itself. One that fails is written down, and the loop goes on.",
        '`pack` raises a `ValueError`. Catch it inside the loop, and remember `message["messageId"]`.',
        '`except ValueError: failed.append({"itemIdentifier": ...})`, and at the end `return {"batchItemFailures": ...}`.',
    ],
    why_solution=(
        "What failed is named in the form that Lambda reads, and everything else counts as done, because it was done. The other "
        "solution first finds out which failed, and makes the answer of it."
    ),
)


# 05.2 ----------------------------------------------------------------------------------------------------------------

_MAILS = [
    {"order_id": "P-6201", "email": "ada@example.com"},
    {"order_id": "P-6202", "email": "nowhere"},
    {"order_id": "P-6203", "email": "grace@example.com"},
]


def _only_the_bad_one_comes_again(submission: Submission) -> None:
    event = _queue_event(submission, _MAILS)
    bad = next(record["messageId"] for record in event["Records"] if "nowhere" in record["body"])
    function = submission.deploy()
    answer = function.invoke(event, may_fail=True).payload
    expected = "an answer that gives back one message: " + _readable(
        {"batchItemFailures": [{"itemIdentifier": bad}]}, event
    )
    expect(
        not isinstance(answer, dict) or answer.get("errorType") != "ValueError",
        expected=expected,
        got=f"the whole call failed: {_readable(answer, event)}",
        why="Then the whole batch comes again, and those with a good address get their mail once more.",
        next_step="Raise nothing for a bad address. Name the message in the answer, and go on with the next one.",
    )
    function.invoke(event)
    expect(
        _named(answer) != [],
        expected=expected,
        got=_readable(answer, event),
        why="A message that nobody names counts as done, and is deleted. Of this customer nobody will hear again.",
        next_step="Name the message with the bad address in `batchItemFailures`.",
    )
    expect(
        isinstance(answer, dict) and answer.get("batchItemFailures") == [{"itemIdentifier": bad}],
        expected=expected,
        got=_readable(answer, event),
        why="Lambda could not read Friday's answer. What it cannot read it takes for a failure of the whole batch, so every mail went "
        "out three times.",
        next_step="Compare the two forms letter by letter. `batchItemFailures` is a list. What stands in it: texts, or objects? And "
        "which name is in each object?",
    )


def _the_mails_still_go_out(submission: Submission) -> None:
    reply = submission.deploy().invoke(_queue_event(submission, _MAILS))
    for address in ("ada@example.com", "grace@example.com"):
        expect(
            f"mail to {address}" in reply.log,
            expected=f"in the log: mail to {address}",
            got="a log without it",
            why="Nobody who has a good address may go without a mail.",
            next_step="Keep the loop as it was. Only what it collects was wrong.",
        )


tracking = Exercise(
    id="05.2",
    title="Find the fault in Friday's log",
    objective="partial-failures",
    file="tracking_mended.py",
    handler="tracking_mended.handler",
    runtime="python3.14",
    task="Mend the function, so that only the message with the bad address comes again.",
    stub="""\
import json


def handler(event, context):
    failed = []
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "@" not in order["email"]:
            failed.append(message["messageId"])
            continue
        print("mail to", order["email"])
    print("failed:", len(failed), "of", len(event["Records"]))
    return {"batchItemFailures": failed}
""",
    solution="""\
import json


def handler(event, context):
    failed = []
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "@" not in order["email"]:
            failed.append({"itemIdentifier": message["messageId"]})
            continue
        print("mail to", order["email"])
    print("failed:", len(failed), "of", len(event["Records"]))
    return {"batchItemFailures": failed}
""",
    other_solution="""\
import json


def handler(event, context):
    addresses = {
        message["messageId"]: json.loads(message["body"])["email"]
        for message in event["Records"]
    }
    bad = [
        identifier
        for identifier, address in addresses.items()
        if "@" not in address
    ]
    for identifier, address in addresses.items():
        if identifier not in bad:
            print("mail to", address)
    return {
        "batchItemFailures": [
            dict(itemIdentifier=identifier) for identifier in bad
        ]
    }
""",
    requirements=[
        Requirement("Only the message with the bad address comes again", _only_the_bad_one_comes_again),
        Requirement("The mails to good addresses still go out", _the_mails_still_go_out),
    ],
    wrong_answers=[
        WrongAnswer(
            "raises_for_the_bad_address",
            code="""\
import json


def handler(event, context):
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "@" not in order["email"]:
            raise ValueError(f"no address: {order['email']}")
        print("mail to", order["email"])
""",
            misconception="M7",
            message="Raise nothing for a bad address.",
        ),
        WrongAnswer(
            "gives_nothing_back",
            code="""\
import json


def handler(event, context):
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "@" in order["email"]:
            print("mail to", order["email"])
    return {"batchItemFailures": []}
""",
            misconception="M64",
            message="{'batchItemFailures': []}",
        ),
        WrongAnswer(
            "spells_it_another_way",
            code="""\
import json


def handler(event, context):
    failed = []
    for message in event["Records"]:
        order = json.loads(message["body"])
        if "@" not in order["email"]:
            failed.append({"ItemIdentifier": message["messageId"]})
            continue
        print("mail to", order["email"])
    return {"batchItemFailures": failed}
""",
            misconception="M8",
            message="'ItemIdentifier'",
        ),
        WrongAnswer(
            "stops_sending_mails",
            code="""\
import json


def handler(event, context):
    failed = []
    for message in event["Records"]:
        if "@" not in json.loads(message["body"])["email"]:
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
""",
            misconception=None,
            message="Nobody who has a good address may go without a mail.",
        ),
    ],
    stub_message="an answer that gives back one message",
    hints=[
        "Read the log again: the function counts one failure, and Lambda brings back three messages. So the two do not understand each other.",
        "The loop is right. It is the answer whose form is not the one that Lambda reads.",
        "Look at what is put into `failed`, and compare it with `pack_each.py`.",
        '`failed.append({"itemIdentifier": ...})`',
    ],
    why_solution=(
        "One line was wrong: a list of texts in the place of a list of objects. Lambda does not complain about it, it plays safe and "
        "brings everything back. The other solution first sorts the addresses, and then writes."
    ),
)


# 05.3 ----------------------------------------------------------------------------------------------------------------

_WORKER = """\
import json


def handler(event, context):
    for record in event["Records"]:
        print("EVENT", json.dumps({"Records": [record]}))
    return {"batchItemFailures": []}
"""


class _Plan:
    """The learner's queue and mapping, really made, for a function that may take twenty seconds."""

    def __init__(self, submission: Submission) -> None:
        self._sqs, self._functions = submission.aws("sqs"), submission.aws("lambda")
        self._submission = submission
        plan = submission.document()
        expect(
            isinstance(plan, dict) and isinstance(plan.get("queue"), dict) and isinstance(plan.get("mapping"), dict),
            expected="an object with `queue` and `mapping`, as in the file at first",
            got=repr(plan),
            why="The check makes the queue of the one, and the mapping of the other.",
            next_step="Keep the two names, and change what is in them.",
        )
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr(zipfile.ZipInfo("worker.py", (1980, 1, 1, 0, 0, 0)), _WORKER)
        self.function = submission.deploy(
            Handler="worker.handler", Runtime="python3.14", Code={"ZipFile": package.getvalue()}, Timeout=20
        ).name
        number = next(_NUMBERS)
        self._queues = [self._sqs.create_queue(QueueName=f"check-lost-{number}")["QueueUrl"]]
        self.mapping: dict[str, Any] = {}
        try:
            self._make(plan, f"check-plan-{number}")
        except Exception as error:  # AWS and boto3 say what is wrong with the plan, in exceptions of several kinds
            if type(error).__name__ == "Unmet":
                self.remove()
                raise
            self.remove()
            expect(
                False,
                expected="a queue and a mapping that AWS takes",
                got=str(error).strip(),
                why="What AWS refuses is not there, and the orders lie where they are.",
                next_step='In a pattern every value stands in a list, such as `{"size": ["small"]}`.'
                if "filter pattern" in str(error)
                else "Read the message: it names the setting.",
            )

    def _make(self, plan: dict[str, Any], name: str) -> None:
        lost = self._arn(self._queues[0])
        attributes = json.loads(json.dumps(plan["queue"]).replace("parcel-lost", lost))
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
        self._queues.append(self._sqs.create_queue(QueueName=name, Attributes=texts)["QueueUrl"])
        settings = dict(plan["mapping"])
        if "FilterCriteria" in settings:
            settings["FilterCriteria"] = _with_patterns_as_text(settings["FilterCriteria"])
        self.mapping = self._functions.create_event_source_mapping(
            EventSourceArn=self._arn(self._queues[1]), FunctionName=self.function, **settings
        )

    def _arn(self, url: str) -> str:
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return str(found["QueueArn"])

    def __enter__(self) -> _Plan:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        if self.mapping:
            self._functions.delete_event_source_mapping(UUID=self.mapping["UUID"])
        for url in self._queues:
            self._sqs.delete_queue(QueueUrl=url)

    def attribute(self, name: str) -> str:
        found = self._sqs.get_queue_attributes(QueueUrl=self._queues[1], AttributeNames=["All"])["Attributes"]
        return str(found.get(name, ""))

    def worked_on(self, orders: list[dict[str, Any]]) -> list[str]:
        """Send orders; return the numbers of those that reached the function."""
        entries = [{"Id": str(number), "MessageBody": json.dumps(order)} for number, order in enumerate(orders)]
        self._sqs.send_message_batch(QueueUrl=self._queues[1], Entries=entries)
        try:
            records = _captured_records(self._submission, self.function)
        except self._submission.aws("logs").exceptions.ResourceNotFoundException:
            return []
        return [json.loads(record["body"])["order_id"] for record in records]


def _with_patterns_as_text(criteria: Any) -> Any:
    """The same criteria, with those patterns as text that are objects; whatever has another form is left to boto3."""
    filters = criteria.get("Filters") if isinstance(criteria, dict) else None
    if not isinstance(filters, list):
        return criteria
    return {
        **criteria,
        "Filters": [
            {**one, "Pattern": json.dumps(one["Pattern"])}
            if isinstance(one, dict) and isinstance(one.get("Pattern"), dict)
            else one
            for one in filters
        ],
    }


def _messages_stay_hidden(submission: Submission) -> None:
    with _Plan(submission) as plan:
        seconds = int(plan.attribute("VisibilityTimeout") or 0)
        expect(
            seconds >= 120,
            expected="a visibility timeout of at least six times the 20 seconds that the function may take",
            got=f"{seconds} seconds",
            why="A batch that has to be called again, for instance after a throttle, must not appear to a second call meanwhile.",
            next_step="`VisibilityTimeout` counts in seconds, and is a text. Six times 20.",
        )


def _hopeless_ones_are_put_aside(submission: Submission) -> None:
    with _Plan(submission) as plan:
        redrive = json.loads(plan.attribute("RedrivePolicy") or "{}")
        expect(
            "check-lost" in str(redrive.get("deadLetterTargetArn"))
            and 2 <= int(redrive.get("maxReceiveCount", 0)) <= 10,
            expected="a redrive policy to `parcel-lost`, after two to ten tries",
            got=repr(redrive) if redrive else "none",
            why="Without one, a hopeless message comes again and again for days. After a single try, a moment's trouble would be enough to lose it.",
            next_step='`"RedrivePolicy": {"deadLetterTargetArn": "parcel-lost", "maxReceiveCount": ...}`, beside the visibility timeout.',
        )


def _partial_failures_are_asked_for(submission: Submission) -> None:
    with _Plan(submission) as plan:
        expect(
            plan.mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"],
            expected="a mapping that reads batchItemFailures",
            got=f"FunctionResponseTypes {plan.mapping.get('FunctionResponseTypes')}",
            why="The function names what failed. Without this setting nobody listens, and what failed is deleted.",
            next_step='`"FunctionResponseTypes": ["ReportBatchItemFailures"]` in `mapping`.',
        )


def _only_parcels_arrive(submission: Submission) -> None:
    orders = [
        {"order_id": "P-6401", "kind": "parcel"},
        {"order_id": "P-6402", "kind": "voucher"},
        {"order_id": "P-6403", "kind": "parcel"},
    ]
    with _Plan(submission) as plan:
        arrived = sorted(plan.worked_on(orders))
        expect(
            arrived == ["P-6401", "P-6403"],
            expected="P-6401 and P-6403 at the function, and not the voucher P-6402",
            got=", ".join(arrived) or "nothing arrived",
            why="A voucher needs no packing. Each call for one costs money, and a pattern that matches nothing packs no parcel.",
            next_step='A message\'s text is under `body` in a pattern: `{"body": {"kind": ["parcel"]}}`.',
        )


plan_queue = Exercise(
    id="05.3",
    title="Plan a queue",
    objective="visibility",
    file="packing_plan.json",
    task=(
        "A packing function may take 20 seconds, and returns `batchItemFailures`. Plan its queue and its mapping. Messages that cannot be "
        'packed go to the queue `parcel-lost` (the check puts its ARN in), and of the orders only those with `"kind": "parcel"` are to reach '
        "the function. `Pattern` and `RedrivePolicy` may be written as objects here; boto3 takes them as text."
    ),
    stub="""\
{
  "queue": {
    "VisibilityTimeout": "20"
  },
  "mapping": {
    "BatchSize": 10
  }
}
""",
    solution="""\
{
  "queue": {
    "VisibilityTimeout": "120",
    "RedrivePolicy": {
      "deadLetterTargetArn": "parcel-lost",
      "maxReceiveCount": 3
    }
  },
  "mapping": {
    "BatchSize": 10,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "FilterCriteria": {"Filters": [{"Pattern": {"body": {"kind": ["parcel"]}}}]}
  }
}
""",
    other_solution="""\
{
  "queue": {
    "VisibilityTimeout": "300",
    "RedrivePolicy": "{\\"deadLetterTargetArn\\": \\"parcel-lost\\", \\"maxReceiveCount\\": 5}"
  },
  "mapping": {
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "FilterCriteria": {"Filters": [{"Pattern": "{\\"body\\": {\\"kind\\": [{\\"prefix\\": \\"parc\\"}]}}"}]}
  }
}
""",
    requirements=[
        Requirement("Messages stay hidden long enough", _messages_stay_hidden),
        Requirement("Hopeless messages are put aside after some tries", _hopeless_ones_are_put_aside),
        Requirement("The mapping reads what the function gives back", _partial_failures_are_asked_for),
        Requirement("Only parcels reach the function", _only_parcels_arrive),
    ],
    wrong_answers=[
        WrongAnswer(
            "hides_them_for_less_than_the_function_takes",
            code="""\
{"queue": {"VisibilityTimeout": "10"}, "mapping": {"BatchSize": 10}}
""",
            misconception="M9",
            message="Queue visibility timeout: 10 seconds is less than Function timeout: 20 seconds",
        ),
        WrongAnswer(
            "gives_up_after_one_try",
            code="""\
{
  "queue": {
    "VisibilityTimeout": "120",
    "RedrivePolicy": {"deadLetterTargetArn": "parcel-lost", "maxReceiveCount": 1}
  },
  "mapping": {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
}
""",
            misconception=None,
            message="After a single try, a moment's trouble",
        ),
        WrongAnswer(
            "leaves_the_answer_unread",
            code="""\
{
  "queue": {
    "VisibilityTimeout": "120",
    "RedrivePolicy": {"deadLetterTargetArn": "parcel-lost", "maxReceiveCount": 3}
  },
  "mapping": {"BatchSize": 10, "FilterCriteria": {"Filters": [{"Pattern": {"body": {"kind": ["parcel"]}}}]}}
}
""",
            misconception="M64",
            message="Without this setting nobody listens",
        ),
        WrongAnswer(
            "looks_for_the_kind_outside_the_body",
            code="""\
{
  "queue": {
    "VisibilityTimeout": "120",
    "RedrivePolicy": {"deadLetterTargetArn": "parcel-lost", "maxReceiveCount": 3}
  },
  "mapping": {
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "FilterCriteria": {"Filters": [{"Pattern": {"kind": ["parcel"]}}]}
  }
}
""",
            misconception="M66",
            message="nothing arrived",
        ),
    ],
    stub_message="a visibility timeout of at least six times the 20 seconds",
    hints=[
        "Read “Seen, but not yet done” again, and the cells that made the first queue and its mapping.",
        "Two settings belong to the queue: how long messages stay hidden, and where hopeless ones go. Two belong to the mapping: what it reads of "
        "the answer, and what it lets through.",
        "`VisibilityTimeout` and `RedrivePolicy` in `queue`; `FunctionResponseTypes` and `FilterCriteria` in `mapping`.",
        '`"RedrivePolicy": {"deadLetterTargetArn": "parcel-lost", "maxReceiveCount": ...}` and `"FilterCriteria": {"Filters": [{"Pattern": {"body": '
        '{"kind": [...]}}}]}`',
    ],
    why_solution=(
        "Six times the timeout leaves room for a batch that is called again. Three tries outlast a moment's trouble, and then a person looks. "
        "The filter spares calls; remember that it deletes. The other solution writes policy and pattern as text, as boto3 wants them."
    ),
)


# 05.4 ----------------------------------------------------------------------------------------------------------------

_CHANGES = [
    ("put", {"thing": {"S": "mug"}, "left": {"N": "12"}, "price": {"N": "4.50"}}),
    ("put", {"thing": {"S": "mug"}, "left": {"N": "9"}, "price": {"N": "4.50"}}),
    ("put", {"thing": {"S": "lamp"}, "left": {"N": "1"}, "price": {"N": "19"}}),
    ("delete", {"thing": {"S": "mug"}}),
]
_DIARY = ["mug: new, 12 left", "mug: 12 -> 9", "lamp: new, 1 left", "mug: gone"]


def _stream_event(submission: Submission) -> dict[str, Any]:
    """The event that a mapping makes of these changes of a table."""
    dynamodb, functions = submission.aws("dynamodb"), submission.aws("lambda")
    capture, name = _capturing_function(submission), f"check-stock-{next(_NUMBERS)}"
    table = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "thing", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "thing", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    mapping = functions.create_event_source_mapping(
        EventSourceArn=table["LatestStreamArn"], FunctionName=capture, StartingPosition="TRIM_HORIZON"
    )["UUID"]
    try:
        for what, item in _CHANGES:
            if what == "put":
                dynamodb.put_item(TableName=name, Item=item)
            else:
                dynamodb.delete_item(TableName=name, Key=item)
        return {"Records": _captured_records(submission, capture)}
    finally:
        functions.delete_event_source_mapping(UUID=mapping)
        dynamodb.delete_table(TableName=name)


def _diary_of(submission: Submission) -> list[Any]:
    answer = submission.deploy(Timeout=20, MemorySize=1769).invoke(_stream_event(submission)).payload
    diary = answer.get("diary") if isinstance(answer, dict) else None
    return diary if isinstance(diary, list) else [repr(answer)]


def _expect_entry(diary: list[Any], number: int, why: str, next_step: str) -> None:
    entry = diary[number] if number < len(diary) else "no such entry"
    expect(
        entry == _DIARY[number],
        expected=f"as entry {number + 1} of the diary: {_DIARY[number]}",
        got=str(entry),
        why=why,
        next_step=next_step,
    )


def _new_things_are_noted(submission: Submission) -> None:
    _expect_entry(
        _diary_of(submission),
        0,
        "The values come with their types, as DynamoDB stores them.",
        'For an `INSERT`, read `NewImage`. A number stands in it as `{"N": "12"}`.',
    )


def _changes_are_noted(submission: Submission) -> None:
    diary = _diary_of(submission)
    _expect_entry(
        diary,
        1,
        "What has changed is the difference between two images.",
        "A `MODIFY` has both: `OldImage` is the item as it was, `NewImage` as it is.",
    )
    _expect_entry(
        diary, 2, "Every record is a change of its own, in order.", "Go through all records, one after the other."
    )


def _removals_are_noted(submission: Submission) -> None:
    diary = _diary_of(submission)
    _expect_entry(
        diary,
        3,
        "What is gone has no new image any more.",
        "A `REMOVE` has no `NewImage`. The thing's name is in `Keys`, and in `OldImage`.",
    )
    expect(
        diary == _DIARY,
        expected=f"{len(_DIARY)} entries in all",
        got=f"{len(diary)}",
        why="A diary with gaps, or with the same entry twice, helps nobody.",
        next_step="One entry for each record.",
    )


diary = Exercise(
    id="05.4",
    title="Keep a diary of the stock",
    objective="streams",
    file="stock_diary.py",
    handler="stock_diary.handler",
    runtime="python3.14",
    task=(
        'Return `{"diary": [...]}`, with one line for each change of the table `parcel-stock`: `mug: new, 12 left` for an item that is new, '
        "`mug: 12 -> 9` for one that has changed, `mug: gone` for one that was removed. The event in the check comes from a real stream."
    ),
    stub="""\
def handler(event, context):
    diary = []
    for record in event["Records"]:
        new = record["dynamodb"]["NewImage"]
        diary.append(f"{new['thing']}: {new['left']} left")
    return {"diary": diary}
""",
    solution="""\
def handler(event, context):
    diary = []
    for record in event["Records"]:
        change = record["dynamodb"]
        thing = change["Keys"]["thing"]["S"]
        if record["eventName"] == "INSERT":
            diary.append(
                f"{thing}: new, {change['NewImage']['left']['N']} left"
            )
        elif record["eventName"] == "MODIFY":
            before = change["OldImage"]["left"]["N"]
            after = change["NewImage"]["left"]["N"]
            diary.append(f"{thing}: {before} -> {after}")
        else:
            diary.append(f"{thing}: gone")
    return {"diary": diary}
""",
    other_solution="""\
from boto3.dynamodb.types import TypeDeserializer

python = TypeDeserializer().deserialize


def image(record, which):
    return {
        name: python(value)
        for name, value in record["dynamodb"].get(which, {}).items()
    }


def line(record):
    key, old, new = (
        image(record, which) for which in ("Keys", "OldImage", "NewImage")
    )
    if not new:
        return f"{key['thing']}: gone"
    return (
        f"{key['thing']}: {old['left']} -> {new['left']}"
        if old
        else f"{key['thing']}: new, {new['left']} left"
    )


def handler(event, context):
    return {"diary": [line(record) for record in event["Records"]]}
""",
    requirements=[
        Requirement("New things are noted", _new_things_are_noted),
        Requirement("Changes are noted, with both numbers", _changes_are_noted),
        Requirement("Removals are noted", _removals_are_noted),
    ],
    wrong_answers=[
        WrongAnswer(
            "prints_the_types_too",
            code="""\
def handler(event, context):
    diary = []
    for record in event["Records"]:
        change = record["dynamodb"]
        thing = change["Keys"]["thing"]
        if record["eventName"] == "INSERT":
            diary.append(f"{thing}: new, {change['NewImage']['left']} left")
    return {"diary": diary}
""",
            misconception="M67",
            message="{'S': 'mug'}: new, {'N': '12'} left",
        ),
        WrongAnswer(
            "takes_a_change_for_something_new",
            code="""\
def handler(event, context):
    diary = []
    for record in event["Records"]:
        change = record["dynamodb"]
        thing = change["Keys"]["thing"]["S"]
        if "NewImage" in change:
            diary.append(f"{thing}: new, {change['NewImage']['left']['N']} left")
        else:
            diary.append(f"{thing}: gone")
    return {"diary": diary}
""",
            misconception=None,
            message="mug: new, 9 left",
        ),
        WrongAnswer(
            "expects_a_new_image_of_what_is_gone",
            code="""\
def handler(event, context):
    diary = []
    for record in event["Records"]:
        new = record["dynamodb"]["NewImage"]
        old = record["dynamodb"].get("OldImage")
        if old:
            diary.append(f"{new['thing']['S']}: {old['left']['N']} -> {new['left']['N']}")
        else:
            diary.append(f"{new['thing']['S']}: new, {new['left']['N']} left")
    return {"diary": diary}
""",
            misconception=None,
            message="KeyError: 'NewImage'",
        ),
        WrongAnswer(
            "leaves_the_removals_out",
            code="""\
def handler(event, context):
    diary = []
    for record in event["Records"]:
        change = record["dynamodb"]
        thing = change["Keys"]["thing"]["S"]
        if record["eventName"] == "INSERT":
            diary.append(f"{thing}: new, {change['NewImage']['left']['N']} left")
        elif record["eventName"] == "MODIFY":
            diary.append(f"{thing}: {change['OldImage']['left']['N']} -> {change['NewImage']['left']['N']}")
    return {"diary": diary}
""",
            misconception=None,
            message="no such entry",
        ),
    ],
    stub_message="KeyError: 'NewImage'",
    hints=[
        "Read what the stream's function printed above: which images has an INSERT, which a MODIFY, which a REMOVE?",
        "Three kinds of records, three lines. `eventName` tells them apart.",
        '`record["dynamodb"]` has `Keys` always, `NewImage` unless the item is gone, `OldImage` unless it is new. A value is under its type: '
        '`["N"]` or `["S"]`.',
        '`if record["eventName"] == "INSERT": diary.append(f"{thing}: new, {change[\'NewImage\'][\'left\'][...]} left")`, and two more.',
    ],
    why_solution=(
        "Each kind of record has the images that it can have, and the key is always there. The other solution makes Python values of all "
        "of them first, and tells the kinds apart by which image is empty."
    ),
)

EXERCISES = [give_back, tracking, plan_queue, diary]
