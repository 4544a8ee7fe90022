"""REST APIs over real HTTP.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html; error texts and headers as
API Gateway was seen to send them.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.client import IncompleteRead
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import Deployed, http

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "headers": {"X-Shop": "Parcel"}, "body": json.dumps(event)}
"""
JSON_200 = {"application/json": '{"statusCode": 200}'}


class RestApi:
    """An API of the test's own."""

    def __init__(self, aws_url: str, **parameters: Any) -> None:
        self.client = boto3.client("apigateway")
        self.id = self.client.create_rest_api(name="parcel", **parameters)["id"]
        self.root = self.client.get_resources(restApiId=self.id)["items"][0]["id"]
        self._aws_url = aws_url
        self._resources = {"": self.root}

    def resource(self, path: str) -> str:
        """Return the id of a resource, making it and those above it as needed."""
        path = path.rstrip("/")
        if path not in self._resources:
            above, _, part = path.rpartition("/")
            parent = self.resource(above)
            made = self.client.create_resource(restApiId=self.id, parentId=parent, pathPart=part)
            self._resources[path] = made["id"]
        return self._resources[path]

    def method(self, path: str, method: str = "GET", **parameters: Any) -> dict[str, Any]:
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": method}
        self.client.put_method(**where, **{"authorizationType": "NONE", **parameters})
        return where

    def proxy(
        self, path: str, function: Deployed, method: str = "GET", *, permit: bool = True, **parameters: Any
    ) -> None:
        where = self.method(path, method, **parameters.pop("settings", {}))
        arn = function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
        self.client.put_integration(
            **where,
            **{
                "type": "AWS_PROXY",
                "integrationHttpMethod": "POST",
                "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
                **parameters,
            },
        )
        if permit:
            self.permit(function)

    def permit(self, function: Deployed, source: str = "*/*/*") -> None:
        function.client.add_permission(
            FunctionName=function.name,
            StatementId=f"api-{self.id}-{len(self._resources)}-{abs(hash(source))}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{self.id}/{source}",
        )

    def mock(self, path: str, method: str = "GET", body: str = "", **response: Any) -> None:
        where = self.method(path, method)
        self.client.put_integration(**where, type="MOCK", requestTemplates=JSON_200)
        templates = {"responseTemplates": {"application/json": body}} if body else {}
        self.client.put_integration_response(**where, statusCode="200", **templates, **response)

    def deploy(self, stage: str = "prod", **parameters: Any) -> str:
        return str(self.client.create_deployment(restApiId=self.id, stageName=stage, **parameters)["id"])

    def url(self, path: str = "", stage: str = "prod") -> str:
        port = self._aws_url.rpartition(":")[2]
        return f"http://{self.id}.execute-api.us-east-1.localhost:{port}/{stage}{path}"


@pytest.fixture
def rest_api(local_aws) -> Iterator[Callable[..., RestApi]]:
    made: list[RestApi] = []

    def create(**parameters: Any) -> RestApi:
        made.append(RestApi(local_aws.url, **parameters))
        return made[-1]

    yield create
    for api in made:
        api.client.delete_rest_api(restApiId=api.id)


