"""Lambda's resources in CloudFormation's stacks: functions, versions, aliases, permissions, layers, mappings and URLs.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html. Properties go by the same names as the
parameters of the API, with the exceptions that are written out here.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_reference import LATEST
from coldstart.cloud.service_api import ServiceApi
from coldstart.cloud.stack_resources import Made, ResourceKind

_DATE = (1980, 1, 1, 0, 0, 0)


def lambda_resource_kinds(api: ServiceApi) -> list[ResourceKind]:
    """Return the kinds, which work through Lambda's API."""
    kinds = (_Function, _Version, _Alias, _Permission, _LayerVersion, _LayerPermission, _Mapping, _InvokeConfig, _Url)
    return [kind(api) for kind in kinds]


class _LambdaKind(ResourceKind):
    def __init__(self, api: ServiceApi) -> None:
        self._api = api

    def _call(self, operation: str, region: str, properties: Mapping[str, Any], **parameters: Any) -> dict[str, Any]:
        """Call an operation with those properties that it has parameters for, and with others that do not come from there."""
        shape = self._api.input_shape(operation)
        given = {
            name: _converted(shape.members[name], properties[name]) for name in shape.members if name in properties
        }
        return self._api.call(operation, region, {**given, **parameters})


class _Function(_LambdaKind):
    type = "AWS::Lambda::Function"
    name_property = "FunctionName"
    attributes = ("Arn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        code, tags = _code(properties), _tags(properties)
        answer = self._call("CreateFunction", region, properties, FunctionName=name[:64], Code=code, Tags=tags)
        self._set_beside(region, name[:64], properties)
        return Made(answer["FunctionName"], {"Arn": answer["FunctionArn"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.physical_id != name[:64]:
            return super().update(region, made, name, properties)
        name = made.physical_id
        self._call("UpdateFunctionCode", region, {**properties, **_code(properties)}, FunctionName=name)
        taken_back = {key: value for key, value in _UNSET.items() if key not in properties}
        self._call("UpdateFunctionConfiguration", region, {**taken_back, **properties}, FunctionName=name)
        arn, tags = made.attributes["Arn"], _tags(properties)
        superfluous = [key for key in self._call("ListTags", region, {}, Resource=arn)["Tags"] if key not in tags]
        if superfluous:
            self._call("UntagResource", region, {}, Resource=arn, TagKeys=superfluous)
        if tags:
            self._call("TagResource", region, {}, Resource=arn, Tags=tags)
        self._set_beside(region, name, properties)
        return made

    def delete(self, region: str, made: Made) -> None:
        _ignoring_missing(lambda: self._call("DeleteFunction", region, {}, FunctionName=made.physical_id))

    def _set_beside(self, region: str, name: str, properties: Mapping[str, Any]) -> None:
        if "ReservedConcurrentExecutions" in properties:
            self._call("PutFunctionConcurrency", region, properties, FunctionName=name)
        else:
            self._call("DeleteFunctionConcurrency", region, {}, FunctionName=name)
        if "RecursiveLoop" in properties:
            self._call("PutFunctionRecursionConfig", region, properties, FunctionName=name)
        if "RuntimeManagementConfig" in properties:
            self._call("PutRuntimeManagementConfig", region, properties["RuntimeManagementConfig"], FunctionName=name)


_UNSET: dict[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Environment": {"Variables": {}},
    "DeadLetterConfig": {"TargetArn": ""},
    "KMSKeyArn": "",
    "Layers": [],
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None"},
}
"""What a function is without a property: for those that were taken out of a template."""


class _Version(_LambdaKind):
    type = "AWS::Lambda::Version"
    attributes = ("Version", "FunctionArn")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        answer = self._call("PublishVersion", region, properties)
        provisioned = properties.get("ProvisionedConcurrencyConfig")
        if provisioned:
            self._call(
                "PutProvisionedConcurrencyConfig",
                region,
                provisioned,
                FunctionName=answer["FunctionName"],
                Qualifier=answer["Version"],
            )
        return Made(answer["FunctionArn"], {"Version": answer["Version"], "FunctionArn": answer["FunctionArn"]})

    def delete(self, region: str, made: Made) -> None:
        try:
            _ignoring_missing(lambda: self._call("DeleteFunction", region, {}, FunctionName=made.physical_id))
        except AwsError as error:
            if (
                error.code != "ResourceConflictException"
            ):  # replaced, and its alias has not moved on yet: it stays behind
                raise


class _Alias(_LambdaKind):
    type = "AWS::Lambda::Alias"
    attributes = ("AliasArn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        answer = self._call("CreateAlias", region, _routed(properties))
        self._provision(region, properties)
        return Made(answer["AliasArn"], {"AliasArn": answer["AliasArn"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        if made.physical_id.rpartition(":")[2] != properties["Name"]:
            return super().update(region, made, name, properties)
        self._call("UpdateAlias", region, {"RoutingConfig": {}, "Description": "", **_routed(properties)})
        self._provision(region, properties)
        return made

    def delete(self, region: str, made: Made) -> None:
        function, _, alias = made.physical_id.rpartition(":")
        _ignoring_missing(lambda: self._call("DeleteAlias", region, {}, FunctionName=function, Name=alias))

    def _provision(self, region: str, properties: Mapping[str, Any]) -> None:
        place = {"FunctionName": properties["FunctionName"], "Qualifier": properties["Name"]}
        provisioned = properties.get("ProvisionedConcurrencyConfig")
        if provisioned:
            self._call("PutProvisionedConcurrencyConfig", region, provisioned, **place)
        elif properties["FunctionVersion"] != LATEST:
            self._call("DeleteProvisionedConcurrencyConfig", region, place)


class _Permission(_LambdaKind):
    type = "AWS::Lambda::Permission"
    attributes = ("Id",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        self._call("AddPermission", region, properties, StatementId=name[:100])
        return Made(name[:100], {"Id": name[:100], "_Function": properties["FunctionName"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        self.delete(region, made)
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        place = {"FunctionName": made.attributes["_Function"], "StatementId": made.physical_id}
        _ignoring_missing(lambda: self._call("RemovePermission", region, place))


class _LayerVersion(_LambdaKind):
    type = "AWS::Lambda::LayerVersion"
    name_property = "LayerName"
    attributes = ("LayerVersionArn",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        arn = self._call("PublishLayerVersion", region, properties, LayerName=name)["LayerVersionArn"]
        return Made(arn, {"LayerVersionArn": arn})

    def delete(self, region: str, made: Made) -> None:
        layer, _, number = made.physical_id.rpartition(":")
        self._call("DeleteLayerVersion", region, {}, LayerName=layer, VersionNumber=int(number))


class _LayerPermission(_LambdaKind):
    type = "AWS::Lambda::LayerVersionPermission"
    attributes = ("Id",)

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        arn = properties["LayerVersionArn"]
        layer, _, number = arn.rpartition(":")
        place = {"LayerName": layer, "VersionNumber": int(number), "StatementId": name[:100]}
        self._call("AddLayerVersionPermission", region, properties, **place)
        return Made(f"{arn}#{name[:100]}", {"Id": f"{arn}#{name[:100]}"})

    def delete(self, region: str, made: Made) -> None:
        arn, _, statement = made.physical_id.partition("#")
        layer, _, number = arn.rpartition(":")
        place = {"LayerName": layer, "VersionNumber": int(number), "StatementId": statement}
        _ignoring_missing(lambda: self._call("RemoveLayerVersionPermission", region, place))


class _Mapping(_LambdaKind):
    type = "AWS::Lambda::EventSourceMapping"
    attributes = ("Id", "EventSourceMappingArn")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        answer = self._call("CreateEventSourceMapping", region, properties, Tags=_tags(properties))
        return Made(
            answer["UUID"],
            {"Id": answer["UUID"], "EventSourceMappingArn": answer.get("EventSourceMappingArn", "")},
        )

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        self._call("UpdateEventSourceMapping", region, properties, UUID=made.physical_id)
        return made

    def delete(self, region: str, made: Made) -> None:
        _ignoring_missing(lambda: self._call("DeleteEventSourceMapping", region, {}, UUID=made.physical_id))


class _InvokeConfig(_LambdaKind):
    type = "AWS::Lambda::EventInvokeConfig"

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        self._call("PutFunctionEventInvokeConfig", region, properties)
        return Made(name, {"_Function": properties["FunctionName"], "_Qualifier": properties["Qualifier"]})

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        return self.create(region, name, properties)

    def delete(self, region: str, made: Made) -> None:
        place = {"FunctionName": made.attributes["_Function"], "Qualifier": made.attributes["_Qualifier"]}
        _ignoring_missing(lambda: self._call("DeleteFunctionEventInvokeConfig", region, place))


class _Url(_LambdaKind):
    type = "AWS::Lambda::Url"
    attributes = ("FunctionUrl", "FunctionArn")

    def create(self, region: str, name: str, properties: dict[str, Any]) -> Made:
        function = properties["TargetFunctionArn"]
        answer = self._call("CreateFunctionUrlConfig", region, properties, FunctionName=function)
        return _url(answer)

    def update(self, region: str, made: Made, name: str, properties: dict[str, Any]) -> Made:
        function = properties["TargetFunctionArn"]
        return _url(self._call("UpdateFunctionUrlConfig", region, {"Cors": {}, **properties}, FunctionName=function))

    def delete(self, region: str, made: Made) -> None:
        _ignoring_missing(lambda: self._call("DeleteFunctionUrlConfig", region, {}, FunctionName=made.physical_id))


def _url(answer: Mapping[str, Any]) -> Made:
    arn = answer["FunctionArn"]
    return Made(arn, {"FunctionUrl": answer["FunctionUrl"], "FunctionArn": arn})


def _ignoring_missing(delete: Any) -> None:
    """Delete something that may have gone with its function already."""
    try:
        delete()
    except AwsError as error:
        if error.status != 404:
            raise


def _routed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alias's properties with its weights as the API has them."""
    weights = properties.get("RoutingConfig", {}).get("AdditionalVersionWeights", [])
    routing = {weight["FunctionVersion"]: float(weight["FunctionWeight"]) for weight in weights}
    return {**properties, "RoutingConfig": {"AdditionalVersionWeights": routing}} if routing else dict(properties)


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    tags: Iterable[Mapping[str, Any]] = properties.get("Tags", [])
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags}


def _code(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function's code; in a template ZipFile is the text of its one file."""
    code = dict(properties["Code"])
    if "ZipFile" in code:
        code["ZipFile"] = _zipped(code["ZipFile"], properties.get("Runtime", ""))
    return code


def _zipped(text: str, runtime: str) -> bytes:
    files = {"index.js" if runtime.startswith("nodejs") else "index.py": text}
    if runtime.startswith("python"):
        from moto.utilities.utils import load_resource_as_str

        files["cfnresponse.py"] = load_resource_as_str("awslambda/resources/cfnresponse.py.txt")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)
    return buffer.getvalue()


def _converted(shape: Shape, value: Any) -> Any:
    """Return a property as the API wants it: in templates numbers and booleans may be texts."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _converted(member, value[name]) for name, member in shape.members.items() if name in value}
    if isinstance(shape, ListShape):
        return [_converted(shape.member, item) for item in (value if isinstance(value, list) else [value])]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {str(key): _converted(shape.value, item) for key, item in value.items()}
    match shape.type_name:
        case "integer" | "long":
            return int(value)
        case "float" | "double" | "timestamp":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "string":
            return str(value).lower() if isinstance(value, bool) else str(value)
    return value
