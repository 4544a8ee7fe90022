"""A streamed response's head and body: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html."""

from __future__ import annotations

import json

import pytest

from coldstart.events.streamed_answer import PRELUDE_TYPE, StreamedAnswer

PRELUDE = json.dumps({"statusCode": 201, "headers": {"Content-Type": "text/html"}, "cookies": ["a=1"]}).encode()


def _streamed(content_type, *parts):
    seen = []
    answer = StreamedAnswer(lambda *head: seen.append(head), seen.append)
    answer.begin(content_type)
    for part in parts:
        answer.write(part)
    return answer, seen


@pytest.mark.parametrize("size", [1, 3, 9, 1000])
def test_the_prelude_becomes_status_and_headers_however_it_is_cut(size):
    data = PRELUDE + b"\0" * 8 + b"<p>hello</p>"
    _, (head, *body) = _streamed(PRELUDE_TYPE, *(data[at : at + size] for at in range(0, len(data), size)))
    assert head == (201, [("Content-Type", "text/html"), ("Set-Cookie", "a=1")])
    assert b"".join(body) == b"<p>hello</p>"


def test_without_a_prelude_it_is_a_200_of_the_functions_type():
    _, seen = _streamed("text/plain", b"one", b"two")
    assert seen == [(200, [("Content-Type", "text/plain")]), b"one", b"two"]


@pytest.mark.parametrize("prelude", [b"no JSON", b"[]", b'{"statusCode": "x"}', b'{"headers": {"a b": "c"}}'])
def test_a_prelude_that_is_none_sends_nothing(prelude):
    answer, seen = _streamed(PRELUDE_TYPE, prelude + b"\0" * 8 + b"body", b"more")
    assert answer.is_malformed
    assert not answer.is_started
    assert seen == []
