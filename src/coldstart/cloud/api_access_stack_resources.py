"""Methods of REST APIs, and who may call APIs, in CloudFormation's stacks: authorizers, API keys, usage plans, validators.

moto (apigateway/models.py) makes methods without their authorizers, responses and templates, and cannot make mock integrations at
all. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind, is_true

_AS_THEY_ARE = {
    "RequestParameters",
    "ResponseParameters",
    "RequestTemplates",
    "ResponseTemplates",
    "RequestModels",
    "ResponseModels",
}
"""Properties whose keys are not names of properties."""


def api_access_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    kinds = (
        _Method,
        _RestAuthorizer,
        _RequestValidator,
        _Model,
        _GatewayResponse,
        _Account,
        _ApiKey,
        _UsagePlan,
        _UsagePlanKey,
        _HttpAuthorizer,
        _HttpDeployment,
    )
    return [kind(StackClients(clients, account_id)) for kind in kinds]


class _RestKind(StackKind):
    def _put(
        self, operation: str, region: str, properties: Mapping[str, Any], *wanted: str, **more: Any
    ) -> dict[str, Any]:
        given = {name: properties[name] for name in wanted if name in properties}
        return self._call("apigateway", operation, region, **_as_the_api_has_them(given), **more)


class _Method(_RestKind):
    type = "AWS::ApiGateway::Method"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        place = _as_the_api_has_them({key: properties[key] for key in ("RestApiId", "ResourceId", "HttpMethod")})
        wanted = (
            "AuthorizerId",
            "ApiKeyRequired",
            "AuthorizationScopes",
            "OperationName",
            "RequestModels",
            "RequestParameters",
        )
        authorization = properties.get("AuthorizationType", "NONE")
        self._put(
            "put_method", region, properties, *wanted, "RequestValidatorId", authorizationType=authorization, **place
        )
        for response in properties.get("MethodResponses") or []:
            self._put(
                "put_method_response", region, response, "StatusCode", "ResponseModels", "ResponseParameters", **place
            )
        if "Integration" in properties:
            self._integrate(region, properties["Integration"], place)
        return Made(name, {"_place": json.dumps(place)})

    def _integrate(self, region: str, integration: dict[str, Any], place: dict[str, Any]) -> None:
        wanted = ("Type", "IntegrationHttpMethod", "Uri", "Credentials", "RequestTemplates", "RequestParameters")
        more = ("PassthroughBehavior", "ContentHandling", "TimeoutInMillis", "ConnectionType", "CacheKeyParameters")
        self._put("put_integration", region, integration, *wanted, *more, **place)
        for response in integration.get("IntegrationResponses") or []:
            of_response = (
                "StatusCode",
                "SelectionPattern",
                "ResponseParameters",
                "ResponseTemplates",
                "ContentHandling",
            )
            self._put("put_integration_response", region, response, *of_response, **place)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        self.delete(region, made)
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        self._delete("apigateway", "delete_method", region, **json.loads(made.attributes["_place"]))


class _PartOfRestApi(_RestKind):
    """What belongs to one REST API and has an id there."""

    wanted: tuple[str, ...]
    create_operation: str
    delete_operation: str
    id_name: str

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        given = {"Name": name, **properties}
        made = self._put(self.create_operation, region, given, "RestApiId", "Name", *self.wanted)
        return Made(made["id"], {self.attributes[0]: made["id"], "_api": properties["RestApiId"]})

    def delete(self, region: str, made: Made) -> None:
        named = {"restApiId": made.attributes["_api"], self.id_name: made.physical_id}
        self._delete("apigateway", self.delete_operation, region, **named)


class _RestAuthorizer(_PartOfRestApi):
    type = "AWS::ApiGateway::Authorizer"
    attributes = ("AuthorizerId",)
    wanted = (
        "Type",
        "AuthorizerUri",
        "AuthorizerCredentials",
        "AuthorizerResultTtlInSeconds",
        "IdentitySource",
        "IdentityValidationExpression",
        "AuthType",
        "ProviderARNs",
    )
    create_operation, delete_operation, id_name = "create_authorizer", "delete_authorizer", "authorizerId"


class _RequestValidator(_PartOfRestApi):
    type = "AWS::ApiGateway::RequestValidator"
    attributes = ("RequestValidatorId",)
    wanted = ("ValidateRequestBody", "ValidateRequestParameters")
    create_operation, delete_operation = "create_request_validator", "delete_request_validator"
    id_name = "requestValidatorId"


class _Model(_RestKind):
    type = "AWS::ApiGateway::Model"
    name_property = "Name"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        schema = properties.get("Schema", {})
        self._put(
            "create_model",
            region,
            {"ContentType": "application/json", **properties},
            "RestApiId",
            "ContentType",
            "Description",
            name=name,
            schema=schema if isinstance(schema, str) else json.dumps(schema),
        )
        return Made(name, {"_api": properties["RestApiId"]})

    def delete(self, region: str, made: Made) -> None:
        self._delete(
            "apigateway", "delete_model", region, restApiId=made.attributes["_api"], modelName=made.physical_id
        )


class _GatewayResponse(_RestKind):
    type = "AWS::ApiGateway::GatewayResponse"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        wanted = ("RestApiId", "ResponseType", "StatusCode", "ResponseParameters", "ResponseTemplates")
        self._put("put_gateway_response", region, properties, *wanted)
        return Made(name, {"_api": properties["RestApiId"], "_type": properties["ResponseType"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        api, kind = made.attributes["_api"], made.attributes["_type"]
        self._delete("apigateway", "delete_gateway_response", region, restApiId=api, responseType=kind)


class _Account(_RestKind):
    type = "AWS::ApiGateway::Account"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        if "CloudWatchRoleArn" in properties:
            change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": properties["CloudWatchRoleArn"]}
            self._call("apigateway", "update_account", region, patchOperations=[change])
        return Made(name)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        """Leave the account's role: CloudFormation does so too."""