def test_a_function_gets_the_request_as_documented(rest_api, deploy):
    api = rest_api()
    api.proxy("/orders/{id}", deploy(ECHO), "POST")
    deployment = api.deploy(variables={"shop": "parcel"})
    response = http(
        api.url("/orders/test%2Balias?price=10&price=20&plus=a+b"),
        "POST",
        '{"n": 1}',
        Content_Type="application/json",
        X_Till="3",
    )
    assert response.status == 200
    assert response.headers["x-shop"] == "Parcel"
    assert response.headers["content-type"] == "application/json"
    event = response.json
    context = event["requestContext"]
    assert event["resource"] == context["resourcePath"] == "/orders/{id}"
    assert event["path"] == "/orders/test%2Balias"
    assert event["httpMethod"] == context["httpMethod"] == "POST"
    assert event["headers"]["X-Till"] == "3"
    assert event["headers"]["X-Forwarded-Proto"] == "http"
    assert event["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert event["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert event["queryStringParameters"] == {"price": "20", "plus": "a b"}
    assert event["multiValueQueryStringParameters"] == {"price": ["10", "20"], "plus": ["a b"]}
    assert event["pathParameters"] == {"id": "test%2Balias"}
    assert event["stageVariables"] == {"shop": "parcel"}
    assert event["body"] == '{"n": 1}'
    assert event["isBase64Encoded"] is False
    assert context["accountId"] == "123456789012"
    assert context["apiId"] == context["domainPrefix"] == api.id
    assert context["deploymentId"] == deployment
    assert context["domainName"] == f"{api.id}.execute-api.us-east-1.localhost"
    assert context["path"] == "/prod/orders/test%2Balias"
    assert context["resourceId"] == api.resource("/orders/{id}")
    assert context["stage"] == "prod"
    assert context["requestId"] == response.headers["x-amzn-requestid"]
    assert context["extendedRequestId"] == response.headers["x-amz-apigw-id"]
    assert context["identity"]["sourceIp"] == "127.0.0.1"


def test_the_api_is_also_reached_by_path(rest_api, local_aws):
    api = rest_api()
    api.mock("/hello", body='{"hello": "world"}')
    api.deploy()
    assert http(f"{local_aws.url}/_aws/execute-api/{api.id}/prod/hello").json == {"hello": "world"}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/orders", "exact"),
        ("GET", "/orders/", "exact"),
        ("GET", "/orders/17", "one"),
        ("GET", "/orders/17/lines/2", "greedy"),
        ("POST", "/orders", "greedy"),
        ("DELETE", "/labels", "greedy"),
    ],
)
def test_the_most_specific_resource_with_the_method_answers(rest_api, method, path, expected):
    api = rest_api()
    api.mock("/orders", body='"exact"')
    api.mock("/orders/{id}", body='"one"')
    api.mock("/{proxy+}", "ANY", body='"greedy"')
    api.deploy()
    assert http(api.url(path), method).json == expected


def test_what_is_not_there_wants_a_token(rest_api, local_aws):
    api = rest_api()
    api.mock("/orders")
    api.deploy()
    response = http(api.url("/nothing"))
    assert (response.status, response.text) == (403, '{"message":"Missing Authentication Token"}')
    assert response.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    for url in (api.url("/orders", stage="dev"), api.url("/orders").replace(api.id, "0123456789")):
        response = http(url)
        assert (response.status, response.text) == (403, '{"message":"Forbidden"}')


