"""Deployments of HTTP APIs: what a stage without automatic deployment serves.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.apigatewayv2.models import Api, Authorizer, Integration, Route, Stage, apigatewayv2_backends

from coldstart.cloud.aws_error import AwsError
from coldstart.events.http_routes import RouteTable
from coldstart.runtime.clock import Clock

_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class HttpApiSnapshot:
    """The routes of an API, with all that decides how a request is answered."""

    def __init__(
        self,
        routes: list[Route],
        integrations: Mapping[str, Integration],
        authorizers: Mapping[str, Authorizer],
    ) -> None:
        self._default = next((route for route in routes if route.route_key == "$default"), None)
        keyed = [(*_method_and_path(route.route_key), route) for route in routes if " " in route.route_key]
        self._table: RouteTable[Route] = RouteTable(keyed)
        self.integrations = integrations
        self.authorizers = authorizers

    @classmethod
    def of(cls, api: Api, keep: Callable[[Any], Any] = copy.deepcopy) -> HttpApiSnapshot:
        """Return the API as it is now."""
        return cls(keep(list(api.routes.values())), keep(api.integrations), keep(api.authorizers))

    @classmethod
    def of_stage(cls, api: Api, stage: Stage) -> HttpApiSnapshot | None:
        """Return what a stage serves; None when nothing has been deployed to it."""
        if stage.auto_deploy:
            return cls.of(api, keep=lambda current: current)
        deployment = deployments(api).get(_deployment_of(stage))
        return deployment.snapshot if deployment else None

    def route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route for a request and what its placeholders stand for; None when there is none."""
        found = self._table.find(method, path)
        if found is not None:
            return found
        return None if self._default is None else (self._default, {})


@dataclass
class HttpApiDeployment:
    """An API as it was at one time."""

    deployment_id: str
    created: float
    description: str
    snapshot: HttpApiSnapshot

    def to_json(self) -> dict[str, Any]:
        """Return it as boto3 shows it."""
        return {
            "AutoDeployed": False,
            "CreatedDate": self.created,
            "DeploymentId": self.deployment_id,
            "DeploymentStatus": "DEPLOYED",
            "Description": self.description,
        }


class HttpApiDeploymentApi:
    """The operations on deployments, which moto does not know."""

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
            "".join(secrets.choice(_ID_CHARACTERS) for _ in range(6)),
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
        if any(_deployment_of(stage) == params["DeploymentId"] for stage in api.stages.values()):
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

    def _api(self, region: str, params: Mapping[str, Any]) -> Api:
        api = apigatewayv2_backends[self._account_id][region].apis.get(params["ApiId"])
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


def deployments(api: Api) -> dict[str, HttpApiDeployment]:
    """Return the deployments of an API by id; they live and die with it."""
    if not hasattr(api, "http_api_deployments"):
        api.http_api_deployments = {}  # type: ignore[attr-defined]
    return api.http_api_deployments  # type: ignore[attr-defined]


def _deployment_of(stage: Stage) -> str:
    return getattr(stage, "deployment_id", None) or ""


def _stage(stage: Stage) -> dict[str, Any]:
    document = {name[:1].upper() + name[1:]: value for name, value in stage.to_json().items()}
    document["CreatedDate"] = stage.created
    document["LastUpdatedDate"] = stage.updated
    document["DefaultRouteSettings"] = _capitalised(document.get("DefaultRouteSettings"))
    return {**document, "DeploymentId": _deployment_of(stage)}


def _capitalised(settings: Any) -> dict[str, Any]:
    return {name[:1].upper() + name[1:]: value for name, value in (settings or {}).items()}


def _method_and_path(route_key: str) -> tuple[str, str]:
    method, _, path = route_key.partition(" ")
    return method, path


def _not_found(kind: str, identifier: str) -> AwsError:
    return AwsError(404, "NotFoundException", f"Invalid {kind} identifier specified {identifier}")
