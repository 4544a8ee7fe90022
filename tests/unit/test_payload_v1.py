"""Payload format 1.0, compared with the documented examples and with what AWS was seen to send.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json

import pytest

from coldstart.events import payload_v1
from coldstart.events.http_answer import HttpAnswer, MalformedAnswer
from coldstart.events.http_request import ClientRequest, GatewayContext

CONTEXT = GatewayContext(
    account_id="123456789012",
    api_id="abc123",
    stage="prod",
    domain_name="abc123.execute-api.us-east-1.localhost",
    request_id="fbcaf9e5-d535-40a1-891c-7b70118cf7e8",
    time=1583348638.39,
)


def _event(request, **changes):
    arguments = {
        "resource": "/orders/{id}",
        "resource_id": "r1",
        "path": "/orders/test%2Balias@x",
        "path_parameters": {"id": "test%2Balias@x"},
        "is_binary": False,
        "extra_context": {"deploymentId": "d1", "extendedRequestId": "+8r55dU1QKGJHHs="},
        **changes,
    }
    return payload_v1.event(request, CONTEXT, **arguments)


def test_the_event_has_every_member_of_the_documented_example():
    request = ClientRequest(
        "GET",
        "/prod/orders/test%2Balias@x",
        "price=10&price=20&plus=a+b&empty=",
        (
            ("Host", "h"),
            ("tEsT-Header", "1"),
            ("X-Many", "a"),
            ("X-Many", "b"),
            ("Connection", "close"),
            ("User-Agent", "curl"),
        ),
    )
    assert _event(request) == {
        "resource": "/orders/{id}",
        "path": "/orders/test%2Balias@x",
        "httpMethod": "GET",
        "headers": {"Host": "h", "tEsT-Header": "1", "X-Many": "b", "User-Agent": "curl"},
        "multiValueHeaders": {"Host": ["h"], "tEsT-Header": ["1"], "X-Many": ["a", "b"], "User-Agent": ["curl"]},
        "queryStringParameters": {"price": "20", "plus": "a b", "empty": ""},
        "multiValueQueryStringParameters": {"price": ["10", "20"], "plus": ["a b"], "empty": [""]},
        "pathParameters": {"id": "test%2Balias@x"},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "deploymentId": "d1",
            "domainName": "abc123.execute-api.us-east-1.localhost",
            "domainPrefix": "abc123",
            "extendedRequestId": "+8r55dU1QKGJHHs=",
            "httpMethod": "GET",
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": "127.0.0.1",
                "user": None,
                "userAgent": "curl",
                "userArn": None,
            },
            "path": "/prod/orders/test%2Balias@x",
            "protocol": "HTTP/1.1",
            "requestId": "fbcaf9e5-d535-40a1-891c-7b70118cf7e8",
            "requestTime": "04/Mar/2020:19:03:58 +0000",
            "requestTimeEpoch": 1583348638390,
            "resourceId": "r1",
            "resourcePath": "/orders/{id}",
            "stage": "prod",
        },
        "body": None,
        "isBase64Encoded": False,
    }


def test_what_is_empty_is_null():
    event = _event(ClientRequest("GET", "/prod/orders"), path_parameters={})
    for name in ("headers", "multiValueHeaders", "queryStringParameters", "pathParameters", "stageVariables", "body"):
        assert event[name] is None


def test_a_body_is_text_unless_its_media_type_is_binary():
    request = ClientRequest("POST", "/prod/orders", body="Zürich".encode())
    assert (_event(request)["body"], _event(request)["isBase64Encoded"]) == ("Zürich", False)
    event = _event(request, is_binary=True)
    assert (base64.b64decode(event["body"]).decode(), event["isBase64Encoded"]) == ("Zürich", True)
    broken = _event(ClientRequest("POST", "/prod/orders", body=b"\xff\x00"))
    assert (broken["body"], broken["isBase64Encoded"]) == ("\ufffd\x00", False)


def test_an_http_api_says_its_version_and_has_no_resource_id():
    event = payload_v1.http_api_event(
        ClientRequest("GET", "/my%20path"),
        CONTEXT,
        resource="/{proxy+}",
        path="/my path",
        path_parameters={},
        is_binary=False,
    )
    assert event["version"] == "1.0"
    assert event["path"] == event["requestContext"]["path"] == "/my path"
    assert event["requestContext"]["resourceId"] is None
    assert event["requestContext"]["authorizer"] == {"claims": None, "scopes": None}


JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ({}, HttpAnswer(200, (JSON,), b"")),
        ({"statusCode": 201}, HttpAnswer(201, (JSON,), b"")),
        ({"statusCode": "404", "body": "no"}, HttpAnswer(404, (JSON,), b"no")),
        ({"headers": {"content-type": "text/html", "n": 1, "t": True}, "body": "<p>"},
         HttpAnswer(200, (("content-type", "text/html"), ("n", "1"), ("t", "true")), b"<p>")),
        ({"multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "headers": {"set-cookie": "c=3", "X": "y"}},
         HttpAnswer(200, (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X", "y"), JSON), b"")),
        ({"body": "/wA=", "isBase64Encoded": True}, HttpAnswer(200, (JSON,), b"\xff\x00")),
    ],
)  # fmt: skip
def test_an_answer_in_the_format_goes_to_the_client(returned, expected):
    assert payload_v1.answer(json.dumps(returned).encode()) == expected


def test_base64_stays_when_the_client_does_not_accept_binary():
    returned = json.dumps({"body": "/wA=", "isBase64Encoded": True}).encode()
    assert payload_v1.answer(returned, decodes_base64=False).body == b"/wA="


def test_an_answer_cannot_smuggle_a_header():
    returned = json.dumps({"headers": {"X": "a\r\nSet-Cookie: b"}}).encode()
    assert ("X", "a Set-Cookie: b") in payload_v1.answer(returned).headers


@pytest.mark.parametrize(
    "returned",
    ["hello", 3, None, ["a"], {"message": "hello"}, {"statusCode": 200, "other": 1}, {"body": {"a": 1}},
     {"statusCode": "ok"}, {"statusCode": 99}, {"headers": ["a"]}, {"headers": {"a": {}}},
     {"multiValueHeaders": {"a": "b"}}, {"isBase64Encoded": "yes"}, {"isBase64Encoded": True, "body": "a"}],
)  # fmt: skip
def test_an_answer_in_another_format_is_malformed(returned):
    with pytest.raises(MalformedAnswer):
        payload_v1.answer(json.dumps(returned).encode())
    with pytest.raises(MalformedAnswer):
        payload_v1.answer(b"not JSON")
