"""Function URLs over real HTTP.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html; answers as Lambda was seen to give them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.conftest import Deployed, http, zipped

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"event": event, "request": context.aws_request_id})}
"""
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
Opened = Callable[..., str]


def permit(function: Deployed, *actions: str, **parameters: Any) -> None:
    """Let everybody in through the URL: with the two statements that it takes."""
    conditions: dict[str, dict[str, Any]] = {
        "lambda:InvokeFunctionUrl": {"FunctionUrlAuthType": "NONE"},
        "lambda:InvokeFunction": {"InvokedViaFunctionUrl": True},
    }
    for action in actions or conditions:
        function.client.add_permission(
            FunctionName=function.name,
            StatementId=action.rpartition(":")[2],
            Action=action,
            Principal="*",
            **conditions[action],
            **parameters,
        )


@pytest.fixture
def opened(deploy) -> Opened:
    """Deploy a function with a public URL and return it: ``opened(code, Cors=..., function={"Timeout": 1})``."""

    def open_url(code: str, *, function: dict[str, Any] | None = None, **parameters: Any) -> str:
        deployed = deploy(code, **(function or {}))
        permit(deployed)
        made = deployed.client.create_function_url_config(
            FunctionName=deployed.name, **{"AuthType": "NONE", **parameters}
        )
        return str(made["FunctionUrl"])

    return open_url


def test_a_function_gets_the_request_as_documented(opened):
    url = opened(ECHO)
    response = http(
        url + "a%20b/c?price=10&price=20&q=a%20b",
        "POST",
        '{"n": 1}',
        Content_Type="application/json",
        Cookie="till=3; shift=late",
        X_Till="3",
    )
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    event = response.json["event"]
    url_id = urlsplit(url).hostname.partition(".")[0]
    headers = event.pop("headers")
    context = event.pop("requestContext")
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/a%20b/c",
        "rawQueryString": "price=10&price=20&q=a%20b",
        "cookies": ["till=3", "shift=late"],
        "queryStringParameters": {"price": "10,20", "q": "a b"},
        "body": '{"n": 1}',
        "isBase64Encoded": False,
    }
    assert headers["x-till"] == "3"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert context.pop("time").endswith(" +0000")
    assert isinstance(context.pop("timeEpoch"), int)
    assert context.pop("requestId") == response.headers["x-amzn-requestid"] == response.json["request"]
    assert context == {
        "accountId": "anonymous",
        "apiId": url_id,
        "domainName": f"{url_id}.lambda-url.us-east-1.localhost",
        "domainPrefix": url_id,
        "http": {
            "method": "POST",
            "path": "/a%20b/c",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "",
        },
        "routeKey": "$default",
        "stage": "$default",
    }


def test_every_ordinary_client_reaches_it(opened, local_aws):
    url = opened(ECHO)
    assert requests.get(url + "orders").json()["event"]["rawPath"] == "/orders"
    url_id = urlsplit(url).hostname.partition(".")[0]
    assert http(f"{local_aws.url}/_aws/lambda-url/{url_id}/orders").json["event"]["rawPath"] == "/orders"


@pytest.mark.parametrize(
    ("returned", "status", "body"),
    [
        ("{'hello': 'world'}", 200, '{"hello":"world"}'),
        ("['hello', 3, True]", 200, '["hello",3,true]'),
        ("'hello'", 200, "hello"),
        ("{'statusCode': '418', 'body': \"i'm a teapot\", 'isBase64Encoded': False}", 418, "i'm a teapot"),
        ("{'statusCode': 'x'}", 502, "Internal Server Error"),
        ("1 / 0", 502, "Internal Server Error"),
    ],
)
def test_answers_are_read_or_inferred(opened, returned, status, body):
    response = http(opened(f"def handler(event, context):\n    return {returned}\n"))
    assert (response.status, response.headers["content-type"], response.text) == (status, "application/json", body)


