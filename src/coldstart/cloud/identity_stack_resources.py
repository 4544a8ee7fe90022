"""Managed policies and user pools in CloudFormation's stacks.

moto (iam/models.py) cannot change or delete a managed policy, so that the role it is attached to cannot be deleted either, and makes no
user pools. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html, AWS_Cognito.html.
"""

from __future__ import annotations

import json
from typing import Any

from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind

_HOLDERS = {"Roles": ("role", "RoleName"), "Users": ("user", "UserName"), "Groups": ("group", "GroupName")}


def identity_resource_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    return [kind(StackClients(clients, account_id)) for kind in (_ManagedPolicy, _UserPool, _UserPoolClient)]


class _ManagedPolicy(StackKind):
    type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    attributes = ("PolicyArn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        wanted = {key: properties[key] for key in ("Description", "Path") if key in properties}
        document = json.dumps(properties["PolicyDocument"], default=str)
        made = self._call("iam", "create_policy", region, PolicyName=name, PolicyDocument=document, **wanted)
        return self._attached(region, made["Policy"]["Arn"], properties)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if not made.physical_id.endswith(f"/{name}"):
            return super().update(region, made, name, properties)
        self._forget_old_versions(region, made.physical_id)
        document = json.dumps(properties["PolicyDocument"], default=str)
        version = {"PolicyArn": made.physical_id, "PolicyDocument": document, "SetAsDefault": True}
        self._call("iam", "create_policy_version", region, **version)
        self._detach(region, made)
        return self._attached(region, made.physical_id, properties)

    def delete(self, region: str, made: Made) -> None:
        self._detach(region, made)
        self._forget_old_versions(region, made.physical_id)
        self._call("iam", "delete_policy", region, PolicyArn=made.physical_id)

    def _attached(self, region: str, arn: str, properties: dict[str, Any]) -> Made:
        holders = {key: properties.get(key) or [] for key in _HOLDERS}
        for key, names in holders.items():
            holder, parameter = _HOLDERS[key]
            for name in names:
                self._call("iam", f"attach_{holder}_policy", region, PolicyArn=arn, **{parameter: name})
        return Made(arn, {"PolicyArn": arn, "_holders": json.dumps(holders)})

    def _detach(self, region: str, made: Made) -> None:
        for key, names in json.loads(made.attributes["_holders"]).items():
            holder, parameter = _HOLDERS[key]
            for name in names:
                self._delete("iam", f"detach_{holder}_policy", region, PolicyArn=made.physical_id, **{parameter: name})

    def _forget_old_versions(self, region: str, arn: str) -> None:
        for version in self._call("iam", "list_policy_versions", region, PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                self._call("iam", "delete_policy_version", region, PolicyArn=arn, VersionId=version["VersionId"])


class _UserPool(StackKind):
    type = "AWS::Cognito::UserPool"
    name_property = "UserPoolName"
    attributes = ("Arn", "ProviderName", "ProviderURL", "UserPoolId")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        pool = self._call("cognito-idp", "create_user_pool", region, PoolName=name, **_of_pool(properties))["UserPool"]
        provider = f"cognito-idp.{region}.amazonaws.com/{pool['Id']}"
        known = {"ProviderName": provider, "ProviderURL": f"https://{provider}", "UserPoolId": pool["Id"]}
        return Made(pool["Id"], {"Arn": pool["Arn"], **known})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        fixed = ("AliasAttributes", "Schema", "UsernameAttributes", "UsernameConfiguration")
        changeable = {key: value for key, value in _of_pool(properties).items() if key not in fixed}
        self._call("cognito-idp", "update_user_pool", region, UserPoolId=made.physical_id, **changeable)
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("cognito-idp", "delete_user_pool", region, UserPoolId=made.physical_id)


def _of_pool(properties: dict[str, Any]) -> dict[str, Any]:
    """Return what creation and change of a pool take besides its name; its second factors have a call of their own."""
    return {key: value for key, value in properties.items() if key not in ("UserPoolName", "EnabledMfas")}


class _UserPoolClient(StackKind):
    type = "AWS::Cognito::UserPoolClient"
    name_property = "ClientName"
    attributes = ("ClientId", "ClientSecret", "Name")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        settings = {**properties, "ClientName": name}
        made = self._call("cognito-idp", "create_user_pool_client", region, **settings)["UserPoolClient"]
        secret = {"ClientSecret": made["ClientSecret"]} if "ClientSecret" in made else {}
        return Made(
            made["ClientId"], {"ClientId": made["ClientId"], "Name": name, **secret, "_pool": properties["UserPoolId"]}
        )

    def delete(self, region: str, made: Made) -> None:
        pool = made.attributes["_pool"]
        self._delete("cognito-idp", "delete_user_pool_client", region, UserPoolId=pool, ClientId=made.physical_id)
