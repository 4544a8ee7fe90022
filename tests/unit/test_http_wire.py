"""HTTP requests come in pieces of any size."""

from __future__ import annotations

import pytest

from coldstart.runtime.http_wire import MalformedRequest, RequestParser, response_bytes

TWO_REQUESTS = (
    b"POST /orders?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    b"PUT /labels HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_requests_are_found_however_the_bytes_are_cut(size):
    parser = RequestParser()
    found = []
    for start in range(0, len(TWO_REQUESTS), size):
        parser.feed(TWO_REQUESTS[start : start + size])
        while request := parser.next_request():
            found.append((request.method, request.target, request.body))
    assert found == [("POST", "/orders?a=1", b"hello"), ("PUT", "/labels", b"abc0123456789")]


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"],
)
def test_what_is_not_http_is_refused(data):
    parser = RequestParser()
    parser.feed(data)
    with pytest.raises(MalformedRequest):
        parser.next_request()


def test_a_peer_that_waits_before_its_body_is_noticed_once():
    parser = RequestParser()
    parser.feed(b"PUT /b/k HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert parser.next_request() is None
    assert parser.take_expectation()
    assert not parser.take_expectation()
    parser.feed(b"ok")
    assert parser.next_request().body == b"ok"


def test_a_response_says_its_length():
    assert response_bytes(202, {"A": "b"}, b"ok") == b"HTTP/1.1 202 Accepted\r\nA: b\r\nContent-Length: 2\r\n\r\nok"


def test_headers_keep_their_spelling_and_repetition_for_those_who_ask():
    parser = RequestParser()
    parser.feed(b"GET / HTTP/1.1\r\nX-Till: 3\r\nHOST: x\r\nx-till:4\r\n\r\n")
    request = parser.next_request()
    assert request.headers == {"x-till": "3,4", "host": "x"}
    assert request.header_pairs == [("X-Till", "3"), ("HOST", "x"), ("x-till", "4")]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_chunked_body_can_be_taken_as_it_arrives(size):
    wire = (
        b"POST /response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
        b"0\r\nError-Type: Late\r\nError-Body: e30=\r\n\r\nGET /next HTTP/1.1\r\n\r\n"
    )
    parser = RequestParser()
    parts, found = [], []
    for start in range(0, len(wire), size):
        parser.feed(wire[start : start + size])
        while True:
            begun = parser.begun_request()
            if begun is not None and begun.target == "/response":
                parts.append(parser.take_body_part())
            request = parser.next_request()
            if request is None:
                break
            found.append((request.target, request.body, dict(request.trailers)))
    assert b"".join(parts) == b"abcde"
    assert size > 1 or [part for part in parts if part] == [b"abc", b"de"]
    assert found == [("/response", b"", {"error-type": "Late", "error-body": "e30="}), ("/next", b"", {})]