def test_headers_cookies_and_bytes_come_back(opened):
    code = """
def handler(event, context):
    return {"statusCode": 201, "headers": {"content-type": "image/png", "x-n": 1}, "cookies": ["a=1", "b=2"],
            "isBase64Encoded": True, "body": "/wA="}
"""
    url = opened(code)
    response = http(url)
    assert (response.status, response.body) == (201, b"\xff\x00")
    assert response.headers["set-cookie"] == "a=1\nb=2"
    assert (response.headers["content-type"], response.headers["x-n"]) == ("image/png", "1")
    assert http(url, "HEAD").body == b""


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        ((), 403),
        (("lambda:InvokeFunctionUrl",), 403),
        (("lambda:InvokeFunction",), 403),
        (("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"), 200),
    ],
)
def test_a_public_url_takes_two_permissions(deploy, actions, status):
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html: since October 2025 both are needed."""
    function = deploy(ECHO)
    url = function.client.create_function_url_config(FunctionName=function.name, AuthType="NONE")["FunctionUrl"]
    if actions:
        permit(function, *actions)
    response = http(url)
    assert response.status == status
    if status == 403:
        assert response.json == {"Message": FORBIDDEN}
        assert response.headers["x-amzn-errortype"] == "AccessDeniedException"
        assert function.client.invoke(FunctionName=function.name)["StatusCode"] == 200


def test_iam_authorization_wants_a_signature(deploy, local_aws):
    function = deploy(ECHO)
    url = function.client.create_function_url_config(FunctionName=function.name, AuthType="AWS_IAM")["FunctionUrl"]
    assert http(url).json == {"Message": FORBIDDEN}
    credentials = boto3.Session().get_credentials()
    request = AWSRequest("GET", url)
    SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
    context = http(url, **dict(request.headers)).json["event"]["requestContext"]
    assert context["accountId"] == "123456789012"
    assert context["authorizer"]["iam"]["accessKey"] == credentials.access_key
    forged = {**dict(request.headers), "Authorization": request.headers["Authorization"].replace("AKIA", "ASIA")}
    assert http(url, **forged).status == 403


def test_no_such_url(local_aws):
    url = f"http://{'a' * 32}.lambda-url.us-east-1.localhost:{local_aws.url.rpartition(':')[2]}/"
    response = http(url)
    assert (response.status, response.text) == (403, '{"Message":null}')
    assert response.headers["x-amzn-errortype"] == "AccessDeniedException"


def test_a_timeout_is_a_bad_gateway(opened):
    response = http(opened("def handler(event, context):\n    while True: pass\n", function={"Timeout": 1}))
    assert (response.status, response.text) == (502, "Internal Server Error")


def test_a_throttled_function_says_so(deploy):
    function = deploy(ECHO)
    permit(function)
    url = function.client.create_function_url_config(FunctionName=function.name, AuthType="NONE")["FunctionUrl"]
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    response = http(url)
    assert response.status == 429
    assert response.json == {
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }


def test_a_large_request_is_refused(opened):
    response = http(opened(ECHO), "POST", b"x" * 6_291_456, Content_Type="text/plain")
    assert response.status == 413


CORS = {
    "AllowOrigins": ["https://shop.example"],
    "AllowMethods": ["GET"],
    "AllowHeaders": ["x-till"],
    "ExposeHeaders": ["x-total"],
    "MaxAge": 60,
}


def test_cors_is_answered_by_the_url(opened):
    """https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html."""
    url = opened(ECHO, Cors=CORS)
    asked = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "x-till"}
    response = http(url, "OPTIONS", Origin="https://shop.example", **asked)
    assert (response.status, response.body) == (200, b"")
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    assert response.headers["access-control-allow-methods"] == "GET"
    assert response.headers["access-control-allow-headers"] == "x-till"
    assert response.headers["access-control-max-age"] == "60"
    response = http(url, Origin="https://shop.example", Sec_Fetch_Site="cross-site")
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    assert response.headers["access-control-expose-headers"] == "x-total"
    response = http(url, Origin="https://evil.example")
    assert response.status == 200
    assert "access-control-allow-origin" not in response.headers


def test_cors_headers_of_the_function_come_twice(opened):
    """The trap: with CORS configured, a function must not send such headers too."""
    code = "def handler(event, context):\n    return {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': '*'}}\n"
    response = http(opened(code, Cors={"AllowOrigins": ["*"]}), Origin="https://shop.example")
    assert response.headers["access-control-allow-origin"] == "*\n*"


def test_urls_are_configured_for_functions_and_aliases(deploy):
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html."""
    function = deploy(ECHO)
    client, name = function.client, {"FunctionName": function.name}
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function.name}"
    made = client.create_function_url_config(**name, AuthType="NONE", Cors=CORS)
    assert made["FunctionArn"] == arn
    assert (made["AuthType"], made["Cors"]) == ("NONE", CORS)
    assert "InvokeMode" not in made
    got = client.get_function_url_config(**name)
    assert got["FunctionUrl"] == made["FunctionUrl"]
    assert got["CreationTime"] == got["LastModifiedTime"] == made["CreationTime"]
    assert got["InvokeMode"] == "BUFFERED"
    changed = client.update_function_url_config(**name, InvokeMode="RESPONSE_STREAM")
    assert (changed["InvokeMode"], changed["AuthType"], changed["Cors"]) == ("RESPONSE_STREAM", "NONE", CORS)
    client.create_alias(**name, Name="live", FunctionVersion=client.publish_version(**name)["Version"])
    alias = client.create_function_url_config(**name, Qualifier="live", AuthType="AWS_IAM")
    assert alias["FunctionArn"] == f"{arn}:live"
    assert alias["FunctionUrl"] != made["FunctionUrl"]
    listed = client.list_function_url_configs(**name)["FunctionUrlConfigs"]
    assert [item["FunctionArn"] for item in listed] == [arn, f"{arn}:live"]
    first = client.list_function_url_configs(**name, MaxItems=1)
    assert len(first["FunctionUrlConfigs"]) == 1
    rest = client.list_function_url_configs(**name, MaxItems=1, Marker=first["NextMarker"])
    assert rest["FunctionUrlConfigs"][0]["FunctionArn"] == f"{arn}:live"
    client.delete_function_url_config(**name)
    assert http(made["FunctionUrl"]).status == 403
    assert http(alias["FunctionUrl"]).json == {"Message": FORBIDDEN}
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        client.get_function_url_config(**name)


