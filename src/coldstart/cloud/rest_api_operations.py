"""The operation of API Gateway's REST API that runs something: TestInvokeMethod.

https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from moto.backends import get_backend

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.rest_api_gateway import RestApiGateway
from coldstart.events.http_request import ClientRequest


class RestApiOperations:
    """Runs a method as it is now, without a deployment, an authorizer or an API key."""

    def __init__(self, account_id: str, gateway: RestApiGateway) -> None:
        self._account_id = account_id
        self._gateway = gateway

    def test_invoke_method(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request to a method and return what came of it.

        Raises:
            AwsError: there is no such method.
        """
        api = get_backend("apigateway")[self._account_id][region].apis.get(params["restApiId"])
        if api is None:
            raise AwsError(404, "NotFoundException", "Invalid API identifier specified")
        resource = api.resources.get(params["resourceId"])
        if resource is None:
            raise AwsError(404, "NotFoundException", "Invalid Resource identifier specified")
        if params["httpMethod"] not in resource.resource_methods:
            raise AwsError(404, "NotFoundException", "Invalid Method identifier specified")
        path, _, query = (params.get("pathWithQueryString") or resource.get_path()).partition("?")
        headers = [(name, value) for name, value in (params.get("headers") or {}).items()]
        headers += [(name, v) for name, values in (params.get("multiValueHeaders") or {}).items() for v in values]
        request = ClientRequest(
            "POST" if params["httpMethod"] == "ANY" else params["httpMethod"],
            "/test-invoke-stage" + quote(path, safe="/%"),
            query,
            tuple(headers),
            (params.get("body") or "").encode(),
            "test-invoke-source-ip",
        )
        started = time.monotonic()
        answer = self._gateway.test(api, params["resourceId"], request, params.get("stageVariables") or {})
        latency = int((time.monotonic() - started) * 1000)
        multiple: dict[str, list[str]] = {}
        for name, value in answer.headers:
            multiple.setdefault(name, []).append(value)
        return {
            "status": answer.status,
            "body": answer.body.decode("utf-8", "replace"),
            "headers": dict(answer.headers),
            "multiValueHeaders": multiple,
            "log": f"Execution log for request {answer.header('x-amzn-RequestId')}\nMethod completed with status: {answer.status}\n",
            "latency": latency,
        }
