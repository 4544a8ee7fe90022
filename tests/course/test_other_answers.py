"""Answers that are no function: scripts that call AWS, and documents such as policies and templates."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import boto3
import pytest

from coldstart.course import Exercise, Requirement, Submission, expect
from coldstart.course.check import CheckResult, check_source
from coldstart.course.lesson import read_exercises


def _has_a_queue(submission: Submission) -> None:
    ran = submission.run()
    urls = submission.aws("sqs").list_queues(QueueNamePrefix="orders-of-the-script").get("QueueUrls", [])
    expect(urls, expected="a queue named orders", got=f"none; it printed {ran.printed!r}", why="w", next_step="n")


def _allows_reading(submission: Submission) -> None:
    policy = submission.document()
    actions = policy["Statement"][0]["Action"]
    expect(actions == "dynamodb:GetItem", expected="dynamodb:GetItem", got=repr(actions), why="w", next_step="n")


@pytest.fixture
def script(small_course: Path) -> Exercise:
    greet = read_exercises(small_course / "01-greet" / "exercises.py")["01.1"]
    return dataclasses.replace(
        greet, file="queue.py", handler="", runtime="", requirements=[Requirement("A queue named orders", _has_a_queue)]
    )


@pytest.fixture
def document(script: Exercise) -> Exercise:
    return dataclasses.replace(script, file="policy.json", requirements=[Requirement("Reads", _allows_reading)])


def _got(result: CheckResult) -> str:
    assert result.feedback is not None
    return result.feedback.got


MAKES_IT = "import boto3\nboto3.client('sqs').create_queue(QueueName='orders-of-the-script')\nprint('made')\n"


@pytest.mark.usefixtures("local_aws")
def test_a_script_is_judged_by_what_it_leaves_in_aws(script: Exercise) -> None:
    assert check_source(script, MAKES_IT).passed
    assert _got(check_source(script, "print('hello')")) == "none; it printed 'hello\\n'"


@pytest.mark.usefixtures("local_aws")
def test_a_script_works_in_a_region_of_its_own_that_starts_empty(script: Exercise) -> None:
    check_source(script, MAKES_IT)
    assert not check_source(script, "pass").passed, "the queue of the check before is gone"
    assert "QueueUrls" not in boto3.client("sqs").list_queues(QueueNamePrefix="orders-of-the-script"), (
        "the learner's region is untouched"
    )


@pytest.mark.usefixtures("local_aws")
@pytest.mark.parametrize(
    ("source", "got"),
    [
        (
            "x = 1\nx.no_such()",
            "AttributeError: 'int' object has no attribute 'no_such'\nqueue.py, line 2: `x.no_such()`",
        ),
        ("import boto3\nboto3.client('sqs').get_queue_url(QueueName='nothing')", "QueueDoesNotExist"),
        ("def handler(:\n", "SyntaxError: invalid syntax\nqueue.py, line 1: `def handler(:`"),
        ("raise SystemExit(3)", "none; it printed ''"),
    ],
)
def test_a_script_that_fails_is_told_where(script: Exercise, source: str, got: str) -> None:
    result = check_source(script, source)
    assert got in _got(result)
    assert "Traceback" not in result.text()


@pytest.mark.usefixtures("local_aws")
def test_a_script_that_never_ends_is_ended(script: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coldstart.course.script.RUN_SECONDS", 0.2)
    assert "no end after 0.2 seconds" in _got(
        check_source(script, "while True:\n    try:\n        pass\n    except Exception:\n        pass")
    )


@pytest.mark.usefixtures("local_aws")
def test_a_document_is_read_as_data(document: Exercise) -> None:
    assert check_source(document, '{"Statement": [{"Action": "dynamodb:GetItem"}]}').passed
    assert _got(check_source(document, '{"Statement": [{"Action": "dynamodb:*"}]}')) == "'dynamodb:*'"
    assert "policy.json, line 2" in _got(check_source(document, '{"Statement":\n  [{"Action" "dynamodb:*"}]}'))


@pytest.mark.usefixtures("local_aws")
def test_a_document_of_another_shape_is_no_traceback(document: Exercise) -> None:
    result = check_source(document, "[]")
    assert not result.passed
    assert "Traceback" not in result.text()


@pytest.mark.usefixtures("local_aws")
def test_a_template_may_use_cloudformations_short_forms(document: Exercise) -> None:
    template = dataclasses.replace(
        document,
        file="template.yaml",
        requirements=[
            Requirement(
                "Refers",
                lambda submission: expect(
                    submission.document()
                    == {"A": {"Ref": "Orders"}, "B": {"Fn::GetAtt": ["Orders", "Arn"]}, "C": {"Fn::Join": ["", ["a"]]}},
                    expected="the long forms",
                    got=repr(submission.document()),
                    why="w",
                    next_step="n",
                ),
            )
        ],
    )
    assert check_source(template, "A: !Ref Orders\nB: !GetAtt Orders.Arn\nC: !Join ['', [a]]\n").passed
    assert "template.yaml, line 2" in _got(check_source(template, "A: 1\n B: 2\n"))
