"""Event patterns against the examples of AWS's pages and of Event Ruler's documentation.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

import base64
import json
import time
from typing import Any

import pytest

from coldstart.events.event_filter import EventPattern, InvalidEventPattern, RecordFilter


def matches(pattern: dict[str, Any], event: Any) -> bool:
    return EventPattern(json.dumps(pattern)).matches(event)


LEAVES = [
    # pattern for the field, values that match, values that do not
    (["paid"], ["paid", ["open", "paid"]], ["Paid", "paid ", "", None, 1, [], {"paid": 1}]),
    (["paid", "open"], ["open"], ["closed"]),
    ([300], [300, 300.0, 3.0e2], [301, "300", True]),
    ([1], [1], [True, "1"]),
    ([True], [True], [1, "true", False]),
    ([False], [False], [0, None]),
    ([None], [None], ["", 0, False, []]),
    ([""], [""], [None, " "]),
    ([{"prefix": "eu-"}], ["eu-west-1"], ["us-eu-", "Eu-west", 5]),
    ([{"prefix": {"equals-ignore-case": "EU-"}}], ["eu-west-1", "Eu-"], ["us-east-1"]),
    ([{"suffix": ".png"}], ["a.png"], ["a.PNG", "png"]),
    ([{"suffix": {"equals-ignore-case": ".PNG"}}], ["a.png", "a.Png"], ["png"]),
    ([{"equals-ignore-case": "Alice"}], ["aLICE"], ["alices", 3]),
    ([{"exactly": "x"}], ["x"], ["y", None]),
    ([{"numeric": ["=", 3.018e2]}], [301.8], [301.9, "301.8", True]),
    ([{"numeric": [">", 0, "<=", 5]}], [0.1, 5], [0, 5.1, "3", True]),
    ([{"numeric": ["<", 10]}], [-5e9, 9.999], [10]),
    ([{"numeric": [">=", 10]}], [10, 11], [9]),
    ([{"anything-but": "initializing"}], ["running", 5, None, True], ["initializing"]),
    ([{"anything-but": ["stopped", "overloaded"]}], ["running", ["stopped", "running"]], ["stopped"]),
    ([{"anything-but": 123}], [124, "123"], [123, 123.0]),
    ([{"anything-but": [100, 200]}], [300], [100, 200]),
    ([{"anything-but": {"prefix": "init"}}], ["running"], ["initializing"]),
    ([{"anything-but": {"prefix": ["init", "err"]}}], ["running"], ["initializing", "error"]),
    ([{"anything-but": {"suffix": ".txt"}}], ["a.rtf"], ["a.txt"]),
    ([{"anything-but": {"suffix": [".txt", ".rtf"]}}], ["a.doc"], ["a.txt", "a.rtf"]),
    ([{"anything-but": {"equals-ignore-case": ["Init", "ERROR"]}}], ["running"], ["INIT", "error"]),
    ([{"anything-but": {"wildcard": "*/lib/*"}}], ["/usr/bin/x"], ["/usr/lib/x"]),
    ([{"wildcard": "dir/*.png"}], ["dir/.png", "dir/a/b.png"], ["dir.png", "dir/a.jpg", "xdir/a.png"]),
    ([{"wildcard": "*a*b*"}], ["ab", "xaxbx"], ["ba", "a"]),
    ([{"wildcard": "ab*ba"}], ["abba", "abxba"], ["aba"]),
    ([{"wildcard": "a\\*b\\\\*"}], ["a*b\\", "a*b\\c"], ["axb\\"]),
    ([{"wildcard": "plain"}], ["plain"], ["plain2"]),
    ([{"cidr": "10.0.0.0/24"}], ["10.0.0.255"], ["10.0.1.0", "10.0.0", 10]),
    ([{"cidr": "2001:db8::/32"}], ["2001:db8::1"], ["2001:db9::1", "10.0.0.1"]),
    ([{"exists": True}], ["x", None, 0, [1]], [{"nested": 1}, [], {}]),
    ([{"exists": False}], [{"nested": 1}, [], {}], ["x", None, [1]]),
    ([{"exists": False}, "gold"], ["gold"], ["silver"]),
]


@pytest.mark.parametrize(("expected", "yes", "no"), LEAVES, ids=[json.dumps(leaf[0]) for leaf in LEAVES])
def test_what_matches_a_field(expected: list[Any], yes: list[Any], no: list[Any]) -> None:
    pattern = EventPattern({"field": expected})
    assert [value for value in yes if not pattern.matches({"field": value})] == []
    assert [value for value in no if pattern.matches({"field": value})] == []


def test_a_field_that_is_not_there_matches_only_exists_false() -> None:
    assert matches({"a": {"b": [{"exists": False}]}}, {})
    assert matches({"a": {"b": [{"exists": False}]}}, {"a": {"c": 1}})
    assert not matches({"a": {"b": [{"exists": True}]}}, {})
    assert not matches({"a": {"b": [{"anything-but": "x"}]}}, {"a": {}})
    assert not matches({"a": {"b": [None]}}, {"a": {}})


def test_all_fields_have_to_match_and_others_do_not_matter() -> None:
    pattern = {"source": ["parcel.orders"], "detail": {"state": ["paid"], "to": {"country": ["NO", "SE"]}}}
    event = {"source": "parcel.orders", "detail": {"state": "paid", "to": {"country": "SE", "city": "Lund"}, "id": 1}}
    assert matches(pattern, event)
    assert not matches(pattern, {**event, "source": "parcel.returns"})
    assert not matches(pattern, {"source": "parcel.orders"})


def test_or_across_fields_and_inside_objects() -> None:
    pattern = {
        "kind": ["order"],
        "$or": [{"weight": [{"numeric": [">", 20]}]}, {"express": [True], "country": ["NO"]}],
        "detail": {"$or": [{"a": [1]}, {"b": [2]}]},
    }
    assert matches(pattern, {"kind": "order", "weight": 21, "detail": {"a": 1}})
    assert matches(pattern, {"kind": "order", "weight": 1, "express": True, "country": "NO", "detail": {"b": 2}})
    assert not matches(pattern, {"kind": "order", "weight": 1, "express": True, "detail": {"a": 1}})
    assert not matches(pattern, {"kind": "order", "weight": 21, "detail": {"a": 2}})
    assert not matches(pattern, {"kind": "return", "weight": 21, "detail": {"a": 1}})


def test_in_a_list_one_and_the_same_object_has_to_match() -> None:
    """Event Ruler: "array consistency"."""
    pattern = {"items": {"sku": ["A"], "count": [2]}}
    assert matches(pattern, {"items": [{"sku": "B", "count": 1}, {"sku": "A", "count": 2}]})
    assert not matches(pattern, {"items": [{"sku": "A", "count": 1}, {"sku": "B", "count": 2}]})
    assert not matches({"items": {"sku": [{"exists": False}]}}, {"items": [{"sku": "A"}, {"count": 1}]})
    assert matches({"items": {"sku": [{"exists": False}]}}, {"items": [{"count": 1}]})
    assert matches({"items": {"sku": [{"exists": False}]}}, {"items": []})


INVALID = [
    ("[1]", "Filter is not an object"),
    ('"x"', "Filter is not an object"),
    ("{}", "Empty objects are not allowed"),
    ('{"a": {}}', "Empty objects are not allowed"),
    ('{"a": []}', "Empty arrays are not allowed"),
    ('{"a": "b"}', '"a" must be an object or an array'),
    ('{"a": [["b"]]}', "Match value must be String, number, true, false, or null"),
    ('{"a": [{"sounds-like": "b"}]}', "Unrecognized match type sounds-like"),
    ('{"a": [{"prefix": 1}]}', "prefix match pattern must be a string"),
    ('{"a": [{"prefix": "b", "suffix": "c"}]}', "Only one key allowed in match expression"),
    ('{"a": [{"prefix": {"wildcard": "b"}}]}', "Unsupported prefix pattern: wildcard"),
    ('{"a": [{"exists": "yes"}]}', "exists match pattern must be either true or false."),
    ('{"a": [{"numeric": 5}]}', "Value of numeric must be an array."),
    ('{"a": [{"numeric": []}]}', "Invalid member in numeric match: ]"),
    ('{"a": [{"numeric": ["!=", 5]}]}', "Unrecognized numeric range operator: !="),
    ('{"a": [{"numeric": ["=", "5"]}]}', "Value of equals must be numeric"),
    ('{"a": [{"numeric": ["<", 5, ">", 3]}]}', "Too many elements in numeric expression"),
    ('{"a": [{"numeric": [">", 5, "=", 3]}]}', "Bad numeric range operator: ="),
    ('{"a": [{"numeric": [">", 5, "<", 3]}]}', "Bottom must be less than top"),
    ('{"a": [{"numeric": [">", 6e9]}]}', "Value must be between -5.0E9 and 5.0E9, inclusive"),
    ('{"a": [{"anything-but": []}]}', "Inside anything but list, either all values are number or string"),
    ('{"a": [{"anything-but": ["x", 1]}]}', "mixed type is not supported"),
    ('{"a": [{"anything-but": true}]}', "Value of anything-but must be an array or single string/number value."),
    ('{"a": [{"anything-but": [null]}]}', "Inside anything but list, start|null|boolean is not supported."),
    ('{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', "Unsupported anything-but pattern: numeric"),
    ('{"a": [{"anything-but": {"prefix": ""}}]}', "Null prefix/suffix not allowed"),
    ('{"a": [{"wildcard": "a**b"}]}', "Consecutive wildcard characters at pos 2"),
    ('{"a": [{"wildcard": "a\\\\b"}]}', "Invalid escape character at pos 2"),
    ('{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR, one '/' required"),
    ('{"a": [{"cidr": "10.0.0.0/33"}]}', "IPv4 mask bits must be < 32"),
    ('{"$or": {"a": [1]}}', "It must be an Array followed with $or."),
    ('{"$or": [{"a": [1]}]}', "There must have at least 2 Objects in $or relationship."),
    ('{"$or": [{"a": [1]}, 2]}', "Only JSON object is allowed in array of $or relationship."),
    ("{", "Invalid JSON"),
]


@pytest.mark.parametrize(("pattern", "reason"), INVALID, ids=[pattern for pattern, _ in INVALID])
def test_a_faulty_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidEventPattern) as refused:
        EventPattern(pattern)
    assert reason in str(refused.value)


def test_message_bodies_are_text_or_json() -> None:
    """Follows the table in https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html."""
    plain = RecordFilter(['{"body": [{"prefix": "order"}]}'], "body")
    nested = RecordFilter(['{"body": {"state": ["paid"]}}'], "body")
    assert plain.accepts({"body": "order 1"})
    assert not plain.accepts({"body": '{"order": 1}'})
    assert nested.accepts({"body": '{"state": "paid"}'})
    assert not nested.accepts({"body": "paid"})
    assert not nested.accepts({"body": '{"state": "pai'})
    assert RecordFilter(['{"eventSource": ["aws:sqs"]}'], "body").accepts({"body": "x", "eventSource": "aws:sqs"})


def test_kinesis_data_is_decoded_and_typed_dynamodb_values_are_strings() -> None:
    kinesis = RecordFilter(['{"data": {"temperature": [{"numeric": [">", 30]}]}}'], "data")
    for data, passes in (
        (b'{"temperature": 31}', True),
        (b'{"temperature": 3}', False),
        (b"31", False),
        (b"\xff", False),
    ):
        assert kinesis.accepts({"kinesis": {"data": base64.b64encode(data).decode()}}) is passes
    dynamodb = RecordFilter(['{"eventName": ["INSERT"], "dynamodb": {"NewImage": {"id": {"N": ["101"]}}}}'])
    assert dynamodb.accepts({"eventName": "INSERT", "dynamodb": {"NewImage": {"id": {"N": "101"}}}})
    assert not dynamodb.accepts({"eventName": "MODIFY", "dynamodb": {"NewImage": {"id": {"N": "101"}}}})


def test_any_one_of_several_patterns_lets_a_record_through() -> None:
    either = RecordFilter(['{"body": {"a": [1]}}', '{"body": {"b": [1]}}'], "body")
    assert either.accepts({"body": '{"b": 1}'})
    assert not either.accepts({"body": '{"c": 1}'})
    assert RecordFilter([], "body").accepts({"body": "anything"})


def test_matching_is_fast_and_wildcards_do_not_explode() -> None:
    pattern = EventPattern({"detail": {"path": [{"wildcard": "*a*a*a*a*a*a*a*a*a*a*b"}], "n": [{"numeric": [">", 1]}]}})
    event = {"detail": {"path": "a" * 20_000, "n": 2}}
    started = time.perf_counter()
    for _ in range(200):
        assert not pattern.matches(event)
    assert time.perf_counter() - started < 2
