"""REST APIs out of OpenAPI documents, with API Gateway's extensions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html; OpenAPI 3.0 and Swagger 2.0, which
SAM writes. References (``$ref``) are understood for models.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moto.apigateway.models import APIGatewayBackend, RestAPI


_METHODS = frozenset(["get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"])
_PLACES = {"query": "querystring", "header": "header", "path": "path"}


class OpenApiImport:
    """Makes resources, methods and what belongs to them in one API."""

    def __init__(self, backend: APIGatewayBackend, api: RestAPI, document: Mapping[str, Any]) -> None:
        self._backend = backend
        self._api = api
        self._document = document
        self._components = document.get("components") or {}
        self._authorizers: dict[str, str] = {}
        self._validators: dict[str, str] = {}

    def run(self) -> None:
        """Import the whole document; what is in the API already and not in the document stays."""
        document = self._document
        info = document.get("info") or {}
        self._api.name = info.get("title") or self._api.name
        self._api.description = info.get("description") or self._api.description
        if document.get("x-amazon-apigateway-binary-media-types"):
            self._api.binaryMediaTypes = list(document["x-amazon-apigateway-binary-media-types"])
        if document.get("x-amazon-apigateway-api-key-source"):
            self._api.api_key_source = document["x-amazon-apigateway-api-key-source"]
        if document.get("x-amazon-apigateway-policy"):
            self._api.policy = json.dumps(document["x-amazon-apigateway-policy"])
        self._import_models()
        self._import_validators()
        self._import_authorizers()
        self._import_gateway_responses()
        for path, item in (document.get("paths") or {}).items():
            resource_id = self._resource(path)
            for name, operation in item.items():
                if name in _METHODS:
                    shared = item.get("parameters") or []
                    method = "ANY" if name == "x-amazon-apigateway-any-method" else name.upper()
                    self._import_method(resource_id, method, operation, shared)

    def _import_models(self) -> None:
        for name, schema in (self._components.get("schemas") or self._document.get("definitions") or {}).items():
            self._backend.create_model(
                self._api.id, name, "application/json", schema.get("description", ""), json.dumps(self._inlined(schema))
            )

    def _inlined(self, schema: Any, above: frozenset[str] = frozenset()) -> Any:
        """Return a schema with the schemas that it refers to in their places; one that is in itself allows anything."""
        if isinstance(schema, list):
            return [self._inlined(item, above) for item in schema]
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return {} if reference in above else self._inlined(self._referenced(reference), above | {reference})
        return {name: self._inlined(value, above) for name, value in schema.items()}

    def _referenced(self, reference: str) -> Any:
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found.get(step, {})
        return found

    def _import_validators(self) -> None:
        for name, validator in (self._document.get("x-amazon-apigateway-request-validators") or {}).items():
            made = self._backend.create_request_validator(
                self._api.id,
                name,
                validator.get("validateRequestBody", False),
                validator.get("validateRequestParameters", False),
            )
            self._validators[name] = made.id

    def _import_authorizers(self) -> None:
        for name, scheme in self._security_schemes().items():
            settings = scheme.get("x-amazon-apigateway-authorizer")
            if settings is None or scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
                continue
            kind = str(settings.get("type", "")).upper()
            header = f"method.request.header.{scheme['name']}" if scheme.get("in") == "header" else None
            made = self._backend.create_authorizer(
                self._api.id,
                name,
                kind,
                provider_arns=settings.get("providerARNs"),
                auth_type=scheme.get("x-amazon-apigateway-authtype"),
                authorizer_uri=settings.get("authorizerUri"),
                authorizer_credentials=settings.get("authorizerCredentials"),
                identity_source=settings.get("identitySource") or header,
                identiy_validation_expression=settings.get("identityValidationExpression"),
                authorizer_result_ttl=settings.get("authorizerResultTtlInSeconds"),
            )
            made.identity_validation_expression = settings.get("identityValidationExpression")
            self._authorizers[name] = str(made.id)

    def _security_schemes(self) -> Mapping[str, Any]:
        return self._components.get("securitySchemes") or self._document.get("securityDefinitions") or {}

    def _import_gateway_responses(self) -> None:
        for kind, response in (self._document.get("x-amazon-apigateway-gateway-responses") or {}).items():
            self._backend.put_gateway_response(
                self._api.id,
                kind,
                response.get("statusCode"),
                response.get("responseParameters"),
                response.get("responseTemplates"),
            )

    def _resource(self, path: str) -> str:
        """Return the id of a path's resource, making it and those above it as needed."""
        path = "/" + path.strip("/")
        found = self._api.get_resource_for_path(path)
        if found is not None:
            return str(found.id)
        above, _, part = path.rpartition("/")
        return str(self._backend.create_resource(self._api.id, self._resource(above), part).id)

    def _import_method(self, resource_id: str, method: str, operation: Mapping[str, Any], shared: list[Any]) -> None:
        where = (self._api.id, resource_id, method)
        self._backend.put_method(
            *where,
            **self._authorization(operation),
            request_parameters=dict(_required([*shared, *(operation.get("parameters") or [])])) or None,
            request_models=dict(self._body_models(operation)) or None,
            operation_name=operation.get("operationId"),
            request_validator_id=self._validators.get(
                operation.get("x-amazon-apigateway-request-validator")
                or self._document.get("x-amazon-apigateway-request-validator")
                or ""
            ),
        )
        for status, response in (operation.get("responses") or {}).items():
            headers = {f"method.response.header.{name}": False for name in response.get("headers") or {}}
            self._backend.put_method_response(*where, str(status), None, headers or None)
        integration = operation.get("x-amazon-apigateway-integration")
        if integration:
            self._import_integration(where, integration)

    def _import_integration(self, where: tuple[str, str, str], integration: Mapping[str, Any]) -> None:
        made = self._backend.put_integration(
            *where,
            integration_type=str(integration.get("type", "")).upper(),
            uri=integration.get("uri") or "",
            integration_method=integration.get("httpMethod") or "POST",
            credentials=integration.get("credentials"),
            request_templates=integration.get("requestTemplates"),
            passthrough_behavior=str(integration.get("passthroughBehavior") or "when_no_match").upper(),
            timeout_in_millis=integration.get("timeoutInMillis"),
            request_parameters=integration.get("requestParameters"),
            content_handling=integration.get("contentHandling"),
            connection_type=integration.get("connectionType"),
        )
        made.response_transfer_mode = integration.get("responseTransferMode") or "BUFFERED"  # type: ignore[attr-defined]
        for pattern, response in (integration.get("responses") or {}).items():
            self._backend.put_integration_response(
                *where,
                status_code=str(response.get("statusCode") or "200"),
                selection_pattern="" if pattern == "default" else pattern,
                response_templates=response.get("responseTemplates") or {},
                response_parameters=response.get("responseParameters") or {},
                content_handling=response.get("contentHandling"),
            )

    def _authorization(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        """Return what ``security`` and ``x-amazon-apigateway-auth`` ask of a caller."""
        asked: dict[str, Any] = {"authorization_type": "NONE", "api_key_required": False}
        schemes = self._security_schemes()
        for requirement in operation.get("security", self._document.get("security")) or []:
            for name in requirement:
                scheme = schemes.get(name) or {}
                if name in self._authorizers:
                    is_cognito = scheme.get("x-amazon-apigateway-authtype") == "cognito_user_pools"
                    asked["authorization_type"] = "COGNITO_USER_POOLS" if is_cognito else "CUSTOM"
                    asked["authorizer_id"] = self._authorizers[name]
                elif scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
                    asked["authorization_type"] = "AWS_IAM"
                elif scheme.get("type") == "apiKey":
                    asked["api_key_required"] = True
        kind = str((operation.get("x-amazon-apigateway-auth") or {}).get("type", "")).upper()
        if kind in ("NONE", "AWS_IAM"):
            asked["authorization_type"] = kind
        return asked

    def _body_models(self, operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        contents = {
            name: item.get("schema") for name, item in (operation.get("requestBody") or {}).get("content", {}).items()
        }
        for parameter in operation.get("parameters") or []:
            if parameter.get("in") == "body":
                contents["application/json"] = parameter.get("schema")
        for media_type, schema in contents.items():
            if schema and "$ref" in schema:
                yield media_type, schema["$ref"].rpartition("/")[2]


def _required(parameters: list[Mapping[str, Any]]) -> Iterator[tuple[str, bool]]:
    for parameter in parameters:
        if parameter.get("in") in _PLACES:
            yield f"method.request.{_PLACES[parameter['in']]}.{parameter['name']}", bool(parameter.get("required"))
