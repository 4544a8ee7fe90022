"""The exercises of lesson 02.

Find what leaks from order to order, from a log; load once; stop in time; count where all environments can see it.
"""

from __future__ import annotations

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coldstart.course import DeployedFunction, Exercise, Requirement, Submission, WrongAnswer, expect

# 02.1 ----------------------------------------------------------------------------------------------------------------

_COUNTRIES = (("P-5201", "PT", 5), ("P-5202", "US", 19), ("P-5203", "DE", 7))


def _every_order_gets_its_price(submission: Submission) -> None:
    function = submission.deploy()
    for order_id, country, price in _COUNTRIES:
        answer = function.invoke({"order_id": order_id, "country": country}).payload
        expect(
            answer == {"order_id": order_id, "price": price},
            expected=f"for order {order_id} to {country} the price {price}",
            got=repr(answer),
            why="Keeping the zones is right. Keeping the answer of one order sends it to everybody after it.",
            next_step="Keep what is the same for all orders, and look the country up for each one.",
        )


def _the_zones_are_loaded_once(submission: Submission) -> None:
    function = submission.deploy()
    logs = [function.invoke({"order_id": order_id, "country": country}).log for order_id, country, _ in _COUNTRIES]
    times = sum(log.count("loading zones") for log in logs)
    expect(
        times > 0,
        expected="one line `loading zones` in the log of three orders",
        got="none: `load_zones` is not called, or prints something else",
        why="The list of zones changes now and then. A copy of it in the code stays as it is today.",
        next_step="Leave `load_zones` as it was in the file you were given, and call it once, where it is run once.",
    )
    expect(
        times == 1,
        expected="one line `loading zones` in the log of three orders",
        got=f"it was loaded {times} times in {len(logs)} calls",
        why="Every order waits for the loading, and Parcel pays for it each time.",
        next_step="Let the result of `load_zones()` stay in a variable above the handler, and use that one.",
    )


load_once = Exercise(
    id="02.1",
    title="Load the zones once",
    objective="phases",
    file="shipping.py",
    handler="shipping.handler",
    runtime="python3.14",
    task=(
        "The shipping prices come from a list of zones, and loading it takes its time. Change the function, so that an "
        "environment loads the zones once, however many orders it works on. `load_zones` stays as it is."
    ),
    stub="""\
import time


def load_zones():
    print("loading zones")
    time.sleep(0.1)
    return {"PT": 5, "DE": 7, "US": 19}


def handler(event, context):
    zones = load_zones()
    return {"order_id": event["order_id"], "price": zones[event["country"]]}
""",
    solution="""\
import time


def load_zones():
    print("loading zones")
    time.sleep(0.1)
    return {"PT": 5, "DE": 7, "US": 19}


zones = load_zones()


def handler(event, context):
    return {"order_id": event["order_id"], "price": zones[event["country"]]}
""",
    other_solution="""\
import time
from functools import cache


@cache
def load_zones():
    print("loading zones")
    time.sleep(0.1)
    return {"PT": 5, "DE": 7, "US": 19}


def handler(event, context):
    return {
        "order_id": event["order_id"],
        "price": load_zones()[event["country"]],
    }
""",
    requirements=[
        Requirement("Every order gets the price of its country", _every_order_gets_its_price),
        Requirement("An environment loads the zones once", _the_zones_are_loaded_once),
    ],
    wrong_answers=[
        WrongAnswer(
            "keeps_the_price_too",
            code="""\
def load_zones():
    print("loading zones")
    return {"PT": 5, "DE": 7, "US": 19}


price = None


def handler(event, context):
    global price
    if price is None:
        price = load_zones()[event["country"]]
    return {"order_id": event["order_id"], "price": price}
""",
            misconception="M1",
            message="Keeping the answer of one order sends it to everybody after it.",
        ),
        WrongAnswer(
            "assigns_without_global",
            code="""\
def load_zones():
    print("loading zones")
    return {"PT": 5, "DE": 7, "US": 19}


zones = None


def handler(event, context):
    if zones is None:
        zones = load_zones()
    return {"order_id": event["order_id"], "price": zones[event["country"]]}
""",
            misconception=None,
            message="UnboundLocalError",
        ),
        WrongAnswer(
            "loads_above_and_in_the_handler",
            code="""\
def load_zones():
    print("loading zones")
    return {"PT": 5, "DE": 7, "US": 19}


zones = load_zones()


def handler(event, context):
    zones = load_zones()
    return {"order_id": event["order_id"], "price": zones[event["country"]]}
""",
            misconception="M1",
            message="it was loaded 4 times in 3 calls",
        ),
        WrongAnswer(
            "writes_the_zones_into_the_code",
            code="""\
zones = {"PT": 5, "DE": 7, "US": 19}


def handler(event, context):
    return {"order_id": event["order_id"], "price": zones[event["country"]]}
""",
            misconception=None,
            message="none: `load_zones` is not called",
        ),
    ],
    stub_message="it was loaded 3 times in 3 calls",
    hints=[
        "Read “Three phases” again. Which lines of `prices.py` ran once, and which ran for every call?",
        "What stands above the handler runs in INIT. What it leaves in a variable is there for every call.",
        "The line `zones = load_zones()` is right. It stands in the wrong place.",
        "Between the two functions: `zones = ...`. In the handler `zones` is then only read.",
    ],
    why_solution=(
        "The zones are the same for all orders, so they are loaded in INIT and stay. The other solution loads them when the "
        "first order needs them, and remembers the result: better when only some calls need it."
    ),
)


