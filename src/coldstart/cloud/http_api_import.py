"""HTTP APIs out of OpenAPI 3.0 documents, with API Gateway's extensions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Api, Authorizer


ANY_METHOD = "x-amazon-apigateway-any-method"
_METHODS = frozenset(["get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD])


def import_document(api: Api, document: Mapping[str, Any]) -> None:
    """Put the document's routes, integrations and authorizers in the place of the API's own."""
    api.authorizers.clear()
    api.integrations.clear()
    api.routes.clear()
    info = document.get("info") or {}
    api.name = info.get("title") or api.name
    api.description = info.get("description") or api.description
    api.version = str(info.get("version") or "") or api.version
    if document.get("x-amazon-apigateway-cors"):
        api.cors_configuration = document["x-amazon-apigateway-cors"]
    components = document.get("components") or {}
    authorizers = {
        name: _authorizer(api, name, scheme)
        for name, scheme in (components.get("securitySchemes") or {}).items()
        if "x-amazon-apigateway-authorizer" in scheme
    }
    shared = components.get("x-amazon-apigateway-integrations") or {}
    for path, item in (document.get("paths") or {}).items():
        for name, operation in item.items():
            if name not in _METHODS:
                continue
            is_default = path.strip("/") == "$default"
            method = "ANY" if name == ANY_METHOD else name.upper()
            integration = operation.get("x-amazon-apigateway-integration") or {}
            if "$ref" in integration:
                integration = shared.get(integration["$ref"].rpartition("/")[2]) or {}
            api.create_route(
                api_key_required=False,
                route_key="$default" if is_default else f"{method} {path}",
                target=f"integrations/{_integration(api, integration)}" if integration else "",
                **_authorization(operation.get("security", document.get("security")), authorizers),
            )


def _integration(api: Api, settings: Mapping[str, Any]) -> str:
    made = api.create_integration(
        connection_type=settings.get("connectionType") or "INTERNET",
        description=settings.get("description") or "",
        integration_method=settings.get("httpMethod") or "POST",
        integration_type=str(settings.get("type") or "").upper(),
        integration_uri=settings.get("uri") or "",
        credentials_arn=settings.get("credentials"),
        payload_format_version=str(settings.get("payloadFormatVersion") or "1.0"),
        integration_subtype=settings.get("subtype"),
        request_parameters=settings.get("requestParameters"),
        timeout_in_millis=settings.get("timeoutInMillis"),
    )
    return str(made.id)


def _authorizer(api: Api, name: str, scheme: Mapping[str, Any]) -> Authorizer:
    settings = scheme["x-amazon-apigateway-authorizer"]
    sources = settings.get("identitySource") or ""
    return api.create_authorizer(
        auth_creds_arn=settings.get("authorizerCredentials"),
        auth_payload_format_version=settings.get("authorizerPayloadFormatVersion"),
        auth_result_ttl=settings.get("authorizerResultTtlInSeconds"),
        authorizer_type=str(settings.get("type") or "").upper(),
        authorizer_uri=settings.get("authorizerUri"),
        enable_simple_response=settings.get("enableSimpleResponses"),
        identity_source=[source.strip() for source in sources.split(",") if source.strip()],  # type: ignore[arg-type]
        identity_validation_expr=settings.get("identityValidationExpression"),
        jwt_config=settings.get("jwtConfiguration"),
        name=name,
    )


def _authorization(security: Any, authorizers: Mapping[str, Authorizer]) -> dict[str, Any]:
    for requirement in security or []:
        for name, scopes in requirement.items():
            if name in authorizers:
                authorizer = authorizers[name]
                return {
                    "authorization_type": "JWT" if authorizer.authorizer_type == "JWT" else "CUSTOM",
                    "authorizer_id": authorizer.id,
                    "authorization_scopes": scopes or [],
                }
    return {"authorization_type": "NONE", "authorization_scopes": []}
