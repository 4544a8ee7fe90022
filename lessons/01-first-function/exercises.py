"""The exercises of lesson 01.

Answer from event and context; mend a function that does not load; find a fault from its log; keep private what is
private.
"""

from __future__ import annotations

import json
import re
from typing import Any

from coldstart.course import Exercise, Reply, Requirement, Submission, WrongAnswer, expect


def _shown(value: object) -> str:
    """What a caller got, in words a learner can compare with the code."""
    return "null: the handler returned nothing" if value is None else repr(value)


def _error(reply: Reply) -> str:
    """The exception that ended a call, in words; empty when there was none."""
    return f"{reply.payload['errorType']}: {reply.payload['errorMessage']}" if reply.function_error else ""


def _expect_a_dict(answer: object, example: str) -> dict[str, Any]:
    """The answer itself when it is a dict; otherwise feedback that says what arrived instead."""
    why = "The caller reads the answer by its keys."
    next_step = f"Let the handler return a dict: `return {example}`."
    if answer is None:
        why = "Only what the handler returns reaches the caller. Printed text goes to the log."
    if isinstance(answer, str) and answer.lstrip().startswith("{"):
        why = "The runtime writes the JSON. Text that already is JSON is encoded twice and arrives as a string."
        next_step = "Return the dict itself, without `json.dumps`."
    expect(
        isinstance(answer, dict), expected=f"a dict such as {example}", got=_shown(answer), why=why, next_step=next_step
    )
    assert isinstance(answer, dict)
    return answer


# 01.1 ----------------------------------------------------------------------------------------------------------------

_LABEL_EXAMPLE = '{"label": ..., "request_id": ..., "printed_by": ...}'

_ORDERS = (
    {"order_id": "P-3311", "customer": {"name": "Grace Hopper", "town": "New York"}, "items": 1},
    {"order_id": "P-3312", "customer": {"name": "Linus", "town": "Helsinki"}, "items": 4},
)


def _label_is_made_from_the_event(submission: Submission) -> None:
    function = submission.deploy()
    for order in _ORDERS:
        answer = _expect_a_dict(function.invoke(order).payload, _LABEL_EXAMPLE)
        line = f"{order['order_id']}, {order['customer']['name']}, {order['customer']['town']}"
        expect(
            answer.get("label") == line,
            expected=f'for order {order["order_id"]} the label "{line}"',
            got=repr(answer.get("label", answer)),
            why="The parcel goes where the label says. Every order has its own.",
            next_step="Build the text from the event: the order's id, the customer's name and the customer's town, "
            "with a comma and a space between them.",
        )


def _carries_the_request_id(submission: Submission) -> None:
    function = submission.deploy()
    for order in _ORDERS:
        reply = function.invoke(order)
        answer = _expect_a_dict(reply.payload, _LABEL_EXAMPLE)
        request_id = re.search(r"START RequestId: (\S+)", reply.log)
        assert request_id is not None, reply.log
        expect(
            answer.get("request_id") == request_id[1],
            expected=f"the request id of this very call, {request_id[1]}",
            got=repr(answer.get("request_id")),
            why="With this id you find the log lines of the call that printed a label. Any other id leads nowhere.",
            next_step="Take it from the second parameter: `context.aws_request_id`.",
        )


def _names_the_function(submission: Submission) -> None:
    for name in ("parcel-label-north", "parcel-label-south"):
        function = submission.deploy(FunctionName=name)
        answer = _expect_a_dict(function.invoke(_ORDERS[0]).payload, _LABEL_EXAMPLE)
        expect(
            answer.get("printed_by") == name,
            expected=f'"{name}", the name under which your file has been deployed this time',
            got=repr(answer.get("printed_by")),
            why="The same file can be deployed under several names. Only Lambda knows which one was called.",
            next_step="Ask the context for the function's name. The table above the exercise has the word.",
        )


