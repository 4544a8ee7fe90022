"""A deployment of a REST API keeps the API as it was; moto (apigateway/models.py, RestAPI) keeps nothing but its name.

moto also puts a new stage in the place of one that is deployed to again, which loses its variables and settings, and lets
a deployment be deleted or not by the stage that it was made for instead of the stages that it serves.
"""

# mypy: disable-error-code="method-assign, assignment, attr-defined, misc"
from __future__ import annotations

from typing import Any

from moto.apigateway.exceptions import DeploymentNotFoundException, StageStillActive
from moto.apigateway.models import Deployment, RestAPI

from coldstart.cloud.rest_api_snapshot import RestApiSnapshot

_motos_create_deployment = RestAPI.create_deployment


def apply() -> None:
    """Correct moto."""
    RestAPI.create_deployment = _create_deployment
    RestAPI.delete_deployment = _delete_deployment
    RestAPI.update_integration_mocks = _no_mocks


def _create_deployment(api: RestAPI, name: str, description: str, stage_variables: Any = None) -> Deployment:
    before = api.stages.get(name)
    deployment = _motos_create_deployment(api, name, description, stage_variables)
    deployment.snapshot = RestApiSnapshot.of(api)
    if before is not None:
        before.deployment_id = deployment.id
        before.variables |= stage_variables or {}
        api.stages[name] = before
    return deployment


def _delete_deployment(api: RestAPI, deployment_id: str) -> Deployment:
    if deployment_id not in api.deployments:
        raise DeploymentNotFoundException()
    if any(stage.deployment_id == deployment_id for stage in api.stages.values()):
        raise StageStillActive()
    return api.deployments.pop(deployment_id)


def _no_mocks(api: RestAPI, stage_name: str) -> None:
    """Leave the ``requests`` library alone: moto would make it answer for the API, in this process only."""
