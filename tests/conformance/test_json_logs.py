"""JSON logs and their levels: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html and -log-level.html."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.conformance.conftest import Deployed

PYTHON = """
import json, logging
logger = logging.getLogger("labels")
def handler(event, context):
    logger.debug("fine")
    logger.info("two\\nlines", extra={"order": "P-1042"})
    logger.warning("gone wrong?")
    print("printed")
    print(json.dumps({"level": "debug", "timestamp": "2026-11-24T16:51:31.587Z", "msg": "printed, fine"}))
    print(json.dumps({"level": "debug", "msg": "without a time it is INFO"}))
    if event.get("fails"):
        raise KeyError("address")
"""
NODE = """
export const handler = async (event) => {
  console.debug("fine");
  console.log({ order: "P-1042" });
  console.warn("gone %s?", "wrong", new TypeError("twice"));
  if (event.fails) throw new RangeError("address");
};
"""


def documents(function: Deployed) -> list[dict[str, Any]]:
    """The events of a log that are JSON."""
    return [json.loads(line) for line in function.lines() if line.startswith("{")]


def kinds(function: Deployed) -> list[str]:
    """The platform's events in a log."""
    return [one["type"] for one in documents(function) if "type" in one]


def logging(**levels: str) -> dict[str, Any]:
    """A LoggingConfig with JSON."""
    return {"LoggingConfig": {"LogFormat": "JSON", **levels}}


def test_the_platforms_events_are_json(deploy) -> None:
    function = deploy(PYTHON, **logging())
    request_id = function.invoke()["ResponseMetadata"]["RequestId"]
    assert kinds(function) == ["platform.initStart", "platform.start", "platform.report"]
    start, report = documents(function)[1], documents(function)[-1]
    assert start["record"]["requestId"] == request_id
    assert report["record"]["status"] == "success"
    metrics = report["record"]["metrics"]
    assert metrics["durationMs"] > 0
    assert metrics["initDurationMs"] > 0
    assert metrics["memorySizeMB"] == 128
    assert not any(line.startswith(("START", "END", "REPORT")) for line in function.lines())


def test_records_of_logging_are_json_and_begin_with_info(deploy) -> None:
    function = deploy(PYTHON, **logging())
    request_id = function.invoke()["ResponseMetadata"]["RequestId"]
    records = [one for one in documents(function) if "logger" in one]
    assert [(one["level"], one["message"]) for one in records] == [("INFO", "two\nlines"), ("WARNING", "gone wrong?")]
    assert records[0]["order"] == "P-1042"
    assert records[0]["requestId"] == request_id
    assert "printed\n" in function.lines()
    printed = [one["msg"] for one in documents(function) if "msg" in one]
    assert printed == ["without a time it is INFO"]


def test_levels_of_the_application(deploy) -> None:
    function = deploy(PYTHON, **logging(ApplicationLogLevel="DEBUG"))
    function.invoke()
    assert [one["level"] for one in documents(function) if "logger" in one] == ["DEBUG", "INFO", "WARNING"]
    assert next(one["msg"] for one in documents(function) if "msg" in one) == "printed, fine"
    quiet = deploy(PYTHON, **logging(ApplicationLogLevel="ERROR"))
    quiet.invoke({"fails": True})
    own = [one for one in documents(quiet) if "type" not in one]
    assert [(one["level"], one["errorType"]) for one in own] == [("ERROR", "KeyError")]
    assert "printed\n" not in quiet.lines()


def test_levels_of_the_system(deploy) -> None:
    fine = deploy(PYTHON, **logging(SystemLogLevel="DEBUG"))
    fine.invoke()
    assert kinds(fine) == [
        "platform.initStart",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]
    grave = deploy(PYTHON, **logging(SystemLogLevel="WARN"))
    grave.invoke()
    assert kinds(grave) == []
    grave.invoke({"fails": True})
    assert kinds(grave) == ["platform.runtimeDone", "platform.report"]


def test_text_has_no_levels(deploy) -> None:
    function = deploy(PYTHON)
    function.invoke()
    assert [one["msg"] for one in documents(function)] == ["printed, fine", "without a time it is INFO"]
    assert any(line.startswith("REPORT") for line in function.lines())


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_nodejs_writes_json_too(deploy) -> None:
    function = deploy(NODE, Runtime="nodejs24.x", **logging(ApplicationLogLevel="INFO"))
    request_id = function.invoke({"fails": True})["ResponseMetadata"]["RequestId"]
    info, warning, error = [one for one in documents(function) if "type" not in one]
    assert (info["level"], info["requestId"], info["message"]) == ("INFO", request_id, {"order": "P-1042"})
    assert (warning["level"], warning["errorType"], warning["errorMessage"]) == ("WARN", "TypeError", "twice")
    assert warning["message"].startswith("gone wrong? TypeError: twice")
    assert (error["level"], error["message"]["errorType"]) == ("ERROR", "RangeError")
    assert error["message"]["stackTrace"][0] == "RangeError: address"
