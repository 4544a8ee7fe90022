"""Resources are gone through by what they refer to."""

from __future__ import annotations

from coldstart.cloud.stack_updates import in_order, references


def test_every_way_to_refer_to_something():
    definition = {
        "DependsOn": ["A", "B"],
        "Properties": {
            "Ref": {"Ref": "C"},
            "List": [{"Fn::GetAtt": ["D", "Arn"]}, {"Fn::GetAtt": "E.Arn"}],
            "Text": {"Fn::Sub": "${F}-${G.Arn}-${AWS::Region}"},
            "More": {"Fn::Sub": ["${H}", {"X": {"Ref": "I"}}]},
            "Other": {"DependsOn": "J"},
        },
    }
    assert references(definition) == set("ABCDEFGHIJ")


def test_what_is_referred_to_comes_first():
    resources = {
        "Alias": {"Properties": {"Version": {"Fn::GetAtt": ["Version", "Version"]}, "Function": {"Ref": "Function"}}},
        "Version": {"Properties": {"Function": {"Ref": "Function"}}},
        "Function": {"Properties": {"Role": {"Ref": "AParameter"}}},
    }
    assert list(in_order(resources)) == ["Function", "Version", "Alias"]


def test_a_circle_ends():
    resources = {"A": {"Properties": {"B": {"Ref": "B"}}}, "B": {"Properties": {"A": {"Ref": "A"}}}}
    assert sorted(in_order(resources)) == ["A", "B"]