label = Exercise(
    id="01.1",
    title="Print a label",
    objective="event-and-context",
    file="label.py",
    handler="label.handler",
    runtime="python3.14",
    task=(
        "The label printer sends an order and wants three values back: the `label`, such as "
        "`P-1042, Ada Lovelace, London`; the `request_id` of the call; and in `printed_by` the name of the function "
        'that answered. An order looks like `{"order_id": "P-1042", "customer": {"name": "Ada Lovelace", "town": '
        '"London"}, "items": 3}`.'
    ),
    stub="""\
def handler(event, context):
    return {
        "label": "P-1042, Ada Lovelace, London",
        "request_id": "?",
        "printed_by": "?",
    }
""",
    solution="""\
def handler(event, context):
    customer = event["customer"]
    address = f"{customer['name']}, {customer['town']}"
    return {
        "label": f"{event['order_id']}, {address}",
        "request_id": context.aws_request_id,
        "printed_by": context.function_name,
    }
""",
    other_solution="""\
import os


def handler(order, call):
    who = order["customer"]
    answer = dict(
        request_id=call.aws_request_id,
        printed_by=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
    )
    answer["label"] = ", ".join([order["order_id"], who["name"], who["town"]])
    return answer
""",
    requirements=[
        Requirement("The label is made from the order that was sent", _label_is_made_from_the_event),
        Requirement("The answer carries the request id of this call", _carries_the_request_id),
        Requirement("The answer names the function that was called", _names_the_function),
    ],
    wrong_answers=[
        WrongAnswer(
            "turns_the_answer_into_text",
            code="""\
import json


def handler(event, context):
    customer = event["customer"]
    return json.dumps({
        "label": f"{event['order_id']}, {customer['name']}, {customer['town']}",
        "request_id": context.aws_request_id,
        "printed_by": context.function_name,
    })
""",
            misconception="M16",
            message="encoded twice and arrives as a string",
        ),
        WrongAnswer(
            "prints_the_answer",
            code="""\
def handler(event, context):
    customer = event["customer"]
    print({
        "label": f"{event['order_id']}, {customer['name']}, {customer['town']}",
        "request_id": context.aws_request_id,
        "printed_by": context.function_name,
    })
""",
            misconception="M17",
            message="Printed text goes to the log.",
        ),
        WrongAnswer(
            "expects_the_request_id_from_the_caller",
            code="""\
def handler(event, context):
    customer = event["customer"]
    return {
        "label": f"{event['order_id']}, {customer['name']}, {customer['town']}",
        "request_id": event.get("request_id"),
        "printed_by": context.function_name,
    }
""",
            misconception="M26",
            message="the request id of this very call",
        ),
        WrongAnswer(
            "writes_the_name_of_the_file",
            code="""\
def handler(event, context):
    customer = event["customer"]
    return {
        "label": f"{event['order_id']}, {customer['name']}, {customer['town']}",
        "request_id": context.aws_request_id,
        "printed_by": "label.handler",
    }
""",
            misconception="M19",
            message="Only Lambda knows which one was called.",
        ),
    ],
    stub_message='for order P-3311 the label "P-3311, Grace Hopper, New York"',
    hints=[
        "Read the table under “Change it” again. Which of the values come from the caller, and which from Lambda?",
        "The label comes from `event`, which is a dict with a dict in it. The other two come from `context`.",
        'The name is `event["customer"]["name"]`, the town stands beside it. The context has `aws_request_id` and '
        "`function_name`.",
        'Fill the gaps: `"label": f"{event[\'order_id\']}, {...}, {...}"`, `"request_id": context....`, '
        '`"printed_by": context....`.',
    ],
    why_solution=(
        "What differs between orders comes from the event; what differs between calls and functions comes from Lambda. "
        "The other solution takes the name from an environment variable that Lambda sets for every function, and shows "
        "that the two parameters may have any name."
    ),
)


# 01.2 ----------------------------------------------------------------------------------------------------------------

_SHIPPED = {"order_id": "P-4120", "tracking_url": "https://parcel.example/t/4120"}


def _loads_and_answers(submission: Submission) -> None:
    reply = submission.deploy().invoke(_SHIPPED, may_fail=True)
    message = str(reply.payload.get("errorMessage")) if isinstance(reply.payload, dict) else ""
    expect(
        "positional argument" not in message,
        expected="a handler that takes what Lambda hands over: an event and a context",
        got=f"TypeError: {message}",
        why="Lambda calls every handler with two arguments, whether it uses both or not.",
        next_step="Give the handler a second parameter, `context`.",
    )
    submission.deploy().invoke(_SHIPPED)


