"""HTTP APIs made in one call, and what stages serve; moto (apigatewayv2/responses.py, models.py) leaves both out.

``create_api`` with a target makes an integration, a route and a stage that deploys by itself
(https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html); a second route with a key is a conflict; a stage
shows the deployment that it serves; documents are read with all their extensions, where moto takes routes named after
``x-amazon-apigateway-any-method`` and types in lower case.
"""

# mypy: disable-error-code="method-assign, assignment, attr-defined, misc"
from __future__ import annotations

import json
import re
from typing import Any

import yaml
from moto.apigatewayv2.exceptions import APIGatewayV2Error
from moto.apigatewayv2.models import Api, Route, Stage
from moto.apigatewayv2.responses import ApiGatewayV2Response

from coldstart.cloud.http_api_import import import_document

_motos_create_api = ApiGatewayV2Response.create_api
_motos_create_route = Api.create_route
_motos_stage = Stage.__init__
_motos_stage_to_json = Stage.to_json


class RouteKeyTaken(APIGatewayV2Error):
    """There is a route with this key."""

    code = 409

    def __init__(self, key: str) -> None:
        super().__init__("ConflictException", f"Route with key {key} already exists for this API")


def apply() -> None:
    """Correct moto."""
    ApiGatewayV2Response.create_api = _create_api
    Api.create_route = _create_route
    Api.import_api = _import_api
    Stage.__init__ = _init_stage
    Stage.to_json = _stage_to_json


def quick_create(api: Api, target: str, route_key: str | None = None, credentials_arn: str | None = None) -> None:
    """Give a new API an integration with a function or an HTTP endpoint, a route to it and the stage ``$default``."""
    is_function = re.match(r"arn:[^:]+:lambda:", target) is not None
    integration = api.create_integration(
        connection_type="INTERNET",
        description="",
        integration_method="POST" if is_function else "ANY",
        integration_type="AWS_PROXY" if is_function else "HTTP_PROXY",
        integration_uri=target,
        credentials_arn=credentials_arn,
        payload_format_version="2.0" if is_function else "1.0",
    )
    api.create_route(
        api_key_required=False,
        authorization_scopes=[],
        route_key=route_key or "$default",
        target=f"integrations/{integration.id}",
    )
    api.create_stage({"stageName": "$default", "autoDeploy": True})


def _create_api(response: ApiGatewayV2Response) -> Any:
    status, headers, body = _motos_create_api(response)
    params = json.loads(response.body)
    if params.get("target"):
        api = response.apigatewayv2_backend.get_api(json.loads(body)["apiId"])
        quick_create(api, params["target"], params.get("routeKey"), params.get("credentialsArn"))
    return status, headers, body


def _create_route(api: Api, *arguments: Any, **parameters: Any) -> Route:
    key = parameters.get("route_key")
    if any(route.route_key == key for route in api.routes.values()):
        raise RouteKeyTaken(str(key))
    return _motos_create_route(api, *arguments, **parameters)


def _import_api(api: Api, body_str: str, fail_on_warnings: bool) -> None:
    import_document(api, yaml.safe_load(body_str))


def _init_stage(stage: Stage, api: Api, config: dict[str, Any]) -> None:
    _motos_stage(stage, api, config)
    stage.deployment_id = config.get("deploymentId")


def _stage_to_json(stage: Stage) -> dict[str, Any]:
    document = _motos_stage_to_json(stage)
    return {**document, "deploymentId": stage.deployment_id} if stage.deployment_id else document
