"""A checkpoint makes what a lesson begins with, again and again, and says plainly when it cannot."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from coldstart import account, cloud
from coldstart.account.real_account import most_expensive
from coldstart.course import catalogue
from coldstart.course.checkpoint import checkpoint

CHECKPOINTS = [
    folder.name[:2]
    for folder in catalogue.lesson_folders(catalogue.lessons_folder())
    if (folder / "checkpoint.py").exists()
]


@pytest.mark.parametrize("number", CHECKPOINTS)
def test_every_checkpoint_can_be_made_and_made_again(local_aws: cloud.Cloud, number: str) -> None:
    first = checkpoint(number)
    assert "parcel-" in repr(first)
    boto3.client("sqs").create_queue(QueueName="left-over")
    assert repr(checkpoint(number)) == repr(first), "whatever was there before, a lesson begins with the same"
    local_aws.empty_region("us-east-1")


def test_every_lesson_after_the_first_has_one() -> None:
    lessons = [folder.name[:2] for folder in catalogue.lesson_folders(catalogue.lessons_folder())]
    assert [number for number in lessons if number > "01"] == CHECKPOINTS


def test_what_cannot_be_made_is_said(local_aws: cloud.Cloud, small_course: Path) -> None:
    assert "There is no lesson '77'. There are 01, 02." in repr(checkpoint("77"))
    assert "Lesson 01 begins with nothing" in repr(checkpoint("01"))


def test_a_cell_for_a_real_account_says_what_it_would_do_and_stays_off(capsys: pytest.CaptureFixture[str]) -> None:
    assert account.is_on(does="call one function ten times", requests=10, gb_seconds=1.25) is False
    said = capsys.readouterr().out
    assert "On a real account this cell would call one function ten times." in said
    assert "at most 0.0001 US dollars (10 requests and 1.25 GB-seconds" in said
    assert "Nothing was sent." in said
    assert float(most_expensive(1_000_000, 0)) == 0.2
    assert float(most_expensive(0, 60_000)) == pytest.approx(1.0001, abs=1e-4)
