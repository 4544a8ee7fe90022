"""Integrations of HTTP APIs with other services than Lambda: API Gateway calls their operation with the integration's role.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from coldstart.cloud.http_api_call import HttpApiCall, HttpApiFault
from coldstart.cloud.role_clients import RoleClients
from coldstart.events.http_answer import HttpAnswer
from coldstart.events.mapping_template import UNDEFINED
from coldstart.events.mapping_variables import json_path

if TYPE_CHECKING:
    from moto.apigatewayv2.models import Integration


@dataclass(frozen=True)
class _Operation:
    service: str
    method: str
    """Of boto3's client."""
    required: tuple[str, ...]
    optional: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    """Parameters that are written as JSON."""
    wraps_in: str = ""
    """The parameter that has all others, as the only entry of a list."""


_OPERATIONS = {
    "EventBridge-PutEvents": _Operation(
        "events",
        "put_events",
        ("Detail", "DetailType", "Source"),
        ("Time", "EventBusName", "Resources", "TraceHeader"),
        documents=("Resources",),
        wraps_in="Entries",
    ),
    "SQS-SendMessage": _Operation(
        "sqs",
        "send_message",
        ("QueueUrl", "MessageBody"),
        (
            "DelaySeconds",
            "MessageAttributes",
            "MessageDeduplicationId",
            "MessageGroupId",
            "MessageSystemAttributes",
        ),
        numbers=("DelaySeconds",),
        documents=("MessageAttributes", "MessageSystemAttributes"),
    ),
    "StepFunctions-StartExecution": _Operation(
        "stepfunctions", "start_execution", ("StateMachineArn",), ("Name", "Input")
    ),
}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html"""


def call_service(clients: RoleClients, call: HttpApiCall, integration: Integration) -> HttpAnswer:
    """Call the operation of an integration, and answer with what the service says, as JSON.

    Raises:
        HttpApiFault: it cannot be called: 501 when the local AWS does not run such integrations, 400 when the request lacks a
            parameter, 500 when the integration lacks its role.
    """
    operation = _OPERATIONS.get(integration.integration_subtype or "")
    if operation is None:
        raise HttpApiFault(
            501,
            f"The local AWS does not run {integration.integration_subtype}: only functions, local servers, "
            f"{', '.join(_OPERATIONS)}.",
        )
    if not integration.credentials_arn:
        raise HttpApiFault(500, "The integration has no role (CredentialsArn) to call the service with.")
    found = _parameters(operation, call, integration.request_parameters or {})
    region = found.pop("Region", call.region)
    if missing := [name for name in operation.required if not found.get(name)]:
        raise HttpApiFault(400, f"The request gives no value for {', '.join(missing)}.")
    if operation.service == "stepfunctions":
        found = {name[0].lower() + name[1:]: value for name, value in found.items()}
    parameters = {operation.wraps_in: [found]} if operation.wraps_in else found
    try:
        client = clients.of(operation.service, region, integration.credentials_arn)
        answer = getattr(client, operation.method)(**parameters)
    except ClientError as error:
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 400)
        return _answer(
            status, {"__type": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
        )
    except (BotoCoreError, ValueError):
        raise HttpApiFault(500, "Internal Server Error") from None
    return _answer(200, {name: value for name, value in answer.items() if name != "ResponseMetadata"})


def _answer(status: int, document: dict[str, Any]) -> HttpAnswer:
    body = json.dumps(document, default=lambda moment: moment.timestamp()).encode()
    return HttpAnswer(status, (("Content-Type", "application/json"),), body)


def _parameters(operation: _Operation, call: HttpApiCall, mappings: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters that a request gives to the operation; those without a value are left out."""
    found: dict[str, Any] = {}
    for name in (*operation.required, *operation.optional, "Region"):
        value = _value(mappings[name], call) if name in mappings else None
        if value is None:
            continue
        try:
            if name in operation.numbers:
                found[name] = int(value)
            else:
                found[name] = json.loads(value) if name in operation.documents else value
        except ValueError:
            raise HttpApiFault(400, f"The value for {name} is not valid: {value}") from None
    return found


def _value(mapping: str, call: HttpApiCall) -> str | None:
    source, _, name = mapping.partition(".")
    if source == "$request":
        kind, _, key = name.partition(".")
        if kind == "body":
            return _in_body(call.request.body.decode("utf-8", "replace"), key)
        if kind == "header":
            return call.request.header(key)
        if kind == "querystring":
            values = [value for found, value in call.request.query_pairs() if found == key]
            return ",".join(values) if values else None
        return call.path_parameters.get(key) if kind == "path" else None
    if source == "$context":
        return _text(json_path(call.event("1.0")["requestContext"], f"$.{name}"))
    if source == "$stageVariables":
        return call.context.stage_variables.get(name)
    return mapping


def _in_body(body: str, path: str) -> str | None:
    if not path:
        return body
    try:
        return _text(json_path(json.loads(body), f"$.{path}"))
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    if value is UNDEFINED or value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
