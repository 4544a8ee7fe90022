"""The five proofs of every exercise of the course, as `coldstart prove` runs them."""

from __future__ import annotations

import pytest

from coldstart.course import catalogue, prove

pytestmark = [pytest.mark.usefixtures("local_aws"), pytest.mark.long]

EXERCISES = [exercise.id for exercise in catalogue.exercises_named([])]


@pytest.mark.parametrize("exercise_id", EXERCISES)
def test_it_is_proved(exercise_id: str) -> None:
    assert prove.prove(exercise_id) == [""] * len(prove.PROOFS)
