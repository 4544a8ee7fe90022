"""The transport under AWS's own Python runtime client: its four functions over one kept-alive socket.

``awslambdaric`` imports a module of this name; on AWS it is a native extension around libcurl. This one speaks to
the same Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), runs on every platform, and a
conformance test holds it against the native one on Linux. It runs in the function's process and imports nothing
of coldstart, and of sockets only the C module: the rest of ``socket`` would be 3 ms of every cold start.
"""

import _socket
import os

_SMALL_BYTES = 65_536  # a result of up to this size is never refused

_host, _, _port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
_connection = None
_received = bytearray()  # from the connection, and not read yet
_unanswered = 0  # small results whose answers were not read yet
_unsent = b""  # a small result that goes out with the request for the next event
_user_agent = "aws-lambda-python"


def initialize_client(user_agent):
    """Take the User-Agent that requests carry; the native client connects on its first request too."""
    global _user_agent
    _user_agent = user_agent


def connect_to(address):
    """Talk to the Runtime API at another address from now on."""
    global _host, _port, _connection, _unanswered, _unsent
    if _connection is not None:
        _connection.close()
        _connection = None
        _received.clear()
        _unanswered = 0
        _unsent = b""
    _host, _, _port = address.rpartition(":")


def announce(path):
    """Send a GET request without waiting for an answer."""
    _send(_request("GET", path, b"", ""))


def next():
    """Wait for the next event and return ``(body, headers)``; raise RuntimeError on anything but 200."""
    _send(_request("GET", "/2018-06-01/runtime/invocation/next", b"", ""))
    _read_answers()
    status, received, body = _read_response()
    if status != 200:
        raise RuntimeError(f"Failed to get next, error code: {status}")
    headers = {
        "Lambda-Runtime-Aws-Request-Id": received["lambda-runtime-aws-request-id"],
        "Lambda-Runtime-Trace-Id": received.get("lambda-runtime-trace-id"),
        "Lambda-Runtime-Invoked-Function-Arn": received.get("lambda-runtime-invoked-function-arn"),
        "Lambda-Runtime-Deadline-Ms": int(received.get("lambda-runtime-deadline-ms", 0)),
        "Lambda-Runtime-Client-Context": received.get("lambda-runtime-client-context"),
        "Lambda-Runtime-Cognito-Identity": received.get("lambda-runtime-cognito-identity"),
        "Lambda-Runtime-Aws-Tenant-Id": received.get("lambda-runtime-aws-tenant-id"),
        "Lambda-Runtime-Invocation-Id": received.get("lambda-runtime-invocation-id"),
        "Content-Type": received.get("content-type"),
    }
    return body, headers


def post_invocation_result(invoke_id, result_data, content_type, invocation_id=None):
    """Hand the handler's result to the Runtime API."""
    _post(invoke_id, "response", result_data, f"Content-Type: {content_type}\r\n", invocation_id)


def post_error(invoke_id, error_response_data, xray_fault, invocation_id=None):
    """Hand the handler's error, and its cause in X-Ray's form, to the Runtime API."""
    cause = xray_fault.replace("\r", " ").replace("\n", " ")
    headers = f"Content-Type: application/json\r\nLambda-Runtime-Function-XRay-Error-Cause: {cause}\r\n"
    _post(invoke_id, "error", error_response_data.encode(), headers, invocation_id)


def _post(invoke_id, outcome, body, headers, invocation_id):
    global _unanswered, _unsent
    if invocation_id:
        headers += f"Lambda-Runtime-Invocation-Id: {invocation_id}\r\n"
    request = _request("POST", f"/2018-06-01/runtime/invocation/{invoke_id}/{outcome}", body, headers)
    _unanswered += 1
    # A small result travels with the request for the next event, and its answer with that event: one round trip for both.
    # An error goes out at once: it may be the last thing that the process does.
    if len(body) > _SMALL_BYTES:
        _send(request)
        _read_answers()
    elif outcome == "error":
        _send(request)
    else:
        _unsent = request


def _read_answers():
    global _unanswered
    while _unanswered:
        _unanswered -= 1
        status, _, _ = _read_response()
        if status != 202:
            raise RuntimeError("Failed to post invocation response")


def _request(method, path, body, headers):
    length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: {_host}\r\nUser-Agent: {_user_agent}\r\n{headers}{length}\r\n"
    return head.encode() + body


def _send(request):
    global _connection, _unsent
    if _connection is None:
        _connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        _connection.connect((_host, int(_port)))
        _connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
    request, _unsent = _unsent + request, b""
    _connection.sendall(request)


def _read_response():
    while (end := _received.find(b"\r\n\r\n")) < 0:
        _receive()
    lines = _received[:end].decode("utf-8").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    start = end + 4
    length = int(headers.get("content-length", 0))
    while len(_received) < start + length:
        _receive()
    body = bytes(_received[start : start + length])
    del _received[: start + length]
    return int(lines[0].split(" ", 2)[1]), headers, body


def _receive():
    received = _connection.recv(65536)
    if not received:  # The Lambda service is gone, and with it the execution environment.
        os._exit(0)
    _received.extend(received)
