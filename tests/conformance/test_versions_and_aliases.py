"""Versions never change, aliases point to them: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html.

The texts of errors are AWS's own, as recorded from it.
"""

from __future__ import annotations

import itertools
import json
import threading

import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import zipped

ACCOUNT = "123456789012"


def answering(what: object) -> str:
    return f"def handler(event, context):\n    return {what!r}\n"


def refused(call, **parameters) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


@pytest.fixture
def function(deploy):
    """A function with two versions that answer "one" and "two"; $LATEST answers "latest"."""
    function = deploy(answering("one"))
    assert function.client.publish_version(FunctionName=function.name)["Version"] == "1"
    update(function, answering("two"))
    assert function.client.publish_version(FunctionName=function.name)["Version"] == "2"
    update(function, answering("latest"))
    return function


def update(function, code, **parameters):
    return function.client.update_function_code(
        FunctionName=function.name, ZipFile=zipped({"app.py": code}), **parameters
    )


def arn(function, qualifier=""):
    unqualified = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
    return f"{unqualified}:{qualifier}" if qualifier else unqualified


@pytest.mark.parametrize(
    ("qualifier", "answer", "version"),
    [(None, "latest", "$LATEST"), ("$LATEST", "latest", "$LATEST"), ("1", "one", "1"), ("2", "two", "2")],
)
def test_a_qualifier_chooses_the_version(function, qualifier, answer, version):
    response = function.invoke(**({"Qualifier": qualifier} if qualifier else {}))
    assert (response["Payload"], response["ExecutedVersion"]) == (answer, version)


@pytest.mark.parametrize(
    "form",
    [
        "{name}:1",
        "arn:aws:lambda:us-east-1:123456789012:function:{name}:1",
        "123456789012:function:{name}:1",
        "function:{name}:1",
    ],
)
def test_every_form_of_a_functions_name_is_understood(function, form):
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, FunctionName."""
    response = function.client.invoke(FunctionName=form.format(name=function.name))
    assert response["ExecutedVersion"] == "1"
    assert json.loads(response["Payload"].read()) == "one"


def test_two_qualifiers_that_differ_are_refused(function):
    code, status, message = refused(function.client.invoke, FunctionName=f"{function.name}:1", Qualifier="2")
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message == "The derived qualifier from the function name does not match the specified qualifier."


def test_other_regions_and_accounts_are_out_of_reach(function):
    elsewhere = arn(function).replace("us-east-1", "eu-west-1")
    code, status, message = refused(function.client.get_function, FunctionName=elsewhere)
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert message == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
    foreign = arn(function).replace(ACCOUNT, "210987654321")
    assert refused(function.client.invoke, FunctionName=foreign)[:2] == ("AccessDeniedException", 403)


@pytest.mark.parametrize("qualifier", ["7", "nope"])
def test_a_qualifier_that_is_not_there_is_not_found(function, qualifier):
    for call in (function.client.invoke, function.client.get_function, function.client.get_function_configuration):
        code, status, message = refused(call, FunctionName=function.name, Qualifier=qualifier)
        assert (code, status) == ("ResourceNotFoundException", 404)
        assert message == f"Function not found: {arn(function, qualifier)}"


def test_the_handler_learns_by_which_arn_it_was_invoked(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html: it may have an alias or a version."""
    function = deploy(
        "def handler(event, context):\n    return [context.invoked_function_arn, context.function_version]\n"
    )
    function.client.publish_version(FunctionName=function.name)
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    assert function.invoke()["Payload"] == [arn(function), "$LATEST"]
    assert function.invoke(Qualifier="1")["Payload"] == [arn(function, "1"), "1"]
    assert function.invoke(Qualifier="live")["Payload"] == [arn(function, "live"), "1"]


def test_a_published_version_never_changes(deploy):
    function = deploy(answering("first"), Environment={"Variables": {"SHOP": "Parcel"}}, MemorySize=256)
    published = function.client.publish_version(FunctionName=function.name, Description="the first")
    before = function.client.get_function_configuration(FunctionName=function.name, Qualifier="1")
    update(function, answering("second"))
    function.client.update_function_configuration(
        FunctionName=function.name, Environment={"Variables": {"SHOP": "Other"}}, MemorySize=512, Timeout=9
    )
    after = function.client.get_function_configuration(FunctionName=function.name, Qualifier="1")
    for answer in (before, after):
        answer.pop("ResponseMetadata")
    assert after == before
    assert after["CodeSha256"] == published["CodeSha256"]
    assert (after["MemorySize"], after["Description"], after["FunctionArn"]) == (256, "the first", arn(function, "1"))
    assert function.invoke(Qualifier="1")["Payload"] == "first"
    log_streams = {event["logStreamName"].partition("[")[2].partition("]")[0] for event in function.log()}
    assert log_streams == {"1"}


