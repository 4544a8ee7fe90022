"""The windows into the cloud draw what really happened, and say the same as text."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import boto3
import pytest
from botocore.config import Config

from coldstart import state, timeline, tuning_curve
from coldstart.cloud import Cloud


def _function(code: str, **parameters: object) -> str:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", code)
    name = f"window-{uuid.uuid4().hex[:8]}"
    boto3.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role="arn:aws:iam::123456789012:role/parcel-function",
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
        **parameters,
    )
    return name


def _invoke(name: str, event: object = None) -> dict:
    return boto3.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))


WAITS = "import time\ndef handler(event, context):\n    time.sleep(event or 0)\n"


def test_a_timeline_has_a_lane_for_each_environment(local_aws: Cloud) -> None:
    name = _function(WAITS)
    with ThreadPoolExecutor(2) as together:
        list(together.map(lambda _: _invoke(name, 0.5), range(2)))
    local_aws.clock.advance(minutes=5)
    _invoke(name)
    drawn = timeline(name)
    assert drawn.text.splitlines()[0] == f"{name}: 2 environments, 3 invocations"
    assert "init - ms, frozen - ms, invoke - ms, frozen 5 min, invoke - ms" in re.sub(r"\d+ ms", "- ms", drawn.text)
    assert "⋯ 5 min" in drawn.svg, "the pause is cut short, and says so"


def test_before_the_start_a_notebook_shows_one_line_and_no_traceback() -> None:
    code = "from coldstart import state; state()"
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", run.stdout).strip()
    assert shown == "NotStarted: The local AWS is not running. Run the cell with cloud.start() first."


def test_the_last_log_lines_of_one_moment_stay_in_their_order(local_aws: Cloud) -> None:
    logs = boto3.client("logs")
    name = f"window-{uuid.uuid4().hex[:8]}"
    group = f"/aws/lambda/{name}"
    local_aws.settle()
    for page in list(logs.get_paginator("describe_log_groups").paginate()):
        for other in page["logGroups"]:  # of other tests, whose lines may be later
            logs.delete_log_group(logGroupName=other["logGroupName"])
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="environment")
    now = local_aws.clock.now_ms()
    lines = [{"timestamp": now, "message": message} for message in ("zebra first", "apple second")]
    logs.put_log_events(logGroupName=group, logStreamName="environment", logEvents=lines)
    shown = [line for line in state().log if line.startswith(name)]
    assert [line.partition(": ")[2] for line in shown] == ["zebra first", "apple second"]


def test_failures_and_throttles_are_marked_and_named(local_aws: Cloud) -> None:
    name = _function("def handler(event, context):\n    raise ValueError('no label')\n")
    _invoke(name)
    client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)
    drawn = timeline(name)
    assert "1 environment, 1 invocation, 1 throttled" in drawn.text
    assert "(Unhandled)" in drawn.text
    assert "Throttled 1 time: ReservedFunctionConcurrentInvocationLimitExceeded" in drawn.text
    assert drawn.svg.count("✕") == 2, "one in the legend, one in the lane"


def test_an_init_within_an_invocation_is_told_as_a_part_of_it(local_aws: Cloud) -> None:
    name = _function("import os\ndef handler(event, context):\n    if event:\n        os._exit(1)\n")
    for event in (None, 1, None):
        _invoke(name, event)
    local_aws.clock.advance(minutes=5)
    _invoke(name)
    said = re.sub(r"\d+ ms", "- ms", timeline(name).text)
    assert "invoke - ms (init - ms of them), frozen 5 min, invoke - ms" in said


def test_a_function_that_never_ran_has_an_empty_timeline(local_aws: Cloud) -> None:
    assert timeline("nobody").text == "nobody: no environments yet. Invoke it, then look again."


def test_figures_are_sound_svg_with_words_for_a_screen_reader(local_aws: Cloud) -> None:
    name = _function(WAITS)
    _invoke(name)
    bundle = timeline(name)._repr_mimebundle_()
    root = ElementTree.fromstring(bundle["image/svg+xml"])
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == f"Timeline of {name}: 1 environment, 1 invocation"
    assert bundle["text/plain"] in bundle["text/html"].replace("&#x27;", "'")
    assert "<script" not in bundle["text/html"]


def test_a_tuning_curve_is_measured_and_puts_the_memory_back(local_aws: Cloud) -> None:
    name = _function(
        "import time\ndef handler(event, context):\n    end = time.thread_time() + 0.05\n    while time.thread_time() < end:\n        pass\n",
        MemorySize=192,
        Timeout=30,
    )
    drawn = tuning_curve(name, sizes=(128, 1769), invocations=1)
    assert "fastest at 1,769 MB" in drawn.text.splitlines()[0]
    assert boto3.client("lambda").get_function_configuration(FunctionName=name)["MemorySize"] == 192
    slow, fast = (int(found) for found in re.findall(r"(\d+) ms", drawn.text))
    assert slow > fast


def test_state_lists_what_there_is(local_aws: Cloud) -> None:
    name = _function(WAITS)
    _invoke(name)
    queue = f"window-{uuid.uuid4().hex[:8]}"
    url = boto3.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody="P-1042")
    seen = state()
    assert ("queue", queue, "1 waiting, 0 in flight") in seen.rows
    assert ("function", name, "python3.14, 128 MB, 1 environment") in seen.rows
    assert 0 < len(seen.log) <= 5
    assert '<th scope="row">queue</th>' in seen._repr_mimebundle_()["text/html"]
