"""Lambda's API for layers: versions that never change, who may use them, and how functions refer to them.

https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html. What a function was given stays with it, also when the
layer version is deleted.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.deployment_package import PackageDownloads, fetch_package
from coldstart.cloud.lambda_store import Code, LambdaStore
from coldstart.cloud.lambda_validation import invalid
from coldstart.cloud.pagination import take_page
from coldstart.cloud.running_functions import RunningFunctions
from coldstart.runtime.function_package import MAX_UNZIPPED_BYTES, InvalidPackage, unzipped_size

_ARN = re.compile(r"arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+)(?::(\d+))?")


@dataclass(eq=False)
class LayerVersion:
    """A published layer version."""

    name: str
    layer_arn: str
    number: int
    code: Code
    created: str
    settings: Mapping[str, Any]
    """What the publisher said of it: Description, LicenseInfo, CompatibleRuntimes, CompatibleArchitectures."""
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The resource policy's, by statement id."""
    policy_revision: str = ""

    @property
    def arn(self) -> str:
        """The LayerVersionArn."""
        return f"{self.layer_arn}:{self.number}"

    def reference(self) -> dict[str, Any]:
        """Return how a function's configuration shows it."""
        return {"Arn": self.arn, "CodeSize": len(self.code.zipped)}

    def summary(self) -> dict[str, Any]:
        """Return how lists show it."""
        return {"LayerVersionArn": self.arn, "Version": self.number, "CreatedDate": self.created, **self.settings}


@dataclass(eq=False)
class _Layer:
    versions: dict[int, LayerVersion] = field(default_factory=dict)
    next_number: int = 1


