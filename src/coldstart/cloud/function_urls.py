"""Function URLs: an HTTP address for a function or one of its aliases, without API Gateway.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html. A public URL (``AuthType`` NONE) still needs the function's
resource policy to let everybody in: since October 2025 with two statements, ``lambda:InvokeFunctionUrl``, and
``lambda:InvokeFunction`` for calls through the URL (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import reference_in_region
from coldstart.cloud.http_exchange import ChunkedResponse
from coldstart.cloud.invoke_api import MAX_REQUEST_BYTES
from coldstart.cloud.lambda_policies import PolicyApi
from coldstart.cloud.lambda_service import LambdaService
from coldstart.cloud.lambda_store import LambdaStore, StoredFunction
from coldstart.cloud.pagination import take_page
from coldstart.cloud.public_addresses import PublicAddress, PublicAddresses, domain_name
from coldstart.events import payload_v2
from coldstart.events.cors import CorsConfiguration, is_preflight
from coldstart.events.http_answer import HttpAnswer, MalformedAnswer
from coldstart.events.http_request import ClientRequest, GatewayContext
from coldstart.events.streamed_answer import StreamedAnswer
from coldstart.runtime.clock import Clock
from coldstart.runtime.execution_environment import InvocationResult
from coldstart.runtime.identifiers import Identifiers

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
_ID_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(eq=False)
class FunctionUrl:
    """One URL and what is configured about it."""

    function: StoredFunction
    qualifier: str
    """An alias; empty for the function itself."""
    url_id: str
    auth_type: str
    invoke_mode: str | None
    """None when it was not said: the same as BUFFERED."""
    cors: dict[str, Any] | None
    created: str
    last_modified: str

    @property
    def function_arn(self) -> str:
        """The ARN of the function or alias behind it."""
        return f"{self.function.arn}:{self.qualifier}" if self.qualifier else self.function.arn


class FunctionUrls:
    """The function URLs of one account: the operations on them, and their execution.

    Args:
        signed_by: returns the access key of this cloud that a request is signed with; empty when there is none.
    """

    def __init__(
        self,
        store: LambdaStore,
        service: LambdaService,
        policies: PolicyApi,
        addresses: PublicAddresses,
        signed_by: Callable[[ClientRequest], str],
        clock: Clock,
        identifiers: Identifiers,
    ) -> None:
        self._store = store
        self._service = service
        self._policies = policies
        self._addresses = addresses
        self._signed_by = signed_by
        self._clock = clock
        self._identifiers = identifiers
        self._lock = threading.Lock()
        self._urls: dict[str, FunctionUrl] = {}
        store.on_deleted.append(self._forget)

    # The operations of Lambda's API

    def create_function_url_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Give a function or alias a URL. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html."""
        function, qualifier = self._function(region, params)
        now = self._timestamp()
        url = FunctionUrl(
            function,
            qualifier,
            self._new_id(),
            params["AuthType"],
            params.get("InvokeMode"),
            params.get("Cors"),
            now,
            now,
        )
        with self._lock:
            if self._of(function, qualifier) is not None:
                raise AwsError(
                    409,
                    "ResourceConflictException",
                    f"Failed to create function url config for [functionArn = {url.function_arn}]. Error message:  "
                    "FunctionUrlConfig exists for this Lambda function",
                )
            self._urls[url.url_id] = url
        document = self._document(url)
        del document["LastModifiedTime"]
        return {**document, "InvokeMode": url.invoke_mode}

    def get_function_url_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return what is configured about a URL."""
        return self._document(self._url(region, params))

    def update_function_url_config(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Change what is given, and leave the rest."""
        url = self._url(region, params)
        url.auth_type = params.get("AuthType", url.auth_type)
        url.invoke_mode = params.get("InvokeMode", url.invoke_mode)
        url.cors = params.get("Cors", url.cors)
        url.last_modified = self._timestamp()
        return self._document(url)

    def delete_function_url_config(self, region: str, params: dict[str, Any]) -> None:
        """Take a URL away; a new one will have another address."""
        url = self._url(region, params)
        with self._lock:
            self._urls.pop(url.url_id, None)

    def list_function_url_configs(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the URLs of a function and its aliases."""
        function, _ = self._function(region, params)
        urls = [url for url in list(self._urls.values()) if url.function is function]
        page, marker = take_page(urls, params, key=lambda url: url.url_id)
        return {"FunctionUrlConfigs": [self._document(url) for url in page], "NextMarker": marker}

    # Their execution

    def answer(self, address: PublicAddress, request: ClientRequest, stream: ChunkedResponse) -> HttpAnswer | None:
        """Answer a client; None when the function has streamed its response."""
        url = self._urls.get(address.identifier)
        if url is None or address.region not in ("", url.function.region):
            return _refusal(403, "AccessDeniedException", None)
        cors = CorsConfiguration.of(url.cors) if url.cors else None
        if cors is not None and is_preflight(request):
            return HttpAnswer(200, tuple(cors.preflight_headers(request)))
        request_id = self._identifiers.uuid()
        trace_id = (request.header("x-amzn-trace-id") or "").partition(";")[0]
        added = [
            ("x-amzn-RequestId", request_id),
            ("X-Amzn-Trace-Id", trace_id),
            *(cors.headers(request) if cors else []),
        ]
        answer = self._run(url, request, request_id, stream, added)
        return None if answer is None else HttpAnswer(answer.status, (*answer.headers, *added), answer.body)

    def _run(
        self,
        url: FunctionUrl,
        request: ClientRequest,
        request_id: str,
        stream: ChunkedResponse,
        added: list[tuple[str, str]],
    ) -> HttpAnswer | None:
        key = self._signed_by(request) if url.auth_type == "AWS_IAM" else ""
        if not (key if url.auth_type == "AWS_IAM" else self._is_public(url)):
            return _refusal(403, "AccessDeniedException", FORBIDDEN)
        event = json.dumps(self._event(url, request, request_id, key), ensure_ascii=False).encode()
        if len(event) > MAX_REQUEST_BYTES:
            message = f"Request must be smaller than {MAX_REQUEST_BYTES} bytes for the InvokeFunction operation"
            return _refusal(413, "RequestEntityTooLargeException", message)

        def invoke(sink: StreamedAnswer | None) -> InvocationResult:
            return self._service.invoke(
                url.function_arn,
                event,
                region=url.function.region,
                request_id=request_id,
                trace_id=request.header("x-amzn-trace-id") or "",
                sink=sink,
            )

        try:
            if url.invoke_mode == "RESPONSE_STREAM":
                return _streamed(invoke, stream, added)
            result = invoke(None)
            if result.function_error:
                return _bad_gateway()
            return payload_v2.answer(result.payload)
        except MalformedAnswer:
            return _bad_gateway()
        except AwsError as error:
            return _service_error(error)

    def _is_public(self, url: FunctionUrl) -> bool:
        conditions = {"lambda:FunctionUrlAuthType": url.auth_type, "lambda:InvokedViaFunctionUrl": "true"}
        return all(
            self._policies.allows(url.function_arn, "*", action=action, conditions=conditions)
            for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
        )

    def _event(self, url: FunctionUrl, request: ClientRequest, request_id: str, key: str) -> dict[str, Any]:
        context = GatewayContext(
            self._store.account_id if key else "anonymous",
            url.url_id,
            "$default",
            domain_name("lambda-url", url.url_id, url.function.region),
            request_id,
            self._clock.now(),
            authorizer={"iam": self._identity(key, url.function.region)} if key else None,
        )
        return payload_v2.event(request, context, route_key="$default", raw_path=request.path)

    def _identity(self, key: str, region: str) -> dict[str, Any]:
        user_id, arn, account = get_backend("sts")[self._store.account_id]["aws"].get_caller_identity(key, region)
        return {
            "accessKey": key,
            "accountId": account,
            "callerId": user_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": arn,
            "userId": user_id,
        }

    # Bookkeeping

    def _function(self, region: str, params: dict[str, Any]) -> tuple[StoredFunction, str]:
        reference = reference_in_region(params["FunctionName"], region, self._store.account_id, params.get("Qualifier"))
        function = self._store.find(reference)
        if function is None or (reference.qualifier and reference.qualifier not in function.aliases):
            raise AwsError(404, "ResourceNotFoundException", "Function does not exist")
        return function, reference.qualifier

    def _url(self, region: str, params: dict[str, Any]) -> FunctionUrl:
        reference = reference_in_region(params["FunctionName"], region, self._store.account_id, params.get("Qualifier"))
        function = self._store.find(reference)
        url = self._of(function, reference.qualifier) if function else None
        if url is None:
            raise AwsError(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        return url

    def _of(self, function: StoredFunction, qualifier: str) -> FunctionUrl | None:
        urls = list(self._urls.values())
        return next((url for url in urls if url.function is function and url.qualifier == qualifier), None)

    def _forget(self, function: StoredFunction) -> None:
        with self._lock:
            self._urls = {key: url for key, url in self._urls.items() if url.function is not function}

    def _document(self, url: FunctionUrl) -> dict[str, Any]:
        return {
            "FunctionUrl": self._addresses.function_url(url.url_id, url.function.region),
            "FunctionArn": url.function_arn,
            "AuthType": url.auth_type,
            "Cors": url.cors,
            "CreationTime": url.created,
            "LastModifiedTime": url.last_modified,
            "InvokeMode": url.invoke_mode or "BUFFERED",
        }

    def _new_id(self) -> str:
        drawn = int(self._identifiers.hex(40), 16)
        return "".join(_ID_DIGITS[drawn >> (5 * place) & 31] for place in range(32))

    def _timestamp(self) -> str:
        now = self._clock.now()
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1_000_000):06d}Z"


def _streamed(
    invoke: Callable[[StreamedAnswer], InvocationResult], stream: ChunkedResponse, added: list[tuple[str, str]]
) -> HttpAnswer | None:
    sink = StreamedAnswer(lambda status, headers: stream.start(status, [*headers, *added]), stream.write)
    result = invoke(sink)
    if not sink.is_started:
        return _bad_gateway()
    if not result.function_error and not stream.is_complete:
        stream.end()
    return None


def _bad_gateway() -> HttpAnswer:
    return HttpAnswer(502, (("Content-Type", "application/json"),), b"Internal Server Error")


def _refusal(status: int, error_type: str, message: str | None) -> HttpAnswer:
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error_type))
    return HttpAnswer(status, headers, json.dumps({"Message": message}, separators=(",", ":")).encode())


def _service_error(error: AwsError) -> HttpAnswer:
    document = {**error.details, "Type": "User", "message": error.message}
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code))
    return HttpAnswer(error.status, headers, json.dumps(document, separators=(",", ":")).encode())
