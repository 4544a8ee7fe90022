"""CloudWatch Logs Insights: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html, through the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import Deployed

GROUP = "/parcel/insights"
LINES = [  # second, message
    (0, json.dumps({"level": "INFO", "ms": 20, "cart": {"items": [{"sku": "A"}, {"sku": "B"}]}, "paid": True})),
    (10, json.dumps({"level": "INFO", "ms": 40, "shop": "Oslo"})),
    (70, json.dumps({"level": "ERROR", "ms": 300, "shop": "Oslo", "paid": False})),
    (75, json.dumps({"level": "ERROR", "ms": 7.5, "shop": "Lima"})),
    (80, 'user=kari, method:GET, latency := 12.5 "quoted"'),
    (320, "user=ola, method:PUT, latency := 30"),
]

Ask = Callable[..., list[dict[str, str]]]


@pytest.fixture(scope="module")
def start(local_aws) -> Iterator[int]:
    """A log group with some lines, and when the first of them was written."""
    logs = boto3.client("logs")
    first = int(local_aws.clock.now()) // 600 * 600 - 1_200
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="one")
    events = [{"timestamp": (first + second) * 1000, "message": message} for second, message in LINES]
    logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)
    yield first
    logs.delete_log_group(logGroupName=GROUP)


def run(query: str, start: float, end: float, group: str = GROUP, **settings: Any) -> dict[str, Any]:
    """Run a query, and return its results when it is complete."""
    logs = boto3.client("logs")
    query_id = logs.start_query(
        logGroupName=group, startTime=int(start), endTime=int(end), queryString=query, **settings
    )["queryId"]
    result = logs.get_query_results(queryId=query_id)
    assert result["status"] == "Complete"
    return result


@pytest.fixture
def ask(start: int) -> Ask:
    """The rows that a query finds, without their pointers."""

    def asked(query: str, **settings: Any) -> list[dict[str, str]]:
        rows = run(query, start, start + 600, **settings)["results"]
        return [{one["field"]: one["value"] for one in row if one["field"] != "@ptr"} for row in rows]

    return asked


def test_without_fields_the_latest_lines_come_first(ask: Ask) -> None:
    rows = ask("limit 2")
    assert [list(row) for row in rows] == [["@timestamp", "@message"]] * 2
    assert [row["@message"][:9] for row in rows] == ["user=ola,", "user=kari"]
    assert rows[0]["@timestamp"].endswith(".000")


def test_fields_of_json_are_found_and_computed_with(ask: Ask) -> None:
    [row] = ask("fields ms, ms / 8 as part, cart.items.1.sku, strlen(level), @logStream | filter ms = 20")
    assert row == {"ms": "20", "part": "2.5", "cart.items.1.sku": "B", "strlen(level)": "4", "@logStream": "one"}


@pytest.mark.parametrize(
    ("condition", "matching"),
    [
        ("ms > 30", ["40", "300"]),
        ("ms >= 40 and shop = 'Oslo'", ["40", "300"]),
        ('level = "ERROR" or ms < 25', ["20", "300", "7.5"]),
        ("not (level = 'INFO')", ["300", "7.5"]),
        ("shop like /^o/", []),
        ("shop like /(?i)^o/", ["40", "300"]),
        ("shop =~ /s.o$/", ["40", "300"]),
        ('shop like "im"', ["7.5"]),
        ("shop not like /Oslo/ and ispresent(shop)", ["7.5"]),
        ("ms in [20, 300]", ["20", "300"]),
        ('shop not in ["Lima"]', ["20", "40", "300"]),
        ("paid = 1", ["20"]),
        ("paid = false", ["300"]),
        ("ms % 3 = 0", ["300"]),
        ("2 ^ 3 * (ms - 10) = 80", ["20"]),
        ("strcontains(shop, 'sl') and greatest(ms, 50) = 50", ["40"]),
    ],
)
def test_filter(ask: Ask, condition: str, matching: list[str]) -> None:
    rows = ask(f"fields ms | filter ispresent(ms) and ({condition}) | sort @timestamp asc")
    assert [row["ms"] for row in rows] == matching


def test_stats_by_time_and_field(ask: Ask) -> None:
    query = "filter ispresent(ms) | stats count(*) as n, avg(ms), max(ms) by bin(1m) as minute, level | sort minute asc"
    first, second = ask(query)
    assert (first["n"], first["avg(ms)"], first["max(ms)"], first["level"]) == ("2", "30", "40", "INFO")
    assert (second["n"], second["avg(ms)"], second["max(ms)"], second["level"]) == ("2", "153.75", "300", "ERROR")
    assert list(first) == ["minute", "level", "n", "avg(ms)", "max(ms)"]
    assert (first["minute"][17:], second["minute"][17:]) == ("00.000", "00.000")
    assert [row["count(*)"] for row in ask("stats count(*) by bin(5m) | sort bin(5m) asc")] == ["5", "1"]
    assert [row["count(*)"] for row in ask("stats count(*) by bin(5m) | sort count(*) asc")] == ["1", "5"]


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [
        ("count()", "6"),
        ("count(ms)", "4"),
        ("count_distinct(shop)", "2"),
        ("sum(ms)", "367.5"),
        ("min(ms)", "7.5"),
        ("pct(ms, 50)", "20"),
        ("pct(ms, 99)", "300"),
        ("earliest(ms)", "20"),
        ("latest(ms)", "7.5"),
        ("sum(ms) / count(ms)", "91.875"),
        ("ceil(avg(ms))", "92"),
        ("sum(level = 'ERROR')", "2"),
        ("max(shop)", "Oslo"),
    ],
)
def test_aggregations(ask: Ask, aggregation: str, value: str) -> None:
    assert ask(f"stats {aggregation} as found") == [{"found": value}]


def test_parse_by_glob_and_by_regular_expression(ask: Ask) -> None:
    glob = ask(
        'parse @message "user=*, method:*, latency := *" as @user, @method, @latency '
        "| filter ispresent(@user) | sort @user desc | display @user, @method"
    )
    assert glob == [{"@user": "ola", "@method": "PUT"}, {"@user": "kari", "@method": "GET"}]
    regex = ask(r"parse @message /user=(?<name>\w+).*:= (?<took>[\d.]+)/ | stats avg(took) as mean, count(name) as n")
    assert regex == [{"mean": "21.25", "n": "2"}]
    [parsed] = ask('parse "latency := * *" as ms, rest | filter rest = \'"quoted"\'')
    assert list(parsed) == ["@timestamp", "@message", "ms", "rest"]


def test_sort_limit_and_dedup(ask: Ask) -> None:
    rows = ask("fields shop, ms | filter ispresent(shop) | sort shop asc, ms desc | limit 2")
    assert rows == [{"shop": "Lima", "ms": "7.5"}, {"shop": "Oslo", "ms": "300"}]
    assert ask("fields level | filter ispresent(level) | dedup level | sort level asc") == [
        {"level": "ERROR"},
        {"level": "INFO"},
    ]
    assert len(ask("fields @message", limit=3)) == 3
    assert [row.get("shop") for row in ask("fields shop | sort shop asc")] == ["Lima", "Oslo", "Oslo", None, None, None]


def test_text_functions_and_comments(ask: Ask) -> None:
    [row] = ask(
        """fields concat(toupper(shop), "-", substr(level, 0, 3)) as code # how parcels are marked
        | filter shop = 'Lima'
        | display code"""
    )
    assert row == {"code": "LIMA-ERR"}


def test_the_statistics_tell_what_was_looked_at(start: int) -> None:
    result = run('filter level = "ERROR" | stats count(*)', start, start + 100)
    statistics = result["statistics"]
    assert (statistics["recordsMatched"], statistics["recordsScanned"]) == (2, 5)
    assert statistics["bytesScanned"] == sum(len(message) for _, message in LINES[:5])


def test_a_pointer_leads_to_the_whole_record(start: int) -> None:
    [row] = run('fields ms | filter shop = "Lima"', start, start + 600)["results"]
    pointer = next(one["value"] for one in row if one["field"] == "@ptr")
    record = boto3.client("logs").get_log_record(logRecordPointer=pointer)["logRecord"]
    assert (record["level"], record["shop"], record["@logStream"]) == ("ERROR", "Lima", "one")
    assert record["@message"] == LINES[3][1]


def test_only_the_time_asked_for_counts(start: int) -> None:
    assert len(run("fields @message", start + 5, start + 70)["results"]) == 2


def test_a_functions_report_has_fields(deploy: Callable[..., Deployed], local_aws) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html."""
    function = deploy("def handler(event, context):\n    print('P-1042')\n", TracingConfig={"Mode": "Active"})
    request_id = function.invoke()["ResponseMetadata"]["RequestId"]
    function.invoke()
    now, group = local_aws.clock.now(), f"/aws/lambda/{function.name}"
    query = (
        'filter @type = "REPORT" | stats count(*) as calls, count(@initDuration) as cold, avg(@duration) as mean, '
        "max(@memorySize / 1000 / 1000) as size, max(@maxMemoryUsed) as used, sum(@billedDuration) as billed"
    )
    [row] = run(query, now - 60, now + 60, group)["results"]
    found = {one["field"]: one["value"] for one in row}
    assert (found["calls"], found["cold"], found["size"]) == ("2", "1", "128")
    assert float(found["mean"]) > 0
    assert float(found["billed"]) >= 2
    assert 5_000_000 <= float(found["used"]) <= 128_000_000
    of_first = run(f'fields @type, @memorySize, @log | filter @requestId = "{request_id}"', now - 60, now + 60, group)
    rows = [{one["field"]: one["value"] for one in row} for row in of_first["results"]]
    assert [row["@type"] for row in rows] == ["REPORT", "END", "START"]
    assert rows[0]["@memorySize"] == "1.28E8"
    assert rows[0]["@log"] == f"123456789012:{group}"
    traced = run("fields @xrayTraceId | filter ispresent(@xrayTraceId)", now - 60, now + 60, group)["results"]
    assert len(traced) == 2


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "unexpected end of the query"),
        ("count(*)", "mismatched input 'count'"),
        ("fields @timestamp | colour red", "mismatched input 'colour'"),
        ("filter ms >", "unexpected end of the query"),
        ("filter ms ~ 3", "mismatched input '~'"),
        ("filter (ms > 3", r"expecting '\)'"),
        ("fields shout(shop)", "Invalid function: shout"),
        ("fields substr(shop)", "substr takes 2 to 3 arguments, not 1"),
        ("filter avg(ms) > 3", "can only be used in stats"),
        ("stats count(*) | sort avg(ms)", "no column of stats"),
        ("stats ms by shop", "stats needs an aggregation"),
        ("parse @message 'a * b *' as one", "2 \\* and there are 1 names"),
        ("parse @message /(unnamed)/", "named group"),
        ("filter @message like /(/", "Invalid regular expression"),
        ("limit many", "a number of rows"),
        ("fields @message limit 3", "mismatched input 'limit'"),
        ("filter shop in 'Oslo'", "a list"),
    ],
)
def test_a_mistake_is_named(start: int, query: str, names: str) -> None:
    with pytest.raises(ClientError, match=names) as refused:
        run(query, start, start + 600)
    error = refused.value.response
    assert error["Error"]["Code"] == "MalformedQueryException"
    assert error["queryCompileError"]["location"]["endCharOffset"] <= len(query)


