"""When schedules are due, against AWS's documented examples.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from coldstart.events.schedule_expression import InvalidScheduleExpression, rule_schedule, schedule

LONDON, BERLIN, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def seconds(text: str) -> float:
    """The UTC time `text` in seconds since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(expression, start: str, count: int = 1) -> list[str]:
    """The next times after `start` (UTC), as UTC."""
    times = []
    now: float | None = seconds(start)
    while len(times) < count and (now := expression.next_after(now)) is not None:
        times.append(datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    return times


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        # the examples of AWS's page
        ("cron(0 10 * * ? *)", "2026-11-23T10:00", ["2026-11-24T10:00:00"]),
        ("cron(15 12 * * ? *)", "2026-11-23T10:00", ["2026-11-23T12:15:00"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-27T18:00", ["2026-11-30T18:00:00"]),
        ("cron(0 8 1 * ? *)", "2026-12-01T08:00", ["2027-01-01T08:00:00"]),
        ("cron(0/15 * * * ? *)", "2026-11-23T10:31", ["2026-11-23T10:45:00", "2026-11-23T11:00:00"]),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-27T23:50", ["2026-11-30T00:00:00", "2026-11-30T00:10:00"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-23T17:50", ["2026-11-23T17:55:00", "2026-11-24T08:00:00"]),
        ("cron(0/30 20-2 ? * MON-FRI *)", "2026-11-23T02:30", ["2026-11-23T20:00:00"]),
        # names, lists, steps
        ("cron(5,35 14 ? JAN,jul mon *)", "2026-11-23T00:00", ["2027-01-04T14:05:00", "2027-01-04T14:35:00"]),
        ("cron(1-31/15 0 1 * ? *)", "2026-11-23T00:00", ["2026-12-01T00:01:00", "2026-12-01T00:16:00"]),
        ("cron(*/20 5 * * ? *)", "2026-11-23T00:00", ["2026-11-23T05:00:00", "2026-11-23T05:20:00"]),
        ("cron(0 0 ? * FRI-SUN *)", "2026-11-23T00:00", ["2026-11-27T00:00:00", "2026-11-28T00:00:00"]),
        ("cron(0 0 ? * 2#1 *)", "2026-11-23T00:00", ["2026-12-07T00:00:00", "2027-01-04T00:00:00"]),
        ("cron(0 0 ? * 6#5 *)", "2026-11-23T00:00", ["2027-01-29T00:00:00"]),
        ("cron(0 0 ? * 6L *)", "2026-11-23T00:00", ["2026-11-27T00:00:00", "2026-12-25T00:00:00"]),
        ("cron(0 0 ? * L *)", "2026-11-23T00:00", ["2026-11-28T00:00:00", "2026-12-05T00:00:00"]),
        ("cron(0 0 L * ? *)", "2027-02-01T00:00", ["2027-02-28T00:00:00", "2027-03-31T00:00:00"]),
        ("cron(0 0 L FEB ? *)", "2027-03-01T00:00", ["2028-02-29T00:00:00"]),
        ("cron(0 0 29 2 ? *)", "2026-11-23T00:00", ["2028-02-29T00:00:00", "2032-02-29T00:00:00"]),
        # the nearest working day stays in its month
        ("cron(0 0 15W * ? *)", "2026-11-01T00:00", ["2026-11-16T00:00:00", "2026-12-15T00:00:00"]),
        ("cron(0 0 1W * ? *)", "2027-04-30T00:00", ["2027-05-03T00:00:00"]),
        ("cron(0 0 31W * ? *)", "2027-01-01T00:00", ["2027-01-29T00:00:00", "2027-03-31T00:00:00"]),
        ("cron(0 0 LW * ? *)", "2027-02-01T00:00", ["2027-02-26T00:00:00"]),
        # years
        ("cron(30 6 4 7 ? 2027)", "2026-11-23T00:00", ["2027-07-04T06:30:00"]),
        ("cron(30 6 4 7 ? 2027-2031/2)", "2027-11-23T00:00", ["2029-07-04T06:30:00", "2031-07-04T06:30:00"]),
        ("cron(30 6 4 7 ? 2020)", "2026-11-23T00:00", []),
        ("cron(0 0 31 2 ? *)", "2026-11-23T00:00", []),
    ],
)
def test_cron_of_a_rule(expression, start, expected):
    assert due(rule_schedule(expression), start, max(1, len(expected))) == expected


