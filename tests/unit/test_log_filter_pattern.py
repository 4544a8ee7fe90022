"""Which log events a filter pattern matches, against the examples of AWS's page.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json

import pytest

from coldstart.events.log_filter_pattern import InvalidFilterPattern, filter_pattern


def matches(pattern: str, message: object) -> bool:
    text = message if isinstance(message, str) else json.dumps(message)
    return filter_pattern(pattern).match(text) is not None


WORDS = ["ERROR WARN message", "ERROR message", "WARN message"]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("", [0, 1, 2]),
        ("   ", [0, 1, 2]),
        ("ERROR", [0, 1]),
        ("error", []),
        ("?ERROR ?WARN", [0, 1, 2]),
        ("ERROR WARN", [0]),
        ("ERROR -WARN", [1]),
        ('"ERROR" - "WARN"', [1]),
        ("-WARN", [1]),
        ('"ERROR message"', [1]),
        ('ERROR "message"', [0, 1]),
        # "?" beside other terms has no effect
        ("?ERROR ?NOTHING WARN", [0, 2]),
        ("?WARN -ERROR", [2]),
        ("%ERR?OR%", [0, 1]),
        ("%^WARN|ROR.WA%", [0, 2]),
        ("%^WARN%", [2]),
        ("-%WARN%", [1]),
    ],
)
def test_terms(pattern, matched):
    assert [number for number, message in enumerate(WORDS) if matches(pattern, message)] == matched


def test_a_term_matches_inside_a_word():
    assert matches("ERROR", "Exiting with ERRORCODE: -1")
    assert not matches('ERROR -"Exiting"', "Exiting with ERRORCODE: -1")
    assert matches('"ERRORCODE: -1"', "Exiting with ERRORCODE: -1")
    assert matches("Größe", "Die Größe stimmt")
    assert matches('"say \\"hi\\""', 'they say "hi" twice')


CLOUDTRAIL = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "ms": 120.5,
    "code": 404,
    "text": "42",
    "with-hyphen": "h",
    "dotted.name": "d",
}


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "UpdateTrail" }',
        "{$.eventType=UpdateTrail}",
        "{ $.eventType = *Trail }",
        "{ $.eventType = Update* }",
        "{ $.eventType = *dateT* }",
        "{ $.eventType = * }",
        "{ $.eventType = %Trail$% }",
        "{ $.sourceIPAddress != 123.123.* }",
        '{ $.arrayKey[0] = "value" }',
        "{ $.objectList[1].id = 2 }",
        "{ $.SomeObject IS NULL }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.ThisFlag IS TRUE }",
        "{ $.ms > 100 && $.ms <= 120.5 }",
        "{ $.ms < 1.3e2 }",
        "{ $.ms >= +120.5 }",
        "{ $.code = 404 }",
        "{ $.code = 4* }",
        "{ $.code != 500 }",
        "{ $.text = 42 }",
        "{ $.text > 41 }",
        '{ $.with-hyphen = "h" }',
        "{ $['dotted.name'] = d }",
        '{ $.eventType = "no" && $.code = 1 || $.code = 404 }',
        '{ ($.eventType = "UpdateTrail" || $.code = 1) && ($.ms > 1) }',
    ],
)
def test_json(pattern):
    assert matches(pattern, CLOUDTRAIL)


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "updatetrail" }',
        '{ $.eventType = "Trail" }',
        "{ $.eventType = Up*Trail }",  # a wildcard in the middle is a star
        "{ $.eventType != Update* }",
        "{ $.sourceIPAddress != 111.111.* }",
        "{ $.arrayKey = value }",  # an array is not a value ...
        "{ $.arrayKey != value }",  # ... whatever the operator
        "{ $.objectList[2].id = 2 }",
        "{ $.objectList.id = 2 }",
        "{ $.missing = 1 }",
        "{ $.missing != 1 }",
        "{ $.missing IS NULL }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.ThisFlag IS FALSE }",
        "{ $.ms > 120.5 }",
        "{ $.eventType > 5 }",
        '{ ($.eventType = "no" || $.code = 404) && $.code = 1 }',
    ],
)
def test_json_that_does_not_match(pattern):
    assert not matches(pattern, CLOUDTRAIL)


def test_a_message_that_is_not_json_never_matches_a_json_pattern():
    assert not matches("{ $.level NOT EXISTS }", "level ERROR")
    assert not matches("{ $.level NOT EXISTS }", '{"level": "ERROR"')
    assert not matches("{ $.level != 1 }", "[" * 100_000)


ACCESS_LOG = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("[ip, id, user, timestamp, request, status_code, bytes]", True),
        ("[ip, id, user, timestamp, request, status_code]", False),
        ("[ip, id, user, timestamp, request, status_code = 404, bytes]", True),
        ("[ip, id, user, timestamp, request, status_code = 4*, bytes]", True),
        ("[ip, id, user, timestamp, request = *html*, status_code = 4*, bytes]", True),
        ('[ip, id, user, timestamp, request = "GET *", status_code, bytes]', True),
        ("[ip, id, user, timestamp, request, status_code = 5*, bytes]", False),
        ("[ip, id, user, timestamp, request, status_code = 4* && status_code != 404, bytes]", False),
        ("[ip, id, user, timestamp, request, status_code = 4* || status_code = 5*, bytes > 1000]", True),
        ("[ip, id, user, timestamp, request, status_code = %4[0-9]4%, bytes > 2000]", False),
        ("[..., status_code = 404, bytes]", True),
        ("[ip = 127.0.0.1, id, user, ...]", True),
        ("[ip, id, ..., status_code, bytes < 1534]", False),
        ("[...]", True),
    ],
)
def test_space_delimited(pattern, matched):
    assert matches(pattern, ACCESS_LOG) is matched


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("[w1=ERROR, w2]", [1]),
        ("[w1=ERROR || w1=WARN, w2]", [1, 2]),
        ("[w1=!ERROR&&w1=!WARN, w2]", []),
    ],
)
def test_words_of_text(pattern, matched):
    assert [number for number, message in enumerate(WORDS) if matches(pattern, message)] == matched


def test_extracted_fields():
    """AWS's example for TestMetricFilter."""
    assert filter_pattern("[..., request=*.html*, status_code=4*,]").match(ACCESS_LOG) == {
        "$status_code": "404",
        "$request": "GET /index.html HTTP/1.0",
        "$7": "1534",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$3": "frank",
        "$2": "-",
        "$1": "127.0.0.1",
    }
    assert filter_pattern("{ $.code = 404 && $.objectList[0].id = 1 }").match(json.dumps(CLOUDTRAIL)) == {
        "$.code": "404",
        "$.objectList[0].id": "1",
    }
    assert filter_pattern("ERROR").match("ERROR") == {}


