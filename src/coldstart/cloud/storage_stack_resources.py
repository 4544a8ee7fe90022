"""Buckets and keys in CloudFormation's stacks: with everything the template says of them, changed in place, and never lost.

moto (s3/models.py, kms/models.py) makes a bucket with its tags and encryption only, and a key whose policy its own API cannot
read; it changes no key, and what a template no longer says stays.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html, aws-resource-kms-key.html,
aws-resource-kms-alias.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.event_stack_resources import StackClients, StackKind
from coldstart.cloud.role_clients import RoleClients
from coldstart.cloud.stack_resources import Made, ResourceKind, is_true


def storage_resource_kinds(clients: RoleClients, account_id: str) -> list[ResourceKind]:
    """Return the kinds, which work through this cloud's endpoint."""
    return [kind(StackClients(clients, account_id)) for kind in (_Bucket, _Key, _KeyAlias)]


# --- The API's form of what a template says of a bucket


def _encryption(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                "BucketKeyEnabled": is_true(rule.get("BucketKeyEnabled", False)),
            }
            for rule in given["ServerSideEncryptionConfiguration"]
        ]
    }


def _renamed(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in given.items()}


def _cors(given: Mapping[str, Any]) -> dict[str, Any]:
    names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    return {"CORSRules": [_renamed(rule, names) for rule in given["CorsRules"]]}


def _lifecycle(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"Rules": [_lifecycle_rule(rule) for rule in given["Rules"]]}


