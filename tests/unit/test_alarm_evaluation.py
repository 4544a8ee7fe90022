"""The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html, row by row."""

from __future__ import annotations

import pytest

from coldstart.cloud.alarm_evaluation import Rule, verdict

ROWS = [
    (3, 3, "0-X-X", "OK OK OK OK"),
    (3, 3, "0----", "OK OK OK OK"),
    (3, 3, "-----", "INSUFFICIENT_DATA same ALARM OK"),
    (3, 3, "0XX-X", "ALARM ALARM ALARM ALARM"),
    (3, 3, "--X--", "ALARM same ALARM OK"),
    (2, 3, "0-X-X", "ALARM ALARM ALARM ALARM"),
    (2, 3, "00X0X", "ALARM ALARM ALARM ALARM"),
    (2, 3, "0-X--", "OK OK ALARM OK"),
    (2, 3, "----0", "OK OK ALARM OK"),
    (2, 3, "---X-", "ALARM same ALARM OK"),
    (2, 3, "----X", "same same ALARM OK"),
]


@pytest.mark.parametrize(("to_alarm", "periods", "points", "expected"), ROWS)
@pytest.mark.parametrize(("column", "missing"), list(enumerate(("missing", "ignore", "breaching", "notBreaching"))))
def test_every_row(to_alarm: int, periods: int, points: str, expected: str, column: int, missing: str) -> None:
    values = [{"0": 0.0, "X": 9.0, "-": None}[point] for point in reversed(points)]
    rule = Rule("GreaterThanThreshold", 5, periods, to_alarm, missing)
    assert verdict(values, rule, "same").state == expected.split()[column]
