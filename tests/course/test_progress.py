"""The learner's progress is one readable file; whatever happens to it, the learner goes on and is told in a sentence."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from coldstart import hint, predict, quiz
from coldstart.course import progress


def kept(learner: Path) -> dict[str, object]:
    return json.loads((learner / ".coldstart/progress.json").read_text())


def test_everything_a_learner_does_is_in_one_file(learner: Path) -> None:
    hint("01.1")
    predict("01.p1", "b")
    quiz("01.q1", "a")
    quiz("01.q1", "b")
    assert kept(learner) == {
        "version": 1,
        "exercises": {"01.1": {"tries": 0, "passed": None, "hints": 1}},
        "predictions": {"01.p1": "b"},
        "questions": {"01.q1": ["a", "b"]},
        "reviews": {"01.q1": {"rung": 0, "due": f"{progress.today() + datetime.timedelta(days=1)}"}},
    }


def test_a_passed_exercise_stays_passed(learner: Path) -> None:
    for passed in (False, True, False):
        with progress.recording() as record:
            record.checked("01.1", passed=passed)
    exercise = progress.read().exercises["01.1"]
    assert exercise.passed is not None
    assert exercise.tries == 2, "tries are counted until it is passed"


def test_another_place_can_be_named(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSTART_PROGRESS", str(learner / "elsewhere" / "mine.json"))
    predict("01.p1", "a")
    assert '"01.p1": "a"' in (learner / "elsewhere" / "mine.json").read_text()
    assert not (learner / ".coldstart").exists()


@pytest.mark.parametrize("damage", ['{"version": 1, "exer', '{"version": 7}', "[]", "\x00\x00"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(learner: Path, damage: str) -> None:
    file = learner / ".coldstart/progress.json"
    file.parent.mkdir()
    file.write_text(damage)
    text = " ".join(predict("01.p1", "a").text.split())
    aside = next(file.parent.glob("progress-unreadable-*.json"))
    assert aside.read_text() == damage
    assert f"Your progress file could not be read. It is kept as .coldstart/{aside.name}; a new one is begun." in text
    assert kept(learner)["predictions"] == {"01.p1": "a"}
    assert "could not be read" not in predict("01.p1", "b").text


def test_a_place_that_cannot_be_written_is_said_and_the_work_goes_on(learner: Path) -> None:
    (learner / ".coldstart").write_text("a file where the folder should be")
    text = quiz("01.q1", "b").text
    assert text.startswith("Right:")
    assert "Your progress could not be kept in .coldstart/progress.json" in " ".join(text.split())


def test_an_interrupted_write_leaves_the_old_file(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predict("01.p1", "a")

    def full(source: object, target: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "replace", full)
    assert "No space left on device" in " ".join(predict("01.p1", "b").text.split())
    assert kept(learner)["predictions"] == {"01.p1": "a"}
