"""Lambda's API for functions and their versions: create, update, read, list, publish, delete.

API pages: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html and its neighbours. Validation that the
service model can express happens before, in :mod:`coldstart.cloud.service_api`.

States. On AWS a function is ``Pending`` for some seconds, and an update ``InProgress``; both refuse other changes meanwhile.
Here the package is unpacked before the answer is sent, so nothing is left to do: the answer says ``Pending`` or ``InProgress``
as on AWS, with the RevisionId of that moment, and whoever asks next is told ``Active`` and ``Successful``. Only while one
request unpacks a package, others for the same function get ``ResourceConflictException``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.deployment_package import PackageDownloads, fetch_package
from coldstart.cloud.execution_role import check_role
from coldstart.cloud.function_reference import LATEST, FunctionReference, is_version, reference_in_region
from coldstart.cloud.lambda_layers import LayerApi, check_total_size
from coldstart.cloud.lambda_store import (
    IN_PROGRESS,
    PENDING,
    Code,
    FunctionVersion,
    LambdaStore,
    Progress,
    StoredFunction,
)
from coldstart.cloud.lambda_validation import check_settings, check_snap_start, invalid
from coldstart.cloud.pagination import take_page
from coldstart.cloud.running_functions import RunningFunctions
from coldstart.cloud.vpc_configuration import vpc_configuration

MAX_NAME_LENGTH = 64
MAX_REQUEST_BYTES = 70_167_211
"""Of CreateFunction, from AWS's own error text."""

_KEPT = ("Description", "Timeout", "MemorySize", "Runtime", "Role", "Handler", "Architectures", "Environment")
_STATE_FIELDS = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
)


