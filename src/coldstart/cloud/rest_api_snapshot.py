"""A REST API as it was when it was deployed.

What is changed in an API reaches its clients with the next deployment only
(https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from coldstart.events.http_routes import RouteTable

if TYPE_CHECKING:
    from moto.apigateway.models import RestAPI


class Resource(NamedTuple):
    """One method of a resource, with the members of the API's ``Method``."""

    resource_id: str
    path: str
    method: dict[str, Any]


@dataclass(frozen=True)
class RestApiSnapshot:
    """Everything of an API that decides how a request is answered; stages and usage plans are looked up when it comes."""

    routes: RouteTable[Resource]
    authorizers: dict[str, dict[str, Any]]
    gateway_responses: dict[str, dict[str, Any]]
    models: dict[str, str]
    """JSON schemas by name."""
    validators: dict[str, tuple[bool, bool]]
    """Whether body and parameters are validated, by the validator's id."""
    binary_media_types: tuple[str, ...]
    api_key_source: str
    resources: dict[str, tuple[str, dict[str, dict[str, Any]]]]
    """Path and methods by resource id."""

    @classmethod
    def of(cls, api: RestAPI) -> RestApiSnapshot:
        """Return the API as it is now."""
        resources: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {}
        for resource in api.resources.values():
            methods = {name: copy.deepcopy(method.to_json()) for name, method in resource.resource_methods.items()}
            resources[resource.id] = (resource.get_path(), methods)
        return cls(
            routes=RouteTable(
                (name, path, Resource(resource_id, path, method))
                for resource_id, (path, methods) in resources.items()
                for name, method in methods.items()
            ),
            authorizers={key: copy.deepcopy(value.to_json()) for key, value in api.authorizers.items()},
            gateway_responses={key: copy.deepcopy(value.to_json()) for key, value in api.gateway_responses.items()},
            models={name: model.schema or "{}" for name, model in api.models.items()},
            validators={
                key: (bool(value.validate_request_body), bool(value.validate_request_parameters))
                for key, value in api.request_validators.items()
            },
            binary_media_types=tuple(api.binaryMediaTypes or ()),
            api_key_source=api.api_key_source,
            resources=resources,
        )
