"""The exercises of lesson 04.

Read S3's records, in events that S3 really made; let the right failures out; charge once; design a loop away.
"""

from __future__ import annotations

import io
import itertools
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from coldstart import cloud
from coldstart.course import DeployedFunction, Exercise, Requirement, Submission, WrongAnswer, expect

_NUMBERS = itertools.count(1)


class _Bucket:
    """A bucket of the check's own, whose notifications go into a queue: the events in it are S3's."""

    def __init__(self, submission: Submission) -> None:
        self._s3, self._sqs = submission.aws("s3"), submission.aws("sqs")
        number = next(_NUMBERS)
        self.name = f"check-labels-{number}"
        self._s3.create_bucket(Bucket=self.name)
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        names = ["QueueArn"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=names)["Attributes"]["QueueArn"]
        let_in = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [let_in]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        self._s3.put_bucket_notification_configuration(
            Bucket=self.name,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]
            },
        )
        self.records()  # the test event that S3 greets with

    def __enter__(self) -> _Bucket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for item in self._s3.list_objects_v2(Bucket=self.name).get("Contents", []):
            self._s3.delete_object(Bucket=self.name, Key=item["Key"])
        self._s3.delete_bucket(Bucket=self.name)
        self._sqs.delete_queue(QueueUrl=self._queue)

    def put(self, key: str, text: str) -> None:
        self._s3.put_object(Bucket=self.name, Key=key, Body=text.encode())

    def delete(self, key: str) -> None:
        self._s3.delete_object(Bucket=self.name, Key=key)

    def records(self) -> list[dict[str, Any]]:
        """The records of all events since the last call."""
        cloud.current().settle()
        found: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found += json.loads(message["Body"]).get("Records", [])
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found, key=lambda record: record["s3"]["object"].get("sequencer", ""))


# 04.1 ----------------------------------------------------------------------------------------------------------------


def _invoices_go_out(submission: Submission) -> None:
    reply = submission.deploy().invoke({"order_id": "P-5401", "email": "ada@example.com"})
    expect(
        "invoice for P-5401 sent" in reply.log,
        expected="in the log: invoice for P-5401 sent",
        got="a log without it",
        why="Most orders are fine, and have to stay so.",
        next_step="Call `send(event)` as before.",
    )


def _what_may_succeed_later_fails_now(submission: Submission) -> None:
    reply = submission.deploy().invoke({"order_id": "P-5402", "email": "grace@busy.example"}, may_fail=True)
    expect(
        reply.function_error is not None,
        expected="a failure, when the mail server is busy: Lambda then tries again in a minute",
        got=f"the handler returned {reply.payload!r}, a success for Lambda",
        why="The server said to come back later, and nobody came. The customer has no invoice.",
        next_step="Let `ServerBusy` out of the handler: do not catch it, or `raise` it again.",
    )


def _what_cannot_succeed_is_not_tried_again(submission: Submission) -> None:
    reply = submission.deploy().invoke({"order_id": "P-5403"}, may_fail=True)
    error = f"{reply.payload['errorType']}: {reply.payload['errorMessage']}" if reply.function_error else ""
    expect(
        not error,
        expected="no failure for an order without an address: it will have none in a minute either",
        got=error,
        why="It would be tried three times for nothing, and then lie among those that only need another try.",
        next_step='Look first whether there is an address, with `event.get("email")`, and return when there is none.',
    )
    expect(
        "P-5403" in reply.log.split("START", 1)[-1],
        expected="a line in the log that names order P-5403",
        got="nothing in the log but START, END and REPORT",
        why="Somebody has to ask the customer for an address. Without a line nobody knows.",
        next_step="Before you return, write a warning with the order's number.",
    )


