"""Identifiers look random, are the same in every run, and are what they say they are."""

from __future__ import annotations

import random
import uuid

import pytest

from coldstart.runtime.identifiers import Identifiers


@pytest.mark.parametrize("seed", range(20))
def test_request_ids_are_the_version_4_uuids_of_the_seed(seed: int) -> None:
    identifiers, drawn = Identifiers(seed), random.Random(seed)
    for _ in range(10):
        assert identifiers.uuid() == str(uuid.UUID(int=drawn.getrandbits(128), version=4))
