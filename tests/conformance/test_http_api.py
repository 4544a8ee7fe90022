"""HTTP APIs over real HTTP.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from tests.conformance.conftest import Deployed, http

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""


class HttpApi:
    """An API of the test's own."""

    def __init__(self, **parameters: Any) -> None:
        self.client = boto3.client("apigatewayv2")
        made = self.client.create_api(**{"Name": "parcel", "ProtocolType": "HTTP", **parameters})
        self.id = made["ApiId"]
        self.endpoint = made["ApiEndpoint"]

    def function(
        self, function: Deployed, *keys: str, permit: bool = True, route: Any = None, **parameters: Any
    ) -> None:
        """Lead routes to a function."""
        integration = self.client.create_integration(
            ApiId=self.id,
            **{
                "IntegrationType": "AWS_PROXY",
                "PayloadFormatVersion": "2.0",
                "IntegrationUri": arn_of(function),
                **parameters,
            },
        )["IntegrationId"]
        for key in keys:
            self.client.create_route(ApiId=self.id, RouteKey=key, Target=f"integrations/{integration}", **(route or {}))
        if permit:
            self.permit(function)

    def permit(self, function: Deployed, source: str = "*") -> None:
        function.client.add_permission(
            FunctionName=function.name,
            StatementId=f"api-{self.id}-{abs(hash(source))}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{self.id}/{source}",
        )

    def stage(self, name: str = "$default", **parameters: Any) -> None:
        self.client.create_stage(ApiId=self.id, StageName=name, **{"AutoDeploy": True, **parameters})