# 02.2 ----------------------------------------------------------------------------------------------------------------

_PICKED = (
    ({"order_id": "P-5101", "items": ["mug", "tea"]}, ["Mug", "Tea"]),
    ({"order_id": "P-5102", "items": ["lamp"]}, ["Lamp"]),
    ({"order_id": "P-5103", "items": ["pen", "pen"]}, ["Pen", "Pen"]),
)


def _each_order_gets_its_own_things(submission: Submission) -> None:
    function = submission.deploy()
    for order, things in _PICKED:
        answer = function.invoke(order).payload
        pick = answer.get("pick") if isinstance(answer, dict) else answer
        foreign = [thing for thing in pick or [] if thing not in things]
        next_step = "Which name in the code is still there when the next order comes? Make it inside the handler."
        why = "The customer opens a parcel with somebody else's things in it, and somebody else misses them."
        if not foreign and not pick:
            why = "The list was emptied before it was handed over: the answer and the list are one and the same thing."
            next_step = "Do not empty what you return. Let every order have a list of its own."
        elif not foreign and len(pick) < len(things):
            why = "Whoever orders two pens wants two pens."
            next_step = "A set holds each thing once. A list keeps all of them."
        expect(
            pick == things,
            expected=f"for order {order['order_id']} the list {things}",
            got=repr(answer) if pick is answer else repr(pick),
            why=why,
            next_step=next_step,
        )


def _a_failed_order_leaves_nothing(submission: Submission) -> None:
    function = submission.deploy()
    function.invoke({"order_id": "P-5104", "items": ["kettle", None]}, may_fail=True)
    answer = function.invoke({"order_id": "P-5105", "items": ["spoon"]}).payload
    expect(
        answer.get("pick") == ["Spoon"],
        expected="for order P-5105 the list ['Spoon']; the order before it failed half-way",
        got=repr(answer.get("pick")),
        why="The environment goes on after an error in your code, and so does what the failed order left in it.",
        next_step="Do not clear at the end what may never reach the end. Begin each order with a new, empty list.",
    )


def _the_log_counts(submission: Submission) -> None:
    function = submission.deploy()
    for order, things in _PICKED[:2]:
        reply = function.invoke(order)
        line = f"order {order['order_id']}: {len(things)} lines to pick"
        expect(
            line in reply.log,
            expected=f'the log line "{line}"',
            got="a log without it",
            why="On Wednesday this line was what gave the fault away.",
            next_step="Keep the `logger.info(...)` of the original, after the loop.",
        )


picklist = Exercise(
    id="02.2",
    title="Find the fault in Wednesday's log",
    objective="survives",
    file="picklist_mended.py",
    handler="picklist_mended.handler",
    runtime="python3.14",
    task=(
        "Mend the pick list, so that every order lists its own things. Some orders fail half-way, because the shop sent an "
        "item without a name; the order after such a one must be right too."
    ),
    stub="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")

