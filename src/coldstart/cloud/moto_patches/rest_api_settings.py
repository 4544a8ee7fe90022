"""Settings of REST APIs that moto (apigateway/responses.py, models.py) drops: binary media types and the transfer mode.

``create_rest_api`` loses ``binaryMediaTypes``; a patch operation that names a media type in its path
(``/binaryMediaTypes/image~1png``) adds an empty one; ``put_integration`` loses ``responseTransferMode`` and leaves the timeout
open, where AWS says 29 seconds.
"""

# mypy: disable-error-code="method-assign, assignment, attr-defined, misc"
from __future__ import annotations

import json
from typing import Any

from moto.apigateway.models import Integration, RestAPI
from moto.apigateway.responses import APIGatewayResponse

DEFAULT_TIMEOUT_MS = 29_000

_motos_create_rest_api = APIGatewayResponse.create_rest_api
_motos_put_integration = APIGatewayResponse.put_integration
_motos_patch = RestAPI.apply_patch_operations
_motos_integration_to_json = Integration.to_json


def apply() -> None:
    """Correct moto."""
    APIGatewayResponse.create_rest_api = _create_rest_api
    APIGatewayResponse.put_integration = _put_integration
    RestAPI.apply_patch_operations = _apply_patch_operations
    Integration.to_json = _integration_to_json


def _create_rest_api(response: APIGatewayResponse) -> Any:
    status, headers, body = _motos_create_rest_api(response)
    types = response._get_param("binaryMediaTypes")
    api = response.backend.apis.get(json.loads(body).get("id"))
    if types and api is not None:
        api.binaryMediaTypes = list(types)
        body = json.dumps(api.to_dict())
    return status, headers, body


def _put_integration(response: APIGatewayResponse) -> Any:
    status, headers, _ = _motos_put_integration(response)
    _, _, api_id, _, resource_id, _, method, *_ = response.path.split("/")
    integration = response.backend.get_integration(api_id, resource_id, method)
    integration.response_transfer_mode = response._get_param("responseTransferMode") or "BUFFERED"
    return status, headers, json.dumps(integration.to_json())


def _apply_patch_operations(api: RestAPI, patch_operations: list[dict[str, Any]]) -> None:
    for operation in patch_operations:
        media_type = operation["path"].removeprefix("/binaryMediaTypes/").replace("~1", "/").replace("~0", "~")
        if media_type == operation["path"]:
            _motos_patch(api, [operation])
        elif operation["op"] == "add" and media_type not in api.binaryMediaTypes:
            api.binaryMediaTypes.append(media_type)
        elif operation["op"] == "remove" and media_type in api.binaryMediaTypes:
            api.binaryMediaTypes.remove(media_type)
        elif operation["op"] == "replace":
            api.binaryMediaTypes = [
                operation["value"] if known == media_type else known for known in api.binaryMediaTypes
            ]


def _integration_to_json(integration: Integration) -> dict[str, Any]:
    document = _motos_integration_to_json(integration)
    document["timeoutInMillis"] = int(document["timeoutInMillis"] or DEFAULT_TIMEOUT_MS)
    document["responseTransferMode"] = getattr(integration, "response_transfer_mode", "BUFFERED")
    return document