def arn_of(function: Deployed) -> str:
    return str(function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"])


@pytest.fixture
def http_api(local_aws) -> Iterator[Callable[..., HttpApi]]:
    made: list[HttpApi] = []

    def create(**parameters: Any) -> HttpApi:
        made.append(HttpApi(**parameters))
        return made[-1]

    yield create
    for api in made:
        api.client.delete_api(ApiId=api.id)


def test_a_function_gets_the_request_as_documented(http_api, deploy):
    api = http_api()
    api.function(deploy(ECHO), "POST /orders/{id}")
    api.stage("prod", StageVariables={"shop": "parcel"})
    response = http(
        api.endpoint + "/prod/orders/a%20b?price=10&price=20&q=a%20b",
        "POST",
        '{"n": 1}',
        Content_Type="application/json",
        Cookie="till=3; shift=late",
        X_Till="3",
    )
    assert response.status == 200
    event = response.json
    headers = event.pop("headers")
    context = event.pop("requestContext")
    assert event == {
        "version": "2.0",
        "routeKey": "POST /orders/{id}",
        "rawPath": "/prod/orders/a b",
        "rawQueryString": "price=10&price=20&q=a%20b",
        "cookies": ["till=3", "shift=late"],
        "queryStringParameters": {"price": "10,20", "q": "a b"},
        "pathParameters": {"id": "a b"},
        "stageVariables": {"shop": "parcel"},
        "body": '{"n": 1}',
        "isBase64Encoded": False,
    }
    assert headers["x-till"] == "3"
    assert headers["content-type"] == "application/json"
    assert headers["host"] == api.endpoint.removeprefix("http://")
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert "cookie" not in headers
    assert abs(context.pop("timeEpoch") / 1000 - __import__("time").time()) < 3600 * 24 * 365
    assert context.pop("time").endswith(" +0000")
    assert context.pop("requestId") == response.headers["apigw-requestid"]
    assert context.pop("http").pop("userAgent") == ""
    assert context == {
        "accountId": "123456789012",
        "apiId": api.id,
        "domainName": f"{api.id}.execute-api.us-east-1.localhost",
        "domainPrefix": api.id,
        "routeKey": "POST /orders/{id}",
        "stage": "prod",
    }


def test_every_ordinary_client_reaches_it(http_api, deploy, local_aws):
    api = http_api(Target=arn_of(function := deploy(ECHO)))
    api.permit(function)
    assert requests.get(api.endpoint + "/orders").json()["rawPath"] == "/orders"
    with urllib.request.urlopen(api.endpoint + "/orders") as response:
        assert json.loads(response.read())["rawPath"] == "/orders"
    assert requests.get(f"{local_aws.url}/_aws/execute-api/{api.id}/orders").json()["rawPath"] == "/orders"
    assert api.client.get_api(ApiId=api.id)["ApiEndpoint"] == api.endpoint


def test_one_call_makes_integration_route_and_stage(http_api, deploy):
    """https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#apis-model-createapiinput."""
    function = deploy(ECHO)
    api = http_api(Target=arn_of(function))
    (integration,) = api.client.get_integrations(ApiId=api.id)["Items"]
    (route,) = api.client.get_routes(ApiId=api.id)["Items"]
    (stage,) = api.client.get_stages(ApiId=api.id)["Items"]
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")
    assert (route["RouteKey"], route["Target"]) == ("$default", f"integrations/{integration['IntegrationId']}")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert http(api.endpoint).json == {"message": "Internal Server Error"}
    api.permit(function, "*/$default")
    assert http(api.endpoint + "/any/path", "DELETE").json["routeKey"] == "$default"


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/orders", "GET /orders"),
        ("PUT", "/orders", "ANY /orders"),
        ("GET", "/orders/17", "GET /orders/{id}"),
        ("GET", "/orders/17/lines", "GET /orders/{proxy+}"),
        ("GET", "/labels", "$default"),
        ("GET", "/orders/", "$default"),
    ],
)
def test_the_most_specific_route_is_taken(http_api, deploy, method, path, key):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html."""
    api = http_api()
    keys = ("GET /orders", "ANY /orders", "GET /orders/{id}", "GET /orders/{proxy+}", "$default")
    api.function(deploy(ECHO), *keys)
    api.stage()
    assert http(api.endpoint + path, method).json["routeKey"] == key


def test_a_route_key_is_taken_once(http_api, deploy):
    api = http_api()
    api.function(deploy(ECHO), "GET /orders")
    with pytest.raises(ClientError, match="Route with key GET /orders already exists for this API") as refused:
        api.client.create_route(ApiId=api.id, RouteKey="GET /orders")
    assert refused.value.response["Error"]["Code"] == "ConflictException"


def test_what_is_not_there_is_not_found(http_api, deploy):
    api = http_api()
    api.function(deploy(ECHO), "GET /orders")
    response = http(api.endpoint + "/orders")
    assert (response.status, response.text) == (404, '{"message":"Not Found"}')  # no stage yet
    api.stage()
    assert http(api.endpoint + "/orders").status == 200
    assert http(api.endpoint + "/orders", "POST").text == '{"message":"Not Found"}'


def test_the_default_stage_serves_beside_a_named_one(http_api, deploy):
    api = http_api()
    api.function(deploy(ECHO), "$default")
    api.stage()
    api.stage("dev")
    assert http(api.endpoint + "/dev/orders").json["requestContext"]["stage"] == "dev"
    assert http(api.endpoint + "/developers").json["requestContext"]["stage"] == "$default"


def test_a_stage_without_automatic_deployment_serves_what_was_deployed(http_api, deploy):
    """https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments.html."""
    api = http_api()
    api.function(deploy(ECHO), "GET /orders")
    api.stage(AutoDeploy=False)
    assert http(api.endpoint + "/orders").status == 404
    first = api.client.create_deployment(ApiId=api.id, StageName="$default")
    assert first["DeploymentStatus"] == "DEPLOYED"
    api.function(deploy(ECHO), "GET /labels")
    assert [http(api.endpoint + path).status for path in ("/orders", "/labels")] == [200, 404]
    second = api.client.create_deployment(ApiId=api.id, Description="labels")
    assert http(api.endpoint + "/labels").status == 404
    api.client.update_stage(ApiId=api.id, StageName="$default", DeploymentId=second["DeploymentId"])
    assert http(api.endpoint + "/labels").status == 200
    assert api.client.get_stage(ApiId=api.id, StageName="$default")["DeploymentId"] == second["DeploymentId"]
    known = {item["DeploymentId"] for item in api.client.get_deployments(ApiId=api.id)["Items"]}
    assert known == {first["DeploymentId"], second["DeploymentId"]}
    with pytest.raises(ClientError, match="Active stages"):
        api.client.delete_deployment(ApiId=api.id, DeploymentId=second["DeploymentId"])
    api.client.delete_deployment(ApiId=api.id, DeploymentId=first["DeploymentId"])
    with pytest.raises(ClientError) as refused:
        api.client.get_deployment(ApiId=api.id, DeploymentId=first["DeploymentId"])
    assert refused.value.response["Error"]["Code"] == "NotFoundException"


def test_payload_format_1_is_there_too(http_api, deploy):
    api = http_api()
    api.function(deploy(ECHO), "GET /orders/{id}", PayloadFormatVersion="1.0")
    api.stage()
    event = http(api.endpoint + "/orders/a%20b?q=1", X_Till="3").json
    assert event["version"] == "1.0"
    assert event["resource"] == "/orders/{id}"
    assert event["path"] == "/orders/a b"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1"]}
    assert event["requestContext"]["resourceId"] is None


@pytest.mark.parametrize(
    ("returned", "status", "content_type", "body"),
    [
        ("{'hello': 'world'}", 200, "application/json", '{"hello":"world"}'),
        ("'hello'", 200, "application/json", "hello"),
        ("{'statusCode': 201, 'body': 'made'}", 201, "text/plain;charset=UTF-8", "made"),
        ("{'statusCode': 'x'}", 500, "application/json", '{"message":"Internal Server Error"}'),
        ("1 / 0", 500, "application/json", '{"message":"Internal Server Error"}'),
    ],
)
def test_answers_are_read_or_inferred(http_api, deploy, returned, status, content_type, body):
    api = http_api()
    api.function(deploy(f"def handler(event, context):\n    return {returned}\n"), "$default")
    api.stage()
    response = http(api.endpoint)
    assert (response.status, response.headers["content-type"], response.text) == (status, content_type, body)


def test_cookies_and_bytes_come_back(http_api, deploy):
    api = http_api()
    code = """