invoice = Exercise(
    id="04.1",
    title="Find the fault in Thursday's log",
    objective="nobody-waits",
    file="invoice_mended.py",
    handler="invoice_mended.handler",
    runtime="python3.14",
    task=(
        "Mend the handler, so that Lambda tries again where that helps, and only there. `send` and `ServerBusy` stay as they are. "
        "An order without an address is noted in the log, with its number."
    ),
    stub="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


class ServerBusy(Exception):
    pass


def send(order):
    if order["email"].endswith("@busy.example"):
        raise ServerBusy("try again later")
    logger.info("invoice for %s sent", order["order_id"])


def handler(event, context):
    try:
        send(event)
    except Exception as error:
        logger.warning("no invoice for %s: %s", event["order_id"], error)
""",
    solution="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


class ServerBusy(Exception):
    pass


def send(order):
    if order["email"].endswith("@busy.example"):
        raise ServerBusy("try again later")
    logger.info("invoice for %s sent", order["order_id"])


def handler(event, context):
    if not event.get("email"):
        logger.warning(
            "no invoice for %s: it has no address", event["order_id"]
        )
        return
    send(event)
""",
    other_solution="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


class ServerBusy(Exception):
    pass


def send(order):
    if order["email"].endswith("@busy.example"):
        raise ServerBusy("try again later")
    logger.info("invoice for %s sent", order["order_id"])


def handler(event, context):
    try:
        send(event)
    except ServerBusy:
        logger.info("invoice for %s: later", event["order_id"])
        raise
    except KeyError as missing:
        logger.error("order %s has no %s", event["order_id"], missing)
""",
    requirements=[
        Requirement("Invoices go out as before", _invoices_go_out),
        Requirement("What may succeed later is tried again", _what_may_succeed_later_fails_now),
        Requirement("What cannot succeed is noted, and not tried again", _what_cannot_succeed_is_not_tried_again),
    ],
    wrong_answers=[
        WrongAnswer(
            "returns_a_status",
            code="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


class ServerBusy(Exception):
    pass


def send(order):
    if order["email"].endswith("@busy.example"):
        raise ServerBusy("try again later")
    logger.info("invoice for %s sent", order["order_id"])


def handler(event, context):
    try:
        send(event)
    except ServerBusy:
        return {"statusCode": 503}
    except KeyError:
        logger.warning("no address: %s", event["order_id"])
""",
            misconception="M22",
            message="the handler returned {'statusCode': 503}",
        ),
        WrongAnswer(
            "lets_everything_out",
            code="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


class ServerBusy(Exception):
    pass


def send(order):
    if order["email"].endswith("@busy.example"):
        raise ServerBusy("try again later")
    logger.info("invoice for %s sent", order["order_id"])


def handler(event, context):
    send(event)
""",
            misconception="M61",
            message="KeyError: 'email'",
        ),
        WrongAnswer(
            "drops_it_in_silence",
            code="""\
import logging

logger = logging.getLogger()
logger.setLevel("INFO")


class ServerBusy(Exception):
    pass


def send(order):
    if order["email"].endswith("@busy.example"):
        raise ServerBusy("try again later")
    logger.info("invoice for %s sent", order["order_id"])


def handler(event, context):
    if "email" in event:
        send(event)
""",
            misconception=None,
            message="nothing in the log but START, END and REPORT",
        ),
    ],
    stub_message="the handler returned None, a success for Lambda",
    hints=[
        "Read the two warnings in Thursday's log again. What would be different a minute later, for each of them?",
        "A failure is Lambda's word for “try again”. A return is its word for “done”. Choose one for each case.",
        "The `except Exception` treats both alike. The busy server has to get out of the handler; the missing address has not.",
        'Before `send(event)`: `if not event.get("email"): logger.warning(..., event["order_id"])` and `return`. And no `try` ...',
    ],
    why_solution=(
        "An order without an address can be recognised before anything is tried. Whatever `send` raises then is worth another "
        "attempt, and gets out. The other solution sorts the exceptions after the fact, and raises the busy server again."
    ),
)


# 04.2 ----------------------------------------------------------------------------------------------------------------

_SETTINGS = {"Timeout": 20, "MemorySize": 1769}


def _answer(submission: Submission, records: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """What the handler returned, and how to show it; an empty dict when it failed."""
    reply = submission.deploy(**_SETTINGS).invoke({"Records": records}, may_fail=True)
    if reply.function_error:
        return {}, f"{reply.payload['errorType']}: {reply.payload['errorMessage']}"
    return (reply.payload, repr(reply.payload)) if isinstance(reply.payload, dict) else ({}, repr(reply.payload))


def _keys_are_decoded(submission: Submission) -> None:
    with _Bucket(submission) as bucket:
        bucket.put("2026/Grace Hopper & Söhne.txt", "Grace Hopper, New York")
        answer, got = _answer(submission, bucket.records())
    expect(
        answer.get("labels") == {"2026/Grace Hopper & Söhne.txt": "Grace Hopper, New York"},
        expected="the label under the key `2026/Grace Hopper & Söhne.txt`, with its text",
        got=got,
        why="S3 knows the object under its real key alone. Under the encoded one there is nothing.",
        next_step="`unquote_plus` from `urllib.parse` gives the key back: plus signs become spaces, and `%C3%B6` an ö.",
    )


def _all_records_are_read(submission: Submission) -> None:
    with _Bucket(submission) as bucket:
        texts = {f"label {number}.txt": f"parcel {number}" for number in (1, 2, 3)}
        for key, text in texts.items():
            bucket.put(key, text)
        answer, got = _answer(submission, bucket.records())
    expect(
        answer.get("labels") == texts,
        expected="three labels, from an event with three records",
        got=got,
        why="On a busy day events may be put together. What is not read is not printed.",
        next_step='Go through all of them: `for record in event["Records"]:`.',
    )


def _a_missing_label_hides_no_other(submission: Submission) -> None:
    with _Bucket(submission) as bucket:
        for key in ("one.txt", "two.txt", "three.txt"):
            bucket.put(key, f"label {key}")
        records = bucket.records()
        bucket.delete("two.txt")
        answer, got = _answer(submission, records)
    expect(
        answer.get("missing") == ["two.txt"] and set(answer.get("labels", {})) == {"one.txt", "three.txt"},
        expected="`one.txt` and `three.txt` in `labels`, and `two.txt`, which is gone by now, in `missing`",
        got=got if answer else f"the whole event failed with {got}",
        why="When the whole event fails, the good labels wait for the bad one, three times, and are lost with it.",
        next_step="Put the `try` inside the loop, around one record, and catch `s3.exceptions.NoSuchKey`.",
    )
    elsewhere, _ = _answer(submission, [_of_another_bucket(record) for record in records])
    expect(
        not elsewhere,
        expected="a failed event, when there is not even the bucket: nobody knows whether the labels are there",
        got=f"an answer, {elsewhere!r}, as if they were gone",
        why="Whatever else goes wrong, such as a denied access, may be mended. Only a failure is tried again.",
        next_step="Catch one exception only, `s3.exceptions.NoSuchKey`, and let every other out.",
    )


def _of_another_bucket(record: dict[str, Any]) -> dict[str, Any]:
    s3 = record["s3"]
    return {**record, "s3": {**s3, "bucket": {**s3["bucket"], "name": f"{s3['bucket']['name']}-that-is-not-there"}}}


def _removed_labels_are_named(submission: Submission) -> None:
    with _Bucket(submission) as bucket:
        bucket.put("old label.txt", "old")
        bucket.records()
        bucket.delete("old label.txt")
        bucket.put("new.txt", "new")
        answer, got = _answer(submission, bucket.records())
    expect(
        answer.get("gone") == ["old label.txt"] and answer.get("labels") == {"new.txt": "new"},
        expected="`old label.txt` in `gone`, and `new.txt` in `labels`",
        got=got,
        why="A label that was removed must not be printed again. Its record looks like the others but for its name.",
        next_step="`eventName` begins with `ObjectCreated:` or with `ObjectRemoved:`, without any `s3:`. Ask with `startswith`.",
    )


labels_index = Exercise(
    id="04.2",
    title="Read what S3 says",
    objective="read-s3",
    file="labels_index.py",
    handler="labels_index.handler",
    runtime="python3.14",
    task=(
        'Return `{"labels": {key: text}, "missing": [key], "gone": [key]}`: the texts of the labels that were stored, the keys of '
        "those that are no longer there when you look, and the keys of those that were removed. Any other error fails the event. "
        "The events in the check were made by S3."
    ),
    stub="""\
import boto3

s3 = boto3.client("s3")


def handler(event, context):
    labels, missing, gone = {}, [], []
    record = event["Records"][0]
    bucket, key = (
        record["s3"]["bucket"]["name"],
        record["s3"]["object"]["key"],
    )
    labels[key] = (
        s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    )
    return {"labels": labels, "missing": missing, "gone": gone}
""",
    solution="""\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    labels, missing, gone = {}, [], []
    for record in event["Records"]:
        bucket, key = (
            record["s3"]["bucket"]["name"],
            unquote_plus(record["s3"]["object"]["key"]),
        )
        if record["eventName"].startswith("ObjectRemoved:"):
            gone.append(key)
            continue
        try:
            labels[key] = (
                s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            )
        except s3.exceptions.NoSuchKey:
            missing.append(key)
    return {"labels": labels, "missing": missing, "gone": gone}
""",
    other_solution="""\
import urllib.parse

import boto3
from botocore.exceptions import ClientError

s3 = boto3.resource("s3")


def place(record):
    found = record["s3"]
    return s3.Object(
        found["bucket"]["name"],
        urllib.parse.unquote_plus(found["object"]["key"]),
    )


def handler(event, context):
    answer = {"labels": {}, "missing": [], "gone": []}
    for record in event["Records"]:
        label = place(record)
        if "Removed" in record["eventName"]:
            answer["gone"].append(label.key)
        else:
            try:
                answer["labels"][label.key] = (
                    label.get()["Body"].read().decode("utf-8")
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
                answer["missing"].append(label.key)
    return answer
""",
    requirements=[
        Requirement("Keys are the ones that S3 knows", _keys_are_decoded),
        Requirement("All records of an event are read", _all_records_are_read),
        Requirement("A label that is no longer there hides no other", _a_missing_label_hides_no_other),
        Requirement("Labels that were removed are named", _removed_labels_are_named),
    ],
    wrong_answers=[
        WrongAnswer(
            "leaves_the_plus_signs",
            code="""\
from urllib.parse import unquote

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    labels = {}
    for record in event["Records"]:
        key = unquote(record["s3"]["object"]["key"])
        labels[key] = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)["Body"].read().decode()
    return {"labels": labels, "missing": [], "gone": []}
""",
            misconception="M62",
            message="plus signs become spaces",
        ),
        WrongAnswer(
            "reads_the_first_record_only",
            code="""\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    found = event["Records"][0]["s3"]
    key = unquote_plus(found["object"]["key"])
    text = s3.get_object(Bucket=found["bucket"]["name"], Key=key)["Body"].read().decode()
    return {"labels": {key: text}, "missing": [], "gone": []}
""",
            misconception=None,
            message="three labels, from an event with three records",
        ),
        WrongAnswer(
            "fails_with_the_first_bad_record",
            code="""\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    labels = {}
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        labels[key] = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)["Body"].read().decode()
    return {"labels": labels, "missing": [], "gone": []}
