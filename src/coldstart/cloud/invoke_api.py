"""Lambda's API for invoking: Invoke, InvokeWithResponseStream and the old InvokeAsync.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and API_InvokeWithResponseStream.html.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, TypedDict

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.event_stream import CONTENT_TYPE, event_message
from coldstart.cloud.function_reference import reference_in_region
from coldstart.cloud.http_exchange import ChunkedResponse
from coldstart.cloud.lambda_service import LambdaService
from coldstart.cloud.service_api import outgoing, request_headers
from coldstart.runtime.identifiers import Identifiers

MAX_REQUEST_BYTES = 6_291_456
"""6 MB, the limit of a synchronous invocation's payload."""
MAX_EVENT_REQUEST_BYTES = 1_048_576
"""1 MB, the limit of an asynchronous invocation's payload (256 KB until October 2025)."""
MAX_CLIENT_CONTEXT_BYTES = 3_583
"""Of the base64 text."""


class _Options(TypedDict):
    client_context: str
    tenant_id: str
    trace_id: str


class InvokeApi:
    """The operations that invoke."""

    def __init__(self, service: LambdaService, identifiers: Identifiers, account_id: str) -> None:
        self._service = service
        self._identifiers = identifiers
        self._account_id = account_id

    def invoke(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Run a function and wait, queue an event (Event), or only look whether it could be run (DryRun)."""
        kind = params.get("InvocationType", "RequestResponse")
        event, options = self._asked(params, "InvokeFunction", kind)
        function = self._arn(region, params)
        if kind == "Event":
            request_id = self._service.invoke_event(function, event, region=region, **options)
            return {"StatusCode": 202, "Payload": b"", "ResponseMetadata": {"RequestId": request_id}}
        target = self._service.choose(function, region=region)
        if kind == "DryRun":
            return {"StatusCode": 204, "Payload": b""}
        request_id = self._identifiers.uuid()
        result = self._service.run(target, event, request_id=request_id, **options)
        return {
            "StatusCode": 200,
            "FunctionError": result.function_error,
            "LogResult": result.log_tail if params.get("LogType") == "Tail" else None,
            "ExecutedVersion": result.executed_version,
            "Payload": result.payload,
            "ResponseMetadata": {"RequestId": request_id},
        }

    def invoke_async(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Queue an event: what InvocationType Event was before there was one."""
        event, options = self._asked({"Payload": params.get("InvokeArgs", b"")}, "InvokeAsync", "Event")
        request_id = self._service.invoke_event(self._arn(region, params), event, region=region, **options)
        return {"Status": 202, "ResponseMetadata": {"RequestId": request_id}}

    def invoke_with_response_stream(self, region: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """Run a function and pass its response on while it arrives, as events of an event stream."""
        event, options = self._asked(params, "InvokeWithResponseStream", "RequestResponse")
        target = self._service.choose(self._arn(region, params), region=region)
        if params.get("InvocationType") == "DryRun":
            return {"StatusCode": 204}
        request_id = self._identifiers.uuid()
        stream = _EventStream(outgoing.get(), request_id, target.version.version)
        result = self._service.run(target, event, request_id=request_id, sink=stream, **options)
        complete: dict[str, str] = {}
        if result.function_error:
            complete |= {"ErrorCode": result.function_error, "ErrorDetails": result.payload.decode("utf-8", "replace")}
        if params.get("LogType") == "Tail":
            complete["LogResult"] = result.log_tail
        stream.end(complete)
        return None

    def _asked(self, params: Mapping[str, Any], operation: str, kind: str) -> tuple[bytes, _Options]:
        """Return the event and the options of an invocation that is within the limits."""
        payload: bytes = params.get("Payload", b"")
        _check_payload(payload, operation, MAX_EVENT_REQUEST_BYTES if kind == "Event" else MAX_REQUEST_BYTES)
        return payload or b"{}", {
            "client_context": _client_context(params.get("ClientContext", "")),
            "tenant_id": params.get("TenantId", ""),
            "trace_id": request_headers.get().get("x-amzn-trace-id", ""),
        }

    def _arn(self, region: str, params: Mapping[str, Any]) -> str:
        reference = reference_in_region(params["FunctionName"], region, self._account_id, params.get("Qualifier"))
        return reference.arn(self._account_id)


class _EventStream:
    """Sends a response as events: PayloadChunk as often as something arrives, then InvokeComplete."""

    def __init__(self, response: ChunkedResponse, request_id: str, version: str) -> None:
        self._response = response
        self._headers = [
            ("Content-Type", CONTENT_TYPE),
            ("x-amzn-RequestId", request_id),
            ("X-Amz-Executed-Version", version),
        ]
        self._has_started = False

    def begin(self, content_type: str) -> None:
        self._response.start(200, self._headers)
        self._has_started = True

    def write(self, part: bytes) -> None:
        self._response.write(event_message("PayloadChunk", part))

    def end(self, complete: Mapping[str, str]) -> None:
        if not self._has_started:
            self.begin("")
        self._response.write(event_message("InvokeComplete", json.dumps(complete).encode(), "application/json"))
        self._response.end()


def _check_payload(payload: bytes, operation: str, limit: int) -> None:
    if len(payload) > limit:
        raise AwsError(
            413,
            "RequestEntityTooLargeException",
            f"Request must be smaller than {limit} bytes for the {operation} operation",
        )
    if payload:
        try:
            json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise AwsError(
                400,
                "InvalidRequestContentException",
                f"Could not parse request body into json: Could not parse payload into json: {error}",
            ) from None


def _client_context(encoded: str) -> str:
    """Return the JSON text of a client context."""
    if not encoded:
        return ""
    if len(encoded) > MAX_CLIENT_CONTEXT_BYTES:
        raise AwsError(
            400,
            "InvalidRequestContentException",
            f"Client context must be at most {MAX_CLIENT_CONTEXT_BYTES} bytes long; it has {len(encoded)}.",
        )
    try:
        text = base64.b64decode(encoded, validate=True).decode()
        json.loads(text)
    except ValueError:
        raise AwsError(
            400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from None
    return text
