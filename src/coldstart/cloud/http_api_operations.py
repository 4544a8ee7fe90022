"""The operations of API Gateway's API for HTTP APIs that moto does not know: ImportApi, deployments, UpdateStage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml
from moto.backends import get_backend
from moto.moto_api._internal import mock_random

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.http_api_deployments import HttpApiDeployment, HttpApiSnapshot, deployment_of, deployments
from coldstart.cloud.http_api_import import import_document
from coldstart.runtime.clock import Clock

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Api, Stage

_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class HttpApiOperations:
    """Imports, deployments and changes of stages."""

    def __init__(self, account_id: str, clock: Clock) -> None:
        self._account_id = account_id
        self._clock = clock

    def create_deployment(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Keep an API as it is, and perhaps let a stage serve it.

        https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments.html
        """
        api = self._api(region, params)
        stage = api.stages.get(params["StageName"]) if params.get("StageName") else None
        if params.get("StageName") and stage is None:
            raise _not_found("Stage", params["StageName"])
        if stage is not None and stage.auto_deploy:
            raise AwsError(
                400, "BadRequestException", "Deployment ID cannot be set on a stage with auto-deploy enabled"
            )
        deployment = HttpApiDeployment(
            "".join(mock_random.choice(_ID_CHARACTERS) for _ in range(6)),
            self._clock.now(),
            params.get("Description", ""),
            HttpApiSnapshot.of(api),
        )
        deployments(api)[deployment.deployment_id] = deployment
        if stage is not None:
            stage.deployment_id = deployment.deployment_id  # type: ignore[attr-defined]
        return deployment.to_json()

    def get_deployment(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return one deployment."""
        found = deployments(self._api(region, params)).get(params["DeploymentId"])
        if found is None:
            raise _not_found("Deployment", params["DeploymentId"])
        return found.to_json()

    def get_deployments(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return all deployments of an API."""
        return {"Items": [deployment.to_json() for deployment in deployments(self._api(region, params)).values()]}

    def delete_deployment(self, region: str, params: dict[str, Any]) -> None:
        """Forget a deployment that no stage serves."""
        api = self._api(region, params)
        if params["DeploymentId"] not in deployments(api):
            raise _not_found("Deployment", params["DeploymentId"])
        if any(deployment_of(stage) == params["DeploymentId"] for stage in api.stages.values()):
            raise AwsError(
                400, "BadRequestException", "Active stages pointing to this deployment must be moved or deleted"
            )
        del deployments(api)[params["DeploymentId"]]

    def update_stage(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Change a stage: which deployment it serves, its variables, whether it deploys by itself."""
        api = self._api(region, params)
        stage = api.stages.get(params["StageName"])
        if stage is None:
            raise _not_found("Stage", params["StageName"])
        if "DeploymentId" in params:
            if params["DeploymentId"] not in deployments(api):
                raise _not_found("Deployment", params["DeploymentId"])
            stage.deployment_id = params["DeploymentId"]  # type: ignore[attr-defined]
        for name, attribute in _STAGE_ATTRIBUTES.items():
            if name in params:
                setattr(stage, attribute, params[name])
        return _stage(stage)

    def import_api(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Make an API of an OpenAPI document.

        https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#apisput
        """
        backend = get_backend("apigatewayv2")[self._account_id][region]
        try:
            document = yaml.safe_load(params["Body"])
            title = document["info"]["title"]
        except (yaml.YAMLError, KeyError, TypeError):
            raise AwsError(400, "BadRequestException", "Unable to parse API definition") from None
        no_cors: Any = None  # moto's type wants text, and shows what it is given
        api = backend.create_api(
            api_key_selection_expression="",
            cors_configuration=no_cors,
            description="",
            disable_schema_validation="",
            disable_execute_api_endpoint="",
            name=title,
            protocol_type="HTTP",
            route_selection_expression="",
            tags={},
            version="",
        )
        import_document(api, document)
        return {
            "ApiEndpoint": api.api_endpoint,
            "ApiId": api.api_id,
            "ApiKeySelectionExpression": api.api_key_selection_expression,
            "CorsConfiguration": _capitalised(api.cors_configuration) or None,
            "CreatedDate": api.created_date,
            "Name": api.name,
            "ProtocolType": api.protocol_type,
            "RouteSelectionExpression": api.route_selection_expression,
            "Version": api.version,
        }

    def _api(self, region: str, params: Mapping[str, Any]) -> Api:
        api = get_backend("apigatewayv2")[self._account_id][region].apis.get(params["ApiId"])
        if api is None:
            raise AwsError(404, "NotFoundException", f"Invalid API identifier specified {params['ApiId']}")
        return api


_STAGE_ATTRIBUTES = {
    "AutoDeploy": "auto_deploy",
    "Description": "description",
    "StageVariables": "stage_variables",
    "AccessLogSettings": "access_log_settings",
    "ClientCertificateId": "client_certificate_id",
}


def _stage(stage: Stage) -> dict[str, Any]:
    document = {name[:1].upper() + name[1:]: value for name, value in stage.to_json().items()}
    document["CreatedDate"] = stage.created
    document["LastUpdatedDate"] = stage.updated
    document["DefaultRouteSettings"] = _capitalised(document.get("DefaultRouteSettings"))
    return {**document, "DeploymentId": deployment_of(stage)}


def _capitalised(settings: Any) -> dict[str, Any]:
    return {name[:1].upper() + name[1:]: value for name, value in (settings or {}).items()}


def _not_found(kind: str, identifier: str) -> AwsError:
    return AwsError(404, "NotFoundException", f"Invalid {kind} identifier specified {identifier}")