class LayerApi:
    """The operations on layers, and the layers."""

    def __init__(self, store: LambdaStore, running: RunningFunctions, downloads: PackageDownloads) -> None:
        self._store = store
        self._running = running
        self._downloads = downloads
        self._lock = threading.Lock()
        self._layers: dict[tuple[str, str], _Layer] = {}

    def resolve(self, arns: Sequence[str], region: str) -> list[LayerVersion]:
        """Return the layer versions that a function in a region wants, in its order.

        Raises:
            AwsError: one is not there, or they do not go together.
        """
        found: dict[str, LayerVersion] = {}
        for arn in arns:
            layer_region, account_id, name, number = self._parse(arn)
            if account_id != self._store.account_id:
                raise AwsError(
                    403,
                    "AccessDeniedException",
                    f"No resource-based policy allows the lambda:GetLayerVersion action on {arn}. "
                    "The local AWS has only the layers that you publish in it.",
                )
            if layer_region != region:
                raise invalid(
                    f"Layers are not in the same region as the function. Layers are expected to be in region {region}."
                )
            version = self._find(layer_region, name, number)
            if version is None:
                raise invalid(f"Layer version {arn} does not exist.")
            if version.layer_arn in found:
                raise invalid(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. "
                    f"{found[version.layer_arn].arn} and {arn} are versions of the same layer."
                )
            found[version.layer_arn] = version
        return list(found.values())

    def publish_layer_version(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Publish the next version of a layer. https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html."""
        _, _, name, _ = self._parse(params["LayerName"], region)
        zipped = fetch_package(params["Content"], region, self._store.account_id)
        code = Code.of(zipped)
        self._running.unpack(code, [])
        settings = {"Description": ""} | {
            key: params[key]
            for key in ("Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures")
            if key in params
        }
        layer_arn = f"arn:aws:lambda:{region}:{self._store.account_id}:layer:{name}"
        with self._lock:
            layer = self._layers.setdefault((region, name), _Layer())
            number = layer.next_number
            layer.next_number += 1
            version = LayerVersion(name, layer_arn, number, code, self._store.timestamp(), settings)
            layer.versions[number] = version
        return self._shown(version, region)

    def get_layer_version(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return a version with a link to its content."""
        if params["VersionNumber"] < 1:
            raise invalid("Layer Version Cannot be less than 1")
        layer_region, _, name, _ = self._parse(params["LayerName"], region)
        version = self._find(layer_region, name, params["VersionNumber"])
        if version is None:
            raise AwsError(404, "ResourceNotFoundException", "The resource you requested does not exist.")
        return self._shown(version, region)

    def get_layer_version_by_arn(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the version with an ARN."""
        _, _, name, number = self._parse(params["Arn"])
        return self.get_layer_version(region, {"LayerName": name, "VersionNumber": number})

    def list_layers(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the layers with their latest version that fits."""
        latest = []
        for (layer_region, _), layer in list(self._layers.items()):
            fitting = [version for version in layer.versions.values() if _fits(version, params)]
            if layer_region == region and fitting:
                latest.append(fitting[-1])
        page, marker = take_page(latest, params, lambda version: version.name)
        layers = [
            {"LayerName": version.name, "LayerArn": version.layer_arn, "LatestMatchingVersion": version.summary()}
            for version in page
        ]
        return {"Layers": layers, "NextMarker": marker}

    def list_layer_versions(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the versions of a layer, the newest first."""
        layer_region, _, name, _ = self._parse(params["LayerName"], region)
        layer = self._layers.get((layer_region, name), _Layer())
        versions = [version for version in reversed(layer.versions.values()) if _fits(version, params)]
        page, marker = take_page(versions, params, lambda version: version.arn)
        return {"LayerVersions": [version.summary() for version in page], "NextMarker": marker}

    def delete_layer_version(self, region: str, params: dict[str, Any]) -> None:
        """Delete a version; its number is not used again. Deleting what is not there is no error."""
        if params["VersionNumber"] < 1:
            raise invalid("Layer Version Cannot be less than 1")
        layer_region, _, name, _ = self._parse(params["LayerName"], region)
        with self._lock:
            self._layers.get((layer_region, name), _Layer()).versions.pop(params["VersionNumber"], None)

    def add_layer_version_permission(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Let other accounts use a version."""
        version = self._existing(region, params)
        self._check_revision(version, params)
        statement_id = params["StatementId"]
        if statement_id in version.statements:
            raise AwsError(
                409,
                "ResourceConflictException",
                f"The statement id ({statement_id}) provided already exists. Please provide a new statement id, "
                "or remove the existing statement.",
            )
        principal = params["Principal"]
        statement: dict[str, Any] = {
            "Sid": statement_id,
            "Effect": "Allow",
            "Principal": principal if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
            "Action": params["Action"],
            "Resource": version.arn,
        }
        if "OrganizationId" in params:
            statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": params["OrganizationId"]}}
        version.statements[statement_id] = statement
        version.policy_revision = self._store.new_revision()
        return {"Statement": json.dumps(statement), "RevisionId": version.policy_revision}

    def get_layer_version_policy(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the policy of a version."""
        version = self._existing(region, params)
        if not version.statements:
            raise AwsError(404, "ResourceNotFoundException", "No policy is associated with the given resource.")
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(version.statements.values())}
        return {"Policy": json.dumps(policy), "RevisionId": version.policy_revision}

    def remove_layer_version_permission(self, region: str, params: dict[str, Any]) -> None:
        """Take a permission back."""
        version = self._existing(region, params)
        self._check_revision(version, params)
        if params["StatementId"] not in version.statements:
            raise AwsError(
                404,
                "ResourceNotFoundException",
                f"Statement {params['StatementId']} is not found in resource policy.",
            )
        del version.statements[params["StatementId"]]
        version.policy_revision = self._store.new_revision()

    def forget(self, region: str) -> None:
        """Delete the layers of a region, and start their numbers anew."""
        with self._lock:
            self._layers = {place: layer for place, layer in self._layers.items() if place[0] != region}

    def code_size(self, region: str) -> int:
        """Return the bytes that the layers of a region take, as GetAccountSettings counts them."""
        return sum(
            len(version.code.zipped)
            for (layer_region, _), layer in list(self._layers.items())
            if layer_region == region
            for version in layer.versions.values()
        )

    def _shown(self, version: LayerVersion, region: str) -> dict[str, Any]:
        link = self._downloads.link(
            version.code.zipped, f"{self._store.account_id}/{version.name}-{version.number}", region
        )
        content = {"Location": link, "CodeSha256": version.code.sha256, "CodeSize": len(version.code.zipped)}
        return {"Content": content, "LayerArn": version.layer_arn, **version.summary()}

    def _existing(self, region: str, params: Mapping[str, Any]) -> LayerVersion:
        layer_region, account_id, name, _ = self._parse(params["LayerName"], region)
        version = self._find(layer_region, name, params["VersionNumber"])
        if version is None:
            arn = f"arn:aws:lambda:{layer_region}:{account_id}:layer:{name}:{params['VersionNumber']}"
            raise AwsError(404, "ResourceNotFoundException", f"Layer version {arn} does not exist.")
        return version

    def _check_revision(self, version: LayerVersion, params: Mapping[str, Any]) -> None:
        if params.get("RevisionId") and params["RevisionId"] != version.policy_revision:
            raise AwsError(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetLayerPolicy API to retrieve the latest Revision Id",
            )

    def _find(self, region: str, name: str, number: int) -> LayerVersion | None:
        return self._layers.get((region, name), _Layer()).versions.get(number)

    def _parse(self, name_or_arn: str, region: str = "") -> tuple[str, str, str, int]:
        """Return region, account, name and version (0 without one) of a layer's name or ARN."""
        match = _ARN.fullmatch(name_or_arn)
        if match is None:
            return region, self._store.account_id, name_or_arn, 0
        return match[1], match[2], match[3], int(match[4] or 0)


def check_total_size(zipped: bytes, layers: Sequence[LayerVersion]) -> None:
    """Refuse a function that is too large together with its layers.

    Raises:
        AwsError: more than 250 MB unzipped, or the function's package is none.
    """
    try:
        own = unzipped_size(zipped)
    except InvalidPackage as error:
        raise invalid(str(error)) from None
    of_layers = sum(unzipped_size(layer.code.zipped) for layer in layers)
    if of_layers > MAX_UNZIPPED_BYTES:
        raise invalid(f"Layers consume more than the available size of {MAX_UNZIPPED_BYTES} bytes")
    if own + of_layers > MAX_UNZIPPED_BYTES:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNZIPPED_BYTES} bytes. "
            f"The actual size is {own + of_layers} bytes."
        )


def _fits(version: LayerVersion, params: Mapping[str, Any]) -> bool:
    wanted = {"CompatibleRuntimes": params.get("CompatibleRuntime")} | {
        "CompatibleArchitectures": params.get("CompatibleArchitecture")
    }
    return all(value is None or value in version.settings.get(key, []) for key, value in wanted.items())
