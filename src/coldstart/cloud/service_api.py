"""A service's HTTP interface as botocore's service model describes it: routing, validation, results and errors.

A service is written as plain classes with a method for each operation; what lies between them and HTTP is here, once.
The protocol is REST-JSON (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html), which Lambda and most services
about it speak.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from moto.core.utils import get_service_model

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.http_exchange import ChunkedResponse
from coldstart.cloud.request_validation import validation_errors
from coldstart.runtime.http_wire import HttpRequest, response_bytes
from coldstart.runtime.identifiers import Identifiers

Operation = Callable[[str, dict[str, Any]], Any]
"""Takes the region and the parameters as boto3 names them; returns the result as boto3 shows it."""

request_headers: ContextVar[Mapping[str, str]] = ContextVar("request_headers")
"""The headers of the request that is being answered, names in lower case: for what the service model does not tell,
such as ``x-amzn-trace-id``."""
outgoing: ContextVar[ChunkedResponse] = ContextVar("outgoing")
"""For operations that stream: what the answer goes out through. Such an operation returns None when it has used it."""


class _Route(NamedTuple):
    path: re.Pattern[str]
    query: dict[str, str]
    """What the query string has to contain."""
    labels: list[str]
    operation: OperationModel


class ServiceApi:
    """Answers HTTP requests to one service with the methods of the handlers.

    Args:
        service: botocore's name for it, such as ``lambda``.
        handlers: objects with a method for each operation that they know, named in snake_case:
            ``create_alias(self, region: str, params: dict[str, Any]) -> dict[str, Any]``. An earlier one goes before a later one.
            A result may hold ``{"ResponseMetadata": {"RequestId": ...}}`` to choose the request id.
        is_whole: whether nobody else knows operations of the service.
        unchecked: members of shapes that the handlers validate themselves, such as ``CreateFunctionRequest.Runtime``.
    """

    def __init__(
        self, service: str, handlers: Iterable[object], unchecked: Iterable[str] = (), *, is_whole: bool = False
    ) -> None:
        self._is_whole = is_whole
        self._service = service
        self._handlers = list(handlers)
        self._unchecked = frozenset(unchecked)
        self._identifiers = Identifiers()
        self._matching = lru_cache(maxsize=256)(self._match)  # most requests ask for what was asked for before

    def add(self, handler: object) -> None:
        """Let another handler answer what no earlier one does."""
        self._handlers.append(handler)
        vars(self).pop("_operations", None)

    @cached_property
    def _model(self) -> ServiceModel:
        """The service's model, read when somebody asks for the service: that takes longer than all else here."""
        return get_service_model(self._service)

    @cached_property
    def _operations(self) -> dict[str, Operation]:
        """What the handlers know, by the operation's name."""
        operations: dict[str, Operation] = {}
        for handler in self._handlers:
            for name in self._model.operation_names:
                operation = getattr(handler, xform_name(name), None)
                if operation is not None:
                    operations.setdefault(name, operation)
        return operations

    @cached_property
    def _routes(self) -> dict[tuple[str, str], list[_Route]]:
        """The operations' paths by method and first segment."""
        found: dict[tuple[str, str], list[_Route]] = {}
        for name in self._model.operation_names:
            route = _route(self._model.operation_model(name))
            first_segment = route.operation.http["requestUri"].split("/")[1].partition("?")[0]
            found.setdefault((route.operation.http["method"], first_segment), []).append(route)
        for routes in found.values():  # literal paths before labels, query strings before none
            routes.sort(key=lambda route: (len(route.labels), -len(route.query)))
        return found

    def answer(self, request: HttpRequest, region: str) -> bytes | None:
        """Return the response, empty when it has gone out already; None when no handler knows the operation.

        Raises:
            AwsError: the service refuses the request.
            NotImplementedError: nobody knows the operation.
        """
        found = self._find(request)
        if found is None:
            return None
        operation_model, labels, query = found
        operation = self._operations.get(operation_model.name)
        if operation is None:
            if self._is_whole:
                raise NotImplementedError(f"it has no {operation_model.name} of {self._service}")
            return None
        parameters = _parameters(operation_model, request, labels, query)
        if operation_model.input_shape is not None:
            check(operation_model.input_shape, parameters, self._unchecked)
        token = request_headers.set(request.headers)
        try:
            result = operation(region, parameters)
        finally:
            request_headers.reset(token)
        if result is None and operation_model.has_event_stream_output:
            return b""
        return self._response(operation_model, result or {})

    def input_shape(self, operation: str) -> StructureShape:
        """Return the shape of an operation's parameters."""
        return self._model.operation_model(operation).input_shape

    def call(self, operation: str, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Do an operation without HTTP, such as ``CreateAlias``.

        Raises:
            AwsError: the service refuses it.
        """
        check(self.input_shape(operation), params, self._unchecked)
        return self._operations[operation](region, params) or {}

    def operation_of(self, request: HttpRequest) -> str | None:
        """Return the name of the operation that a request asks for, such as ``CreateAlias``; None when there is none."""
        found = self._find(request)
        return found[0].name if found else None

    def _find(self, request: HttpRequest) -> tuple[OperationModel, dict[str, str], dict[str, list[str]]] | None:
        path, _, query_string = request.target.partition("?")
        query = parse_qs(query_string, keep_blank_values=True) if query_string else {}
        for route, labels in self._matching(request.method, path):
            if all(query.get(name) == [value] for name, value in route.query.items()):
                return route.operation, labels, query
        return None

    def _match(self, method: str, path: str) -> list[tuple[_Route, dict[str, str]]]:
        """Return the routes that a path fits, each with what its labels stand for."""
        found = []
        for route in self._routes.get((method, path.split("/", 2)[1] if "/" in path else ""), ()):
            if match := route.path.fullmatch(path):
                values = map(unquote, match.groups())
                found.append((route, dict(zip(route.labels, values, strict=True))))
        return found

    def _response(self, operation: OperationModel, result: Mapping[str, Any]) -> bytes:
        status = operation.http.get("responseCode", 200)
        metadata = result.get("ResponseMetadata", {})
        headers = {"x-amzn-RequestId": metadata.get("RequestId") or self._identifiers.uuid()}
        shape = operation.output_shape
        if shape is None:
            return response_bytes(status, headers)
        document = {}
        body: bytes | None = None
        has_payload = False
        for member in _members(shape):
            has_payload = has_payload or member.location == "payload"
            value = result.get(member.name)
            if value is None:
                continue
            match member.location:
                case "statusCode":
                    status = value
                case "header":
                    headers[member.wire_name] = str(value)
                case "payload" if member.shape.type_name == "blob":
                    body = value
                case "payload":
                    body = json.dumps(serialised(member.shape, value)).encode()
                case _:
                    document[member.wire_name] = serialised(member.shape, value)
        if body is None:
            body = b"" if has_payload or status == 204 else json.dumps(document).encode()
        if body:
            headers.setdefault("Content-Type", "application/json")
        return response_bytes(status, headers, body)


def check(shape: Shape, parameters: Mapping[str, Any], unchecked: frozenset[str] = frozenset()) -> None:
    """Compare parameters with a shape of the service model.

    Raises:
        AwsError: ValidationException in the words of AWS's services, with every fault that was found.
    """
    faults = validation_errors(shape, parameters, unchecked)
    if faults:
        plural = "" if len(faults) == 1 else "s"
        raise AwsError(
            400, "ValidationException", f"{len(faults)} validation error{plural} detected: {'; '.join(faults)}"
        )


def serialised(shape: Shape, value: Any) -> Any:
    """Return a result's value as it stands in a JSON body: times as epoch seconds, bytes in base64, no None."""
    if isinstance(shape, StructureShape):
        return {
            member.serialization.get("name", name): serialised(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [serialised(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: serialised(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        seconds = value.timestamp() if isinstance(value, datetime) else value
        if shape.serialization.get("timestampFormat") == "iso8601":
            return datetime.fromtimestamp(seconds).astimezone().isoformat()
        return round(seconds, 3)
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value


def _route(operation: OperationModel) -> _Route:
    template, _, query = operation.http["requestUri"].partition("?")
    labels = re.findall(r"{(\w+)\+?}", template)
    pattern = ""
    for part in re.split(r"({\w+\+?})", template.rstrip("/")):
        if part.startswith("{"):
            pattern += "(.+)" if part.endswith("+}") else "([^/]+)"
        else:
            pattern += re.escape(part)
    required = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    return _Route(re.compile(pattern + "/?"), required, labels, operation)


class _Member(NamedTuple):
    """A member of a request or a response, and where HTTP has it."""

    name: str
    wire_name: str
    location: str
    """As the service model names it: ``uri``, ``header`` ...; ``payload`` when it is the whole body, empty when it is in it."""
    shape: Shape


@lru_cache(maxsize=1024)
def _members(shape: StructureShape) -> list[_Member]:
    payload = shape.serialization.get("payload")
    members = []
    for name, member in shape.members.items():
        location = member.serialization.get("location", "payload" if name == payload else "")
        members.append(_Member(name, member.serialization.get("name", name), location, member))
    return members


def _parameters(
    operation: OperationModel, request: HttpRequest, labels: Mapping[str, str], query: Mapping[str, list[str]]
) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    parameters: dict[str, Any] = {}
    in_body: list[_Member] = []
    has_payload = False
    for member in _members(shape):
        match member.location:
            case "uri":
                _put(parameters, member.name, _from_text(member.shape, labels.get(member.wire_name)))
            case "querystring":
                _put(parameters, member.name, _from_query(member.shape, query.get(member.wire_name)))
            case "header":
                _put(parameters, member.name, _from_text(member.shape, request.headers.get(member.wire_name.lower())))
            case "headers":
                prefix = member.wire_name.lower()
                found = {key[len(prefix) :]: value for key, value in request.headers.items() if key.startswith(prefix)}
                _put(parameters, member.name, found or None)
            case "payload":
                has_payload = True
                if member.shape.type_name == "blob":
                    parameters[member.name] = request.body
                else:
                    _put(parameters, member.name, _from_json(member.shape, _json(request.body)))
            case _:
                in_body.append(member)
    if in_body and not has_payload:
        document = _json(request.body)
        if document is not None and not isinstance(document, dict):
            raise _serialization("Unexpected token: the request body must be a JSON object")
        for member in in_body:
            _put(parameters, member.name, _from_json(member.shape, (document or {}).get(member.wire_name)))
    return parameters


def _put(parameters: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        parameters[name] = value


def _json(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise _serialization("Could not parse request body into json") from None


def _from_query(shape: Shape, values: list[str] | None) -> Any:
    if values is None:
        return None
    if isinstance(shape, ListShape):
        return [_from_text(shape.member, value) for value in values]
    return _from_text(shape, values[-1])


def _from_text(shape: Shape, text: str | None) -> Any:
    """Read a value of the path, the query string or a header."""
    if text is None:
        return None
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "timestamp":
                return _time(text, shape)
    except (ValueError, KeyError):
        raise _serialization(f"STRING_VALUE can not be converted to {_A_TYPE[shape.type_name]}") from None
    return text


_A_TYPE = {
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
    "boolean": "a Boolean",
    "timestamp": "a Timestamp",
    "blob": "a ByteBuffer",
}


def _from_json(shape: Shape, value: Any) -> Any:
    """Read a value of the body, as boto3 would hold it."""
    if value is None:
        return None
    if isinstance(shape, StructureShape | MapShape):
        if not isinstance(value, dict):
            raise _serialization("Unexpected field type")
        if isinstance(shape, MapShape):
            return {key: _from_json(shape.value, item) for key, item in value.items()}
        members: dict[str, Any] = {}
        for name, member in shape.members.items():
            _put(members, name, _from_json(member, value.get(member.serialization.get("name", name))))
        return members
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise _serialization("Expected list or null")
        return [_from_json(shape.member, item) for item in value]
    if isinstance(value, dict | list):
        kind = "structure or map" if isinstance(value, dict) else "list"
        raise _serialization(f"Start of {kind} found where not expected.")
    return _scalar(shape, value)


def _scalar(shape: Shape, value: str | int | float | bool) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape.type_name:
        case "string" if isinstance(value, str):
            return value
        case "boolean" if isinstance(value, bool):
            return value
        case "integer" | "long" if is_number and (isinstance(value, int) or float(value).is_integer()):
            return int(value)
        case "float" | "double" if is_number:
            return float(value)
        case "timestamp" if is_number:
            return float(value)
        case "timestamp" if isinstance(value, str):
            return _time(value, shape)
        case "blob" if isinstance(value, str):
            try:
                return base64.b64decode(value, validate=True)
            except binascii.Error:
                raise _serialization("Failed to decode base64") from None
    kind = "NUMBER_VALUE" if is_number else f"{value}_VALUE".upper() if isinstance(value, bool) else "STRING_VALUE"
    raise _serialization(f"{kind} can not be converted to {_A_TYPE.get(shape.type_name, shape.type_name)}")


def _time(text: str, shape: Shape) -> float:
    """Return epoch seconds of a time in any of the protocol's forms."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise _serialization(f"STRING_VALUE can not be converted to {_A_TYPE[shape.type_name]}") from None


def _serialization(message: str) -> AwsError:
    return AwsError(400, "SerializationException", message)