def test_a_change_reaches_clients_with_the_next_deployment(rest_api):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html."""
    api = rest_api()
    api.mock("/orders", body='"old"')
    first = api.deploy(variables={"a": "1"})
    api.mock("/orders", body='"new"')
    assert http(api.url("/orders")).json == "old"
    api.deploy(variables={"b": "2"})
    assert http(api.url("/orders")).json == "new"
    stage = api.client.get_stage(restApiId=api.id, stageName="prod")
    assert stage["variables"] == {"a": "1", "b": "2"}
    api.client.update_stage(
        restApiId=api.id, stageName="prod", patchOperations=[{"op": "replace", "path": "/deploymentId", "value": first}]
    )
    assert http(api.url("/orders")).json == "old"
    with pytest.raises(ClientError, match="Active stages pointing to this deployment"):
        api.client.delete_deployment(restApiId=api.id, deploymentId=first)
    api.client.delete_deployment(restApiId=api.id, deploymentId=stage["deploymentId"])


def test_without_permission_the_function_is_not_called(rest_api, deploy):
    api = rest_api()
    function = deploy(ECHO)
    api.proxy("/orders", function, permit=False)
    api.deploy()
    response = http(api.url("/orders"))
    assert (response.status, response.text) == (500, '{"message": "Internal server error"}')
    assert response.headers["x-amzn-errortype"] == "InternalServerErrorException"
    api.permit(function, "prod/POST/orders")
    assert http(api.url("/orders")).status == 500
    api.permit(function, "prod/GET/orders")
    assert http(api.url("/orders")).status == 200


@pytest.mark.parametrize(
    "returned",
    ["'hello'", "{'message': 'hello'}", "{'statusCode': 200, 'body': {'a': 1}}", "None", "1 / 0"],
)
def test_what_is_no_response_is_a_bad_gateway(rest_api, deploy, returned):
    api = rest_api()
    api.proxy("/orders", deploy(f"def handler(event, context):\n    return {returned}\n"))
    api.deploy()
    response = http(api.url("/orders"))
    assert (response.status, response.text) == (502, '{"message": "Internal server error"}')


def test_a_slow_function_times_out_at_the_gateway(rest_api, deploy):
    """29 seconds unless the integration asks for less."""
    api = rest_api()
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(1.5)\n", Timeout=10)
    api.proxy("/orders", function, timeoutInMillis=100)
    api.deploy()
    response = http(api.url("/orders"))
    assert (response.status, response.text) == (504, '{"message": "Endpoint request timed out"}')
    integration = api.client.get_integration(restApiId=api.id, resourceId=api.resource("/orders"), httpMethod="GET")
    assert integration["timeoutInMillis"] == 100


def test_headers_repeat_and_some_are_renamed(rest_api, deploy):
    api = rest_api()
    function = deploy(
        """