""",
            misconception=None,
            message="the whole event failed with NoSuchKey",
        ),
        WrongAnswer(
            "stops_at_the_bad_record",
            code="""\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    labels, missing = {}, []
    try:
        for record in event["Records"]:
            key = unquote_plus(record["s3"]["object"]["key"])
            labels[key] = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)["Body"].read().decode()
    except s3.exceptions.NoSuchKey:
        missing.append(key)
    return {"labels": labels, "missing": missing, "gone": []}
""",
            misconception="M22",
            message="'missing': ['two.txt'], 'gone': []",
        ),
        WrongAnswer(
            "takes_every_error_for_a_missing_label",
            code="""\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    labels, missing, gone = {}, [], []
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        if record["eventName"].startswith("ObjectRemoved:"):
            gone.append(key)
            continue
        try:
            labels[key] = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except Exception:
            missing.append(key)
    return {"labels": labels, "missing": missing, "gone": gone}
""",
            misconception="M22",
            message="when there is not even the bucket",
        ),
        WrongAnswer(
            "asks_for_the_name_of_the_configuration",
            code="""\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    labels, missing, gone = {}, [], []
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        if record["eventName"].startswith("s3:ObjectRemoved:"):
            gone.append(key)
            continue
        try:
            labels[key] = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)["Body"].read().decode()
        except s3.exceptions.NoSuchKey:
            missing.append(key)
    return {"labels": labels, "missing": missing, "gone": gone}
