"""Payload format 2.0, compared with the documented example and with answers that AWS was seen to give.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html and
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
import json

import pytest

from coldstart.events import payload_v2
from coldstart.events.http_answer import HttpAnswer, MalformedAnswer
from coldstart.events.http_request import ClientRequest, GatewayContext

CONTEXT = GatewayContext(
    account_id="123456789012",
    api_id="api-id",
    stage="$default",
    domain_name="id.execute-api.us-east-1.localhost",
    request_id="id",
    time=1583348638.39,
    stage_variables={"stageVariable1": "value1"},
)


def test_the_event_is_the_documented_example():
    request = ClientRequest(
        "POST",
        "/my/path",
        "parameter1=value1&parameter1=value2&parameter2=va%20lue",
        (
            ("Header1", "value1"),
            ("Header2", "value1"),
            ("header2", "value2"),
            ("Cookie", "cookie1; cookie2"),
            ("User-Agent", "agent"),
            ("Content-Type", "text/plain"),
        ),
        b"Hello from client!",
        "192.0.2.1",
    )
    event = payload_v2.event(
        request, CONTEXT, route_key="$default", raw_path="/my/path", path_parameters={"parameter1": "value1"}
    )
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=va%20lue",
        "cookies": ["cookie1", "cookie2"],
        "headers": {
            "header1": "value1",
            "header2": "value1,value2",
            "user-agent": "agent",
            "content-type": "text/plain",
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "va lue"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.localhost",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "body": "Hello from client!",
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": False,
        "stageVariables": {"stageVariable1": "value1"},
    }


def test_what_is_empty_is_left_out():
    context = GatewayContext("1", "a", "$default", "a.b", "id", 0)
    event = payload_v2.event(ClientRequest("GET", "/"), context, route_key="GET /", raw_path="/")
    assert not {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"} & event.keys()
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("content_type", "body", "is_binary"),
    [
        ("application/json", b"{}", False),
        ("application/json; charset=utf-8", "ü".encode(), False),
        ("application/problem+json", b"{}", False),
        ("text/csv", b"a,b", False),
        ("application/x-www-form-urlencoded", b"a=b", True),
        ("multipart/form-data; boundary=x", b"--x", True),
        ("image/png", b"\x89PNG", True),
        ("text/plain", b"\xff", True),
        (None, b"a", True),
        ("image/png", b"", False),
    ],
)
def test_only_text_comes_as_text(content_type, body, is_binary):
    headers = (("Content-Type", content_type),) if content_type else ()
    event = payload_v2.event(ClientRequest("POST", "/", "", headers, body), CONTEXT, route_key="$default", raw_path="/")
    assert event["isBase64Encoded"] is is_binary
    if body:
        assert event["body"] == (base64.b64encode(body).decode() if is_binary else body.decode())


JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ({"hello": "world"}, HttpAnswer(200, (JSON,), b'{"hello":"world"}')),
        (["hello", 3, True], HttpAnswer(200, (JSON,), b'["hello",3,true]')),
        ("hello", HttpAnswer(200, (JSON,), b"hello")),
        (3.1, HttpAnswer(200, (JSON,), b"3.1")),
        (None, HttpAnswer(200, (JSON,), b"null")),
        ({"statusCode": 200, "body": "body123"}, HttpAnswer(200, (JSON,), b"body123")),
        ({"statusCode": "418", "body": "i'm a teapot", "isBase64Encoded": False},
         HttpAnswer(418, (JSON,), b"i'm a teapot")),
        ({"statusCode": 201, "headers": {"My-Header": "v", "content-type": "text/html"}, "cookies": ["a=1", "b=2"]},
         HttpAnswer(201, (("My-Header", "v"), ("content-type", "text/html"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")))),
        ({"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}, HttpAnswer(200, (JSON,), b"\xff\x00")),
    ],
)  # fmt: skip
def test_an_answer_is_read_or_inferred(returned, expected):
    assert payload_v2.answer(json.dumps(returned).encode()) == expected


@pytest.mark.parametrize(
    "returned",
    [{"statusCode": "ok"}, {"statusCode": None}, {"statusCode": 1000}, {"statusCode": 200, "headers": "a"},
     {"statusCode": 200, "cookies": "a=1"}, {"statusCode": 200, "isBase64Encoded": True, "body": "a"}],
)  # fmt: skip
def test_an_answer_with_a_status_that_is_not_in_the_format_is_malformed(returned):
    with pytest.raises(MalformedAnswer):
        payload_v2.answer(json.dumps(returned).encode())
