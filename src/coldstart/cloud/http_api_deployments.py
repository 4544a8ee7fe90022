"""Deployments of HTTP and WebSocket APIs: what a stage without automatic deployment serves.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coldstart.events.http_routes import RouteTable

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Api, Authorizer, Integration, Route, Stage


class HttpApiSnapshot:
    """The routes of an API, with all that decides how a request is answered."""

    def __init__(
        self,
        routes: list[Route],
        integrations: Mapping[str, Integration],
        authorizers: Mapping[str, Authorizer],
    ) -> None:
        self.by_key = {route.route_key: route for route in routes}
        """The routes by their keys: that is how WebSocket APIs choose."""
        self._default = self.by_key.get("$default")
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
        deployment = deployments(api).get(deployment_of(stage))
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


def deployments(api: Api) -> dict[str, HttpApiDeployment]:
    """Return the deployments of an API by id; they live and die with it."""
    if not hasattr(api, "http_api_deployments"):
        api.http_api_deployments = {}  # type: ignore[attr-defined]
    return api.http_api_deployments  # type: ignore[attr-defined]


def deployment_of(stage: Stage) -> str:
    """Return the id of the deployment that a stage serves; empty when there is none."""
    return getattr(stage, "deployment_id", None) or ""


def _method_and_path(route_key: str) -> tuple[str, str]:
    method, _, path = route_key.partition(" ")
    return method, path