def test_a_number_is_never_used_again(function):
    function.client.delete_function(FunctionName=function.name, Qualifier="2")
    assert refused(function.client.invoke, FunctionName=function.name, Qualifier="2")[1] == 404
    assert function.client.publish_version(FunctionName=function.name)["Version"] == "3"
    assert function.invoke(Qualifier="3")["Payload"] == "latest"


def test_nothing_new_is_published_without_a_change(function):
    """AWS: no version is published when code and configuration have not changed since the last one (API_PublishVersion)."""
    first = function.client.publish_version(FunctionName=function.name)
    again = function.client.publish_version(FunctionName=function.name, Description="says something else")
    assert (first["Version"], again["Version"]) == ("3", "3")
    function.client.update_function_configuration(FunctionName=function.name, Timeout=8)
    assert function.client.publish_version(FunctionName=function.name)["Version"] == "4"


def test_publish_with_create_and_with_an_update(deploy):
    function = deploy(answering("one"), Publish=True)
    assert function.invoke(Qualifier="1")["Payload"] == "one"
    updated = update(function, answering("two"), Publish=True)
    assert (updated["Version"], updated["FunctionArn"]) == ("2", arn(function, "2"))
    assert function.invoke(Qualifier="2")["Payload"] == "two"


def test_publish_only_what_was_meant(function):
    latest = function.client.get_function_configuration(FunctionName=function.name)
    code, status, message = refused(
        function.client.publish_version,
        FunctionName=function.name,
        CodeSha256="LE0Eoo5L6bhhCf50Q8c2MTDDgFW7M8TCYb5hS3Nm4xc=",
    )
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message == (
        "CodeSHA256 (LE0Eoo5L6bhhCf50Q8c2MTDDgFW7M8TCYb5hS3Nm4xc=) is different from current CodeSHA256 in $LATEST "
        f"({latest['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST."
    )
    published = function.client.publish_version(
        FunctionName=function.name, CodeSha256=latest["CodeSha256"], RevisionId=latest["RevisionId"]
    )
    assert published["Version"] == "3"


def test_a_revision_id_guards_against_somebody_elses_change(function):
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html, RevisionId."""
    client = function.client
    mine = client.get_function_configuration(FunctionName=function.name)["RevisionId"]
    client.update_function_configuration(FunctionName=function.name, Description="somebody else was faster")
    for call, parameters in [
        (client.update_function_configuration, {"Timeout": 4}),
        (client.update_function_code, {"ZipFile": zipped({"app.py": "pass"})}),
        (client.publish_version, {}),
    ]:
        code, status, message = refused(call, FunctionName=function.name, RevisionId=mine, **parameters)
        assert (code, status) == ("PreconditionFailedException", 412)
        assert message == (
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
        )
    newest = client.get_function_configuration(FunctionName=function.name)["RevisionId"]
    client.update_function_configuration(FunctionName=function.name, RevisionId=newest, Timeout=4)


def test_states_go_as_on_aws_and_the_waiters_are_satisfied(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html."""
    function = deploy(answering(1))
    client = function.client
    read = client.get_function_configuration(FunctionName=function.name)
    assert (read["State"], read["LastUpdateStatus"]) == ("Active", "Successful")
    updated = client.update_function_configuration(FunctionName=function.name, Timeout=4)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updated["LastUpdateStatusReasonCode"] == "Creating"
    published = client.publish_version(FunctionName=function.name)
    assert (published["State"], published["StateReasonCode"]) == ("Pending", "Creating")
    assert published["StateReason"] == "The function is being created."
    for name in ("function_active_v2", "function_updated_v2", "function_exists"):
        client.get_waiter(name).wait(FunctionName=function.name, WaiterConfig={"Delay": 0, "MaxAttempts": 1})
    client.get_waiter("published_version_active").wait(
        FunctionName=function.name, Qualifier="1", WaiterConfig={"Delay": 0, "MaxAttempts": 1}
    )