def test_the_value_of_a_metric():
    assert filter_pattern("{ $.code = * }").value(json.dumps(CLOUDTRAIL), "$.ms") == "120.5"
    assert filter_pattern("{ $.code = * }").value(json.dumps(CLOUDTRAIL), "$.missing") is None
    assert filter_pattern("[..., status_code, bytes]").value(ACCESS_LOG, "$bytes") == "1534"
    assert filter_pattern("ERROR").value("ERROR 5", "$.x") is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("?Status: timeout", "Invalid character(s) in term ':'"),
        ("user@example.com", "Invalid character(s) in term '@'"),
        ("a/b", "Invalid character(s) in term '/'"),
        ('""', "Invalid character(s) in term '\"\"'"),
        ("failed (again)", "Invalid character(s) in term '('"),
        ("%(a|b)%", "Invalid character(s) in term '('"),
        ("%something!%", "Invalid character(s) in term '!'"),
        ("%two words%", "Invalid character(s) in term ' '"),
        ("`ERROR", "Invalid character(s) in term '`'"),
        ('{ $.a = "b"', "If a filter pattern starts with '{' it must end with '}'"),
        ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
        ("{ $.a }", "Invalid filter pattern"),
        ("{}", "Invalid filter pattern"),
        ("{ $.a = }", "Invalid filter pattern"),
        ("{ a = 1 }", "Invalid character(s) in term 'a'"),
        ("{ ($.a = 1 }", "Invalid filter pattern"),
        ("{ $.a = 1 $.b = 2 }", "Invalid character(s) in term '$.b'"),
        ("{ $.a > many }", "Invalid filter pattern"),
        ("{ $.a IS MISSING }", "Invalid character(s) in term 'MISSING'"),
        ('{ $.a = "b }', "Invalid character(s) in term '\"'"),
        ("[a, ..., b, ...]", "Invalid filter pattern"),
        ("[a = ]", "Invalid filter pattern"),
        ("%[%", "Invalid regular expression '['"),
        ("x" * 1025, "Filter pattern must not be longer than 1024 characters"),
    ],
)
def test_what_is_refused(pattern, text):
    with pytest.raises(InvalidFilterPattern) as refusal:
        filter_pattern(pattern)
    assert str(refusal.value) == text