def _tells_where_the_parcel_is(submission: Submission) -> None:
    function = submission.deploy()
    for shipped in (_SHIPPED, {"order_id": "P-4121", "tracking_url": "https://parcel.example/t/4121"}):
        answer = _expect_a_dict(function.invoke(shipped).payload, '{"text": ...}')
        text = f"Order {shipped['order_id']} left us today. Follow it: {shipped['tracking_url']}"
        expect(
            answer.get("text") == text,
            expected=f'the text "{text}"',
            got=repr(answer.get("text", answer)),
            why="The function has to say what the colleague wrote, for every order. You were asked to make it load.",
            next_step="Return the sentence of the original file, filled from the event.",
        )


notify = Exercise(
    id="01.2",
    title="The function that never worked",
    objective="handler-string",
    file="notify.py",
    handler="notify.on_shipped",
    runtime="python3.14",
    task=(
        "This function should tell customers that their parcel has left. It is deployed with the handler string "
        "`notify.on_shipped`, which stays as it is; the module `parcel_texts` exists only on the colleague's laptop. "
        "Check the file as it is, read what AWS says, mend that, and check again."
    ),
    stub="""\
from parcel_texts import shipped_text


def send(event):
    text = f"Order {event['order_id']} left us today. "
    return {"text": text + f"Follow it: {event['tracking_url']}"}
""",
    solution="""\
def on_shipped(event, context):
    text = f"Order {event['order_id']} left us today. "
    return {"text": text + f"Follow it: {event['tracking_url']}"}
""",
    other_solution="""\
def send(event):
    text = f"Order {event['order_id']} left us today. "
    return {"text": text + f"Follow it: {event['tracking_url']}"}


on_shipped = lambda event, context: send(event)
""",
    requirements=[
        Requirement("Lambda can load and call `notify.on_shipped`", _loads_and_answers),
        Requirement("It tells the customer where the parcel is", _tells_where_the_parcel_is),
    ],
    wrong_answers=[
        WrongAnswer(
            "removes_the_import_only",
            code="""\
def send(event):
    return {"text": f"Order {event['order_id']} left us today. Follow it: {event['tracking_url']}"}
""",
            misconception="M19",
            message="Runtime.HandlerNotFound: Handler 'on_shipped' missing on module 'notify'",
        ),
        WrongAnswer(
            "leaves_out_the_context",
            code="""\
def on_shipped(event):
    return {"text": f"Order {event['order_id']} left us today. Follow it: {event['tracking_url']}"}
""",
            misconception="M26",
            message="Lambda calls every handler with two arguments",
        ),
        WrongAnswer(
            "keeps_the_module_of_the_laptop",
            code="""\
from parcel_texts import shipped_text


def on_shipped(event, context):
    text = f"Order {event['order_id']} left us today. "
    return {"text": text + f"Follow it: {event['tracking_url']}"}
""",
            misconception="M20",
            message="No module named 'parcel_texts'",
        ),
        WrongAnswer(
            "returns_the_text_alone",
            code="""\
def on_shipped(event, context):
    return f"Order {event['order_id']} left us today. Follow it: {event['tracking_url']}"
""",
            misconception=None,
            message="The caller reads the answer by its keys.",
        ),
        WrongAnswer(
            "prints_the_text",
            code="""\
def on_shipped(event, context):
    print(f"Order {event['order_id']} left us today. Follow it: {event['tracking_url']}")
""",
            misconception="M17",
            message="Printed text goes to the log.",
        ),
    ],
    stub_message="Runtime.ImportModuleError: Unable to import module 'notify': No module named 'parcel_texts'",
    hints=[
        "Run the check, and find the error type it names in the list above the exercise.",
        "There are three faults, and AWS shows you one at a time: something that is imported, a name, and a number of "
        "parameters.",
        "`shipped_text` is never used. The part of the handler string after the dot is the name of the function. "
        "Lambda calls it with two arguments.",
        "No import, and the first line of the function reads `def on_shipped(event, ...):`. What it returns was right "
        "all along.",
    ],
    why_solution=(
        "The file imports only what is there, has the function that the handler string names, and takes both "
        "arguments. The other solution leaves the colleague's function alone and puts a second one in front, which is "
        "the smaller change when others call `send`."
    ),
)


# 01.3 ----------------------------------------------------------------------------------------------------------------


