"""An invocation of a cell takes the short way; what comes of it, and of Ctrl-C, is what HTTP would give."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import http


def test_an_invocation_has_the_answer_that_http_gives(local_aws, deploy):
    function = deploy("def handler(event, context):\n    return [event, context.client_context]\n")
    direct = function.invoke({"order": "P-1042"}, LogType="Tail")
    elsewhere = subprocess.run(
        [
            sys.executable,
            "-c",
            "import boto3, json, sys\n"
            f"answer = boto3.client('lambda').invoke(FunctionName={function.name!r}, Payload=b'{{\"order\": \"P-1042\"}}', LogType='Tail')\n"
            "answer['Payload'] = json.load(answer['Payload'])\n"
            "print(json.dumps({name: value for name, value in answer.items() if name not in ('LogResult', 'ResponseMetadata')}))",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert json.loads(elsewhere.stdout) == {name: direct[name] for name in ("StatusCode", "ExecutedVersion", "Payload")}
    assert direct["LogResult"]
    assert direct["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/json"
    assert direct["ResponseMetadata"]["RequestId"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        boto3.client("lambda").invoke(FunctionName="nowhere")


def test_a_stranger_gets_no_further_on_the_short_way(local_aws, deploy):
    function = deploy("def handler(event, context):\n    return 1\n")
    stranger = boto3.client("lambda", aws_access_key_id="AKIASTRANGER", aws_secret_access_key="guessed")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.invoke(FunctionName=function.name)


def _interrupted(code: str) -> str:
    """Run a program that prints a line when it wants to be interrupted; return what it prints after that."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "now\n"
        program.send_signal(signal.SIGINT)
        out, error = program.communicate(timeout=60)
    assert program.returncode == 0, error
    return out


def test_an_interrupted_cell_stops_waiting_and_the_cloud_goes_on():
    """On AWS the invocation would run on; here its environment ends, so that nothing is left running."""
    out = _interrupted(
        """
        import io, json, signal, threading, zipfile
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from coldstart import cloud
        local = cloud.start()
        import boto3
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("app.py", '''
        def handler(event, context):
            if event.get("hang"):
                print("hanging", flush=True)
            while event.get("hang"):
                pass
            return "done"
        ''')
        client = boto3.client("lambda")
        client.create_function(FunctionName="orders", Runtime="python3.14", Role=role, Handler="app.handler",
                               Timeout=600, Code={"ZipFile": package.getvalue()})
        client.invoke(FunctionName="orders")
        threading.Timer(0.3, print, ["now"], {"flush": True}).start()
        try:
            client.invoke(FunctionName="orders", Payload='{"hang": true}')
        except KeyboardInterrupt:
            print("interrupted")
        print(client.invoke(FunctionName="orders")["Payload"].read().decode())
        print([phase.kind for phase in local.record.phases("orders")].count("init"))
        cloud.stop()
        """
    )
    assert out.splitlines() == ["interrupted", '"done"', "2"]


def test_an_interrupt_that_comes_before_the_waiting_ends_it():
    from coldstart.runtime import interrupts

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    waited = []

    def wait() -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            with interrupts.may_break_in():
                waited.append("for the function")

    try:
        with pytest.raises(KeyboardInterrupt):
            wait()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert waited == []


def test_what_is_not_waiting_is_finished_before_an_interrupt():
    from coldstart.runtime import interrupts

    done = []

    def finish() -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            done.append("work")

    def wait() -> None:
        with interrupts.held(), interrupts.may_break_in():
            signal.raise_signal(signal.SIGINT)
            done.append("never")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for call in (finish, wait):
            with pytest.raises(KeyboardInterrupt):
                call()
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["work"]


def test_callers_in_many_threads_all_get_their_own_answer(local_aws, deploy):
    function = deploy("def handler(event, context):\n    return event\n")
    answers: dict[int, object] = {}

    def call(number: int) -> None:
        answers[number] = function.invoke(number)["Payload"]

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number for number in range(8)}
    assert http(f"{local_aws.url}/2015-03-31/functions/{function.name}/invocations", "POST", "{}").status == 403
