"""Which keys S3 encodes how, and which configurations overlap."""

from __future__ import annotations

from urllib.parse import unquote_plus

import pytest

from coldstart.events.s3_event import Rule, encoded_key


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        ("a/b c+d", "a/b+c%2Bd"),
        ("red flower.jpg", "red+flower.jpg"),
        ("tür/(1)&2=ß", "t%C3%BCr/%281%29%262%3D%C3%9F"),
        ("100%/a_b-c.d", "100%25/a_b-c.d"),
    ],
)
def test_keys_are_encoded_with_their_slashes_kept(key, encoded):
    assert encoded_key(key) == encoded
    assert unquote_plus(encoded) == key


def test_rules_overlap_when_an_object_could_fit_both():
    everything = Rule(["s3:ObjectCreated:*"])
    assert everything.overlaps(Rule(["s3:ObjectCreated:Put"], "in/", ".jpg"))
    assert not everything.overlaps(Rule(["s3:ObjectRemoved:*"]))
    assert not Rule(["s3:ObjectCreated:*"], "in/").overlaps(Rule(["s3:ObjectCreated:*"], "out/"))
    assert not Rule(["s3:ObjectCreated:*"], "", ".jpg").overlaps(Rule(["s3:ObjectCreated:*"], "", ".png"))
    assert Rule(["s3:ObjectCreated:*"], "", "g").overlaps(Rule(["s3:ObjectCreated:*"], "in/", ".jpg"))