def _expect_carrier(
    submission: Submission, order: dict[str, object], carrier: str, weighs: str, why: str, next_step: str
) -> None:
    reply = submission.deploy().invoke(order, may_fail=True)
    expect(
        reply.function_error is None and reply.payload == {"carrier": carrier},
        expected=f"{order['items']} x {order['kg_each']!r} kg is {weighs} kg, so {{'carrier': '{carrier}'}}",
        got=_error(reply) or _shown(reply.payload),
        why=why,
        next_step=next_step,
    )


def _still_takes_numbers(submission: Submission) -> None:
    why = "The web shop sends numbers, as before. Its orders must go on working."
    next_step = "A weight that is a number needs no change. Make sure that your mending leaves it as it is."
    _expect_carrier(submission, {"order_id": "P-5001", "items": 2, "kg_each": 4}, "post", "8", why, next_step)
    _expect_carrier(submission, {"order_id": "P-5002", "items": 8, "kg_each": 4}, "freight", "32", why, next_step)


def _takes_weights_sent_as_text(submission: Submission) -> None:
    _expect_carrier(
        submission,
        {"order_id": "P-5003", "items": 3, "kg_each": "2"},
        "post",
        "6",
        why="Monday's log said 222 kg for such an order. Every line after that one goes on with a wrong weight.",
        next_step='Go to the line that works out the weight. What does Python make of `3 * "2"`? Try it in a new cell.',
    )
    _expect_carrier(
        submission,
        {"order_id": "P-5004", "items": 20, "kg_each": "2"},
        "freight",
        "40",
        why="A heavy parcel that goes by post is stopped at the counter, and the customer waits.",
        next_step="Make a number of `kg_each` before it is multiplied, instead of catching what goes wrong later.",
    )


def _takes_half_kilos(submission: Submission) -> None:
    _expect_carrier(
        submission,
        {"order_id": "P-5005", "items": 50, "kg_each": "0.5"},
        "post",
        "25",
        why="Many things in the shop weigh less than a kilo.",
        next_step="`int` takes whole numbers only. `float` takes both.",
    )


def _refuses_what_is_no_weight(submission: Submission) -> None:
    for order in ({"order_id": "P-5006", "items": 1, "kg_each": "heavy"}, {"order_id": "P-5007", "items": 1}):
        _expect_a_failed_call(submission, order)


def _expect_a_failed_call(submission: Submission, order: dict[str, object]) -> None:
    reply = submission.deploy().invoke(order, may_fail=True)
    expect(
        reply.function_error is not None,
        expected=f"a failed call for {json.dumps(order)}: nobody knows what this order weighs",
        got=f"an answer, {_shown(reply.payload)}, as if the parcel had been weighed",
        why="An answer that is made up is worse than an error. An error stands in the log, and somebody can help.",
        next_step="Let the exception out. Lambda marks the call as failed and writes the traceback for you.",
    )


