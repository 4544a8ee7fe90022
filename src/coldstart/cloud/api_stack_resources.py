"""APIs, bucket policies, alarms and metric filters in CloudFormation's stacks, through the services' own APIs.

moto makes REST APIs without their documents, and none of the others.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind, is_true


def api_resource_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    kinds = (
        _RestApi,
        _RestDeployment,
        _RestStage,
        _HttpApi,
        _HttpIntegration,
        _HttpRoute,
        _HttpStage,
        _BucketPolicy,
        _Alarm,
        _MetricFilter,
    )
    return [kind(StackClients(clients, account_id)) for kind in kinds]


class _RestApi(StackKind):
    type = "AWS::ApiGateway::RestApi"
    name_property = "Name"
    attributes = ("RootResourceId", "RestApiId")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        if "Body" in properties:
            made = self._call("apigateway", "import_rest_api", region, body=_document(properties["Body"]))
        else:
            made = self._call("apigateway", "create_rest_api", region, name=name)
        return self._made(region, made["id"])

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if "Body" in properties:
            document = _document(properties["Body"])
            self._call(
                "apigateway", "put_rest_api", region, restApiId=made.physical_id, mode="overwrite", body=document
            )
        return self._made(region, made.physical_id)

    def delete(self, region: str, made: Made) -> None:
        self._delete("apigateway", "delete_rest_api", region, restApiId=made.physical_id)

    def _made(self, region: str, api_id: str) -> Made:
        resources = self._call("apigateway", "get_resources", region, restApiId=api_id)["items"]
        root = next(resource["id"] for resource in resources if resource["path"] == "/")
        return Made(api_id, {"RootResourceId": root, "RestApiId": api_id})


class _RestDeployment(StackKind):
    type = "AWS::ApiGateway::Deployment"
    attributes = ("DeploymentId",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        stage = {"stageName": properties["StageName"]} if "StageName" in properties else {}
        made = self._call("apigateway", "create_deployment", region, restApiId=properties["RestApiId"], **stage)
        return Made(made["id"], {"DeploymentId": made["id"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        """Keep it: it goes with its API, and a stage may still serve it."""


class _RestStage(StackKind):
    type = "AWS::ApiGateway::Stage"
    name_property = "StageName"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        self._call(
            "apigateway",
            "create_stage",
            region,
            restApiId=properties["RestApiId"],
            stageName=name,
            deploymentId=properties["DeploymentId"],
            variables={key: str(value) for key, value in (properties.get("Variables") or {}).items()},
        )
        return Made(name, {"_api": properties["RestApiId"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        change = {"op": "replace", "path": "/deploymentId", "value": properties["DeploymentId"]}
        self._call(
            "apigateway",
            "update_stage",
            region,
            restApiId=properties["RestApiId"],
            stageName=name,
            patchOperations=[change],
        )
        return Made(name, {"_api": properties["RestApiId"]})

    def delete(self, region: str, made: Made) -> None:
        self._delete(
            "apigateway", "delete_stage", region, restApiId=made.attributes["_api"], stageName=made.physical_id
        )


class _HttpApi(StackKind):
    type = "AWS::ApiGatewayV2::Api"
    name_property = "Name"
    attributes = ("ApiEndpoint", "ApiId")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        if "Body" in properties:
            made = self._call("apigatewayv2", "import_api", region, Body=_document(properties["Body"]).decode())
        else:
            wanted = (
                "ProtocolType",
                "CorsConfiguration",
                "Description",
                "RouteSelectionExpression",
                "Target",
                "RouteKey",
            )
            settings = {key: properties[key] for key in wanted if key in properties}
            made = self._call("apigatewayv2", "create_api", region, Name=name, **settings)
        return Made(made["ApiId"], {"ApiEndpoint": made["ApiEndpoint"], "ApiId": made["ApiId"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if "Body" in properties:
            document = _document(properties["Body"]).decode()
            self._call("apigatewayv2", "reimport_api", region, ApiId=made.physical_id, Body=document)
        elif "CorsConfiguration" in properties:
            cors = properties["CorsConfiguration"]
            self._call("apigatewayv2", "update_api", region, ApiId=made.physical_id, CorsConfiguration=cors)
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("apigatewayv2", "delete_api", region, ApiId=made.physical_id)


class _HttpIntegration(StackKind):
    type = "AWS::ApiGatewayV2::Integration"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        made = self._call("apigatewayv2", "create_integration", region, **_numbered(properties))
        return Made(made["IntegrationId"], {"_api": properties["ApiId"]})

    def delete(self, region: str, made: Made) -> None:
        api = made.attributes["_api"]
        self._delete("apigatewayv2", "delete_integration", region, ApiId=api, IntegrationId=made.physical_id)


class _HttpRoute(StackKind):
    type = "AWS::ApiGatewayV2::Route"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        made = self._call("apigatewayv2", "create_route", region, **properties)
        return Made(made["RouteId"], {"_api": properties["ApiId"]})

    def delete(self, region: str, made: Made) -> None:
        self._delete("apigatewayv2", "delete_route", region, ApiId=made.attributes["_api"], RouteId=made.physical_id)


class _HttpStage(StackKind):
    type = "AWS::ApiGatewayV2::Stage"
    name_property = "StageName"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        wanted = ("AutoDeploy", "Description", "StageVariables", "DeploymentId")
        settings = {key: properties[key] for key in wanted if key in properties}
        settings["AutoDeploy"] = is_true(settings.get("AutoDeploy"))
        self._call("apigatewayv2", "create_stage", region, ApiId=properties["ApiId"], StageName=name, **settings)
        return Made(name, {"_api": properties["ApiId"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("apigatewayv2", "delete_stage", region, ApiId=made.attributes["_api"], StageName=made.physical_id)


class _BucketPolicy(StackKind):
    type = "AWS::S3::BucketPolicy"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        policy = json.dumps(properties["PolicyDocument"], default=str)
        self._call("s3", "put_bucket_policy", region, Bucket=properties["Bucket"], Policy=policy)
        return Made(properties["Bucket"])

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        self._delete("s3", "delete_bucket_policy", region, Bucket=made.physical_id)


class _Alarm(StackKind):
    type = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"
    attributes = ("Arn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        self._call("cloudwatch", "put_metric_alarm", region, **{**_numbered(properties), "AlarmName": name})
        [found] = self._call("cloudwatch", "describe_alarms", region, AlarmNames=[name])["MetricAlarms"]
        return Made(name, {"Arn": found["AlarmArn"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        self._delete("cloudwatch", "delete_alarms", region, AlarmNames=[made.physical_id])


class _MetricFilter(StackKind):
    type = "AWS::Logs::MetricFilter"
    name_property = "FilterName"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        transformations = [
            {
                f"{key[0].lower()}{key[1:]}": float(value) if key == "DefaultValue" else value
                for key, value in each.items()
            }
            for each in properties["MetricTransformations"]
        ]
        self._call(
            "logs",
            "put_metric_filter",
            region,
            logGroupName=properties["LogGroupName"],
            filterName=name,
            filterPattern=properties.get("FilterPattern", ""),
            metricTransformations=transformations,
        )
        return Made(name, {"_group": properties["LogGroupName"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        group = made.attributes["_group"]
        self._delete("logs", "delete_metric_filter", region, logGroupName=group, filterName=made.physical_id)


def _document(body: Any) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body, default=str)).encode()


_WHOLE = {"TimeoutInMillis", "Period", "EvaluationPeriods", "DatapointsToAlarm"}
_TRUE_OR_FALSE = {"ActionsEnabled"}


def _numbered(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with numbers where a template has them as text."""

    def converted(name: str, value: Any) -> Any:
        if name in _WHOLE:
            return int(value)
        if name == "Threshold":
            return float(value)
        return is_true(value) if name in _TRUE_OR_FALSE else value

    return {name: converted(name, value) for name, value in properties.items() if name not in ("Tags",)}