def handler(event, context):
    return {"statusCode": 200, "cookies": ["a=1; Secure", "b=2"], "isBase64Encoded": True, "body": "/wA=",
            "headers": {"content-type": "image/png"}}
"""
    api.function(deploy(code), "$default")
    api.stage()
    response = http(api.endpoint)
    assert response.headers["set-cookie"] == "a=1; Secure\nb=2"
    assert response.body == b"\xff\x00"


def test_permission_is_needed_for_the_very_route(http_api, deploy):
    api = http_api()
    function = deploy(ECHO)
    api.function(function, "GET /orders/{id}", permit=False)
    api.stage()
    assert http(api.endpoint + "/orders/1").text == '{"message":"Internal Server Error"}'
    api.permit(function, "*/GET/labels/*")
    assert http(api.endpoint + "/orders/1").status == 500
    api.permit(function, "*/*/orders/{id}")
    assert http(api.endpoint + "/orders/1").status == 200


def test_a_slow_function_is_not_waited_for(http_api, deploy):
    """30 seconds unless the integration asks for less."""
    api = http_api()
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(1.5)\n", Timeout=10)
    api.function(function, "$default", TimeoutInMillis=100)
    api.stage()
    response = http(api.endpoint)
    assert (response.status, response.text) == (503, '{"message":"Service Unavailable"}')


CORS = {
    "AllowOrigins": ["https://shop.example"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["x-till"],
    "MaxAge": 60,
}


def test_cors_is_the_gateways_business(http_api, deploy):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html."""
    api = http_api(CorsConfiguration=CORS)
    code = "def handler(event, context):\n    return {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': '*'}}\n"
    api.function(deploy(code), "POST /orders")
    api.stage()
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-till"}
    response = http(api.endpoint + "/orders", "OPTIONS", Origin="https://shop.example", **asked)
    assert (response.status, response.body) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    assert response.headers["access-control-allow-methods"] == "GET,POST"
    assert response.headers["access-control-allow-headers"] == "x-till"
    assert response.headers["access-control-max-age"] == "60"
    response = http(api.endpoint + "/orders", "OPTIONS", Origin="https://evil.example", **asked)
    assert "access-control-allow-origin" not in response.headers
    response = http(api.endpoint + "/orders", "POST", Origin="https://shop.example", Sec_Fetch_Site="cross-site")
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    response = http(api.endpoint + "/orders", "POST", Origin="https://evil.example")
    assert response.status == 200
    assert "access-control-allow-origin" not in response.headers


AUTHORIZER = """
def handler(event, context):
    token = event["headers"]["x-token"]
    if token == "broken":
        return 1 / 0
    return {"isAuthorized": token == "let me in", "context": {"till": 3, "route": event["routeKey"]}}
"""