def handler(event, context):
    return {"multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "headers": {"Server": "mine", "Content-Length": "1", "Content-Type": "text/plain"}, "body": "Grüße"}
"""
    )
    api.proxy("/orders", function)
    api.deploy()
    response = http(api.url("/orders"))
    assert response.headers["set-cookie"] == "a=1\nb=2"
    assert response.headers["x-amzn-remapped-server"] == "mine"
    assert response.text == "Grüße"
    assert http(api.url("/orders"), "HEAD").status == 403


def test_binary_bodies_need_binary_media_types(rest_api, deploy):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html."""
    code = """
import base64
def handler(event, context):
    received = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    return {"body": base64.b64encode(received[::-1]).decode(), "isBase64Encoded": True,
            "headers": {"Content-Type": "image/png", "x-encoded": event["isBase64Encoded"]}}
"""
    api = rest_api(binaryMediaTypes=["image/png"])
    assert api.client.get_rest_api(restApiId=api.id)["binaryMediaTypes"] == ["image/png"]
    api.proxy("/pictures", deploy(code), "POST")
    api.deploy()
    response = http(api.url("/pictures"), "POST", b"\x89\xff", Content_Type="image/png", Accept="image/png,*/*")
    assert (response.body, response.headers["x-encoded"]) == (b"\xff\x89", "true")
    response = http(api.url("/pictures"), "POST", "ab", Content_Type="text/plain", Accept="text/plain")
    assert (base64.b64decode(response.body), response.headers["x-encoded"]) == (b"ba", "false")
    api.client.update_rest_api(
        restApiId=api.id, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/text~1plain"}]
    )
    assert api.client.get_rest_api(restApiId=api.id)["binaryMediaTypes"] == ["image/png", "text/plain"]


def test_a_stage_variable_chooses_the_function(rest_api, deploy):
    api = rest_api()
    function = deploy(ECHO)
    api.proxy("/orders", function)
    where = {"restApiId": api.id, "resourceId": api.resource("/orders"), "httpMethod": "GET"}
    uri = api.client.get_integration(**where)["uri"].replace(function.name, "${stageVariables.function}")
    api.client.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    api.deploy(variables={"function": function.name})
    assert http(api.url("/orders")).status == 200


def test_a_browser_of_another_origin_may_call_the_api(rest_api):
    """CORS with a mock integration: the preflight's answer comes from the API, the AWS endpoints stay closed."""
    api = rest_api()
    api.mock(
        "/orders",
        "OPTIONS",
        responseParameters={
            "method.response.header.Access-Control-Allow-Origin": "'https://shop.example'",
            "method.response.header.Access-Control-Allow-Methods": "'GET,POST'",
        },
    )
    api.deploy()
    response = http(api.url("/orders"), "OPTIONS", Origin="https://shop.example", Access_Control_Request_Method="POST")
    assert response.status == 200
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    assert response.headers["access-control-allow-methods"] == "GET,POST"


def test_errors_get_cors_headers_from_gateway_responses(rest_api):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html."""
    api = rest_api()
    api.mock("/orders")
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="DEFAULT_4XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        responseTemplates={"application/json": '{"error": $context.error.messageString, "stage": "$context.stage"}'},
    )
    api.deploy()
    response = http(api.url("/nothing"))
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.json == {"error": "Missing Authentication Token", "stage": "prod"}


def test_a_function_without_proxy_integration_gets_what_the_template_makes(rest_api, deploy):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-custom-integrations.html."""
    function = deploy(
        """
def handler(event, context):
    if event["id"] == "0":
        raise ValueError("[NotFound] no order 0")
    return {"order": event}
"""
    )
    api = rest_api()
    api.proxy(
        "/orders/{id}",
        function,
        type="AWS",
        requestTemplates={"application/json": '{"id": "$input.params(\'id\')", "stage": "$context.stage"}'},
    )
    where = {"restApiId": api.id, "resourceId": api.resource("/orders/{id}"), "httpMethod": "GET"}
    api.client.put_integration_response(**where, statusCode="200")
    api.client.put_integration_response(
        **where,
        statusCode="404",
        selectionPattern=r"\[NotFound\].*",
        responseTemplates={"application/json": '{"message": $input.json("$.errorMessage")}'},
        responseParameters={"method.response.header.X-Error": "integration.response.body.errorType"},
    )
    api.deploy()
    assert http(api.url("/orders/17")).json == {"order": {"id": "17", "stage": "prod"}}
    response = http(api.url("/orders/0"))
    assert (response.status, response.json) == (404, {"message": "[NotFound] no order 0"})
    assert response.headers["x-error"] == "ValueError"


class _Backend(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("X-Seen", f"{self.path} {self.headers['X-Till']}")
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, format, *args):
        pass


@pytest.fixture
def backend() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_http_proxy_passes_on_to_this_machine_only(rest_api, backend):
    api = rest_api()
    for path, host in (("/{proxy+}", backend), ("/far", "http://example.com")):
        where = api.method(path, "POST")
        api.client.put_integration(
            **where, type="HTTP_PROXY", integrationHttpMethod="POST", uri=f"{host}/shop/{{proxy}}"
        )
    api.deploy()
    response = http(api.url("/orders/1?a=b"), "POST", "abc", X_Till="3")
    assert (response.status, response.text) == (201, "cba")
    assert response.headers["x-seen"] == "/shop/orders/1?a=b 3"
    response = http(api.url("/far"), "POST")
    assert response.status == 501
    assert "only to servers on this machine" in response.json["message"]


def test_requests_are_validated(rest_api):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html."""
    api = rest_api()
    validator = api.client.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    schema = json.dumps({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}})
    api.client.create_model(restApiId=api.id, name="Order", contentType="application/json", schema=schema)
    api.mock("/orders", "POST")
    where = api.method(
        "/orders",
        "POST",
        requestValidatorId=validator,
        requestModels={"application/json": "Order"},
        requestParameters={"method.request.querystring.till": True},
    )
    api.client.put_integration(**where, type="MOCK", requestTemplates=JSON_200)
    api.client.put_integration_response(**where, statusCode="200")
    api.deploy()
    assert http(api.url("/orders?till=3"), "POST", '{"n": 1}').status == 200
    response = http(api.url("/orders"), "POST", '{"n": 1}')
    assert (response.status, response.json) == (400, {"message": "Missing required request parameters: [till]"})
    for body in ('{"n": "x"}', "{}", "no JSON"):
        response = http(api.url("/orders?till=3"), "POST", body)
        assert (response.status, response.json) == (400, {"message": "Invalid request body"})


def test_an_api_key_counts_in_a_usage_plan_of_the_stage(rest_api):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html."""
    api = rest_api()
    api.mock("/orders")
    where = api.method("/orders", apiKeyRequired=True)
    api.client.put_integration(**where, type="MOCK", requestTemplates=JSON_200)
    api.client.put_integration_response(**where, statusCode="200")
    api.deploy()
    key = api.client.create_api_key(name="till", enabled=True)
    value = api.client.get_api_key(apiKey=key["id"], includeValue=True)["value"]
    response = http(api.url("/orders"), x_api_key=value)
    assert (response.status, response.text) == (403, '{"message":"Forbidden"}')
    plan = api.client.create_usage_plan(name="tills", apiStages=[{"apiId": api.id, "stage": "prod"}])["id"]
    api.client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert http(api.url("/orders"), x_api_key=value).status == 200
    assert http(api.url("/orders"), x_api_key="another").status == 403
    assert http(api.url("/orders")).status == 403


def test_iam_authorization_wants_a_signature(rest_api, local_aws):
    api = rest_api()
    api.mock("/orders")
    where = api.method("/orders", authorizationType="AWS_IAM")
    api.client.put_integration(**where, type="MOCK", requestTemplates=JSON_200)
    api.client.put_integration_response(**where, statusCode="200")
    api.deploy()
    assert http(api.url("/orders")).json == {"message": "Missing Authentication Token"}
    assert http(api.url("/orders"), **_signature(api.url("/orders"))).status == 200


def _signature(url: str) -> dict[str, str]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    request = AWSRequest("GET", url)
    SigV4Auth(boto3.Session().get_credentials(), "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers)


AUTHORIZER = """
calls = 0
def handler(event, context):
    global calls
    calls += 1
    token = event.get("authorizationToken") or event["headers"]["X-Token"]
    if token == "nobody":
        raise Exception("Unauthorized")
    if token == "broken":
        return {"no": "policy"}
    effect = "Allow" if token == "let me in" else "Deny"
    return {
        "principalId": "till-3",
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}]},
        "context": {"calls": calls, "type": event["type"], "vip": True},
    }
"""


@pytest.mark.parametrize("kind", ["TOKEN", "REQUEST"])
def test_a_lambda_authorizer_decides(rest_api, deploy, local_aws, kind):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html."""
    api = rest_api()
    guard = deploy(AUTHORIZER)
    arn = guard.client.get_function(FunctionName=guard.name)["Configuration"]["FunctionArn"]
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="guard",
        type=kind,
        authorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
        identitySource="method.request.header.X-Token",
        authorizerResultTtlInSeconds=60,
    )["id"]
    api.permit(guard, f"authorizers/{authorizer}")
    guarded = {"authorizationType": "CUSTOM", "authorizerId": authorizer}
    function = deploy(ECHO)
    api.proxy("/orders", function, settings=guarded)
    api.proxy("/labels", function, settings=guarded, permit=False)
    api.deploy()
    response = http(api.url("/orders"), X_Token="let me in")
    assert response.json["requestContext"]["authorizer"] == {
        "principalId": "till-3",
        "calls": "1",
        "type": kind,
        "vip": "true",
        "integrationLatency": 0,
    }
    # The policy is kept for a minute, and names one method only: the classic trap.
    response = http(api.url("/labels"), X_Token="let me in")
    assert (response.status, response.json) == (403, {"Message": "User is not authorized to access this resource"})
    assert http(api.url("/orders"), X_Token="let me in").json["requestContext"]["authorizer"]["calls"] == "1"
    local_aws.clock.advance(seconds=61)
    assert http(api.url("/labels"), X_Token="let me in").json["requestContext"]["authorizer"]["calls"] == "2"
    response = http(api.url("/orders"), X_Token="stranger")
    assert (response.status, response.json) == (
        403,
        {"Message": "User is not authorized to access this resource with an explicit deny"},
    )
    assert http(api.url("/orders")).status == http(api.url("/orders"), X_Token="nobody").status == 401
    assert http(api.url("/orders"), X_Token="broken").status == 500


def test_a_large_request_is_refused(rest_api):
    api = rest_api()
    api.mock("/orders", "POST")
    api.deploy()
    response = http(api.url("/orders"), "POST", b"x" * (10 * 1024 * 1024 + 1))
    assert (response.status, response.json) == (413, {"message": "HTTP content length exceeded 10485760 bytes."})


def test_an_integration_with_another_service_says_that_it_is_not_run(rest_api):
    api = rest_api()
    where = api.method("/orders", "POST")
    api.client.put_integration(
        **where,
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:sqs:path/123456789012/labels",
    )
    api.deploy()
    response = http(api.url("/orders"), "POST", "{}")
    assert response.status == 501
    assert "does not run integrations with the service 'sqs'" in response.json["message"]


def _document(function_arn: str, version: dict[str, str]) -> dict[str, Any]:
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations",
    }
    schemas = {
        "Order": {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/MODELS/Count"}}},
        "Count": {"type": "integer"},
    }
    where = "definitions" if "swagger" in version else "components/schemas"
    schemas = json.loads(json.dumps(schemas).replace("MODELS", where))
    schema = {"$ref": f"#/{where}/Order"}
    body = (
        {"parameters": [{"in": "body", "name": "Order", "schema": schema}]}
        if "swagger" in version
        else {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    )
    mock = {
        "type": "mock",
        "requestTemplates": JSON_200,
        "responses": {"default": {"statusCode": "200", "responseParameters": {"method.response.header.X-Cors": "'*'"}}},
    }
    return {
        **version,
        "info": {"title": "parcel", "version": "1"},
        **({"definitions": schemas} if "swagger" in version else {"components": {"schemas": schemas}}),
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}},
        "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {"statusCode": "418"}},
        "paths": {
            "/orders/{id}": {
                "x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration, "responses": {}},
                "options": {"x-amazon-apigateway-integration": mock, "responses": {"200": {"description": "ok"}}},
            },
            "/orders": {
                "post": {
                    "x-amazon-apigateway-request-validator": "body",
                    "x-amazon-apigateway-integration": integration,
                    "responses": {},
                    **body,
                }
            },
        },
    }


@pytest.mark.parametrize("version", [{"openapi": "3.0.1"}, {"swagger": "2.0"}])
def test_an_api_is_made_from_a_document(rest_api, deploy, version):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html."""
    function = deploy(ECHO)
    arn = function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    api = rest_api()
    document = json.dumps(_document(arn, version)).encode()
    imported = api.client.import_rest_api(body=document)
    assert (imported["name"], imported["binaryMediaTypes"]) == ("parcel", ["image/png"])
    api.client.delete_rest_api(restApiId=imported["id"])
    api.client.put_rest_api(restApiId=api.id, mode="overwrite", body=document)
    api.client.put_rest_api(restApiId=api.id, mode="merge", body=document)
    assert len(api.client.get_resources(restApiId=api.id)["items"]) == 3
    api.permit(function)
    api.deploy()
    assert http(api.url("/orders/17"), "PUT").json["pathParameters"] == {"id": "17"}
    assert http(api.url("/orders/17"), "OPTIONS").headers["x-cors"] == "*"
    assert http(api.url("/orders"), "POST", '{"n": 1}').status == 200
    response = http(api.url("/orders"), "POST", '{"n": "x"}')
    assert (response.status, response.json) == (418, {"message": "Invalid request body"})


def test_a_document_with_faults_is_refused_when_that_is_asked_for(rest_api):
    """https://docs.aws.amazon.com/apigateway/latest/api/API_ImportRestApi.html (failonwarnings)."""
    api = rest_api()
    document = json.dumps({"openapi": "3.0.1", "info": {"title": "parcel"}, "paths": {}}).encode()
    with pytest.raises(ClientError, match="BadRequestException"):
        api.client.put_rest_api(restApiId=api.id, failOnWarnings=True, body=document)
    assert api.client.put_rest_api(restApiId=api.id, body=document)["name"] == "parcel"


def test_a_method_is_tested_without_a_deployment(rest_api, deploy):
    """https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html."""
    api = rest_api()
    api.proxy("/orders/{id}", deploy(ECHO), "POST", settings={"apiKeyRequired": True})
    where = {"restApiId": api.id, "resourceId": api.resource("/orders/{id}"), "httpMethod": "POST"}
    tested = api.client.test_invoke_method(
        **where, pathWithQueryString="/orders/17?a=b", body='{"n": 1}', headers={"X-Till": "3"}
    )
    assert tested["status"] == 200
    event = json.loads(tested["body"])
    assert event["pathParameters"] == {"id": "17"}
    assert event["queryStringParameters"] == {"a": "b"}
    assert event["headers"] == {"X-Till": "3"}
    assert event["requestContext"]["stage"] == "test-invoke-stage"
    assert event["requestContext"]["identity"]["sourceIp"] == "test-invoke-source-ip"
    assert "Method completed with status: 200" in tested["log"]
    with pytest.raises(ClientError, match="Invalid Method identifier specified"):
        api.client.test_invoke_method(**{**where, "httpMethod": "PUT"})


def test_an_event_may_be_too_large_for_lambda(rest_api, deploy):
    """The gateway takes 10 MB, an invocation 6 MB."""
    api = rest_api()
    api.proxy("/orders", deploy(ECHO), "POST")
    api.deploy()
    response = http(api.url("/orders"), "POST", b"x" * 6_291_456)
    assert (response.status, response.json) == (413, {"message": "Request Too Long"})


@pytest.mark.node
def test_a_function_streams_through_the_gateway(rest_api, deploy):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html."""
    function = deploy(
        """
export const handler = awslambda.streamifyResponse(async (event, response) => {
  if (event.path === "/fails") throw new Error("before anything was said");
  const out = event.path === "/bare" ? response : awslambda.HttpResponseStream.from(response, {
    statusCode: 201, headers: {"Content-Type": "text/event-stream"}});
  out.write("one ");
  if (event.path === "/breaks") throw new Error("in the middle");
  out.write("two");
  out.end();
});
""",
        Runtime="nodejs24.x",
        Timeout=10,
    )
    api = rest_api()
    api.proxy("/{proxy+}", function, responseTransferMode="STREAM")
    where = {"restApiId": api.id, "resourceId": api.resource("/{proxy+}"), "httpMethod": "GET"}
    uri = api.client.get_integration(**where)["uri"].replace("2015-03-31", "2021-11-15")
    uri = uri.replace("/invocations", "/response-streaming-invocations")
    streams = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "responseTransferMode": "STREAM"}
    made = api.client.put_integration(**where, **streams, uri=uri)
    assert made["responseTransferMode"] == "STREAM"
    api.deploy()
    response = http(api.url("/orders"))
    assert (response.status, response.text) == (201, "one two")
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.headers["content-type"] == "text/event-stream"
    assert "x-amzn-requestid" in response.headers
    for path in ("/fails", "/bare"):
        assert http(api.url(path)).json == {"message": "Internal server error"}
    with pytest.raises(IncompleteRead):
        http(api.url("/breaks"))