def test_an_alias_url_runs_the_version_and_needs_its_own_permissions(deploy):
    function = deploy("def handler(event, context):\n    return context.function_version\n")
    client, name = function.client, {"FunctionName": function.name}
    client.create_alias(**name, Name="live", FunctionVersion=client.publish_version(**name)["Version"])
    url = client.create_function_url_config(**name, Qualifier="live", AuthType="NONE")["FunctionUrl"]
    permit(function)
    assert http(url).status == 403
    permit(function, Qualifier="live")
    assert http(url).text == "1"


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({}, "ResourceConflictException", "FunctionUrlConfig exists for this Lambda function"),
        ({"FunctionName": "no-such-function"}, "ResourceNotFoundException", "Function does not exist"),
        ({"Qualifier": "nobody"}, "ResourceNotFoundException", "Function does not exist"),
        ({"AuthType": "OPEN"}, "ValidationException", "'authType' failed to satisfy constraint"),
        ({"InvokeMode": "UNKNOWN"}, "ValidationException", "[BUFFERED, RESPONSE_STREAM]"),
        ({"Cors": {"MaxAge": 86_401}}, "ValidationException", "less than or equal to 86400"),
    ],
)
def test_bad_requests_get_awss_errors(deploy, parameters, code, message):
    function = deploy(ECHO)
    function.client.create_function_url_config(FunctionName=function.name, AuthType="NONE")
    client = boto3.client("lambda", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as refused:
        client.create_function_url_config(**{"FunctionName": function.name, "AuthType": "NONE", **parameters})
    assert refused.value.response["Error"]["Code"] == code
    assert message in refused.value.response["Error"]["Message"]


def test_a_url_goes_with_its_function(deploy):
    function = deploy(ECHO)
    name = function.name
    settings = function.client.get_function(FunctionName=name)["Configuration"]
    url = function.client.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    function.client.delete_function(FunctionName=name)
    assert http(url).text == '{"Message":null}'
    function.client.create_function(
        FunctionName=name,
        Runtime=settings["Runtime"],
        Role=settings["Role"],
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
    )
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        function.client.get_function_url_config(FunctionName=name)


STREAM = """
export const handler = awslambda.streamifyResponse(async (event, response, context) => {
  if (event.rawPath === "/fails") throw new Error("before anything was said");
  const out = event.rawPath === "/plain" ? response : awslambda.HttpResponseStream.from(response, {
    statusCode: 201, headers: {"Content-Type": "text/event-stream", "X-Shop": "Parcel"}, cookies: ["a=1"]});
  if (event.rawPath === "/plain") response.setContentType("text/csv");
  for (const part of ["one", "two", "three"]) {
    out.write(part + "\\n");
    await new Promise(done => setTimeout(done, event.rawPath === "/slow" ? 300 : 5));
    if (event.rawPath === "/breaks" && part === "two") throw new Error("in the middle");
  }
  out.end();
});
"""


@pytest.fixture
def streaming(opened) -> str:
    settings = {"Runtime": "nodejs24.x", "Timeout": 10}
    return str(opened(STREAM, function=settings, InvokeMode="RESPONSE_STREAM"))


@pytest.mark.node
def test_a_stream_arrives_while_it_is_made(streaming):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html."""
    with requests.get(streaming + "slow", stream=True) as response:
        assert response.status_code == 201
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["x-shop"] == "Parcel"
        assert response.headers["set-cookie"] == "a=1"
        assert response.headers["transfer-encoding"] == "chunked"
        received = list(response.iter_content(chunk_size=None))
    assert b"".join(received) == b"one\ntwo\nthree\n"
    assert len(received) >= 2
    response = http(streaming + "plain")
    assert (response.status, response.headers["content-type"], response.text) == (200, "text/csv", "one\ntwo\nthree\n")


@pytest.mark.node
def test_a_stream_that_fails_is_a_bad_gateway_or_breaks_off(streaming):
    response = http(streaming + "fails")
    assert (response.status, response.text) == (502, "Internal Server Error")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(streaming + "breaks")
    assert http(streaming).text == "one\ntwo\nthree\n"


def test_what_does_not_stream_arrives_as_it_is(opened):
    """A handler that returns its response is not interpreted behind a streaming URL."""
    response = http(opened(ECHO, InvokeMode="RESPONSE_STREAM"))
    assert response.status == 200
    assert response.json["statusCode"] == 200
    assert json.loads(response.json["body"])["event"]["rawPath"] == "/"