class FunctionApi:
    """The operations on functions and versions."""

    def __init__(
        self,
        store: LambdaStore,
        running: RunningFunctions,
        layers: LayerApi,
        downloads: PackageDownloads,
    ) -> None:
        self._store = store
        self._running = running
        self._layers = layers
        self._downloads = downloads

    def create_function(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Create a function, and publish it if asked. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html."""
        reference = self._new_reference(region, params["FunctionName"])
        if params.get("PackageType") == "Image":
            fetch_package({"ImageUri": "any"}, region, self._store.account_id)
        if "PublishTo" in params:
            raise invalid(
                "PublishTo is for functions on Lambda Managed Instances, which do not exist in the local AWS."
            )
        if not params.get("Runtime") or not params.get("Handler"):
            raise invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        settings = self._updated(_defaults(reference.name), params, region)
        if "TenancyConfig" in params:
            settings["TenancyConfig"] = params["TenancyConfig"]
        code = self._code(params["Code"], region)
        self._prepare(code, settings)
        if self._store.find(reference) is not None:  # before the role: AWS tells of the conflict first
            raise AwsError(409, "ResourceConflictException", f"Function already exist: {reference.name}")
        check_role(settings["Role"], self._store.account_id)
        function = self._store.add(reference.name, region, settings, code)
        function.tags = dict(params.get("Tags", {}))
        version = function.latest
        if params.get("Publish"):
            version, _ = self._publish(function, None)
        answer = self.configuration(version, state=PENDING)
        answer["FunctionArn"] = function.arn
        function.latest.revision_id = self._store.new_revision()
        return {name: value for name, value in answer.items() if not name.startswith("LastUpdateStatus")}

    def update_function_code(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Replace the code of ``$LATEST``."""
        function = self._function(region, params["FunctionName"])
        with function.updating():
            self._check_revision(function, params)
            if "PublishTo" in params:
                raise invalid(
                    "PublishTo is for functions on Lambda Managed Instances, which do not exist in the local AWS."
                )
            settings = dict(function.latest.settings)
            if "Architectures" in params:
                settings["Architectures"] = params["Architectures"]
            code = self._code(params, region)
            self._prepare(code, settings)
            if params.get("DryRun"):
                latest = function.latest
                planned = FunctionVersion(function, LATEST, settings, code, latest.last_modified, latest.revision_id)
                planned.is_replaced = True
                return self.configuration(planned)
            return self._update(function, settings, code, publish=params.get("Publish", False))

    def update_function_configuration(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Change the settings of ``$LATEST``."""
        function = self._function(region, params["FunctionName"])
        with function.updating():
            self._check_revision(function, params)
            settings = self._updated(function.latest.settings, params, region)
            if "Role" in params:
                check_role(settings["Role"], self._store.account_id)
            self._prepare(function.latest.code, settings)
            return self._update(function, settings, None)

    def publish_version(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Make a version of ``$LATEST``. https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html."""
        function = self._function(region, params["FunctionName"])
        with function.updating():
            self._check_revision(function, params)
            current = function.latest.code.sha256
            if params.get("CodeSha256", current) != current:
                raise invalid(
                    f"CodeSHA256 ({params['CodeSha256']}) is different from current CodeSHA256 in $LATEST ({current}). "
                    "Please try again with the CodeSHA256 in $LATEST."
                )
            version, is_new = self._publish(function, params.get("Description"))
        return self.configuration(version, state=PENDING if is_new else None)

    def get_function(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return configuration, tags, reserved concurrency and a link to the code."""
        reference = self._reference(region, params)
        version = self._store.version(reference)
        link = self._downloads.link(
            version.code.zipped, f"{self._store.account_id}/{reference.name}-{version.revision_id}", region
        )
        answer: dict[str, Any] = {
            "Configuration": self.configuration(version, qualifier=reference.qualifier),
            "Code": {"RepositoryType": "S3", "Location": link, **version.code.source},
        }
        if version.function.tags:
            answer["Tags"] = version.function.tags
        reserved = self._running.reserved_concurrency(version.function)
        if reserved is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
        return answer

    def get_function_configuration(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration of a version."""
        reference = self._reference(region, params)
        return self.configuration(self._store.version(reference), qualifier=reference.qualifier)

    def list_functions(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return ``$LATEST`` of every function, or with FunctionVersion ALL every version."""
        functions = self._store.functions(region)
        every = params.get("FunctionVersion") == "ALL"
        versions = [
            version for function in functions for version in (function.versions if every else [function.latest])
        ]
        page, marker = take_page(versions, params, lambda version: version.arn)
        listed = [self._listed(version, qualified=every) for version in page]
        return {"Functions": listed, "NextMarker": marker}

    def list_versions_by_function(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return ``$LATEST`` and the published versions."""
        function = self._function(region, params["FunctionName"])
        page, marker = take_page(function.versions, params, lambda version: version.arn)
        return {"Versions": [self._listed(version, qualified=True) for version in page], "NextMarker": marker}

    def delete_function(self, region: str, params: dict[str, Any]) -> dict[str, Any]:
        """Delete a function with all its versions, or one version that no alias needs."""
        reference = self._reference(region, params)
        qualifier = reference.qualifier
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if qualifier and not is_version(qualifier):
            raise invalid("Deletion of aliases is not currently supported.")
        function = self._store.function(reference)
        with function.lock:
            aliases = [
                alias.name
                for alias in function.aliases.values()
                if qualifier and (qualifier == alias.version or qualifier in alias.weights)
            ]
            if aliases:
                raise AwsError(
                    409,
                    "ResourceConflictException",
                    f"Unable to delete version because the following aliases reference it: [{', '.join(aliases)}]",
                )
            if qualifier:
                self._store.delete_version(function, qualifier)
            else:
                self._store.delete(function)
        return {"StatusCode": 204}

    def configuration(
        self,
        version: FunctionVersion,
        *,
        qualifier: str = "",
        state: Progress | None = None,
        update: Progress | None = None,
    ) -> dict[str, Any]:
        """Return a version's FunctionConfiguration.

        Args:
            qualifier: what the caller asked for, when the ARN should show it.
            state: another state than the version has now.
            update: another state of the last update.
        """
        function = version.function
        shown: dict[str, Any] = {
            **version.settings,
            "FunctionName": function.name,
            "FunctionArn": f"{function.arn}:{qualifier}" if qualifier else version.arn,
            "Version": version.version,
            "CodeSize": len(version.code.zipped),
            "CodeSha256": version.code.sha256,
            "LastModified": version.last_modified,
            "RevisionId": version.revision_id,
            "RuntimeVersionConfig": {"RuntimeVersionArn": self._running.runtime_version_arn(version)},
        }
        is_published = version.version != LATEST
        shown["Layers"] = [layer.reference() for layer in version.settings["Layers"]] or None
        apply_on = version.settings["SnapStart"]["ApplyOn"]
        is_optimized = is_published and apply_on == "PublishedVersions"
        shown["SnapStart"] = {"ApplyOn": apply_on, "OptimizationStatus": "On" if is_optimized else "Off"}
        progress = {"State": state or version.state, "LastUpdateStatus": update or version.last_update}
        for name, stage in progress.items():
            if stage is not None:
                shown |= {
                    name: stage.state,
                    f"{name}Reason": stage.reason or None,
                    f"{name}ReasonCode": stage.code or None,
                }
        return {name: value for name, value in shown.items() if value is not None}

    def _listed(self, version: FunctionVersion, qualified: bool) -> dict[str, Any]:
        shown = self.configuration(version, qualifier=version.version if qualified else "")
        return {name: value for name, value in shown.items() if name not in _STATE_FIELDS}

    def _update(
        self, function: StoredFunction, settings: Mapping[str, Any], code: Code | None, publish: bool = False
    ) -> dict[str, Any]:
        latest = self._store.update(function, settings, code)
        answer = self.configuration(latest, update=IN_PROGRESS)
        if publish:
            version, _ = self._publish(function, None)
            answer = self.configuration(version, update=IN_PROGRESS)
        latest.revision_id = self._store.new_revision()
        return answer

    def _publish(self, function: StoredFunction, description: str | None) -> tuple[FunctionVersion, bool]:
        version, is_new = self._store.publish(function, description)
        if is_new:
            self._running.prepare(version)
        return version, is_new

    def _code(self, source: Mapping[str, Any], region: str) -> Code:
        zipped = fetch_package(source, region, self._store.account_id)
        told = {"SourceKMSKeyArn": source["SourceKMSKeyArn"]} if "SourceKMSKeyArn" in source else {}
        return Code.of(zipped, **told)

    def _prepare(self, code: Code, settings: Mapping[str, Any]) -> None:
        """Check what depends on all of the settings, and unpack what the function will see."""
        check_snap_start(settings)
        check_total_size(code.zipped, settings["Layers"])
        self._running.unpack(code, settings["Layers"])

    def _updated(self, settings: Mapping[str, Any], params: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Return settings changed as a request asks."""
        check_settings(params)
        updated = {**settings, **{name: params[name] for name in _KEPT if name in params}}
        for name in ("TracingConfig", "EphemeralStorage", "SnapStart"):
            updated[name] = {**settings.get(name, {}), **params.get(name, {})}
        if "LoggingConfig" in params:
            updated["LoggingConfig"] = _logging(settings["LoggingConfig"], params["LoggingConfig"])
        if "Layers" in params:
            updated["Layers"] = self._layers.resolve(params["Layers"], region)
        if "VpcConfig" in params:
            updated["VpcConfig"] = vpc_configuration(params["VpcConfig"], region, self._store.account_id)
        if "DeadLetterConfig" in params:
            updated["DeadLetterConfig"] = (
                params["DeadLetterConfig"] if params["DeadLetterConfig"].get("TargetArn") else None
            )
        if "KMSKeyArn" in params:
            updated["KMSKeyArn"] = params["KMSKeyArn"] or None
        return {name: value for name, value in updated.items() if value is not None}

    def _reference(self, region: str, params: Mapping[str, Any]) -> FunctionReference:
        return reference_in_region(params["FunctionName"], region, self._store.account_id, params.get("Qualifier"))

    def _function(self, region: str, name: str) -> StoredFunction:
        return self._store.function(reference_in_region(name, region, self._store.account_id))

    def _new_reference(self, region: str, name: str) -> FunctionReference:
        reference = reference_in_region(name, region, self._store.account_id)
        if reference.qualifier:
            raise AwsError(
                400,
                "ValidationException",
                f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must "
                r"satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))"
                r"?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)",
            )
        if len(reference.name) > MAX_NAME_LENGTH:
            raise invalid(
                f"1 validation error detected: Value '{reference.name}' at 'functionName' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MAX_NAME_LENGTH}"
            )
        return reference

    def _check_revision(self, function: StoredFunction, params: Mapping[str, Any]) -> None:
        if params.get("RevisionId") and params["RevisionId"] != function.latest.revision_id:
            raise revision_mismatch()


def revision_mismatch() -> AwsError:
    """Return the error for a RevisionId that is not the latest."""
    return AwsError(
        412,
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    )


def _defaults(name: str) -> dict[str, Any]:
    return {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "TracingConfig": {"Mode": "PassThrough"},
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        "Layers": [],
    }


def _logging(before: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the LoggingConfig after a change: JSON comes with level INFO, Text has no levels."""
    logging = {**before, **wanted}
    if logging["LogFormat"] == "JSON":
        return {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}
    return {name: value for name, value in logging.items() if not name.endswith("Level")}