def test_a_snapstart_version_is_pending_until_its_snapshot_is_there(deploy, local_aws):
    """https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html."""
    function = deploy(answering("restored"), SnapStart={"ApplyOn": "PublishedVersions"}, Timeout=10)
    latest = function.client.get_function_configuration(FunctionName=function.name)
    assert latest["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    assert function.client.publish_version(FunctionName=function.name)["State"] == "Pending"
    local_aws.clock.settle()
    version = function.client.get_function_configuration(FunctionName=function.name, Qualifier="1")
    assert version["State"] == "Active"
    assert version["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert function.invoke(Qualifier="1")["Payload"] == "restored"
    assert any("RESTORE_START" in line for line in function.lines())


def test_a_snapstart_version_that_cannot_be_initialised_fails(deploy, local_aws):
    function = deploy("raise RuntimeError('no labels')\n", SnapStart={"ApplyOn": "PublishedVersions"}, Timeout=10)
    function.client.publish_version(FunctionName=function.name)
    local_aws.clock.settle()
    version = function.client.get_function_configuration(FunctionName=function.name, Qualifier="1")
    assert (version["State"], version["StateReasonCode"]) == ("Failed", "FunctionError.RuntimeInitError")
    assert "no labels" in version["StateReason"]
    assert refused(function.client.invoke, FunctionName=function.name, Qualifier="1")[:2] == (
        "ResourceConflictException",
        409,
    )


def test_an_alias_points_to_a_version_and_can_be_moved(function):
    client = function.client
    created = client.create_alias(
        FunctionName=function.name, Name="live", FunctionVersion="1", Description="for customers"
    )
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["AliasArn"] == arn(function, "live")
    assert (created["Name"], created["FunctionVersion"], created["Description"]) == ("live", "1", "for customers")
    assert function.invoke(Qualifier="live")["Payload"] == "one"
    moved = client.update_alias(FunctionName=function.name, Name="live", FunctionVersion="2")
    assert (moved["FunctionVersion"], moved["Description"]) == ("2", "for customers")
    assert moved["RevisionId"] != created["RevisionId"]
    response = function.invoke(Qualifier="live")
    assert (response["Payload"], response["ExecutedVersion"]) == ("two", "2")
    read = client.get_function_configuration(FunctionName=function.name, Qualifier="live")
    assert (read["FunctionArn"], read["Version"]) == (arn(function, "live"), "2")
    client.delete_alias(FunctionName=function.name, Name="live")
    client.delete_alias(FunctionName=function.name, Name="live")
    code, status, message = refused(client.get_alias, FunctionName=function.name, Name="live")
    assert (code, status, message) == (
        "ResourceNotFoundException",
        404,
        f"Cannot find alias arn: {arn(function, 'live')}",
    )


def test_a_weighted_alias_shares_invocations_out(function):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html."""
    function.client.create_alias(
        FunctionName=function.name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.3}},
    )
    answers = [function.invoke(Qualifier="live") for _ in range(100)]
    executed = [(answer["ExecutedVersion"], answer["Payload"]) for answer in answers]
    assert set(executed) == {("1", "one"), ("2", "two")}
    assert 15 <= executed.count(("2", "two")) <= 45
    all_two = {"AdditionalVersionWeights": {"2": 1.0}}
    function.client.update_alias(FunctionName=function.name, Name="live", RoutingConfig=all_two)
    assert {function.invoke(Qualifier="live")["ExecutedVersion"] for _ in range(10)} == {"2"}
    function.client.update_alias(FunctionName=function.name, Name="live", RoutingConfig={})
    assert {function.invoke(Qualifier="live")["ExecutedVersion"] for _ in range(10)} == {"1"}


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({"FunctionVersion": "9"}, "ResourceNotFoundException", "Function not found: {arn}:9"),
        (
            {"RoutingConfig": {"AdditionalVersionWeights": {"9": 0.5}}},
            "ResourceNotFoundException",
            "Function not found: {arn}:9",
        ),
        (
            {"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}},
            "InvalidParameterValueException",
            "Invalid function version 1. Function version 1 is already included in routing configuration.",
        ),
        (
            {"FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}},
            "InvalidParameterValueException",
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ),
        (
            {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5, "3": 0.1}}},
            "InvalidParameterValueException",
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ),
        (
            {"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}}},
            "ValidationException",
            "1 validation error detected: Value '{{2=1.5}}' at 'routingConfig.additionalVersionWeights' failed to satisfy "
            "constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must "
            "have value greater than or equal to 0.0, Member must not be null]",
        ),
        (
            {"Name": "7"},
            "ValidationException",
            "1 validation error detected: Value '7' at 'name' failed to satisfy constraint: Member must satisfy regular "
            "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ),
    ],
)
def test_aliases_that_make_no_sense_are_refused(function, parameters, code, message):
    found = refused(
        function.client.create_alias,
        **{"FunctionName": function.name, "Name": "live", "FunctionVersion": "1", **parameters},
    )
    assert found[0] == code
    assert found[2] == message.format(arn=arn(function))


def test_an_alias_is_made_once_and_keeps_its_version_from_being_deleted(function):
    client = function.client
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    code, status, message = refused(client.create_alias, FunctionName=function.name, Name="live", FunctionVersion="2")
    assert (code, status) == ("ResourceConflictException", 409)
    assert message == f"Alias already exists: {arn(function, 'live')}"
    code, status, message = refused(client.delete_function, FunctionName=function.name, Qualifier="1")
    assert (code, status) == ("ResourceConflictException", 409)
    assert message == "Unable to delete version because the following aliases reference it: [live]"
    for qualifier, text in [
        ("$LATEST", "$LATEST version cannot be deleted without deleting the function."),
        ("live", "Deletion of aliases is not currently supported."),
    ]:
        assert refused(client.delete_function, FunctionName=function.name, Qualifier=qualifier) == (
            "InvalidParameterValueException",
            400,
            text,
        )
    stale = client.get_alias(FunctionName=function.name, Name="live")["RevisionId"]
    client.update_alias(FunctionName=function.name, Name="live", Description="new")
    found = refused(client.update_alias, FunctionName=function.name, Name="live", RevisionId=stale)
    assert found[:2] == ("PreconditionFailedException", 412)


def test_lists_come_in_pages(function):
    client = function.client
    for name in ("a", "b", "c"):
        client.create_alias(FunctionName=function.name, Name=name, FunctionVersion="1")
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=function.name, PaginationConfig={"PageSize": 2}
    )
    versions = [[version["Version"] for version in page["Versions"]] for page in pages]
    assert versions == [["$LATEST", "1"], ["2"]]
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function.name, PaginationConfig={"PageSize": 2})
    assert [[alias["Name"] for alias in page["Aliases"]] for page in pages] == [["a", "b"], ["c"]]
    assert client.list_aliases(FunctionName=function.name, FunctionVersion="2")["Aliases"] == []
    found = refused(client.list_aliases, FunctionName=function.name, Marker="nonsense")
    assert found[:2] == ("InvalidParameterValueException", 400)
    every = client.get_paginator("list_functions").paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 1})
    listed = [entry for page in every for entry in page["Functions"]]
    mine = [entry["FunctionArn"] for entry in listed if entry["FunctionName"] == function.name]
    assert mine == [arn(function, "$LATEST"), arn(function, "1"), arn(function, "2")]
    assert not any("State" in entry or "LastUpdateStatus" in entry for entry in listed)


def test_a_function_that_was_deleted_is_gone_with_everything(function):
    client = function.client
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    function.invoke()
    assert client.delete_function(FunctionName=function.name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for qualifier in (None, "1", "live"):
        parameters = {"Qualifier": qualifier} if qualifier else {}
        code, _, message = refused(client.get_function, FunctionName=function.name, **parameters)
        assert (code, message) == ("ResourceNotFoundException", f"Function not found: {arn(function, qualifier)}")
    client.create_function(
        FunctionName=function.name,
        Runtime="python3.14",
        Role=f"arn:aws:iam::{ACCOUNT}:role/parcel-function",
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": answering("anew")})},
    )
    assert client.publish_version(FunctionName=function.name)["Version"] == "1"
    assert function.invoke(Qualifier="1")["Payload"] == "anew"


def test_a_hundred_updates_at_once_each_succeed_or_meet_a_conflict(deploy):
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html: one update at a time."""
    function = deploy(answering("start"))
    outcomes: list[str] = []
    numbers = itertools.count()

    def change() -> None:
        number = next(numbers)
        try:
            if number % 3 == 0:
                update(function, answering(f"code-{number}"))
            elif number % 3 == 1:
                function.client.update_function_configuration(
                    FunctionName=function.name, Description=f"change {number}"
                )
            else:
                function.client.publish_version(FunctionName=function.name)
            outcomes.append("done")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=change) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 100
    assert set(outcomes) <= {"done", "ResourceConflictException"}
    latest = function.client.get_function_configuration(FunctionName=function.name)
    assert (latest["State"], latest["LastUpdateStatus"]) == ("Active", "Successful")
    versions = function.client.list_versions_by_function(FunctionName=function.name)["Versions"]
    assert [version["Version"] for version in versions[1:]] == [str(number + 1) for number in range(len(versions) - 1)]
    answer = function.invoke()["Payload"]
    assert answer == "start" or answer.startswith("code-")
    update(function, answering("end"))
    assert function.invoke()["Payload"] == "end"
