"""Many invocations, at once and one after the other: all come back with their own answer, and nothing is left behind.

Lambda answers each invocation with the result of that invocation, however many there are at the same time
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html). `make bench` measures the same at full size.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import psutil
import pytest
from benchmarks.resources import held, left_since, resident_mb
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.conftest import zipped

WHO = """
import os, time

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return {"order": event["order"], "process": os.getpid(), "environment": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"][-32:]}
"""


@pytest.fixture
def busy_client(local_aws):
    """A client for 50 callers; it does not try again, so nothing that fails goes unseen."""
    config = Config(max_pool_connections=50, retries={"total_max_attempts": 1}, read_timeout=100)
    client = boto3.client("lambda", config=config)
    yield client
    client.close()


def at_once(action, count, callers=50):
    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(action, range(count)))


def test_a_thousand_invocations_by_fifty_callers_all_get_their_own_answer(local_aws, deploy, busy_client):
    function = deploy(WHO, Timeout=60)
    function.invoke({"order": 0})
    before = held()

    def invoke(order):
        event = json.dumps({"order": order, "sleep": 0.01}).encode()
        return json.loads(busy_client.invoke(FunctionName=function.name, Payload=event)["Payload"].read())

    answers = at_once(invoke, 1000)
    assert [answer["order"] for answer in answers] == list(range(1000))
    processes = [psutil.Process(pid) for pid in {answer["process"] for answer in answers}]
    assert 2 <= len(processes) <= 50
    folders = {local_aws._folder / "environments" / answer["environment"] for answer in answers}
    assert len(folders) == len(processes)
    assert all(folder.exists() for folder in folders)

    # New configuration: every environment goes, with its processes, its folder, its sockets and its threads.
    function.client.update_function_configuration(FunctionName=function.name, Timeout=59)
    busy_client.close()
    assert not psutil.wait_procs(processes, timeout=20)[1]
    assert not any(folder.exists() for folder in folders)
    function.invoke({"order": 0})
    assert not any(left_since(before))


def test_functions_that_crash_at_once_leave_nothing(deploy, busy_client):
    function = deploy(
        "import os, time\ndef handler(event, context):\n    time.sleep(0.05)\n    os._exit(3)\n", Timeout=60
    )
    function.invoke()
    before = held()

    def invoke(_):
        return json.loads(busy_client.invoke(FunctionName=function.name)["Payload"].read())["errorType"]

    assert set(at_once(invoke, 40, callers=20)) == {"Runtime.ExitError"}
    function.client.update_function_configuration(FunctionName=function.name, Timeout=59)
    busy_client.close()
    function.invoke()
    assert not any(left_since(before))


def test_a_thousand_invocations_in_a_row_leave_memory_processes_and_descriptors_as_they_were(deploy):
    function = deploy("def handler(event, context):\n    print(event)\n    return len(event)\n")
    logs = boto3.client("logs")
    parcel = "x" * 50_000

    def invoke(times):
        for _ in range(times):
            assert function.invoke(parcel)["Payload"] == len(parcel)
        logs.delete_log_group(logGroupName=f"/aws/lambda/{function.name}")
        gc.collect()  # groups and streams hold each other
        return resident_mb()

    before = invoke(1000)
    held_before = held()
    after = invoke(1000)
    # Were events, answers or lines of deleted logs kept, it would be 80 MB and more.
    assert after - before < 40
    assert not any(left_since(held_before))


def test_a_hundred_updates_at_once_leave_one_whole_function(deploy, busy_client):
    """Updates are made one after the other or refused; what runs afterwards is what GetFunction shows.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    """
    packages = [zipped({"app.py": f"def handler(event, context):\n    return {number}\n"}) for number in range(100)]
    hashes = [base64.b64encode(hashlib.sha256(package).digest()).decode() for package in packages]
    function = deploy("def handler(event, context):\n    return -1\n")
    function.invoke()
    before = held()

    def update(number):
        try:
            answer = busy_client.update_function_code(FunctionName=function.name, ZipFile=packages[number])
        except ClientError as refused:
            return refused.response["Error"]["Code"]
        assert answer["CodeSha256"] == hashes[number]
        # Whatever the others do meanwhile, an invocation runs some whole package.
        assert json.loads(busy_client.invoke(FunctionName=function.name)["Payload"].read()) in range(100)
        return number

    done = at_once(update, 100, callers=20)
    assert {answer for answer in done if isinstance(answer, str)} <= {"ResourceConflictException"}
    last = hashes.index(function.client.get_function(FunctionName=function.name)["Configuration"]["CodeSha256"])
    assert last in done
    assert [function.invoke()["Payload"] for _ in range(3)] == [last] * 3
    # Some environments of the last package may be warm still: it may have run for several callers at once.
    function.client.update_function_configuration(FunctionName=function.name, Timeout=4)
    assert function.invoke()["Payload"] == last
    busy_client.close()
    assert not any(left_since(before))