carrier = Exercise(
    id="01.3",
    title="Find the fault in Monday's log",
    objective="logs",
    file="carrier_mended.py",
    handler="carrier_mended.handler",
    runtime="python3.14",
    task=(
        "Mend the function, so that on Tuesday every order gets its carrier, whichever app it comes from. Some things "
        "weigh half a kilo. An order whose weight cannot be known must stay an error."
    ),
    stub="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    weight = event["items"] * event["kg_each"]
    logger.info("order %s weighs %s kg", event["order_id"], weight)
    if weight > 30:
        return {"carrier": "freight"}
    return {"carrier": "post"}
""",
    solution="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    weight = event["items"] * float(event["kg_each"])
    logger.info("order %s weighs %s kg", event["order_id"], weight)
    if weight > 30:
        return {"carrier": "freight"}
    return {"carrier": "post"}
""",
    other_solution="""\
import logging
from decimal import Decimal

logger = logging.getLogger()
logger.setLevel("INFO")

POST_LIMIT_KG = Decimal(30)


def read_order(event):
    return (
        event["order_id"],
        int(event["items"]),
        Decimal(str(event["kg_each"])),
    )


def handler(event, context):
    order_id, items, kg_each = read_order(event)
    logger.info("order %s weighs %s kg", order_id, items * kg_each)
    return {
        "carrier": "freight" if items * kg_each > POST_LIMIT_KG else "post"
    }
""",
    requirements=[
        Requirement("The web shop's orders get their carrier as before", _still_takes_numbers),
        Requirement("The phone app's orders get the right carrier", _takes_weights_sent_as_text),
        Requirement("Half kilos count", _takes_half_kilos),
        Requirement("An order without a known weight stays an error", _refuses_what_is_no_weight),
    ],
    wrong_answers=[
        WrongAnswer(
            "mends_the_line_of_the_traceback",
            code="""\
def handler(event, context):
    weight = event["items"] * event["kg_each"]
    if float(weight) > 30:
        return {"carrier": "freight"}
    return {"carrier": "post"}
""",
            misconception="M21",
            message="Every line after that one goes on with a wrong weight.",
        ),
        WrongAnswer(
            "catches_the_type_error",
            code="""\
def handler(event, context):
    weight = event["items"] * event["kg_each"]
    try:
        if weight > 30:
            return {"carrier": "freight"}
    except TypeError:
        pass
    return {"carrier": "post"}
""",
            misconception="M22",
            message="20 x '2' kg is 40 kg",
        ),
        WrongAnswer(
            "takes_whole_kilos_only",
            code="""\
def handler(event, context):
    weight = event["items"] * int(event["kg_each"])
    if weight > 30:
        return {"carrier": "freight"}
    return {"carrier": "post"}
""",
            misconception=None,
            message="`int` takes whole numbers only.",
        ),
        WrongAnswer(
            "takes_a_missing_weight_for_nothing",
            code="""\
def handler(event, context):
    weight = event["items"] * float(event.get("kg_each", 0))
    if weight > 30:
        return {"carrier": "freight"}
    return {"carrier": "post"}
""",
            misconception="M22",
            message='a failed call for {"order_id": "P-5007", "items": 1}',
        ),
        WrongAnswer(
            "sends_unweighed_parcels_by_post",
            code="""\
def handler(event, context):
    try:
        weight = event["items"] * float(event["kg_each"])
    except ValueError:
        weight = 0
    if weight > 30:
        return {"carrier": "freight"}
    return {"carrier": "post"}
""",
            misconception="M22",
            message='a failed call for {"order_id": "P-5006"',
        ),
    ],
    stub_message="TypeError: '>' not supported between instances of 'str' and 'int'",
    hints=[
        "Read the log line of order P-2209 again, the one before the error. Work out its weight by hand.",
        'Try it in a new cell: `3 * 2`, then `3 * "2"`. JSON keeps text and numbers apart, and so does Python.',
        "The comparison is right. The line that works out `weight` has to make a number of `kg_each` first.",
        'Change one line: `weight = event["items"] * ...(event["kg_each"])`. Which function makes a number of both `2` '
        'and `"0.5"`, and raises an error for `"heavy"`?',
    ],
    why_solution=(
        "The text becomes a number where it enters the function, so every later line works with a true weight, and "
        "`float` raises an error for what is no number. The other solution reads the whole order in one place, and "
        "counts in decimals, which do not round."
    ),
)


# 01.4 ----------------------------------------------------------------------------------------------------------------


def _refund(order_id: str, amount: str) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "customer": {"name": "Katherine Johnson", "email": "katherine@example.org", "phone": "+1 202 555 0143"},
        "card": "4000 0566 5566 5556",
        "amount": amount,
    }


_PRIVATE = {
    "the customer's name": "Katherine",
    "the e-mail address": "katherine@example.org",
    "the phone number": "555 0143",
    "the card number": "4000 0566",
}


def _good_refunds_are_answered(submission: Submission) -> None:
    function = submission.deploy()
    for order_id, amount, body in (
        ("P-6001", "19.9", "Refund of 19.90 EUR is on its way."),
        ("P-6002", "5", "Refund of 5.00 EUR is on its way."),
    ):
        reply = function.invoke(_refund(order_id, amount))
        expect(
            reply.payload == {"statusCode": 200, "body": body},
            expected=repr({"statusCode": 200, "body": body}),
            got=_shown(reply.payload),
            why="Most refunds are in order, and what the customer reads about them was right before.",
            next_step="Leave the answer for refunds that work as it was in the file you were given.",
        )