def test_a_lambda_authorizer_answers_in_one_word(http_api, deploy):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html."""
    api = http_api()
    guard = deploy(AUTHORIZER)
    authorizer = api.client.create_authorizer(
        ApiId=api.id,
        Name="guard",
        AuthorizerType="REQUEST",
        AuthorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn_of(guard)}/invocations",
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
        IdentitySource=["$request.header.X-Token"],
    )["AuthorizerId"]
    api.permit(guard, f"authorizers/{authorizer}")
    api.function(deploy(ECHO), "GET /orders", route={"AuthorizationType": "CUSTOM", "AuthorizerId": authorizer})
    api.stage()
    response = http(api.endpoint + "/orders", X_Token="let me in")
    assert response.json["requestContext"]["authorizer"] == {"lambda": {"till": 3, "route": "GET /orders"}}
    response = http(api.endpoint + "/orders", X_Token="stranger")
    assert (response.status, response.text) == (403, '{"message":"Forbidden"}')
    response = http(api.endpoint + "/orders")
    assert (response.status, response.text) == (401, '{"message":"Unauthorized"}')
    response = http(api.endpoint + "/orders", X_Token="broken")
    assert (response.status, response.text) == (500, '{"message":"Internal Server Error"}')


def test_a_large_request_is_refused(http_api, deploy):
    api = http_api()
    api.function(deploy(ECHO), "$default")
    api.stage()
    response = http(api.endpoint, "POST", b"x" * (10 * 1024 * 1024 + 1))
    assert (response.status, response.text) == (413, '{"message":"Request Entity Too Large"}')


def test_a_web_page_calls_the_api_but_not_aws(http_api, deploy, local_aws, new_page, serve, tmp_path):
    """A page of another origin, in a real browser: the API as its CORS configuration says, the AWS endpoint not at all."""
    api = http_api(CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["*"], "AllowHeaders": ["*"]})
    api.function(deploy(ECHO), "POST /orders")
    api.stage()
    (tmp_path / "index.html").write_text("<p>Parcel</p>")
    page = new_page()
    page.goto(serve(tmp_path))
    script = "([url, options]) => fetch(url, options).then(r => r.json()).then(e => e.body, e => 'blocked')"
    options = {"method": "POST", "body": '{"n": 1}', "headers": {"Content-Type": "application/json", "X-Till": "3"}}
    for address in (api.endpoint, f"{local_aws.url}/_aws/execute-api/{api.id}"):
        assert page.evaluate(script, [f"{address}/orders", options]) == '{"n": 1}'
    script = "url => fetch(url).then(r => 'open', e => 'blocked')"
    assert page.evaluate(script, local_aws.url) == "blocked"


def test_an_api_is_made_from_a_document(http_api, deploy):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html."""
    function = deploy(ECHO)
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "payloadFormatVersion": "2.0",
        "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn_of(function)}/invocations",
    }
    operation = {"x-amazon-apigateway-integration": integration, "responses": {"default": {"description": "all"}}}
    document = {
        "openapi": "3.0.1",
        "info": {"title": "imported", "version": "2"},
        "paths": {
            "/orders/{id}": {"get": operation, "x-amazon-apigateway-any-method": operation},
            "$default": {"x-amazon-apigateway-any-method": operation},
        },
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://shop.example"], "allowMethods": ["GET"]},
    }
    api = http_api()
    imported = api.client.import_api(Body=json.dumps(document))
    assert (imported["Name"], imported["Version"]) == ("imported", "2")
    assert imported["CorsConfiguration"]["AllowOrigins"] == ["https://shop.example"]
    api.client.delete_api(ApiId=imported["ApiId"])
    api.client.reimport_api(ApiId=api.id, Body=json.dumps(document))
    api.stage()
    api.permit(function)
    paths = {"GET /orders/{id}": "/orders/1", "$default": "/labels"}
    assert {key: http(api.endpoint + path).json["routeKey"] for key, path in paths.items()} == {
        key: key for key in paths
    }
    assert http(api.endpoint + "/orders/1", "PUT").json["routeKey"] == "ANY /orders/{id}"
    with pytest.raises(ClientError, match="BadRequestException"):
        api.client.import_api(Body="no document")