def test_what_is_not_there_cannot_be_asked(start: int) -> None:
    with pytest.raises(ClientError, match="'/nobody/made' does not exist"):
        run("fields @message", start, start + 600, "/nobody/made")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        boto3.client("logs").get_query_results(queryId="12345678-0000-0000-0000-000000000000")
    with pytest.raises(ClientError, match="End time"):
        run("fields @message", start + 1, start)


def test_several_groups_are_asked_together_and_queries_are_listed(start: int) -> None:
    logs, other = boto3.client("logs"), "/parcel/insights-other"
    logs.create_log_group(logGroupName=other)
    logs.create_log_stream(logGroupName=other, logStreamName="two")
    logs.put_log_events(
        logGroupName=other, logStreamName="two", logEvents=[{"timestamp": start * 1000, "message": "from the other"}]
    )
    query_id = logs.start_query(
        logGroupNames=[GROUP, other],
        startTime=start,
        endTime=start + 600,
        queryString="stats count(*) by @log | sort @log asc",
    )["queryId"]
    rows = logs.get_query_results(queryId=query_id)["results"]
    assert [[one["value"] for one in row] for row in rows] == [
        [f"123456789012:{GROUP}", "6"],
        [f"123456789012:{other}", "1"],
    ]
    listed = logs.describe_queries(logGroupName=other)["queries"]
    assert [(one["queryId"], one["status"]) for one in listed] == [(query_id, "Complete")]
    logs.delete_log_group(logGroupName=other)