def _log_has_no_personal_data(submission: Submission) -> None:
    function = submission.deploy()
    for order_id, amount in (("P-6003", "12"), ("P-6004", "twelve")):
        log = function.invoke(_refund(order_id, amount), may_fail=True).log
        found = [what for what, text in _PRIVATE.items() if text in log]
        expect(
            not found,
            expected="a log without anything about the customer",
            got=f"{', '.join(found)} in the log" if found else "",
            why="Many people can read a log, and it is kept for years. What was never written cannot be lost.",
            next_step="Do not log the event, nor parts of it that you have not chosen one by one.",
        )


def _log_names_the_order(submission: Submission) -> None:
    function = submission.deploy()
    for order_id, amount in (("P-6005", "12"), ("P-6006", "twelve")):
        log = function.invoke(_refund(order_id, amount), may_fail=True).log
        expect(
            order_id in log,
            expected=f"a line in the log that names the order, {order_id}, also when the refund works",
            got="no line with that number",
            why="When the customer calls, the order's number is what you have. Without it you cannot find the call.",
            next_step='Log one line with `event["order_id"]`, at a level that arrives.',
        )


def _failure_tells_the_caller_nothing_inside(submission: Submission) -> None:
    reply = submission.deploy().invoke(_refund("P-6007", "twelve"), may_fail=True)
    expect(
        reply.function_error is None,
        expected="an answer with statusCode 500",
        got=f"no answer: the call failed with {_error(reply)}",
        why="A customer waits in front of a web page. Here the failure has to become an answer.",
        next_step="Keep `try` and `except`, and return the 500 from there. What stands in the `except` may not fail either.",
    )
    answer = _expect_a_dict(reply.payload, '{"statusCode": 500, "body": ...}')
    body = str(answer.get("body"))
    request_id = re.search(r"START RequestId: (\S+)", reply.log)
    assert request_id is not None, reply.log
    expect(
        answer.get("statusCode") == 500,
        expected="statusCode 500, because the refund was not made",
        got=repr(answer.get("statusCode", answer)),
        why="A web page believes the number. With 200 it would tell the customer that the money is coming.",
        next_step="Return statusCode 500 from the `except`.",
    )
    expect(
        "twelve" not in body and "could not convert" not in body and "Traceback" not in body,
        expected="a body that says nothing about the exception",
        got=repr(body),
        why="The text of an exception tells strangers how your system is built, and tells a customer nothing.",
        next_step="Write a sentence of your own into the body, without the exception.",
    )
    expect(
        request_id[1] in body,
        expected=f"a body with the request id of the call, {request_id[1]}",
        got=repr(body),
        why="With the id you find every line of this call. Without it, all the customer can say is “it did not work”.",
        next_step="Put `context.aws_request_id` into the sentence.",
    )


def _log_keeps_the_exception(submission: Submission) -> None:
    log = submission.deploy().invoke(_refund("P-6008", "twelve")).log
    expect(
        "ValueError" in log and "Traceback" in log,
        expected="the exception with its traceback in the log",
        got="a log without it" if "ValueError" not in log else "the exception's name or text, without the traceback",
        why="The caller no longer sees the exception. If it is not in the log either, nobody can ever find the fault.",
        next_step="Call `logger.exception(...)` inside the `except`. It adds the traceback by itself.",
    )