lines = []


def handler(event, context):
    for item in event["items"]:
        lines.append(item.title())
    logger.info("order %s: %d lines to pick", event["order_id"], len(lines))
    return {"order_id": event["order_id"], "pick": lines}
""",
    solution="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    lines = []
    for item in event["items"]:
        lines.append(item.title())
    logger.info("order %s: %d lines to pick", event["order_id"], len(lines))
    return {"order_id": event["order_id"], "pick": lines}
""",
    other_solution="""\
import logging

logging.getLogger().setLevel("INFO")


def handler(event, context):
    pick = [item.title() for item in event["items"]]
    logging.info("order %s: %d lines to pick", event["order_id"], len(pick))
    return {"order_id": event["order_id"], "pick": pick}
""",
    requirements=[
        Requirement("Every order gets its own things, and all of them", _each_order_gets_its_own_things),
        Requirement("An order that fails leaves nothing for the next one", _a_failed_order_leaves_nothing),
        Requirement("The log still says how many lines each order has", _the_log_counts),
    ],
    wrong_answers=[
        WrongAnswer(
            "clears_the_list_at_the_end",
            code="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")

lines = []


def handler(event, context):
    for item in event["items"]:
        lines.append(item.title())
    logger.info("order %s: %d lines to pick", event["order_id"], len(lines))
    answer = {"order_id": event["order_id"], "pick": list(lines)}
    lines.clear()
    return answer
""",
            misconception="M1",
            message="Do not clear at the end what may never reach the end.",
        ),
        WrongAnswer(
            "empties_what_it_returns",
            code="""\
lines = []


def handler(event, context):
    for item in event["items"]:
        lines.append(item.title())
    answer = {"order_id": event["order_id"], "pick": lines}
    lines.clear()
    return answer
""",
            misconception=None,
            message="The list was emptied before it was handed over",
        ),
        WrongAnswer(
            "collects_in_a_set",
            code="""\
def handler(event, context):
    lines = {item.title() for item in event["items"]}
    return {"order_id": event["order_id"], "pick": sorted(lines)}
""",
            misconception=None,
            message="A set holds each thing once.",
        ),
        WrongAnswer(
            "returns_a_copy",
            code="""\
lines = []


def handler(event, context):
    for item in event["items"]:
        lines.append(item.title())
    return {"order_id": event["order_id"], "pick": list(lines)}
""",
            misconception="M1",
            message="somebody else's things in it",
        ),
    ],
    stub_message="for order P-5102 the list ['Lamp']",
    hints=[
        "Go through the log with your finger: how many things did each order ask for, and how many lines does it say?",
        "The first order was right because nothing had been there before it. What is there when the second one comes?",
        "Look at the line `lines = []`. When does it run? Once for each order, or once for each environment?",
        "Move one line: the handler begins with `lines = ...`, and above the handler there is none.",
    ],
    why_solution=(
        "A list that is made in the handler begins empty for every order, whatever happened to the one before. The other "
        "solution has no list to fill at all. Clearing the shared list works in every test, until an order fails half-way."
    ),
)


# 02.3 ----------------------------------------------------------------------------------------------------------------

_FEW = [f"P-53{number:02}" for number in range(8)]
_MANY = [f"P-54{number:02}" for number in range(60)]


def _few_parcels_are_all_sorted(submission: Submission) -> None:
    # Two seconds for what takes less than half of one: a machine that does much else must not fail a right answer.
    function = submission.deploy(Timeout=2)
    for call in ("first", "second"):
        answer = function.invoke({"parcels": _FEW}).payload
        expect(
            answer == {"sorted": _FEW, "left": []},
            expected=f"all {len(_FEW)} parcels in `sorted`, none in `left`: there was time enough",
            got=f"{len(answer.get('sorted', []))} in `sorted`, {len(answer.get('left', []))} in `left`, in the {call} call",
            why="A van that leaves half empty costs as much as a full one.",
            next_step="Do not stop after a number of parcels. Ask the context how much time is left."
            if call == "first"
            else "The second call came to the same environment. Ask the context, in the handler, how much time this call has.",
        )


def _many_parcels_are_answered_in_time(submission: Submission) -> None:
    reply = submission.deploy(Timeout=1).invoke({"parcels": _MANY}, may_fail=True)
    expect(
        reply.function_error is None,
        expected=f"an answer within the second: how far it came with {len(_MANY)} parcels",
        got=re.sub(r"^RequestId: \S+ Error: ", "", str(reply.payload.get("errorMessage")))
        if reply.function_error
        else "",
        why="When Lambda ends the function nobody knows which parcels were sorted, and no `except` of yours runs.",
        next_step="Before each parcel, look at `context.get_remaining_time_in_millis()`, and leave the loop in time.",
    )
    answer = reply.payload
    done, left = answer.get("sorted", []), answer.get("left", [])
    twice = [parcel for parcel in done if parcel in left]
    expect(
        not twice,
        expected="each parcel in one of the two lists",
        got=f"{twice[0] if twice else ''} stands in both",
        why="It will be sorted twice, and somebody looks for the second one.",
        next_step="What is left begins with the parcel after the last one that was sorted.",
    )
    missing = len(_MANY) - len(done) - len(left)
    expect(
        done + left == _MANY and len(done) >= 3,
        expected=f"`sorted` and `left` together hold all {len(_MANY)} parcels, in their order, and some are sorted",
        got=f"{len(done)} in `sorted`, {len(left)} in `left`: {missing} of them in neither",
        why="A parcel that stands in no list is forgotten. The next call goes on with `left`.",
        next_step="When you leave the loop, put the parcels that were not sorted into `left`.",
    )


stop_in_time = Exercise(
    id="02.3",
    title="Stop in time",
    objective="limits",
    file="sort_parcels.py",
    handler="sort_parcels.handler",
    runtime="python3.14",
    task=(
        "In the evening hundreds of parcels have to be sorted, and the function has one second. Let it sort as many as it can "
        "and return in time: what it sorted in `sorted`, the rest in `left`, for the next call. `sort_one` stays as it is."
    ),
    stub="""\
import time


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    done = []
    for parcel in event["parcels"]:
        sort_one(parcel)
        done.append(parcel)
    return {"sorted": done, "left": []}
""",
    solution="""\
import time


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    parcels = event["parcels"]
    done = []
    for parcel in parcels:
        if context.get_remaining_time_in_millis() < 300:
            break
        sort_one(parcel)
        done.append(parcel)
    return {"sorted": done, "left": parcels[len(done) :]}
""",
    other_solution="""\
import time
from collections import deque


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    end = (
        time.monotonic() + context.get_remaining_time_in_millis() / 1000 - 0.3
    )
    waiting, done = deque(event["parcels"]), []
    while waiting and time.monotonic() < end:
        sort_one(waiting[0])
        done.append(waiting.popleft())
    return {"sorted": done, "left": list(waiting)}
""",
    requirements=[
        Requirement("When there is time enough, all parcels are sorted", _few_parcels_are_all_sorted),
        Requirement("When there is not, it returns in time and says what is left", _many_parcels_are_answered_in_time),
    ],
    wrong_answers=[
        WrongAnswer(
            "catches_the_timeout",
            code="""\
import time


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    done = []
    try:
        for parcel in event["parcels"]:
            sort_one(parcel)
            done.append(parcel)
    except Exception:
        pass
    return {"sorted": done, "left": event["parcels"][len(done) :]}
""",
            misconception="M41",
            message="Task timed out after 1.00 seconds",
        ),
        WrongAnswer(
            "stops_after_five",
            code="""\
import time


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    done = event["parcels"][:5]
    for parcel in done:
        sort_one(parcel)
    return {"sorted": done, "left": event["parcels"][5:]}
""",
            misconception=None,
            message="Do not stop after a number of parcels.",
        ),
        WrongAnswer(
            "takes_the_time_where_the_file_is_loaded",
            code="""\
import time

start = time.monotonic()


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    waiting, done = event["parcels"], []
    while waiting and time.monotonic() - start < 0.7:
        sort_one(waiting[0])
        done.append(waiting.pop(0))
    return {"sorted": done, "left": waiting}
""",
            misconception="M1",
            message="The second call came to the same environment.",
        ),
        WrongAnswer(
            "forgets_the_rest",
            code="""\
import time


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    done = []
    for parcel in event["parcels"]:
        if context.get_remaining_time_in_millis() < 300:
            break
        sort_one(parcel)
        done.append(parcel)
    return {"sorted": done, "left": []}
""",
            misconception=None,
            message="A parcel that stands in no list is forgotten.",
        ),
        WrongAnswer(
            "begins_one_too_early",
            code="""\
import time


def sort_one(parcel):
    time.sleep(0.05)


def handler(event, context):
    parcels = event["parcels"]
    done = []
    for number, parcel in enumerate(parcels):
        if context.get_remaining_time_in_millis() < 300:
            return {"sorted": done, "left": parcels[number - 1 :]}
        sort_one(parcel)
        done.append(parcel)
    return {"sorted": done, "left": []}
""",
            misconception=None,
            message="It will be sorted twice",
        ),
    ],
    stub_message="Task timed out after 1.00 seconds",
    hints=[
        "Read the last paragraph above the exercise again. Who has to look at the clock?",
        "Before every parcel there is a decision: is there still time for one more, and for the answer?",
        "`context.get_remaining_time_in_millis()` in an `if` at the top of the loop, with a `break`. Leave yourself room: 300 "
        "milliseconds are enough here.",
        "`if context.get_remaining_time_in_millis() < ...: break`, and at the end `parcels[len(done):]` is what is ...",
    ],
    why_solution=(
        "The context counts down from the timeout that the function has, so the code is right for any timeout. The other "
        "solution asks once and works with the clock from there. Both return while there is time, and say where they stopped."
    ),
)


# 02.4 ----------------------------------------------------------------------------------------------------------------

_TABLES = itertools.count(1)
_AT_ONCE = 20


class _Counts:
    """A table for the counts, while a requirement is checked."""

    def __init__(self, submission: Submission) -> None:
        self._dynamodb = submission.aws("dynamodb")
        self.name = f"check-counts-{next(_TABLES)}"
        self._dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def __enter__(self) -> dict[str, Any]:
        return {"Environment": {"Variables": {"TABLE": self.name}}, "Timeout": 30, "MemorySize": 1769}

    def __exit__(self, *_: object) -> None:
        self._dynamodb.delete_table(TableName=self.name)


def _expect_number(answer: Any, number: int, when: str) -> None:
    got = answer.get("number") if isinstance(answer, dict) else answer
    is_text = isinstance(got, str)
    expect(
        got == number and not is_text,
        expected=f"`number` {number} for {when}",
        got=f"{got!r}, a text" if is_text else repr(got),
        why=(
            "Whoever adds one to it gets an error, or “11”."
            if is_text
            else "Parcel promises a gift to order number one thousand. There has to be one such order."
        ),
        next_step=(
            "DynamoDB sends numbers as text. Make a number of it with `int(...)`."
            if is_text
            else "Let the table count, as the cell above the exercise does, and return what it answers."
        ),
    )


def _orders_are_numbered(submission: Submission) -> None:
    with _Counts(submission) as settings:
        function = submission.deploy(**settings)
        for number in (1, 2, 3):
            _expect_number(function.invoke({"order_id": f"P-550{number}"}).payload, number, f"order number {number}")


def _environments_count_together(submission: Submission) -> None:
    with _Counts(submission) as settings:
        first, second = submission.deploy(**settings), submission.deploy(**settings)
        for number, function in enumerate((first, second, first, second), 1):
            answer = function.invoke({"order_id": f"P-560{number}"}).payload
            _expect_number(
                answer, number, f"the order that came as number {number}, in another environment than the last"
            )
        with ThreadPoolExecutor(2) as both:
            counted = list(both.map(lambda function: [_number(function) for _ in range(_AT_ONCE)], (first, second)))
        numbers = sorted(itertools.chain(*counted))
        twice = [number for number, next_one in itertools.pairwise(numbers) if number == next_one]
        expect(
            not twice,
            expected=f"{len(numbers)} different numbers for {len(numbers)} orders, two of them at a time",
            got=f"the number {twice[0] if twice else ''} twice",
            why="Two environments read the same count, each adds one, and both write down the same number.",
            next_step="Do not read, add and write back. Let the table add: `ADD`, as in the cell above the exercise.",
        )


def _number(function: DeployedFunction) -> int:
    return int(function.invoke({"order_id": "P-5700"}).payload["number"])


count_orders = Exercise(
    id="02.4",
    title="Count for all of Parcel",
    objective="concurrency",
    file="count_orders.py",
    handler="count_orders.handler",
    runtime="python3.14",
    task=(
        "Give every order its number, whatever environment it comes to. Count in a table like `parcel-counts`, under the name "
        "`orders`. Which table it is stands in the environment variable `TABLE`, so read it with `os.environ`."
    ),
    stub="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")
table = os.environ["TABLE"]
orders = 0


def handler(event, context):
    global orders
    orders += 1
    return {"number": orders}
""",
    solution="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")