class _ApiKey(_RestKind):
    type = "AWS::ApiGateway::ApiKey"
    name_property = "Name"
    attributes = ("APIKeyId",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        made = self._put(
            "create_api_key", region, properties, "Enabled", "Value", "Description", "StageKeys", name=name
        )
        return Made(made["id"], {"APIKeyId": made["id"]})

    def delete(self, region: str, made: Made) -> None:
        self._delete("apigateway", "delete_api_key", region, apiKey=made.physical_id)


class _UsagePlan(_RestKind):
    type = "AWS::ApiGateway::UsagePlan"
    name_property = "UsagePlanName"
    attributes = ("Id",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        made = self._put(
            "create_usage_plan", region, properties, "ApiStages", "Description", "Quota", "Throttle", name=name
        )
        return Made(made["id"], {"Id": made["id"]})

    def delete(self, region: str, made: Made) -> None:
        self._delete("apigateway", "delete_usage_plan", region, usagePlanId=made.physical_id)


class _UsagePlanKey(_RestKind):
    type = "AWS::ApiGateway::UsagePlanKey"
    attributes = ("Id",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        self._put("create_usage_plan_key", region, properties, "UsagePlanId", "KeyId", "KeyType")
        id = f"{properties['KeyId']}:{properties['UsagePlanId']}"
        return Made(id, {"Id": id})

    def delete(self, region: str, made: Made) -> None:
        key, _, plan = made.physical_id.partition(":")
        self._delete("apigateway", "delete_usage_plan_key", region, usagePlanId=plan, keyId=key)


class _HttpAuthorizer(StackKind):
    type = "AWS::ApiGatewayV2::Authorizer"
    attributes = ("AuthorizerId",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        settings = {key: _typed(key, value) for key, value in properties.items()}
        made = self._call("apigatewayv2", "create_authorizer", region, **{"IdentitySource": [], **settings})
        return Made(made["AuthorizerId"], {"AuthorizerId": made["AuthorizerId"], "_api": properties["ApiId"]})

    def delete(self, region: str, made: Made) -> None:
        api = made.attributes["_api"]
        self._delete("apigatewayv2", "delete_authorizer", region, ApiId=api, AuthorizerId=made.physical_id)


class _HttpDeployment(StackKind):
    type = "AWS::ApiGatewayV2::Deployment"
    attributes = ("DeploymentId",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        wanted = {key: properties[key] for key in ("ApiId", "StageName", "Description") if key in properties}
        made = self._call("apigatewayv2", "create_deployment", region, **wanted)
        return Made(made["DeploymentId"], {"DeploymentId": made["DeploymentId"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        """Keep it: it goes with its API, and a stage may still serve it."""


_TRUE_OR_FALSE = {
    "ApiKeyRequired",
    "Enabled",
    "EnableSimpleResponses",
    "ValidateRequestBody",
    "ValidateRequestParameters",
}
_WHOLE = {"AuthorizerResultTtlInSeconds", "TimeoutInMillis", "Limit", "Offset", "BurstLimit"}


def _as_the_api_has_them(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with names that begin with a small letter, and values of the types that API Gateway wants."""

    def renamed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return _as_the_api_has_them(value)
        return [renamed(item) for item in value] if isinstance(value, list) else value

    converted: dict[str, Any] = {}
    for name, value in properties.items():
        own = _typed(name, value)
        converted[f"{name[0].lower()}{name[1:]}"] = (
            _entries(name, own.items()) if name in _AS_THEY_ARE else renamed(own)
        )
    return converted


def _entries(name: str, entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    if name != "RequestParameters" and name != "ResponseParameters":
        return dict(entries)
    truths = {
        "true": True,
        "false": False,
    }  # of a method they say what is required; of an integration, where it comes from
    return {key: truths.get(str(value).lower(), value) for key, value in entries}


def _typed(name: str, value: Any) -> Any:
    if name == "StatusCode":
        return str(value)
    if name in _WHOLE:
        return int(value)
    if name == "RateLimit":
        return float(value)
    return is_true(value) if name in _TRUE_OR_FALSE else value