refund = Exercise(
    id="01.4",
    title="Keep it private",
    objective="keep-private",
    file="refund.py",
    handler="refund.handler",
    runtime="python3.14",
    task=(
        "Mend this function in the same way. A refund that works is answered as before; one that fails, such as the "
        'amount `"twelve"`, with `statusCode` 500 and a sentence that holds the request id. The log says which order '
        "it was and what went wrong, and nothing about the customer."
    ),
    stub="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    logger.info("event: %s", event)
    try:
        amount = float(event["amount"])
        return {
            "statusCode": 200,
            "body": f"Refund of {amount:.2f} EUR is on its way.",
        }
    except Exception as error:
        return {"statusCode": 500, "body": str(error)}
""",
    solution="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    logger.info("refund for order %s", event["order_id"])
    try:
        amount = float(event["amount"])
        return {
            "statusCode": 200,
            "body": f"Refund of {amount:.2f} EUR is on its way.",
        }
    except Exception:
        logger.exception("refund for order %s failed", event["order_id"])
        number = context.aws_request_id
        return {
            "statusCode": 500,
            "body": f"The refund failed. Please quote {number}.",
        }
""",
    other_solution="""\
import traceback


def refund(amount):
    return f"Refund of {float(amount):.2f} EUR is on its way."


def handler(event, context):
    order_id = event["order_id"]
    print("refund requested, order", order_id)
    try:
        status, body = 200, refund(event["amount"])
    except (KeyError, TypeError, ValueError):
        print("refund failed, order", order_id, traceback.format_exc())
        status, body = (
            500,
            "Something went wrong. Our desk can find it by the number "
            + context.aws_request_id,
        )
    return {"statusCode": status, "body": body}
""",
    requirements=[
        Requirement("A refund that works is answered as before", _good_refunds_are_answered),
        Requirement("The log holds nothing about the customer", _log_has_no_personal_data),
        Requirement("The log names the order", _log_names_the_order),
        Requirement(
            "A refund that fails is answered with 500, the request id, and no word of the exception",
            _failure_tells_the_caller_nothing_inside,
        ),
        Requirement("The log keeps the exception with its traceback", _log_keeps_the_exception),
    ],
    wrong_answers=[
        WrongAnswer(
            "removes_only_the_card",
            code="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    logger.info("event: %s", {key: value for key, value in event.items() if key != "card"})
    try:
        amount = float(event["amount"])
        return {"statusCode": 200, "body": f"Refund of {amount:.2f} EUR is on its way."}
    except Exception:
        logger.exception("refund for order %s failed", event["order_id"])
        return {"statusCode": 500, "body": f"The refund failed. Please quote {context.aws_request_id}."}
""",
            misconception="M23",
            message="the customer's name, the e-mail address, the phone number in the log",
        ),
        WrongAnswer(
            "logs_below_the_level",
            code="""\
import logging

logger = logging.getLogger()


def handler(event, context):
    logger.info("refund for order %s", event["order_id"])
    try:
        amount = float(event["amount"])
        return {"statusCode": 200, "body": f"Refund of {amount:.2f} EUR is on its way."}
    except Exception:
        logger.exception("refund for order %s failed", event["order_id"])
        return {"statusCode": 500, "body": f"The refund failed. Please quote {context.aws_request_id}."}
""",
            misconception="M18",
            message="at a level that arrives",
        ),
        WrongAnswer(
            "still_sends_the_exception",
            code="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    logger.info("refund for order %s", event["order_id"])
    try:
        amount = float(event["amount"])
        return {"statusCode": 200, "body": f"Refund of {amount:.2f} EUR is on its way."}
    except Exception as error:
        logger.exception("refund for order %s failed", event["order_id"])
        return {"statusCode": 500, "body": f"{error} ({context.aws_request_id})"}
""",
            misconception="M24",
            message="a body that says nothing about the exception",
        ),
        WrongAnswer(
            "swallows_the_exception",
            code="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    logger.info("refund for order %s", event["order_id"])
    try:
        amount = float(event["amount"])
        return {"statusCode": 200, "body": f"Refund of {amount:.2f} EUR is on its way."}
    except Exception:
        return {"statusCode": 500, "body": f"The refund failed. Please quote {context.aws_request_id}."}
""",
            misconception="M22",
            message="nobody can ever find the fault",
        ),
    ],
    stub_message="the customer's name, the e-mail address, the phone number, the card number in the log",
    hints=[
        "Compare the two versions of offer.py above. Three lines are different.",
        "One line writes too much into the log, one sends too much to the caller, and one that should write the "
        "exception is missing.",
        'Log `event["order_id"]` instead of `event`. In the `except`, call `logger.exception(...)` first, then return '
        "a sentence with `context.aws_request_id`.",
        '`logger.info("refund for order %s", ...)` before the `try`; in the `except`, without `as error`: '
        '`logger.exception("refund for order %s failed", ...)` and `return {"statusCode": 500, "body": f"The refund '
        'failed. Please quote {...}."}`.',
    ],
    why_solution=(
        "The log leads from an order to a call and from a call to the exception, without holding anything about the "
        "customer; the caller gets a number to ask with. The other solution prints instead of logging, which arrives "
        "whatever the level is, and catches only the failures it knows."
    ),
)

EXERCISES = [label, notify, carrier, refund]