table = os.environ["TABLE"]


def handler(event, context):
    answer = dynamodb.update_item(
        TableName=table,
        Key={"name": {"S": "orders"}},
        UpdateExpression="ADD how_many :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return {"number": int(answer["Attributes"]["how_many"]["N"])}
""",
    other_solution="""\
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    counted = table.update_item(
        Key={"name": "orders"},
        UpdateExpression="SET how_many = if_not_exists(how_many, :none) + :one",
        ExpressionAttributeValues={":none": 0, ":one": 1},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    return {"number": int(counted["how_many"])}
""",
    requirements=[
        Requirement("Orders are numbered one after the other", _orders_are_numbered),
        Requirement("All environments count together", _environments_count_together),
    ],
    wrong_answers=[
        WrongAnswer(
            "writes_its_own_count_down",
            code="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")
orders = 0


def handler(event, context):
    global orders
    orders += 1
    dynamodb.put_item(
        TableName=os.environ["TABLE"], Item={"name": {"S": "orders"}, "how_many": {"N": str(orders)}}
    )
    return {"number": orders}
""",
            misconception="M2",
            message="There has to be one such order.",
        ),
        WrongAnswer(
            "reads_adds_and_writes_back",
            code="""\
import os
import time

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    number = int(table.get_item(Key={"name": "orders"}).get("Item", {}).get("how_many", 0)) + 1
    time.sleep(0.01)
    table.put_item(Item={"name": "orders", "how_many": number})
    return {"number": number}
""",
            misconception="M2",
            message="Two environments read the same count",
        ),
        WrongAnswer(
            "returns_the_text",
            code="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    answer = dynamodb.update_item(
        TableName=os.environ["TABLE"],
        Key={"name": {"S": "orders"}},
        UpdateExpression="ADD how_many :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return {"number": answer["Attributes"]["how_many"]["N"]}
""",
            misconception=None,
            message="DynamoDB sends numbers as text.",
        ),
        WrongAnswer(
            "asks_for_the_old_value",
            code="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    answer = dynamodb.update_item(
        TableName=os.environ["TABLE"],
        Key={"name": {"S": "orders"}},
        UpdateExpression="ADD how_many :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_OLD",
    )
    return {"number": int(answer["Attributes"]["how_many"]["N"])}
""",
            misconception=None,
            message="KeyError",
        ),
    ],
    stub_message="in another environment than the last",
    hints=[
        "Run the cell with `update_item` once more, and look at what it prints. Who has counted there?",
        "The variable `orders` belongs to one environment. The table belongs to all of them.",
        "Replace `orders += 1` by a call of `dynamodb.update_item`, with the name `orders` in `Key`. Its answer has the new count.",
        'The call is the one of the cell, with `TableName=table` and `Key={"name": {"S": ...}}`. The number is '
        '`int(answer["Attributes"][...]["N"])`.',
    ],
    why_solution=(
        "The table adds, so two environments that count at the same moment get two numbers. Reading the count, adding one and "
        "writing it back would lose one of them now and then. The other solution uses boto3's resource, which turns types into "
        "Python's, and writes the sum as an expression."
    ),
)

EXERCISES = [load_once, picklist, stop_in_time, count_orders]