def test_a_rate_counts_from_the_time_that_was_due_last():
    assert due(rule_schedule("rate(5 minutes)"), "2026-11-23T10:00:17", 2) == [
        "2026-11-23T10:05:17",
        "2026-11-23T10:10:17",
    ]
    assert due(rule_schedule("rate(1 hour)"), "2026-11-23T10:00") == ["2026-11-23T11:00:00"]
    assert due(rule_schedule("rate(1 day)"), "2026-11-23T10:00") == ["2026-11-24T10:00:00"]


@pytest.mark.parametrize(
    "expression",
    [
        # AWS's own answers, as recorded by LocalStack's validated tests
        "rate(10 seconds)",
        "rate(10 years)",
        "rate(1 minutes)",
        "rate(1 hours)",
        "rate(1 days)",
        "rate(10 minute)",
        "rate(10 hour)",
        "rate(10 day)",
        "rate()",
        "rate(10)",
        "rate(10 minutess)",
        "rate(foo minutes)",
        "rate(0 minutes)",
        "rate(-10 minutes)",
        "rate(10 MINUTES)",
        "rate( 10 minutes )",
        " rate(10 minutes)",
        "cron(7 20 * * 1-7 *)",
        "cron(15 12 ? * -1 *)",
        "cron(*/1 * * * *)",
        "cron(0/5, 9-18, ?, *, MON-FRI, *)",
        # from the tables of AWS's page
        "cron(0 0 ? * ? *)",
        "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 * 13 ? *)",
        "cron(0 0 ? * 0 *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * MON#6 *)",
        "cron(0 0 ? * MON#0 *)",
        "cron(0 0 1#2 * ? *)",
        "cron(0/0 0 * * ? *)",
        "cron(0 0 * * ? 1969)",
        "cron(0 0 W * ? *)",
        "cron(L 0 * * ? *)",
        "cron(0 0 * MAYO ? *)",
        "cron(٣ 0 * * ? *)",
        "cron()",
        "every day",
        "",
        "at(2026-12-24T18:00:00)",
    ],
)
def test_what_a_rule_refuses(expression):
    with pytest.raises(InvalidScheduleExpression):
        rule_schedule(expression)


def test_cron_in_a_time_zone():
    nine = schedule("cron(0 9 * * ? *)", BERLIN)
    assert due(nine, "2026-11-23T00:00") == ["2026-11-23T08:00:00"]
    assert due(nine, "2026-07-01T00:00") == ["2026-07-01T07:00:00"]
    assert due(nine, "2026-11-23T08:00:30") == ["2026-11-24T08:00:00"]


def test_an_hour_that_does_not_exist_is_skipped():
    """Spring forward: 2:30 does not exist in New York on 8 March 2026."""
    assert due(schedule("cron(30 2 * * ? *)", NEW_YORK), "2026-03-07T00:00", 2) == [
        "2026-03-07T07:30:00",
        "2026-03-09T06:30:00",
    ]


def test_an_hour_that_comes_twice_counts_once():
    """Fall back: 1:30 comes twice in New York on 1 November 2026; it runs only once."""
    assert due(schedule("cron(30 1 * * ? *)", NEW_YORK), "2026-11-01T00:00", 2) == [
        "2026-11-01T05:30:00",
        "2026-11-02T06:30:00",
    ]
    # asked in the second of the two hours
    assert due(schedule("cron(0/30 1 * * ? *)", NEW_YORK), "2026-11-01T06:10") == ["2026-11-02T06:00:00"]


def test_a_one_time_schedule():
    once = schedule("at(2027-02-20T13:00:00)", LONDON)
    assert due(once, "2026-11-23T00:00", 2) == ["2027-02-20T13:00:00"]
    assert due(schedule("at(2027-07-20T13:00:00)", LONDON), "2026-11-23T00:00") == ["2027-07-20T12:00:00"]
    assert due(once, "2027-02-20T13:00") == []


def test_scheduler_takes_plural_units_for_one():
    assert due(schedule("rate(1 minutes)", LONDON), "2026-11-23T00:00") == ["2026-11-23T00:01:00"]


@pytest.mark.parametrize(
    "expression",
    [
        "at(2027-02-30T13:00:00)",
        "at(2027-02-20 13:00:00)",
        "at(2027-02-20)",
        "at(2027-02-20T25:00:00)",
        "rate(5 weeks)",
        "rate(0 days)",
        "cron(0 9 * * * *)",
        "cron(0 9 * * ?)",
        "tomorrow",
    ],
)
def test_what_scheduler_refuses(expression):
    with pytest.raises(InvalidScheduleExpression):
        schedule(expression, LONDON)