""",
            misconception="M62",
            message="without any `s3:`",
        ),
    ],
    stub_message="the label under the key `2026/Grace Hopper & Söhne.txt`",
    hints=[
        "Read the list of three faults above the exercise again, and find each of them in the code.",
        "A loop over the records; in it, first decode the key, then look at what kind of event it is, then fetch the text.",
        "`unquote_plus` decodes. What may fail for one record is `s3.get_object`, so the `try` belongs into the loop, around that line.",
        '`for record in event["Records"]:`, then `key = unquote_plus(...)`, `if record["eventName"].startswith("ObjectRemoved:"): ...`, '
        "and `try:` with `except s3.exceptions.NoSuchKey: missing....`",
    ],
    why_solution=(
        "Every record is worked on by itself, so one that cannot be used costs only itself. Only the error that was foreseen is "
        "caught: a denied access, say, still fails the event, and Lambda tries again. The other solution uses boto3's resource, "
        "where that error is a `ClientError` with a code."
    ),
)


# 04.3 ----------------------------------------------------------------------------------------------------------------

_COPY = """\
from urllib.parse import unquote_plus

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        picture = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key=f"small/{key}", Body=picture[:3])
"""


class _Pictures:
    """A bucket with the learner's notification, and the function that makes copies."""

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self._s3 = submission.aws("s3")
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr(zipfile.ZipInfo("small_copy.py", (1980, 1, 1, 0, 0, 0)), _COPY)
        self._function = submission.deploy(
            Handler="small_copy.handler", Runtime="python3.14", Code={"ZipFile": package.getvalue()}, **_SETTINGS
        ).name
        self.bucket = f"check-pictures-{next(_NUMBERS)}"
        self._s3.create_bucket(Bucket=self.bucket)
        self._notify()

    def __enter__(self) -> _Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        for key in self.stored():
            self._s3.delete_object(Bucket=self.bucket, Key=key)
        self._s3.delete_bucket(Bucket=self.bucket)

    def _notify(self) -> None:
        functions = self._submission.aws("lambda")
        arn = functions.get_function(FunctionName=self._function)["Configuration"]["FunctionArn"]
        functions.add_permission(
            FunctionName=self._function,
            StatementId="bucket",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{self.bucket}",
        )
        wanted = json.loads(json.dumps(self._submission.document()).replace("parcel-small-copy", arn))
        try:
            self._s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration=wanted)
        except Exception as error:  # boto3 says what is wrong with the document, in exceptions of several kinds
            self._s3.delete_bucket(Bucket=self.bucket)
            expect(
                False,
                expected="a notification configuration that S3 takes",
                got=str(error).strip(),
                why="What S3 refuses is not set, and no picture calls the function.",
                next_step="Compare the names with the filter above the exercise: `Filter`, `Key`, `FilterRules`, `Name`, `Value`.",
            )

    def put(self, key: str) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=b"PNG...")
        cloud.current().settle()

    def stored(self) -> list[str]:
        return [item["Key"] for item in self._s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def runs(self) -> int:
        logs = self._submission.aws("logs")
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{self._function}", filterPattern="START")
        except ClientError:
            return 0
        return len(re.findall("START RequestId", "".join(event["message"] for event in found["events"])))


def _a_picture_is_copied(submission: Submission) -> None:
    with _Pictures(submission) as pictures:
        pictures.put("pictures/P-1042.png")
        expect(
            "small/pictures/P-1042.png" in pictures.stored(),
            expected="a copy of `pictures/P-1042.png` at `small/pictures/P-1042.png`",
            got=f"in the bucket: {', '.join(pictures.stored())}",
            why="Without the call there is no copy.",
            next_step="The prefix has to be the one under which the pictures arrive.",
        )


def _a_copy_calls_nobody(submission: Submission) -> None:
    with _Pictures(submission) as pictures:
        pictures.put("pictures/P-1042.png")
        runs = pictures.runs()
        expect(
            runs == 1,
            expected="one run for one picture",
            got=f"{runs} runs",
            why="Each run costs money, and makes a copy of the copy.",
            next_step="A copy is an object like the others, with the same ending. What sets it apart is where it lies: "
            "let the notification name the prefix `pictures/`.",
        )


def _other_things_call_nobody(submission: Submission) -> None:
    with _Pictures(submission) as pictures:
        pictures.put("invoices/P-1042.pdf")
        expect(
            pictures.runs() == 0,
            expected="no run for `invoices/P-1042.pdf`",
            got="the function was called",
            why="An invoice is no picture, and its copy would be three useless bytes.",
            next_step="Name what shall call the function, and nothing else will.",
        )


notification = Exercise(
    id="04.3",
    title="Design the loop away",
    objective="loops",
    file="notification.json",
    task=(
        "Pictures arrive under `pictures/`, and `small_copy.py` stores its copies under `small/`. Change the bucket's notification "
        "configuration, so that only new pictures call the function. (The check puts the function's ARN in place of its name.)"
    ),
    stub="""\
{
  "LambdaFunctionConfigurations": [
    {
      "LambdaFunctionArn": "parcel-small-copy",
      "Events": ["s3:ObjectCreated:*"]
    }
  ]
}
""",
    solution="""\
{
  "LambdaFunctionConfigurations": [
    {
      "LambdaFunctionArn": "parcel-small-copy",
      "Events": ["s3:ObjectCreated:*"],
      "Filter": {
        "Key": {"FilterRules": [{"Name": "prefix", "Value": "pictures/"}]}
      }
    }
  ]
}
""",
    other_solution="""\
{
  "LambdaFunctionConfigurations": [
    {
      "LambdaFunctionArn": "parcel-small-copy",
      "Events": [
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:CompleteMultipartUpload"
      ],
      "Filter": {"Key": {"FilterRules": [
        {"Name": "prefix", "Value": "pictures/"},
        {"Name": "suffix", "Value": ".png"}
      ]}}
    }
  ]
}
""",
    requirements=[
        Requirement("A new picture is copied", _a_picture_is_copied),
        Requirement("A copy calls nobody", _a_copy_calls_nobody),
        Requirement("Other things in the bucket call nobody", _other_things_call_nobody),
    ],
    wrong_answers=[
        WrongAnswer(
            "goes_by_the_ending",
            code="""\
{
  "LambdaFunctionConfigurations": [
    {
      "LambdaFunctionArn": "parcel-small-copy",
      "Events": ["s3:ObjectCreated:*"],
      "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".png"}]}}
    }
  ]
}
""",
            misconception="M12",
            message="with the same ending",
        ),
        WrongAnswer(
            "names_where_the_copies_lie",
            code="""\
{
  "LambdaFunctionConfigurations": [
    {
      "LambdaFunctionArn": "parcel-small-copy",
      "Events": ["s3:ObjectCreated:*"],
      "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "small/"}]}}
    }
  ]
}
""",
            misconception="M12",
            message="in the bucket: pictures/P-1042.png",
        ),
        WrongAnswer(
            "puts_the_prefix_in_the_wrong_place",
            code="""\
{
  "LambdaFunctionConfigurations": [
    {
      "LambdaFunctionArn": "parcel-small-copy",
      "Events": ["s3:ObjectCreated:*"],
      "Prefix": "pictures/"
    }
  ]
}
""",
            misconception=None,
            message='Unknown parameter in NotificationConfiguration.LambdaFunctionConfigurations[0]: "Prefix"',
        ),
    ],
    stub_message="one run for one picture",
    hints=[
        "Where do the pictures lie, and where do the copies lie? Read the task again.",
        "Prefix and suffix are what a notification can tell objects apart by. Which of the two differs here?",
        "`Filter` stands beside `Events`, in the same braces. Do not forget the comma.",
        '`"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "..."}]}}`',
    ],
    why_solution=(
        "S3 decides who is called before anything costs money, and the copies lie outside. The other solution also looks at the "
        "ending and at how an object came. Another bucket for the copies would be better still: no filter to forget."
    ),
)


# 04.4 ----------------------------------------------------------------------------------------------------------------

_AT_ONCE = [f"P-56{number:02}" for number in range(20)]


class _Charges:
    """A table for the charges, while a requirement is checked."""

    def __init__(self, submission: Submission) -> None:
        self._dynamodb = submission.aws("dynamodb")
        self.name = f"check-charges-{next(_NUMBERS)}"
        self.settings = {**_SETTINGS, "Environment": {"Variables": {"TABLE": self.name}}}
        self._dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "charge", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "charge", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def __enter__(self) -> _Charges:
        return self

    def __exit__(self, *_: object) -> None:
        self._dynamodb.delete_table(TableName=self.name)


def _expect_charged(answer: Any, charged: bool, what: str, next_step: str) -> None:
    expect(
        isinstance(answer, dict) and answer.get("charged") is charged,
        expected=f"`{{'charged': {charged}}}` for {what}",
        got=repr(answer),
        why="A customer who pays twice does not come back. A customer who never pays does."
        if not charged
        else "An order that is not charged is a gift.",
        next_step=next_step,
    )


def _each_order_is_charged_once(submission: Submission) -> None:
    next_step = (
        "What comes again has another request id, and may come to another environment. Write the order's number down in the "
        "table, with the condition of the cell above."
    )
    with _Charges(submission) as charges:
        here, elsewhere = submission.deploy(**charges.settings), submission.deploy(**charges.settings)
        first = {"order_id": "P-5501", "euros": 30}
        _expect_charged(here.invoke(first).payload, True, "order P-5501, which comes for the first time", next_step)
        _expect_charged(here.invoke(first).payload, False, "order P-5501, which comes a second time", next_step)
        _expect_charged(
            elsewhere.invoke(first).payload, False, "order P-5501, which comes again, to another environment", next_step
        )
        _expect_charged(
            elsewhere.invoke({"order_id": "P-5502", "euros": 30}).payload, True, "order P-5502, which is new", next_step
        )
        with ThreadPoolExecutor(2) as both:
            answers = both.map(lambda function: [_charges(function, order) for order in _AT_ONCE], (here, elsewhere))
            twice = [order for order, *charged in zip(_AT_ONCE, *answers, strict=True) if all(charged)]
        expect(
            not twice,
            expected="one charge for each order that two environments get at the same moment",
            got=f"order {twice[0] if twice else ''} charged by both",
            why="Both asked whether it was there, before either had written it down.",
            next_step="Do not ask first and write then. Write with the condition of the cell above: the table decides in one step.",
        )


def _charges(function: DeployedFunction, order_id: str) -> bool:
    return bool(function.invoke({"order_id": order_id, "euros": 30}).payload["charged"])


def _other_failures_get_out(submission: Submission) -> None:
    with _Charges(submission) as charges:
        settings = {**charges.settings, "Environment": {"Variables": {"TABLE": "a-table-that-is-not-there"}}}
        reply = submission.deploy(**settings).invoke({"order_id": "P-5503", "euros": 30}, may_fail=True)
    expect(
        reply.function_error is not None,
        expected="a failure, when the table cannot be reached: Lambda then tries again",
        got=f"{reply.payload!r}: the order counts as charged before",
        why="Nobody has charged it, and nobody ever will.",
        next_step="Catch one exception only: `dynamodb.exceptions.ConditionalCheckFailedException`.",
    )


charge_once = Exercise(
    id="04.4",
    title="Charge once",
    objective="once-is-not-promised",
    file="charge_once.py",
    handler="charge_once.handler",
    runtime="python3.14",
    task=(
        "Make the charging harmless when an order comes again. The table, whose key is called `charge`, stands in the environment "
        'variable `TABLE`. Return `{"charged": True}` for an order that comes for the first time, and `{"charged": False}` after that.'
    ),
    stub="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")
table = os.environ["TABLE"]


def handler(event, context):
    dynamodb.put_item(
        TableName=table, Item={"charge": {"S": context.aws_request_id}}
    )
    return {"charged": True}
""",
    solution="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")
table = os.environ["TABLE"]


def handler(event, context):
    try:
        dynamodb.put_item(
            TableName=table,
            Item={"charge": {"S": event["order_id"]}},
            ConditionExpression="attribute_not_exists(charge)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return {"charged": False}
    return {"charged": True}
""",
    other_solution="""\
import os

import boto3
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def is_new(order_id):
    try:
        table.update_item(
            Key={"charge": order_id},
            UpdateExpression="SET euros = :some",
            ConditionExpression="attribute_not_exists(euros)",
            ExpressionAttributeValues={":some": 1},
        )
    except ClientError as error:
        if (
            error.response["Error"]["Code"]
            == "ConditionalCheckFailedException"
        ):
            return False
        raise
    return True


def handler(event, context):
    return {"charged": is_new(event["order_id"])}
""",
    requirements=[
        Requirement("Each order is charged once, however often and wherever it comes", _each_order_is_charged_once),
        Requirement("When the table cannot be reached, the function fails", _other_failures_get_out),
    ],
    wrong_answers=[
        WrongAnswer(
            "remembers_in_a_variable",
            code="""\
charged = set()


def handler(event, context):
    if event["order_id"] in charged:
        return {"charged": False}
    charged.add(event["order_id"])
    return {"charged": True}
""",
            misconception="M2",
            message="which comes again, to another environment",
        ),
        WrongAnswer(
            "goes_by_the_request_id",
            code="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE"],
            Item={"charge": {"S": context.aws_request_id}},
            ConditionExpression="attribute_not_exists(charge)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return {"charged": False}
    return {"charged": True}
""",
            misconception="M63",
            message="which comes a second time",
        ),
        WrongAnswer(
            "asks_first_and_writes_then",
            code="""\
import os
import time

import boto3

dynamodb = boto3.client("dynamodb")
table = os.environ["TABLE"]


def handler(event, context):
    key = {"charge": {"S": event["order_id"]}}
    if "Item" in dynamodb.get_item(TableName=table, Key=key):
        return {"charged": False}
    time.sleep(0.01)
    dynamodb.put_item(TableName=table, Item=key)
    return {"charged": True}
""",
            misconception="M2",
            message="Both asked whether it was there",
        ),
        WrongAnswer(
            "takes_every_error_for_a_repetition",
            code="""\
import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE"],
            Item={"charge": {"S": event["order_id"]}},
            ConditionExpression="attribute_not_exists(charge)",
        )
    except Exception:
        return {"charged": False}
    return {"charged": True}
""",
            misconception="M22",
            message="the order counts as charged before",
        ),
    ],
    stub_message="which comes a second time",
    hints=[
        "Read `first_time` above the exercise again. What does it write down, and under which condition?",
        "What names the work is the order, not the call. The table is the one place that all environments share.",
        "`put_item` with a `ConditionExpression`, and the order's number as `charge`. The exception tells you that it was there.",
        '`try: dynamodb.put_item(TableName=table, Item={"charge": {"S": event[...]}}, ConditionExpression=...)`, and for the one '
        "exception `return {...}`.",
    ],
    why_solution=(
        "The table decides, in one step, so two environments at the same moment cannot both be first. Asking first whether the "
        "order is there, and then writing it, leaves a gap between the two. The other solution does the same with an update."
    ),
)

EXERCISES = [invoice, labels_index, notification, charge_once]
