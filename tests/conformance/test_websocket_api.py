"""WebSocket APIs: clients of two libraries, real functions, and the operations on connections.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import requests
import websocket
from botocore.exceptions import ClientError
from tornado.websocket import websocket_connect

from tests.conformance.conftest import Deployed, http

SHOP = """
import json, os
import boto3

def handler(event, context):
    print(json.dumps(event))
    context = event["requestContext"]
    if context["routeKey"] == "$connect":
        wanted = event.get("queryStringParameters") or {}
        return {"statusCode": int(wanted.get("status", 200)), "body": "not today"}
    if context["routeKey"] == "fail":
        raise ValueError("no such parcel")
    if context["routeKey"] == "tell":
        connections = boto3.client("apigatewaymanagementapi", endpoint_url=json.loads(event["body"])["connections"])
        connections.post_to_connection(ConnectionId=context["connectionId"], Data="told".encode())
    return {"statusCode": 200, "body": json.dumps({"route": context["routeKey"], "said": event.get("body")})}
"""


class Chat:
    """An API with a function behind its routes."""

    def __init__(self, function: Deployed, routes: tuple[str, ...], answers: tuple[str, ...] = ()) -> None:
        self.function = function
        self.client = boto3.client("apigatewayv2")
        made = self.client.create_api(
            Name="parcel", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
        )
        self.id = made["ApiId"]
        arn = function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
        integration = self.client.create_integration(
            ApiId=self.id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
        )["IntegrationId"]
        for key in routes:
            answering = {"RouteResponseSelectionExpression": "$default"} if key in answers else {}
            self.client.create_route(ApiId=self.id, RouteKey=key, Target=f"integrations/{integration}", **answering)
        function.client.add_permission(
            FunctionName=function.name,
            StatementId=self.id,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{self.id}/*",
        )
        self.client.create_deployment(ApiId=self.id)
        deployment = self.client.create_deployment(ApiId=self.id)["DeploymentId"]
        self.client.create_stage(ApiId=self.id, StageName="shop", DeploymentId=deployment)
        self.url = f"{made['ApiEndpoint']}/shop"
        self.connections_url = self.url.replace("ws://", "http://")
        port = self.url.split(":")[2].partition("/")[0]
        self.connections_url_in_functions = f"http://127.0.0.1:{port}/_aws/execute-api/{self.id}/shop"
        """Not every resolver knows names under localhost."""

    def connect(self, query: str = "", **options: Any) -> websocket.WebSocket:
        return websocket.create_connection(self.url + query, timeout=20, **options)

    def events(self, route_key: str) -> list[dict[str, Any]]:
        """The events that the function has got on a route."""
        found = [json.loads(line) for line in self.function.lines() if line.startswith("{")]
        return [event for event in found if event["requestContext"]["routeKey"] == route_key]


ROUTES = ("$connect", "$disconnect", "$default", "order", "tell", "fail")


@pytest.fixture
def chat(local_aws, deploy) -> Iterator[Callable[..., Chat]]:
    made: list[Chat] = []

    def make(*routes: str, answers: tuple[str, ...] = ()) -> Chat:
        made.append(Chat(deploy(SHOP, Timeout=30, MemorySize=1769), routes or ROUTES, answers))
        return made[-1]

    yield make
    local_aws.settle()  # a function that told a client something may be running still
    for api in made:
        api.client.delete_api(ApiId=api.id)


def test_a_message_goes_to_the_route_that_it_names(local_aws, chat):
    """apigateway-websocket-api-route-selection: by the API's expression, else ``$default``; events as in AWS's samples."""
    api = chat(answers=("order", "$default"))
    client = api.connect("?shop=parcel", header=["User-Agent: till"])
    said = '{"action": "order", "id": "P-1"}'
    for message in (said, '{"action": "unknown"}', "no JSON", '{"action": "$connect"}'):
        client.send(message)
    answers = [json.loads(client.recv()) for _ in range(4)]
    assert [answer["route"] for answer in answers] == ["order", "$default", "$default", "$default"]
    assert answers[0]["said"] == said
    client.close(status=1000, reason=b"done")
    local_aws.settle()
    (connect,), (order,), (disconnect,) = (api.events(key) for key in ("$connect", "order", "$disconnect"))
    assert connect["queryStringParameters"] == {"shop": "parcel"}
    assert connect["headers"]["Host"].startswith(f"{api.id}.execute-api.us-east-1.localhost")
    assert "body" not in connect
    context = order["requestContext"]
    assert {name: context[name] for name in ("routeKey", "eventType", "messageDirection", "stage", "apiId")} == {
        "routeKey": "order",
        "eventType": "MESSAGE",
        "messageDirection": "IN",
        "stage": "shop",
        "apiId": api.id,
    }
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "till"}
    assert context["messageId"]
    assert context["connectionId"] == connect["requestContext"]["connectionId"]
    assert context["connectedAt"] <= context["requestTimeEpoch"]
    assert (order["body"], order["isBase64Encoded"]) == (said, False)
    ended = disconnect["requestContext"]
    assert (ended["eventType"], ended["disconnectStatusCode"], ended["disconnectReason"]) == (
        "DISCONNECT",
        1000,
        "done",
    )
    assert ended["connectionId"] == context["connectionId"]


def test_functions_send_to_connections_until_those_are_gone(local_aws, chat):
    """apigateway-how-to-call-websocket-api-connections: POST, GET, DELETE, and GoneException afterwards."""
    api = chat(answers=("tell",))
    client = api.connect()
    client.send(json.dumps({"action": "tell", "connections": api.connections_url_in_functions}))
    assert client.recv() == "told"
    assert json.loads(client.recv())["route"] == "tell"  # the function has ended, and its log is there
    connection_id = api.events("tell")[0]["requestContext"]["connectionId"]
    connections = boto3.client("apigatewaymanagementapi", endpoint_url=api.connections_url)
    at_the_one_address = boto3.client("apigatewaymanagementapi")
    at_the_one_address.post_to_connection(ConnectionId=connection_id, Data=b"ready")
    assert client.recv() == "ready"
    found = connections.get_connection(ConnectionId=connection_id)
    assert found["Identity"]["SourceIp"] == "127.0.0.1"
    assert found["ConnectedAt"] <= found["LastActiveAt"]
    with pytest.raises(ClientError, match="PayloadTooLargeException"):
        connections.post_to_connection(ConnectionId=connection_id, Data=bytes(128 * 1024 + 1))
    connections.delete_connection(ConnectionId=connection_id)
    assert client.recv_data()[0] == websocket.ABNF.OPCODE_CLOSE
    local_aws.settle()
    assert api.events("$disconnect")[0]["requestContext"]["disconnectStatusCode"] == 1000
    for call in (connections.get_connection, connections.delete_connection):
        with pytest.raises(ClientError) as gone:
            call(ConnectionId=connection_id)
        assert gone.value.response["Error"]["Code"] == "GoneException"
        assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
    with pytest.raises(connections.exceptions.GoneException):
        connections.post_to_connection(ConnectionId=connection_id, Data=b"anybody?")
    unsigned = http(f"{api.connections_url}/@connections/{connection_id}")
    assert unsigned.status == 403


def test_who_is_not_let_in_is_not_connected(local_aws, chat, deploy):
    """apigateway-websocket-api-route-keys-connect-disconnect: the connection is made when the $connect function answers 200."""
    api = chat()
    for status in (401, 403, 500):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            api.connect(f"?status={status}")
        assert refused.value.status_code == status
    assert api.events("$disconnect") == []
    with pytest.raises(websocket.WebSocketBadStatusException) as elsewhere:
        websocket.create_connection(api.url.replace("/shop", "/other"), timeout=20)
    assert elsewhere.value.status_code == 403
    api.function.client.remove_permission(FunctionName=api.function.name, StatementId=api.id)
    with pytest.raises(websocket.WebSocketBadStatusException) as forbidden:
        api.connect()
    assert forbidden.value.status_code == 500
    assert requests.get(api.connections_url, timeout=20).status_code == 403


def test_what_goes_wrong_is_said_to_the_client(local_aws, chat):
    """websocket-api-... errors: a client gets message, connectionId and requestId."""
    api = chat("$connect", "fail")
    client = api.connect()
    client.send('{"action": "fail"}')
    failed = json.loads(client.recv())
    assert failed["message"] == "Internal server error"
    assert failed["connectionId"] == api.events("$connect")[0]["requestContext"]["connectionId"]
    client.send("no route for this")
    assert json.loads(client.recv())["message"] == "Forbidden"
    client.ping("still there?")
    assert client.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"still there?")
    client.send_binary(b"\x00\x01")
    assert client.recv_data() == (websocket.ABNF.OPCODE_CLOSE, b"\x03\xebUnsupported Data")
    large = api.connect()
    large.send("x" * (32 * 1024 + 1))
    assert large.recv_data()[1][:2] == (1009).to_bytes(2, "big")


def test_a_silent_client_is_disconnected_after_ten_minutes(local_aws, chat):
    """apigateway-execution-service-websocket-limits-table: idle for 10 minutes, connected for 2 hours."""
    api = chat("$connect", "$disconnect", "$default", answers=("$default",))
    client = api.connect()
    local_aws.clock.advance(minutes=9)
    client.send("still here")
    assert json.loads(client.recv())["said"] == "still here"
    local_aws.clock.advance(minutes=9)
    assert api.events("$disconnect") == []
    local_aws.clock.advance(minutes=2)
    (ended,) = api.events("$disconnect")
    assert (ended["requestContext"]["disconnectStatusCode"], ended["requestContext"]["disconnectReason"]) == (
        1001,
        "Going away",
    )
    assert client.recv_data() == (websocket.ABNF.OPCODE_CLOSE, b"\x03\xe9Going away")


def test_another_library_gets_along_with_it(local_aws, chat):
    """Tornado's client; and a message in two frames."""
    api = chat(answers=("order",))

    async def talk() -> tuple[Any, Any]:
        client = await websocket_connect(api.url, connect_timeout=20)
        await client.write_message('{"action": "order", "note": "' + "ä" * 5000 + '"}')
        answer = await client.read_message()
        client.close(1000, "bye")
        return answer, await client.read_message()

    in_parts = api.connect()
    in_parts.send_frame(websocket.ABNF.create_frame('{"action": ', websocket.ABNF.OPCODE_TEXT, fin=0))
    in_parts.send_frame(websocket.ABNF.create_frame(b'"order"}', websocket.ABNF.OPCODE_CONT))
    assert json.loads(in_parts.recv())["said"] == '{"action": "order"}'
    answer, end = asyncio.run(talk())
    assert json.loads(answer)["route"] == "order"
    assert end is None
    local_aws.settle()
    assert api.events("$disconnect")[0]["requestContext"]["disconnectReason"] == "bye"


def test_connections_need_a_permission(local_aws, chat):
    """apigateway-websocket-control-access-iam: execute-api:ManageConnections on the stage's connections."""
    api = chat()
    iam = boto3.client("iam")
    client = api.connect()
    tell = json.dumps({"action": "tell", "connections": api.connections_url_in_functions})
    local_aws.permissions.enforce()
    try:
        client.send(tell)
        assert json.loads(client.recv())["message"] == "Internal server error"
        statement = {
            "Effect": "Allow",
            "Action": "execute-api:ManageConnections",
            "Resource": f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/shop/POST/@connections/*",
        }
        iam.put_role_policy(
            RoleName="parcel-function",
            PolicyName="connections",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
        )
        client.send(tell)
        assert client.recv() == "told"
    finally:
        local_aws.permissions.is_enforced = False
        iam.delete_role_policy(RoleName="parcel-function", PolicyName="connections")
