"""OpenTelemetry's spans as X-Ray's segments.

``otlp_datagrams.txt`` holds what opentelemetry-sdk 1.45.2 really sent through the exporter of AWS's distribution: a handler (SERVER) with
a span of its own, a call of DynamoDB, and a request to a carrier that failed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from coldstart.cloud.otlp_spans import SAMPLED, segments

RECORDED = Path(__file__).with_name("otlp_datagrams.txt").read_text(encoding="utf-8").split()


@pytest.fixture(scope="module")
def documents() -> dict[str, dict]:
    found = [document for text in RECORDED for document in segments(text.removeprefix(SAMPLED))]
    return {document["name"]: document for document in found}


def test_spans_become_subsegments_of_their_parents(documents) -> None:
    handler = documents["handler"]
    assert handler["trace_id"] == "1-6745af0d-00000000000000000000abcd"
    assert handler["parent_id"] == "53995c3f42cd8ad8"
    assert {documents[name]["parent_id"] for name in ("price", "DynamoDB", "carrier.example")} == {handler["id"]}
    assert all(document["type"] == "subsegment" for document in documents.values())
    assert handler["start_time"] <= documents["price"]["start_time"] <= handler["end_time"]


def test_attributes_are_metadata_or_annotations(documents) -> None:
    assert documents["price"]["annotations"] == {"country": "NO", "parcels": 3}
    assert documents["price"]["metadata"] == {"default": {"weight": 1.5, "express": True}}


def test_calls_of_aws_and_of_others(documents) -> None:
    call = documents["DynamoDB"]
    assert (call["namespace"], call["aws"]) == ("aws", {"operation": "GetItem", "table_name": "orders"})
    request = documents["carrier.example"]
    assert request["namespace"] == "remote"
    assert request["http"] == {
        "request": {"method": "GET", "url": "https://carrier.example/labels/7"},
        "response": {"status": 503},
    }
    assert request["fault"] is True
    assert request["cause"]["exceptions"][0]["message"] == "no answer"
    assert "fault" not in call


@pytest.mark.parametrize("text", ["", "no base64!", "////", RECORDED[0][3:83], "CgUKAwoBew=="])
def test_what_cannot_be_read_is_nothing(text: str) -> None:
    assert segments(text) == []
