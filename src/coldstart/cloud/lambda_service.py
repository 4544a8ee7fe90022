"""The part of Lambda's API that is ours: Invoke, and the checks on a package that moto leaves out.

API pages: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and API_CreateFunction.html.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from moto.awslambda.exceptions import LambdaClientError
from moto.core.exceptions import JsonRESTError

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.blocked_runtimes import check_runtime
from coldstart.cloud.function_registry import FunctionRegistry
from coldstart.runtime.function import Function
from coldstart.runtime.function_package import InvalidPackage, check_package
from coldstart.runtime.http_wire import HttpRequest, response_bytes
from coldstart.runtime.identifiers import Identifiers
from coldstart.runtime.language_runtimes import RuntimeMissing

MAX_REQUEST_BYTES = 6_291_456
"""6 MB, the limit of a synchronous invocation's payload."""
MAX_EVENT_REQUEST_BYTES = 1_048_576
"""1 MB, the limit of an asynchronous invocation's payload (256 KB until October 2025)."""
MAX_ZIPPED_BYTES = 52_428_800
"""50 MB, the limit of a package that is uploaded in the request."""

_FUNCTIONS = "/2015-03-31/functions"
_INVOCATIONS = re.compile(rf"{_FUNCTIONS}/([^/]+)/invocations$")
_CODE = re.compile(rf"{_FUNCTIONS}/[^/]+/code$")


class LambdaService:
    """Answers requests to Lambda, or checks them and leaves the answer to moto."""

    def __init__(self, functions: FunctionRegistry, identifiers: Identifiers) -> None:
        self._functions = functions
        self._identifiers = identifiers

    def answer(self, request: HttpRequest, region: str) -> bytes | None:
        """Return the response to an invocation; None when moto has to answer.

        Raises:
            AwsError: Lambda would refuse the request.
        """
        path = urlsplit(request.target).path
        if request.method == "POST" and (invocation := _INVOCATIONS.match(path)):
            return self._invoke(request, unquote(invocation[1]), region)
        if request.method == "POST" and path.rstrip("/") == _FUNCTIONS:
            check_runtime(_runtime_named_by(request))
            _check_code(request, lambda document: document.get("Code", {}).get("ZipFile"))
        if request.method == "PUT" and _CODE.match(path):
            _check_code(request, lambda document: document.get("ZipFile"))
        return None

    def changed(self, request: HttpRequest) -> None:
        """Take note that moto has answered a request that may have changed a function."""
        if request.method in ("PUT", "DELETE"):
            self._functions.retire_replaced()

    def _invoke(self, request: HttpRequest, name: str, region: str) -> bytes:
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        _check_payload(request.body, kind)
        qualifiers = parse_qs(urlsplit(request.target).query).get("Qualifier")
        qualifier = qualifiers[0] if qualifiers else None
        try:
            function = self._functions.find(name, qualifier, region)
        except (LambdaClientError, JsonRESTError) as error:
            raise AwsError(404, "ResourceNotFoundException", _message_of(error)) from None
        if kind == "DryRun":
            return response_bytes(204)
        event = request.body or b"{}"
        request_id = self._identifiers.uuid()
        if kind == "Event":
            worker = threading.Thread(
                target=function.invoke, args=(event,), kwargs={"request_id": request_id}, daemon=True
            )
            worker.start()
            return response_bytes(202, {"x-amzn-RequestId": request_id})
        return self._invoke_and_wait(function, request, event, request_id)

    def _invoke_and_wait(self, function: Function, request: HttpRequest, event: bytes, request_id: str) -> bytes:
        client_context = request.headers.get("x-amz-client-context", "")
        if client_context:
            client_context = _decoded(client_context)
        try:
            result = function.invoke(event, request_id=request_id, client_context=client_context)
        except RuntimeMissing as error:
            raise AwsError(502, "InvalidRuntimeException", str(error)) from None
        headers = {
            "Content-Type": "application/json",
            "x-amzn-RequestId": request_id,
            "X-Amz-Executed-Version": result.executed_version,
        }
        if result.function_error:
            headers["X-Amz-Function-Error"] = result.function_error
        if request.headers.get("x-amz-log-type") == "Tail":
            headers["X-Amz-Log-Result"] = result.log_tail
        return response_bytes(200, headers, result.payload)


def _check_payload(payload: bytes, kind: str) -> None:
    limit = MAX_EVENT_REQUEST_BYTES if kind == "Event" else MAX_REQUEST_BYTES
    if len(payload) > limit:
        raise AwsError(
            413,
            "RequestEntityTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
        )
    if payload:
        try:
            json.loads(payload)
        except ValueError as error:
            raise AwsError(
                400,
                "InvalidRequestContentException",
                f"Could not parse request body into json: Could not parse payload into json: {error}",
            ) from None


def _runtime_named_by(request: HttpRequest) -> str:
    try:
        return str(json.loads(request.body).get("Runtime"))
    except (ValueError, AttributeError):
        return ""  # not JSON, or not an object; moto says what is wrong


def _check_code(request: HttpRequest, find_zip: Callable[[dict[str, Any]], str | None]) -> None:
    try:
        document = json.loads(request.body)
        encoded = find_zip(document)
        if encoded is None:
            return
        zipped = base64.b64decode(encoded, validate=True)
    except (ValueError, AttributeError, binascii.Error):
        return  # not a zip in the request; moto says what is wrong
    if len(zipped) > MAX_ZIPPED_BYTES:
        raise AwsError(
            413, "RequestEntityTooLargeException", f"Zipped size must be smaller than {MAX_ZIPPED_BYTES} bytes"
        )
    try:
        check_package(zipped)
    except InvalidPackage as error:
        raise AwsError(400, "InvalidParameterValueException", str(error)) from None


def _decoded(client_context: str) -> str:
    try:
        text = base64.b64decode(client_context, validate=True).decode()
        json.loads(text)
    except ValueError:
        raise AwsError(
            400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from None
    return text


def _message_of(error: Exception) -> str:
    return str(getattr(error, "message", None) or error)
