"""APIs with authorizers, keys and mock integrations, as a stack makes them one resource at a time (osls writes such templates).

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html, AWS_ApiGatewayV2.html.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import http

_numbers = itertools.count(1)

CODE = """
def show(event, context):
    return {"statusCode": 200, "body": "P-1042"}
def guard(event, context):
    effect = "Allow" if event["authorizationToken"] == "packer" else "Deny"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {"principalId": "packer", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
def simple(event, context):
    return {"isAuthorized": event["headers"].get("authorization") == "packer"}
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def functions(*handlers: str) -> dict[str, Any]:
    """A role, and functions that API Gateway may invoke."""
    trust = {"Version": "2012-10-17", "Statement": [TRUST]}
    made: dict[str, Any] = {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}}
    for handler in handlers:
        name = handler.title()
        made[name] = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": CODE},
                "Handler": f"index.{handler}",
                "Runtime": "python3.14",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        }
        made[f"{name}Permission"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": name},
                "Principal": "apigateway.amazonaws.com",
            },
        }
    return made


def invocation(function: str) -> dict[str, Any]:
    """The address under which API Gateway calls a function."""
    return {
        "Fn::Sub": f"arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
    }


def part(kind: str, /, depends: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """A part of the template's REST API."""
    of_api = {"RestApiId": {"Ref": "Api"}, **properties}
    return {
        "Type": f"AWS::ApiGateway::{kind}",
        "Properties": of_api,
        **({"DependsOn": list(depends)} if depends else {}),
    }


def rest_api() -> dict[str, Any]:
    """A REST API whose one method wants a token and an API key; its OPTIONS is answered by a mock."""
    orders, deployed = {"Ref": "Orders"}, ("Deployment",)
    header = "method.response.header.Access-Control-Allow-Origin"
    mock = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [{"StatusCode": 200, "ResponseParameters": {header: "'*'"}}],
    }
    proxy = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": invocation("Show")}
    access = {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Authorizer"}, "ApiKeyRequired": True}
    answered = [{"StatusCode": "200", "ResponseParameters": {header: True}}]
    resources = {
        **functions("show", "guard"),
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "parcel"}},
        "Orders": part("Resource", ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]}, PathPart="orders"),
        "Authorizer": part(
            "Authorizer",
            Name="guard",
            Type="TOKEN",
            AuthorizerUri=invocation("Guard"),
            IdentitySource="method.request.header.Authorization",
            AuthorizerResultTtlInSeconds="0",
        ),
        "Get": part("Method", ResourceId=orders, HttpMethod="GET", Integration=proxy, **access),
        "Options": part("Method", ResourceId=orders, HttpMethod="OPTIONS", Integration=mock, MethodResponses=answered),
        "Deployment": part("Deployment", ("Get", "Options"), StageName="dev"),
        "Key": part("ApiKey", deployed, Name="parcel-partner", Enabled="true", Value="a-key-of-the-partner-0001"),
        "Plan": part(
            "UsagePlan",
            deployed,
            UsagePlanName="partners",
            ApiStages=[{"ApiId": {"Ref": "Api"}, "Stage": "dev"}],
            Quota={"Limit": "100", "Period": "DAY"},
            Throttle={"RateLimit": "10", "BurstLimit": 20},
        ),
        "PlanKey": part("UsagePlanKey", KeyId={"Ref": "Key"}, KeyType="API_KEY", UsagePlanId={"Ref": "Plan"}),
    }
    for name in ("Key", "Plan", "PlanKey"):
        del resources[name]["Properties"]["RestApiId"]
    return {"Resources": resources, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}


def http_api() -> dict[str, Any]:
    """An HTTP API whose one route asks an authorizer; its stage serves a deployment."""
    of_api = {"ApiId": {"Ref": "Api"}}
    resources = {
        **functions("show", "simple"),
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "parcel", "ProtocolType": "HTTP"}},
        "Authorizer": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {
                **of_api,
                "Name": "simple",
                "AuthorizerType": "REQUEST",
                "AuthorizerUri": invocation("Simple"),
                "AuthorizerPayloadFormatVersion": "2.0",
                "EnableSimpleResponses": "true",
                "IdentitySource": ["$request.header.Authorization"],
            },
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                **of_api,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": ["Show", "Arn"]},
                "PayloadFormatVersion": "2.0",
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **of_api,
                "RouteKey": "GET /orders",
                "AuthorizationType": "CUSTOM",
                "AuthorizerId": {"Ref": "Authorizer"},
                "Target": {"Fn::Sub": "integrations/${Integration}"},
            },
        },
        "Deployment": {"Type": "AWS::ApiGatewayV2::Deployment", "DependsOn": ["Route"], "Properties": of_api},
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {**of_api, "StageName": "dev", "DeploymentId": {"Ref": "Deployment"}},
        },
    }
    return {"Resources": resources, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}


