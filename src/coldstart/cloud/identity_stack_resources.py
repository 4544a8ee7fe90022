"""Roles, managed policies and user pools in CloudFormation's stacks.

moto (iam/models.py) leaves a changed role with the policies it had, cannot change or delete a managed policy, so that the role it is
attached to cannot be deleted either, and makes no user pools. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html, AWS_Cognito.html.
"""

from __future__ import annotations

import json
from typing import Any

from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind

_HOLDERS = {"Roles": ("role", "RoleName"), "Users": ("user", "UserName"), "Groups": ("group", "GroupName")}

_ROLE_NAME, _SUFFIX = 64, 13
"""How long a role's name may be, and how long the end is that makes it unique."""


def identity_resource_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    return [kind(StackClients(clients, account_id)) for kind in (_Role, _ManagedPolicy, _UserPool, _UserPoolClient)]


class _Role(StackKind):
    type = "AWS::IAM::Role"
    name_property = "RoleName"
    attributes = ("Arn", "RoleId")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        short = name if len(name) <= _ROLE_NAME else f"{name[: _ROLE_NAME - _SUFFIX]}{name[-_SUFFIX:]}"
        wanted = ("Description", "Path", "PermissionsBoundary", "Tags")
        settings = {key: properties[key] for key in wanted if key in properties}
        if "MaxSessionDuration" in properties:
            settings["MaxSessionDuration"] = int(properties["MaxSessionDuration"])
        trust = json.dumps(properties["AssumeRolePolicyDocument"], default=str)
        role = self._call("iam", "create_role", region, RoleName=short, AssumeRolePolicyDocument=trust, **settings)[
            "Role"
        ]
        made = Made(short, {"Arn": role["Arn"], "RoleId": role["RoleId"], "_policies": json.dumps({})})
        return self._with_policies(region, made, properties)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.physical_id != properties.get("RoleName", made.physical_id):
            return super().update(region, made, name, properties)
        role = {"RoleName": made.physical_id}
        trust = json.dumps(properties["AssumeRolePolicyDocument"], default=str)
        self._call("iam", "update_assume_role_policy", region, **role, PolicyDocument=trust)
        longest = int(properties.get("MaxSessionDuration", 3600))
        description = str(properties.get("Description", ""))
        self._call("iam", "update_role", region, **role, Description=description, MaxSessionDuration=longest)
        if "PermissionsBoundary" in properties:
            boundary = properties["PermissionsBoundary"]
            self._call("iam", "put_role_permissions_boundary", region, **role, PermissionsBoundary=boundary)
        else:
            self._delete("iam", "delete_role_permissions_boundary", region, **role)
        return self._with_policies(region, made, properties)

    def delete(self, region: str, made: Made) -> None:
        self._with_policies(region, made, {})
        self._call("iam", "delete_role", region, RoleName=made.physical_id)

    def _with_policies(self, region: str, made: Made, properties: dict[str, Any]) -> Made:
        """Give a role the policies of its properties, and take away those that it had from earlier ones."""
        role, had = {"RoleName": made.physical_id}, json.loads(made.attributes["_policies"])
        inline = {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies") or []}
        managed = list(properties.get("ManagedPolicyArns") or [])
        for name, document in inline.items():
            policy = _document(document)
            self._call("iam", "put_role_policy", region, **role, PolicyName=name, PolicyDocument=policy)
        for arn in managed:
            self._call("iam", "attach_role_policy", region, **role, PolicyArn=arn)
        for name in set(had.get("inline", ())) - inline.keys():
            self._delete("iam", "delete_role_policy", region, **role, PolicyName=name)
        for arn in set(had.get("managed", ())) - set(managed):
            self._delete("iam", "detach_role_policy", region, **role, PolicyArn=arn)
        has = json.dumps({"inline": list(inline), "managed": managed})
        return Made(made.physical_id, {**made.attributes, "_policies": has})


class _ManagedPolicy(StackKind):
    type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    attributes = ("PolicyArn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        wanted = {key: properties[key] for key in ("Description", "Path") if key in properties}
        document = _document(properties["PolicyDocument"])
        made = self._call("iam", "create_policy", region, PolicyName=name, PolicyDocument=document, **wanted)
        return self._attached(region, made["Policy"]["Arn"], properties)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if not made.physical_id.endswith(f"/{name}"):
            return super().update(region, made, name, properties)
        self._forget_old_versions(region, made.physical_id)
        document = _document(properties["PolicyDocument"])
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


def _document(policy: dict[str, Any]) -> str:
    # IAM takes documents without a version in a stack, such as SAM's own; moto's API does not.
    return json.dumps({"Version": "2012-10-17", **policy}, default=str)


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
