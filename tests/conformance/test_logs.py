"""What a function's log shows: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and lambda-facts, log lines."""

from __future__ import annotations

import base64
import math
import re

import boto3

from tests.conformance.conftest import zipped

_REPORT = re.compile(
    r"REPORT RequestId: (?P<request>[0-9a-f-]{36})\tDuration: (?P<duration>\d+\.\d\d) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<size>\d+) MB\tMax Memory Used: (?P<used>\d+) MB\t(?:Init Duration: (?P<init>\d+\.\d\d) ms\t)?\n"
)


def test_start_end_and_report_in_order_with_true_figures(deploy):
    function = deploy(
        "import time\ntime.sleep(0.2)\ndef handler(event, context):\n    time.sleep(0.1)\n    print('label printed')\n"
    )
    cold, warm = function.invoke(), function.invoke()
    lines = function.lines()
    assert [line.split()[0] for line in lines] == [
        "INIT_START",
        "START",
        "label",
        "END",
        "REPORT",
        "START",
        "label",
        "END",
        "REPORT",
    ]
    assert lines[1] == f"START RequestId: {cold['ResponseMetadata']['RequestId']} Version: $LATEST\n"
    first, second = _REPORT.fullmatch(lines[4]), _REPORT.fullmatch(lines[8])
    assert first["request"] == cold["ResponseMetadata"]["RequestId"]
    assert second["request"] == warm["ResponseMetadata"]["RequestId"]
    assert float(first["duration"]) >= 100
    assert float(first["init"]) >= 200
    assert second["init"] is None
    assert int(first["billed"]) == math.ceil(round(float(first["duration"]) + float(first["init"]), 2))
    assert int(second["billed"]) == math.ceil(float(second["duration"]))
    assert first["size"] == "128"
    assert 5 <= int(first["used"]) <= 128


def test_memory_that_is_used_is_reported(deploy):
    function = deploy(
        "def handler(event, context):\n    block = bytearray(event['mb'] * 2**20)\n    return len(block)\n",
        MemorySize=512,
    )
    function.invoke({"mb": 1})
    function.invoke({"mb": 100})
    used = [int(_REPORT.fullmatch(line)["used"]) for line in function.lines() if line.startswith("REPORT")]
    assert 90 <= used[1] - used[0] <= 110


def test_prints_and_log_records_keep_their_order_and_a_record_is_one_event(deploy):
    function = deploy(
        """
import logging
logger = logging.getLogger()
logger.setLevel("INFO")
def handler(event, context):
    print("first")
    logger.info("second\\nstill second")
    print("third\\nfourth")
"""
    )
    request_id = function.invoke()["ResponseMetadata"]["RequestId"]
    own = [line for line in function.lines() if line.split()[0] not in ("INIT_START", "START", "END", "REPORT")]
    assert own[0] == "first\n"
    assert re.fullmatch(rf"\[INFO\]\t\S+Z\t{request_id}\tsecond\nstill second\n", own[1])
    assert own[2:] == ["third\n", "fourth\n"]


def test_the_error_is_logged_as_aws_logs_it(deploy):
    function = deploy("def handler(event, context):\n    return event['address']\n")
    function.invoke()
    [error] = [line for line in function.lines() if line.startswith("[ERROR]")]
    assert error.splitlines() == [
        "[ERROR] KeyError: 'address'",
        "Traceback (most recent call last):",
        '\u00a0\u00a0File "/var/task/app.py", line 2, in handler',
        "\u00a0\u00a0\u00a0\u00a0return event['address']",
    ]


def test_the_tail_of_the_log_comes_with_the_response(deploy):
    function = deploy("def handler(event, context):\n    print('here')\n")
    function.invoke()
    tail = base64.b64decode(function.invoke(LogType="Tail")["LogResult"]).decode()
    assert re.fullmatch(r"START .*\nhere\nEND .*\nREPORT .*\t\n", tail)
    assert "LogResult" not in function.invoke()


def test_a_function_logs_and_is_measured_in_its_own_region(local_aws):
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html."""
    client = boto3.client("lambda", region_name="eu-west-3")
    client.create_function(
        FunctionName="parcel-paris",
        Runtime="python3.14",
        Role="arn:aws:iam::123456789012:role/parcel-function",
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": "def handler(event, context):\n    print('Bonjour')\n"})},
    )
    client.invoke(FunctionName="parcel-paris")
    groups = {
        region: boto3.client("logs", region_name=region).describe_log_groups(
            logGroupNamePrefix="/aws/lambda/parcel-paris"
        )
        for region in ("us-east-1", "eu-west-3")
    }
    assert [len(groups[region]["logGroups"]) for region in ("us-east-1", "eu-west-3")] == [0, 1]
    metrics = boto3.client("cloudwatch", region_name="eu-west-3").list_metrics(MetricName="Invocations")["Metrics"]
    assert [{"Name": "FunctionName", "Value": "parcel-paris"}] in [one["Dimensions"] for one in metrics]
    local_aws.empty_region("eu-west-3")


def test_events_of_several_streams_come_in_the_order_of_time(local_aws):
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html."""
    logs, group, now = boto3.client("logs"), "/parcel/interleaved", local_aws.clock.now_ms()
    logs.create_log_group(logGroupName=group)
    for stream, times in (("one", (0, 20)), ("two", (10, 30))):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": now + time, "message": str(time)} for time in times]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    found = logs.filter_log_events(logGroupName=group)["events"]
    assert [event["message"] for event in found] == ["0", "10", "20", "30"]
    logs.delete_log_group(logGroupName=group)


def test_events_are_kept_as_long_as_the_group_says(local_aws):
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html."""
    logs, group = boto3.client("logs"), "/parcel/retention"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")

    def put(message):
        events = [{"timestamp": local_aws.clock.now_ms(), "message": message}]
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)

    def kept():
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    put("first")
    local_aws.clock.advance(days=2)
    assert kept() == ["first"]
    put("second")
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    assert kept() == ["second"]
    read = logs.get_log_events(logGroupName=group, logStreamName="one")["events"]
    assert [event["message"] for event in read] == ["second"]
    logs.delete_log_group(logGroupName=group)