def _lifecycle_rule(given: Mapping[str, Any]) -> dict[str, Any]:
    rule = {"Status": given["Status"], "Filter": _lifecycle_filter(given)}
    if "Id" in given:
        rule["ID"] = given["Id"]
    expiration = {
        api: given[name]
        for name, api in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if name in given
    }
    if expiration:
        rule["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in given:
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": given["NoncurrentVersionExpirationInDays"]}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in given:
            rule[name] = given[name]
    transitions = [*given.get("Transitions", ()), *([given["Transition"]] if "Transition" in given else ())]
    if transitions:
        names = {"TransitionInDays": "Days", "TransitionDate": "Date"}
        rule["Transitions"] = [_renamed(transition, names) for transition in transitions]
    return rule


def _lifecycle_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    prefix, tags = {"Prefix": given.get("Prefix", "")}, given.get("TagFilters", [])
    return {"And": {**prefix, "Tags": tags}} if tags else prefix


def _website(given: Mapping[str, Any]) -> dict[str, Any]:
    website = {key: value for key, value in given.items() if key not in ("IndexDocument", "ErrorDocument")}
    if "IndexDocument" in given:
        website["IndexDocument"] = {"Suffix": given["IndexDocument"]}
    if "ErrorDocument" in given:
        website["ErrorDocument"] = {"Key": given["ErrorDocument"]}
    return website


def _notifications(given: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for source, name, target, arn in (
        ("LambdaConfigurations", "Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
        ("QueueConfigurations", "Queue", "QueueConfigurations", "QueueArn"),
        ("TopicConfigurations", "Topic", "TopicConfigurations", "TopicArn"),
    ):
        for item in given.get(source, ()):
            configuration = {arn: item[name], "Events": [item["Event"]]}
            if "Filter" in item:
                configuration["Filter"] = {"Key": {"FilterRules": item["Filter"]["S3Key"]["Rules"]}}
            result.setdefault(target, []).append(configuration)
    if is_true(given.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled", False)):
        result["EventBridgeConfiguration"] = {}
    return result


class _Setting(NamedTuple):
    """A property of a bucket that has calls of its own."""

    put: str
    argument: str
    as_argument: Callable[[Any], Any]
    without: str | Mapping[str, Any]
    """What takes it back: an operation, or the argument of ``put`` that says so."""


_SETTINGS = {
    "VersioningConfiguration": _Setting(
        "put_bucket_versioning", "VersioningConfiguration", dict, {"Status": "Suspended"}
    ),
    "Tags": _Setting("put_bucket_tagging", "Tagging", lambda tags: {"TagSet": tags}, "delete_bucket_tagging"),
    "BucketEncryption": _Setting(
        "put_bucket_encryption", "ServerSideEncryptionConfiguration", _encryption, "delete_bucket_encryption"
    ),
    "CorsConfiguration": _Setting("put_bucket_cors", "CORSConfiguration", _cors, "delete_bucket_cors"),
    "LifecycleConfiguration": _Setting(
        "put_bucket_lifecycle_configuration", "LifecycleConfiguration", _lifecycle, "delete_bucket_lifecycle"
    ),
    "PublicAccessBlockConfiguration": _Setting(
        "put_public_access_block",
        "PublicAccessBlockConfiguration",
        lambda given: {name: is_true(value) for name, value in given.items()},
        "delete_public_access_block",
    ),
    "OwnershipControls": _Setting(
        "put_bucket_ownership_controls", "OwnershipControls", dict, "delete_bucket_ownership_controls"
    ),
    "WebsiteConfiguration": _Setting("put_bucket_website", "WebsiteConfiguration", _website, "delete_bucket_website"),
    "NotificationConfiguration": _Setting(
        "put_bucket_notification_configuration", "NotificationConfiguration", _notifications, {}
    ),
}


class _Bucket(StackKind):
    type = "AWS::S3::Bucket"
    name_property = "BucketName"
    attributes = ("Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        self._refuse_what_is_not_made(properties)
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
        lock = {"ObjectLockEnabledForBucket": True} if is_true(properties.get("ObjectLockEnabled", False)) else {}
        self._call("s3", "create_bucket", region, Bucket=name, **elsewhere, **lock)
        try:
            self._set(region, name, properties)
        except AwsError:
            self._delete("s3", "delete_bucket", region, Bucket=name)
            raise
        return Made(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
                "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
            },
        )

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.physical_id != name:
            return super().update(region, made, name, properties)
        self._refuse_what_is_not_made(properties)
        self._set(region, name, properties)
        for key in _SETTINGS.keys() - properties.keys():
            self._take_back(region, name, _SETTINGS[key])
        return made

    def delete(self, region: str, made: Made) -> None:
        try:
            self._call("s3", "delete_bucket", region, Bucket=made.physical_id)
        except AwsError as error:
            if error.code != "NoSuchBucket":
                raise

    def _refuse_what_is_not_made(self, properties: dict[str, Any]) -> None:
        known = {*_SETTINGS, "BucketName", "ObjectLockEnabled"}
        unknown = sorted(name for name in properties if name not in known)
        if unknown:
            raise AwsError(
                400,
                "ValidationError",
                f"The local AWS cannot give a bucket of a stack its {', '.join(unknown)}. Leave it out of the template here.",
            )

    def _set(self, region: str, name: str, properties: dict[str, Any]) -> None:
        for key, setting in _SETTINGS.items():
            if key in properties:
                argument = {setting.argument: setting.as_argument(properties[key])}
                self._call("s3", setting.put, region, Bucket=name, **argument)

    def _take_back(self, region: str, name: str, setting: _Setting) -> None:
        if isinstance(setting.without, str):
            self._delete("s3", setting.without, region, Bucket=name)
        elif setting.put != "put_bucket_versioning" or "Status" in self._call(
            "s3", "get_bucket_versioning", region, Bucket=name
        ):  # a bucket that never had versions is not suspended
            self._call("s3", setting.put, region, Bucket=name, **{setting.argument: setting.without})


_FIXED = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")
"""What another key has to be made for."""


class _Key(StackKind):
    type = "AWS::KMS::Key"
    attributes = ("Arn", "KeyId")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        policy = {"Policy": json.dumps(properties["KeyPolicy"])} if "KeyPolicy" in properties else {}
        fixed = {key: properties[key] for key in _FIXED if key in properties}
        if "MultiRegion" in fixed:
            fixed["MultiRegion"] = is_true(fixed["MultiRegion"])
        described = {"Description": properties.get("Description", "")}
        key = self._call("kms", "create_key", region, **policy, **fixed, **described)["KeyMetadata"]
        made = Made(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"], "fixed": _fixed(properties)})
        self._set(region, made.physical_id, properties)
        return made

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.attributes["fixed"] != _fixed(properties):
            return super().update(region, made, name, properties)
        id = made.physical_id
        if "KeyPolicy" in properties:
            policy = json.dumps(properties["KeyPolicy"])
            self._call("kms", "put_key_policy", region, KeyId=id, PolicyName="default", Policy=policy)
        described = properties.get("Description", "")
        self._call("kms", "update_key_description", region, KeyId=id, Description=described)
        wanted = {tag["Key"] for tag in properties.get("Tags", [])}
        tags = self._call("kms", "list_resource_tags", region, KeyId=id)["Tags"]
        gone = [tag["TagKey"] for tag in tags if tag["TagKey"] not in wanted]
        if gone:
            self._call("kms", "untag_resource", region, KeyId=id, TagKeys=gone)
        self._set(region, id, properties)
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("kms", "schedule_key_deletion", region, KeyId=made.physical_id, PendingWindowInDays=30)

    def _set(self, region: str, id: str, properties: dict[str, Any]) -> None:
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
        if tags:
            self._call("kms", "tag_resource", region, KeyId=id, Tags=tags)
        is_on = is_true(properties.get("Enabled", True))
        self._call("kms", "enable_key", region, KeyId=id)  # a key that is off cannot be told whether to rotate
        if _fixed(properties) == _fixed({}):
            rotates = is_true(properties.get("EnableKeyRotation", False))
            operation = "enable_key_rotation" if rotates else "disable_key_rotation"
            self._call("kms", operation, region, KeyId=id)
        if not is_on:
            self._call("kms", "disable_key", region, KeyId=id)


def _fixed(properties: Mapping[str, Any]) -> str:
    return json.dumps([properties.get(name) for name in _FIXED])


class _KeyAlias(StackKind):
    type = "AWS::KMS::Alias"
    name_property = "AliasName"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        self._call("kms", "create_alias", region, AliasName=name, TargetKeyId=properties["TargetKeyId"])
        return Made(name)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.physical_id != name:
            return super().update(region, made, name, properties)
        self._call("kms", "update_alias", region, AliasName=name, TargetKeyId=properties["TargetKeyId"])
        return made

    def delete(self, region: str, made: Made) -> None:
        self._delete("kms", "delete_alias", region, AliasName=made.physical_id)
