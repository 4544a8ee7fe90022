"""REST APIs are imported whole from OpenAPI documents, Swagger 2.0 too; moto (apigateway/models.py) imports little.

moto refuses Swagger 2.0, fails without a description, makes resources twice when it merges, and leaves out models, authorizers,
validators, gateway responses, required parameters and binary media types.
"""

# mypy: disable-error-code="method-assign, assignment, attr-defined, misc"
from __future__ import annotations

from typing import Any

from moto.apigateway.exceptions import (
    BadRequestException,
    InvalidOpenAPIDocumentException,
    InvalidOpenApiModeException,
)
from moto.apigateway.models import APIGatewayBackend, RestAPI

from coldstart.cloud.rest_api_import import OpenApiImport


def apply() -> None:
    """Correct moto."""
    APIGatewayBackend.import_rest_api = _import_rest_api
    APIGatewayBackend.put_rest_api = _put_rest_api


def _import_rest_api(backend: APIGatewayBackend, api_doc: dict[str, Any], fail_on_warnings: bool) -> RestAPI:
    _check(api_doc, fail_on_warnings)
    info = api_doc.get("info") or {}
    api = backend.create_rest_api(name=info.get("title") or "", description=info.get("description") or "")
    OpenApiImport(backend, api, api_doc).run()
    return api


def _put_rest_api(
    backend: APIGatewayBackend, function_id: str, api_doc: dict[str, Any], fail_on_warnings: bool, mode: str = "merge"
) -> RestAPI:
    if mode not in ("merge", "overwrite"):
        raise InvalidOpenApiModeException()
    api = backend.get_rest_api(function_id)
    _check(api_doc, fail_on_warnings)
    if mode == "overwrite":
        root = api.resources[api.root_resource_id]
        root.resource_methods = {}
        api.resources = {root.id: root}
        for kept in (api.authorizers, api.gateway_responses, api.models, api.request_validators):
            kept.clear()
    OpenApiImport(backend, api, api_doc).run()
    return api


def _check(document: dict[str, Any], fail_on_warnings: bool) -> None:
    version = str(document.get("openapi") or document.get("swagger") or "")
    if not version.startswith(("3.", "2.")):
        raise BadRequestException("Invalid OpenAPI input.")
    if fail_on_warnings:
        from openapi_spec_validator import validate
        from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

        try:
            validate(document)
        except OpenAPIValidationError as error:
            raise InvalidOpenAPIDocumentException(error) from None