@pytest.fixture
def deploy(local_aws):
    """Make a stack, and delete it after the test; return the address of its API's stage."""
    client = boto3.client("cloudformation")
    names = []

    def make(template: dict[str, Any]) -> str:
        names.append(f"api-{next(_numbers)}")
        client.create_stack(StackName=names[-1], TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        [stack] = client.describe_stacks(StackName=names[-1])["Stacks"]
        events = client.describe_stack_events(StackName=names[-1])["StackEvents"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", [each.get("ResourceStatusReason") for each in events]
        [api] = [output["OutputValue"] for output in stack["Outputs"]]
        return f"http://{api}.execute-api.us-east-1.localhost:{local_aws.url.rpartition(':')[2]}/dev"

    yield make
    for name in names:
        client.delete_stack(StackName=name)


def test_a_rest_api_of_a_stack_asks_for_a_token_and_a_key(deploy):
    orders = f"{deploy(rest_api())}/orders"
    key = "a-key-of-the-partner-0001"
    assert http(orders, Authorization="packer", X_Api_Key=key).text == "P-1042"
    assert http(orders, X_Api_Key=key).status == 401
    assert http(orders, Authorization="thief", X_Api_Key=key).status == 403
    assert http(orders, Authorization="packer").status == 403
    preflight = http(orders, "OPTIONS")
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, "*")
    plan = next(each for each in boto3.client("apigateway").get_usage_plans()["items"] if each["name"] == "partners")
    assert (plan["quota"], plan["throttle"]) == (
        {"limit": 100, "period": "DAY"},
        {"rateLimit": 10.0, "burstLimit": 20},
    )


def test_an_http_api_of_a_stack_asks_its_authorizer(deploy):
    orders = f"{deploy(http_api())}/orders"
    assert http(orders, Authorization="packer").text == "P-1042"
    assert http(orders).status == 401
    assert http(orders, Authorization="thief").status == 403


def test_nothing_of_an_api_is_left_when_its_stack_is_deleted(local_aws):
    client, gateway = boto3.client("cloudformation"), boto3.client("apigateway")

    def there() -> list[int]:
        apis, keys, plans = gateway.get_rest_apis(), gateway.get_api_keys(), gateway.get_usage_plans()
        return [len(each["items"]) for each in (apis, keys, plans)]

    before, name = there(), f"api-{next(_numbers)}"
    client.create_stack(StackName=name, TemplateBody=json.dumps(rest_api()), Capabilities=["CAPABILITY_IAM"])
    assert there() == [count + 1 for count in before]
    client.delete_stack(StackName=name)
    assert there() == before


def test_models_validators_responses_and_the_account_of_a_rest_api(deploy, local_aws):
    gateway = boto3.client("apigateway")
    template = rest_api()
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    template["Resources"] |= {
        "Order": part("Model", Name="Order", ContentType="application/json", Schema={"type": "object"}),
        "Validator": part("RequestValidator", Name="body", ValidateRequestBody="true"),
        "Unauthorized": part("GatewayResponse", ResponseType="UNAUTHORIZED", StatusCode=401),
        "Account": {"Type": "AWS::ApiGateway::Account", "Properties": {"CloudWatchRoleArn": role}},
    }
    api = deploy(template).split("//")[1].partition(".")[0]
    assert "Order" in [model["name"] for model in gateway.get_models(restApiId=api)["items"]]
    [validator] = gateway.get_request_validators(restApiId=api)["items"]
    assert validator["validateRequestBody"] is True
    assert ":role/" in gateway.get_account()["cloudwatchRoleArn"]


def test_what_an_api_cannot_have_here_is_refused_by_name(local_aws):
    template = rest_api()
    template["Resources"]["Domain"] = {
        "Type": "AWS::ApiGateway::DomainName",
        "Properties": {"DomainName": "parcel.example"},
    }
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::ApiGateway::DomainName\]"):
        boto3.client("cloudformation").create_stack(StackName="domain", TemplateBody=json.dumps(template))
