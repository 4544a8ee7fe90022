"""What comes to the cloud's one address, and who answers it.

Two kinds of requests come here. Those to AWS itself: what a :class:`~coldstart.cloud.service_api.ServiceApi` of ours knows goes
to that, all others to moto. Only holders of an access key of this cloud are let in, and no web page: the port is open to
everything on the machine. And those to the learner's APIs and function URLs (:mod:`coldstart.cloud.public_addresses`): for
everybody, also for pages of any origin, as on AWS. Both only under names of this machine.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.http_exchange import ChunkedResponse, answer_bytes, client_request
from coldstart.cloud.moto_services import MotoServices
from coldstart.cloud.public_addresses import PublicAddress, PublicAddresses, addressed, is_connections_request, is_local
from coldstart.cloud.service_api import outgoing
from coldstart.cloud.unsigned_requests import is_for_everybody
from coldstart.events.http_answer import HttpAnswer
from coldstart.events.http_request import ClientRequest
from coldstart.runtime.clock import Clock
from coldstart.runtime.http_wire import HttpRequest, response_bytes
from coldstart.runtime.identifiers import Identifiers

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_QUERY_CREDENTIAL = re.compile(r"X-Amz-Credential=([^&%/]+)(?:%2F|/)\d{8}(?:%2F|/)([^&%/]+)(?:%2F|/)([^&%/]+)")
_OLD_QUERY_CREDENTIAL = re.compile(r"[?&]AWSAccessKeyId=([^&]+)")  # how boto3 signs S3's URLs unless told otherwise


class PublicEndpoint(Protocol):
    """The APIs, or the function URLs, of this cloud."""

    def answer(self, address: PublicAddress, request: ClientRequest, stream: ChunkedResponse) -> HttpAnswer | None:
        """Return the answer to a client; None when it has gone out through the stream."""
        ...


class WebSocketEndpoint(Protocol):
    """The WebSocket APIs of this cloud."""

    def open(
        self, address: PublicAddress, request: ClientRequest, connection: socket.socket, take_rest: Callable[[], bytes]
    ) -> bool:
        """Serve a client until it has gone; return False, and do nothing, when the address has no WebSocket API."""
        ...


class AwsApi(Protocol):
    """An API of AWS, or a part of one: mostly a :class:`~coldstart.cloud.service_api.ServiceApi`."""

    def answer(self, request: HttpRequest, region: str) -> bytes | None:
        """Return the response; None when others have to answer."""
        ...


class FrontDoor:
    """Answers requests, however they come: from the port, or directly from this process.

    Args:
        port: of the address, on loopback.
        apis: our own APIs by the name that requests to the service are signed for; what they leave is moto's.
        permit: refuses what the holder of an access key may not ask of a service in a region; takes request, key, region and service.
        downloads: links that are their own permission: returns the response, or None when the request is something else.
    """

    def __init__(
        self,
        port: int,
        moto: MotoServices,
        apis: Mapping[str, Sequence[AwsApi]],
        downloads: Callable[[HttpRequest], bytes | None],
        key_is_known: Callable[[str], bool],
        permit: Callable[[HttpRequest, str, str, str], None],
        clock: Clock,
        identifiers: Identifiers,
    ) -> None:
        self._moto = moto
        self._apis = apis
        self._downloads = downloads
        self._key_is_known = key_is_known
        self._permit = permit
        self._clock = clock
        self._identifiers = identifiers
        self._public: dict[str, PublicEndpoint] = {}
        self.websockets: WebSocketEndpoint | None = None
        """Who serves clients that ask for a WebSocket."""
        self.url = f"http://127.0.0.1:{port}"
        self.addresses = PublicAddresses(port)
        """The addresses of APIs and function URLs behind this door."""

    def let_in(self, kind: str, endpoint: PublicEndpoint) -> None:
        """Serve the public addresses of one kind: ``execute-api`` or ``lambda-url``."""
        self._public[kind] = endpoint

    def respond(self, request: HttpRequest, send: Callable[[bytes], None]) -> bool:
        """Answer one request; return False when the connection cannot be used any further."""
        host = request.headers.get("host", "")
        if not is_local(host):
            send(_plain(403, "The local AWS only answers to names of this machine."))
            return False
        stream = ChunkedResponse(send)
        address = addressed(host, request.target)
        endpoint = self._public.get(address.kind) if address else None
        if address is None or endpoint is None or is_connections_request(address):
            return self._respond_as_aws(request, stream, send)
        try:
            answer = endpoint.answer(address, self._client_request(request, address), stream)
            response = b"" if answer is None else answer_bytes(answer, request.method)
        except OSError:
            raise  # the client has gone
        except Exception as error:
            send(_failure(error).as_json())
            return False
        send(response)
        return stream.is_complete

    def open_websocket(self, request: HttpRequest, connection: socket.socket, take_rest: Callable[[], bytes]) -> bool:
        """Serve a client that asks for a WebSocket, until it has gone; return False when it gets an answer like others.

        Args:
            request: the client's.
            connection: to the client.
            take_rest: returns what the client has sent after its request already.
        """
        if request.headers.get("upgrade", "").lower() != "websocket" or self.websockets is None:
            return False
        host = request.headers.get("host", "")
        address = addressed(host, request.target) if is_local(host) else None
        if address is None:
            return False
        return self.websockets.open(address, self._client_request(request, address), connection, take_rest)

    def _client_request(self, request: HttpRequest, address: PublicAddress) -> ClientRequest:
        trace_id = f"Root=1-{int(self._clock.now()):08x}-{self._identifiers.hex(24)}"
        return client_request(request, address.target, trace_id)

    def _respond_as_aws(self, request: HttpRequest, stream: ChunkedResponse, send: Callable[[bytes], None]) -> bool:
        token = outgoing.set(stream)
        try:
            response = self.answer(request)
        finally:
            outgoing.reset(token)
        if stream.is_complete:
            send(response)
        return stream.is_complete

    def answer(self, request: HttpRequest) -> bytes:
        """Return the response to a request to AWS itself, ready to send."""
        if request.is_from_a_web_page:
            return _plain(403, "The local AWS does not serve web pages.")
        key, region, service = _signed_by(request)
        try:
            download = self._downloads(request)
            if download is not None:
                return download
            if not self._key_is_known(key) and (key or not is_for_everybody(request)):
                raise AwsError(
                    403, "UnrecognizedClientException", "The security token included in the request is invalid."
                )
            self._permit(request, key, region, service)
            for api in self._apis.get(service, ()):
                response = api.answer(request, region)
                if response is not None:
                    return response
            return self._moto.answer(request)
        except AwsError as error:
            return _in_its_protocol(error, request, service)
        except Exception as error:
            return _in_its_protocol(_failure(error), request, service)


def signing_key(headers: Mapping[str, str], target: str) -> str:
    """Return the access key id that a request is signed with; empty when it is not signed.

    Args:
        headers: names in lower case.
        target: path and query string.
    """
    found = _CREDENTIAL.search(headers.get("authorization", "")) or _QUERY_CREDENTIAL.search(target)
    return found[1] if found else ""


def _in_its_protocol(error: AwsError, request: HttpRequest, service: str) -> bytes:
    if "x-amz-target" in request.headers:
        return error.as_json_rpc()
    speaks_xml = service == "s3" or "form-urlencoded" in request.headers.get("content-type", "")
    return error.as_xml() if speaks_xml else error.as_json()


def _failure(error: Exception) -> AwsError:
    if isinstance(error, NotImplementedError):  # a status that no SDK tries again
        return AwsError(501, "NotImplemented", f"The local AWS cannot do this: {error}")
    return AwsError(500, "InternalFailure", f"The local AWS failed to answer: {type(error).__name__}: {error}")


def _plain(status: int, text: str) -> bytes:
    return response_bytes(status, {"Content-Type": "text/plain"}, f"{text}\n".encode())


def _signed_by(request: HttpRequest) -> tuple[str, str, str]:
    """Return access key id, region and service that the request is signed for; empty when it is not signed."""
    found = _CREDENTIAL.search(request.headers.get("authorization", "")) or _QUERY_CREDENTIAL.search(request.target)
    if found:
        return found[1], found[2], found[3]
    in_url = _OLD_QUERY_CREDENTIAL.search(request.target)
    return (in_url[1], "", "s3") if in_url else ("", "", "")
