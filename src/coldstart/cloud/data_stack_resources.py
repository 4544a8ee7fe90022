"""Tables and log groups in CloudFormation's stacks: changed in place where CloudFormation does so, and never lost.

moto (dynamodb/models/table.py, logs/models.py) makes and deletes them, but cannot change them.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html, aws-resource-logs-loggroup.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind, is_true

_IN_PLACE = ("BillingMode", "ProvisionedThroughput", "SSESpecification", "TableClass", "DeletionProtectionEnabled")
_AT_CREATION = (
    "AttributeDefinitions",
    "KeySchema",
    "LocalSecondaryIndexes",
    "GlobalSecondaryIndexes",
    "Tags",
    *_IN_PLACE,
)
_WHOLE = {"ReadCapacityUnits", "WriteCapacityUnits", "RetentionInDays"}
_TRUE_OR_FALSE = {"DeletionProtectionEnabled", "SSEEnabled", "Enabled", "PointInTimeRecoveryEnabled"}


def data_resource_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    return [kind(StackClients(clients, account_id)) for kind in (_Table, _LogGroup)]


class _Table(StackKind):
    type = "AWS::DynamoDB::Table"
    name_property = "TableName"
    attributes = ("Arn", "StreamArn")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        given = _typed({"BillingMode": "PROVISIONED", **properties})
        wanted = {key: given[key] for key in _AT_CREATION if key in given}
        stream = {"StreamSpecification": _stream(given)} if "StreamSpecification" in given else {}
        self._call("dynamodb", "create_table", region, TableName=name, **wanted, **stream)
        self._set_what_has_calls_of_its_own(region, name, given)
        return self._made(region, name)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        given = _typed(properties)
        now = self._call("dynamodb", "describe_table", region, TableName=made.physical_id)["Table"]
        if made.physical_id != name:
            return super().update(region, made, name, properties)
        if now["KeySchema"] != given["KeySchema"]:
            if "TableName" in properties:
                raise AwsError(
                    400,
                    "ValidationError",
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                    f"Rename {name} and update the stack again.",
                )
            return super().update(region, made, _another(name), properties)
        for change in _changes(now, given):
            self._call("dynamodb", "update_table", region, TableName=name, **change)
        self._set_what_has_calls_of_its_own(region, name, given)
        return self._made(region, name)

    def delete(self, region: str, made: Made) -> None:
        self._call("dynamodb", "delete_table", region, TableName=made.physical_id)

    def _set_what_has_calls_of_its_own(self, region: str, name: str, given: dict[str, Any]) -> None:
        for key, operation in (
            ("TimeToLiveSpecification", "update_time_to_live"),
            ("PointInTimeRecoverySpecification", "update_continuous_backups"),
        ):
            if key in given and not self._has(region, name, key, given[key]):
                self._call("dynamodb", operation, region, TableName=name, **{key: given[key]})

    def _has(self, region: str, name: str, key: str, wanted: dict[str, Any]) -> bool:
        if key != "TimeToLiveSpecification":
            return False
        described = self._call("dynamodb", "describe_time_to_live", region, TableName=name)["TimeToLiveDescription"]
        is_on = described["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
        return is_on == wanted["Enabled"]  # DynamoDB refuses to switch on what is on

    def _made(self, region: str, name: str) -> Made:
        table = self._call("dynamodb", "describe_table", region, TableName=name)["Table"]
        stream = {"StreamArn": table["LatestStreamArn"]} if "LatestStreamArn" in table else {}
        return Made(name, {"Arn": table["TableArn"], **stream})


def _another(name: str) -> str:
    """Return another name such as CloudFormation makes for the same resource."""
    from moto.cloudformation.utils import random_suffix

    return f"{name.rpartition('-')[0]}-{random_suffix()}"


def _changes(now: Mapping[str, Any], given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what to call UpdateTable with, one after the other: it makes or deletes one index at a time."""
    changes: list[dict[str, Any]] = []
    settings = {key: given[key] for key in _IN_PLACE if key in given}
    if settings:
        changes.append(settings)
    stream, wanted = now.get("StreamSpecification"), _stream(given)
    if wanted != (stream or {"StreamEnabled": False}):
        changes.append({"StreamSpecification": wanted})
    before = {index["IndexName"]: index for index in now.get("GlobalSecondaryIndexes") or []}
    after = {index["IndexName"]: index for index in given.get("GlobalSecondaryIndexes") or []}
    changes += [
        {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]} for name in before if name not in after
    ]
    attributes = {"AttributeDefinitions": given["AttributeDefinitions"]}
    changes += [
        {**attributes, "GlobalSecondaryIndexUpdates": [{"Create": after[name]}]} for name in after if name not in before
    ]
    return changes


def _stream(given: Mapping[str, Any]) -> dict[str, Any]:
    if "StreamSpecification" not in given:
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": given["StreamSpecification"]["StreamViewType"]}


class _LogGroup(StackKind):
    type = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    attributes = ("Arn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        self._call("logs", "create_log_group", region, logGroupName=name, **key)
        return self._with_retention(region, name, properties)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.physical_id != name:
            return super().update(region, made, name, properties)
        return self._with_retention(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        self._delete("logs", "delete_log_group", region, logGroupName=made.physical_id)

    def _with_retention(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        if "RetentionInDays" in properties:
            days = int(properties["RetentionInDays"])
            self._call("logs", "put_retention_policy", region, logGroupName=name, retentionInDays=days)
        else:
            self._delete("logs", "delete_retention_policy", region, logGroupName=name)
        groups = self._call("logs", "describe_log_groups", region, logGroupNamePrefix=name)["logGroups"]
        return Made(name, {"Arn": next(group["arn"] for group in groups if group["logGroupName"] == name)})


def _typed(value: Any, name: str = "") -> Any:
    """Return properties with numbers and truth values where a template has them as text."""
    if isinstance(value, Mapping):
        return {key: _typed(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if name in _WHOLE:
        return int(value)
    return is_true(value) if name in _TRUE_OR_FALSE else value