ROLE = "arn:aws:iam::123456789012:role/parcel-function"


def _service(api: HttpApi, key: str, subtype: str, **parameters: str) -> None:
    integration = api.client.create_integration(
        ApiId=api.id,
        IntegrationType="AWS_PROXY",
        IntegrationSubtype=subtype,
        PayloadFormatVersion="1.0",
        CredentialsArn=ROLE,
        RequestParameters=parameters,
    )["IntegrationId"]
    api.client.create_route(ApiId=api.id, RouteKey=key, Target=f"integrations/{integration}")


def test_a_route_sends_messages_to_a_queue(http_api):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html."""
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="orders-over-http")["QueueUrl"]
    attributes = json.dumps({"shop": {"DataType": "String", "StringValue": "parcel"}})
    api = http_api()
    _service(
        api, "POST /orders", "SQS-SendMessage", QueueUrl=url, MessageBody="$request.body", MessageAttributes=attributes
    )
    _service(
        api, "POST /labels/{id}", "SQS-SendMessage", QueueUrl=url, MessageBody="$request.path.id", DelaySeconds="0"
    )
    _service(api, "POST /notes", "SQS-SendMessage", QueueUrl=url, MessageBody="$request.body.note.text")
    _service(api, "POST /away", "SQS-SendMessage", QueueUrl=url + "-not-there", MessageBody="$context.requestId")
    _service(api, "POST /purge", "SQS-PurgeQueue", QueueUrl=url)
    api.stage()
    sent = http(api.endpoint + "/orders", "POST", '{"order": "P-1"}')
    assert sent.status == 200
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert (message["Body"], message["MessageId"]) == ('{"order": "P-1"}', sent.json["MessageId"])
    assert message["MessageAttributes"]["shop"]["StringValue"] == "parcel"
    assert http(api.endpoint + "/labels/P-2", "POST").status == 200
    assert http(api.endpoint + "/notes", "POST", '{"note": {"text": "fragile"}}').status == 200
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {message["Body"] for message in found} == {"P-2", "fragile"}
    without = http(api.endpoint + "/notes", "POST", '{"note": {}}')
    assert (without.status, without.json["message"]) == (400, "The request gives no value for MessageBody.")
    away = http(api.endpoint + "/away", "POST")
    assert (away.status, "queue does not exist" in away.json["message"]) == (400, True)
    purged = http(api.endpoint + "/purge", "POST")
    assert purged.status == 501
    assert purged.json["message"].startswith(
        "The local AWS does not run SQS-PurgeQueue: only functions, local servers,"
    )


def test_a_route_puts_events_and_starts_executions(local_aws, http_api):
    sqs, events, machines = boto3.client("sqs"), boto3.client("events"), boto3.client("stepfunctions")
    url = sqs.create_queue(QueueName="events-over-http")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:events-over-http"
    rule = events.put_rule(Name="over-http", EventPattern='{"source": ["parcel.shop"]}')["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="over-http", Targets=[{"Id": "queue", "Arn": arn}])
    machine = machines.create_state_machine(
        name="over-http",
        roleArn=ROLE,
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
    )["stateMachineArn"]
    api = http_api()
    _service(
        api,
        "POST /events",
        "EventBridge-PutEvents",
        Source="parcel.shop",
        DetailType="$request.header.x-kind",
        Detail="$request.body",
        Resources='["till/3"]',
    )
    _service(
        api,
        "POST /executions",
        "StepFunctions-StartExecution",
        StateMachineArn=machine,
        Input="$request.body",
        Name="$request.querystring.name",
    )
    api.stage()
    put = http(api.endpoint + "/events", "POST", '{"order": "P-1"}', X_Kind="Order Placed")
    assert put.json["FailedEntryCount"] == 0
    local_aws.settle()
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    event = json.loads(message["Body"])
    assert (event["detail-type"], event["detail"], event["resources"]) == (
        "Order Placed",
        {"order": "P-1"},
        ["till/3"],
    )
    started = http(api.endpoint + "/executions?name=first", "POST", '{"order": "P-1"}')
    assert started.status == 200
    local_aws.settle()
    execution = machines.describe_execution(executionArn=started.json["executionArn"])
    assert (execution["name"], execution["status"], execution["output"]) == ("first", "SUCCEEDED", '{"order": "P-1"}')
