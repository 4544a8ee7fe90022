"""Node.js handlers: held to what AWS's own aws-lambda-ric 4.0.2 posted when it was run (lambda-facts, section 4.5)."""

from __future__ import annotations

import os
import shutil

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None and not os.environ.get("CI"), reason="node is not installed"
)
NODE = {"Runtime": "nodejs24.x", "Timeout": 10}


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (
            "app.mjs",
            "export const handler = async (event, context) => ({ order: event.order, name: context.functionName });",
        ),
        ("app.js", "exports.handler = async (event, context) => ({ order: event.order, name: context.functionName });"),
        (
            "app.cjs",
            "module.exports.handler = (event, context) => ({ order: event.order, name: context.functionName });",
        ),
    ],
)
def test_modules_of_every_kind_run(deploy, file, code):
    function = deploy(code, file=file, **NODE)
    assert function.invoke({"order": "P-1"})["Payload"] == {"order": "P-1", "name": function.name}


def test_state_is_kept_and_nothing_returned_is_null(deploy):
    function = deploy(
        "let n = 0; export const handler = async (event) => { n += 1; if (event.count) return n; };", **NODE
    )
    assert function.invoke()["Payload"] is None
    assert function.invoke({"count": True})["Payload"] == 2


def test_an_error_is_unhandled_and_keeps_the_environment(deploy):
    function = deploy(
        "let n = 0; export const handler = async (event) => { n += 1; if (event.bad) throw new TypeError('boom é'); return n; };",
        **NODE,
    )
    failed = function.invoke({"bad": True})
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == "TypeError"
    assert failed["Payload"]["errorMessage"] == "boom é"
    assert failed["Payload"]["trace"][0] == "TypeError: boom é"
    assert "/var/task/app.mjs:1" in failed["Payload"]["trace"][1]
    assert function.invoke()["Payload"] == 2


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("export const handler = async (event) => { throw 'plain string'; };", "string", "plain string"),
        (
            "export const handler = async () => { const a = {}; a.a = a; return a; };",
            "Runtime.JSONStringifyError",
            "Unable to stringify response body",
        ),
        ("export const other = 1;", "Runtime.HandlerNotFound", "app.handler is undefined or not exported"),
        ("export const handler = 1;", "Runtime.HandlerNotFound", "app.handler is not a function"),
        (
            "export const handler = (event, context, callback) => callback(null, 1);",
            "Runtime.CallbackHandlerDeprecated",
            "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.",
        ),
        ("export const handler = async (event => {", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        (
            "import 'aws-sdk'; export const handler = async () => 1;",
            "Error",
            "Cannot find package 'aws-sdk' imported from",
        ),
    ],
)
def test_errors_have_awss_types_and_texts(deploy, code, error_type, message):
    failed = deploy(code, **NODE).invoke()
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == error_type
    assert failed["Payload"]["errorMessage"].startswith(message)


def test_commonjs_that_requires_what_is_not_there(deploy):
    failed = deploy("require('aws-sdk'); exports.handler = async () => 1;", file="app.js", **NODE).invoke()
    assert failed["Payload"]["errorType"] == "Runtime.ImportModuleError"
    assert failed["Payload"]["errorMessage"].startswith("Error: Cannot find module 'aws-sdk'\nRequire stack:")


def test_an_error_at_the_start_is_logged_as_awss_client_logs_it(deploy):
    function = deploy("console.log('starting'); throw new RangeError('no shelf');", **NODE)
    function.invoke()
    lines = [line.split("\t") for line in function.lines()]
    assert ["-", "INFO", "starting\n"] in [fields[1:] for fields in lines]
    [failed, *_] = [fields for fields in lines if "Init Error " in fields]
    assert failed[1:4] == ["-", "ERROR", "Init Error "]
    assert failed[4].startswith('{"errorType":"RangeError","errorMessage":"no shelf"')


def test_console_lines_carry_time_request_and_level(deploy):
    function = deploy(
        "export const handler = async () => { console.log('two\\nlines'); console.error('bad', 1); };", **NODE
    )
    request_id = function.invoke()["ResponseMetadata"]["RequestId"]
    own = [line for line in function.lines() if f"\t{request_id}\t" in line and not line.startswith("REPORT")]
    assert own[0].split("\t")[1:] == [request_id, "INFO", "two\nlines\n"]
    assert own[1].split("\t")[1:] == [request_id, "ERROR", "bad 1\n"]


def test_a_runtime_that_is_not_here_says_what_to_do(deploy):
    with pytest.raises(ClientError, match=r"java21 cannot be run by the local AWS: it runs Python and Node\.js"):
        deploy("x", Runtime="java21").invoke()


def test_without_node_the_message_says_what_to_install(deploy, monkeypatch):
    function = deploy("export const handler = async () => 1;", **NODE)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClientError, match=r"Node\.js functions need Node\.js 20 or newer"):
        function.invoke()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("setTimeout(() => callback(null, 'later'), 10);", "later"),
        ("callback(null, 'at once'); globalThis.n = 1;", "at once"),
        (
            "context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60000); callback(null, 'early');",
            "early",
        ),
        ("context.succeed('old');", "old"),
        ("return 'not for a callback handler';", None),
    ],
)
def test_callbacks_work_until_node_22(deploy, body, expected):
    """https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html: callback handlers, up to Node.js 22."""
    code = f"export const handler = (event, context, callback) => {{ {body} }};"
    function = deploy(code, **NODE | {"Runtime": "nodejs22.x"})
    assert function.invoke()["Payload"] == expected
    assert function.invoke()["Payload"] == expected


def test_a_callbacks_error_is_the_functions(deploy):
    code = "export const handler = (event, context, callback) => { callback(new RangeError('no shelf')); };"
    failed = deploy(code, **NODE | {"Runtime": "nodejs22.x"}).invoke()
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"]["errorType"] == "RangeError"


def test_a_two_argument_handler_need_not_be_async_from_node_24(deploy):
    assert deploy("export const handler = (event) => 'value';", **NODE).invoke()["Payload"] == "value"
