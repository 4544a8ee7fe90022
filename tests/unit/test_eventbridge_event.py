"""What EventBridge's targets get: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html."""

from __future__ import annotations

import json

import pytest

from coldstart.events.eventbridge_event import InvalidInput, at_path, is_path, target_input

EVENT = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2015-11-11T21:29:54Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {
        "instance-id": "i-0123456789",
        "state": "RUNNING",
        "tags": ["a", "b"],
        "cpu": {"cores": 2},
        "text": 'a "b"',
    },
}
RULE = "arn:aws:events:us-east-1:123456789012:rule/example"


def result(target: dict) -> str:
    return target_input(EVENT, target, rule_arn=RULE, rule_name="example", ingestion_seconds=1_447_277_400.5)


def transformed(template: str, **paths: str) -> str:
    return result({"InputTransformer": {"InputTemplate": template, "InputPathsMap": paths}})


def test_the_event_itself_or_a_constant_or_a_part():
    assert json.loads(result({})) == EVENT
    assert result({"Input": '{"any": 1}'}) == '{"any": 1}'
    assert json.loads(result({"InputPath": "$.detail"})) == EVENT["detail"]
    assert result({"InputPath": "$.detail.tags[1]"}) == '"b"'
    assert json.loads(result({"InputPath": "$"})) == EVENT


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        # AWS's examples
        ('"instance <instance> is in <state>"', "instance i-0123456789 is in RUNNING"),
        ('{"instance" : <instance>, "state": <state>}', {"instance": "i-0123456789", "state": "RUNNING"}),
        ('{"instance" : "<instance>", "state": "is <state>"}', {"instance": "i-0123456789", "state": "is RUNNING"}),
        (
            '{"instance" : <instance>, "state": [ 9, <state>, true ], "Transformed" : "Yes"}',
            {"instance": "i-0123456789", "state": [9, "RUNNING", True], "Transformed": "Yes"},
        ),
        ('{"tags": <tags>, "cpu": <cpu>}', {"tags": ["a", "b"], "cpu": {"cores": 2}}),
        ('{"cpu": "<cpu>"}', {"cpu": '{"cores": 2}'}),
        ('{"said": <text>, "again": "<text>!"}', {"said": 'a "b"', "again": 'a "b"!'}),
        ("<instance> runs", "i-0123456789 runs"),
        ('{"rule": "<aws.events.rule-name>"}', {"rule": "example"}),
        ('{"rule": <aws.events.rule-arn>}', {"rule": RULE}),
        ('{"at": <aws.events.event.ingestion-time>}', {"at": "2015-11-11T21:30:00.500Z"}),
        ('{"all": <aws.events.event.json>}', {"all": EVENT}),
        ('{"most": <aws.events.event>}', {"most": {k: v for k, v in EVENT.items() if k != "detail"}}),
        ('"there is no <missing>here"', "there is no here"),
    ],
)
def test_templates(template, expected):
    found = transformed(
        template,
        instance="$.detail.instance-id",
        state="$.detail.state",
        tags="$.detail.tags",
        cpu="$.detail.cpu",
        text="$.detail.text",
        missing="$.detail.nothing",
    )
    assert (found if isinstance(expected, str) else json.loads(found)) == expected


def test_an_object_that_is_none_any_more_is_not_delivered():
    with pytest.raises(InvalidInput):
        transformed('{"missing": <missing>}', missing="$.detail.nothing")
    with pytest.raises(InvalidInput):
        result({"InputPath": "$.detail.nothing"})


def test_paths():
    assert at_path(EVENT, "$['detail']['cpu'].cores") == 2
    assert at_path(EVENT, "$.resources[0]") == EVENT["resources"][0]
    assert at_path(EVENT, "$.resources[7]") is None
    assert is_path("$.detail-type")
    for text in ("detail", "$detail", "$.", "$.a..b", "$.a[x]", ""):
        assert not is_path(text)
