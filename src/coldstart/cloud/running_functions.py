"""The bridge from what is stored about a function version to the :class:`~coldstart.runtime.function.Function` that runs it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.cloud.lambda_store import ACTIVE, PENDING, Code, FunctionVersion, Progress, StoredFunction
from coldstart.cloud.lambda_validation import invalid
from coldstart.runtime.concurrency import AccountConcurrency
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.function import Function
from coldstart.runtime.function_package import InvalidPackage
from coldstart.runtime.host import Host
from coldstart.runtime.language_runtimes import RuntimeMissing, language_runtime
from coldstart.runtime.snapshot import SnapshotFailed, SnapStartUnavailable

if TYPE_CHECKING:
    from coldstart.cloud.lambda_layers import LayerVersion


class RunningFunctions:
    """Makes a Function of each version that is invoked, and retires it when the version is replaced or deleted."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._functions: dict[FunctionVersion, Function] = {}

    def of(self, version: FunctionVersion) -> Function:
        """Return the Function that runs a version."""
        with self._lock:
            function = self._functions.get(version)
            if function is None:
                function = Function(self._configuration(version), self._host)
                if version.is_replaced:  # the caller found it just before; nobody will invoke it again
                    function.retire()
                else:
                    self._functions[version] = function
        return function

    def retire(self, version: FunctionVersion) -> None:
        """Shut down the execution environments of a version; those at work end after their invocation."""
        with self._lock:
            version.is_replaced = True
            function = self._functions.pop(version, None)
        if function is not None:
            function.retire()

    def forget(self, function: StoredFunction) -> None:
        """Give back the concurrency of a deleted function."""
        self.concurrency(function.region).forget(function.name)

    def prepare(self, version: FunctionVersion) -> None:
        """Take the snapshot of a newly published version with SnapStart; it is Pending until then, and Failed without one."""
        snapshot = self.of(version).snapshot
        if snapshot is None:
            return
        version.state = PENDING

        def take() -> None:
            try:
                snapshot.take()
            except SnapshotFailed as failure:
                version.state = Progress("Failed", str(failure), failure.reason_code)
            except (SnapStartUnavailable, RuntimeMissing) as missing:
                version.state = Progress("Failed", str(missing), "InvalidRuntime")
            else:
                version.state = ACTIVE

        self._host.clock.work(take, f"snapshot of {version.arn}")

    def unpack(self, code: Code, layers: Sequence[LayerVersion]) -> tuple[Path, Path | None]:
        """Return the folders that the function will see as /var/task and /opt (None without layers).

        Raises:
            AwsError: one of the packages cannot be unpacked.
        """
        packages = self._host.packages
        try:
            return packages.unpack(code.zipped), packages.unpack(
                *(layer.code.zipped for layer in layers)
            ) if layers else None
        except InvalidPackage as error:
            raise invalid(str(error)) from None

    def concurrency(self, region: str) -> AccountConcurrency:
        """Return the account's concurrency in a region."""
        return self._host.concurrency(region)

    def reserved_concurrency(self, function: StoredFunction) -> int | None:
        """Return what is reserved for a function; None when nothing is."""
        return self.concurrency(function.region).function(function.name).reserved

    def runtime_version_arn(self, version: FunctionVersion) -> str:
        """Return the ARN of the runtime that a version runs on: made from what this machine has."""
        identifier = version.settings["Runtime"]
        try:
            arn = language_runtime(self.of(version).configuration).version_arn
        except RuntimeMissing:
            arn = f"arn:aws:lambda:us-east-1::runtime:{hashlib.sha256(identifier.encode()).hexdigest()}"
        return arn.replace(":us-east-1:", f":{version.function.region}:")

    def stop(self) -> None:
        """Forget all functions."""
        with self._lock:
            self._functions.clear()

    def _configuration(self, version: FunctionVersion) -> FunctionConfiguration:
        settings = version.settings
        logging = settings["LoggingConfig"]
        code, layers = self.unpack(version.code, settings["Layers"])
        return FunctionConfiguration(
            function_name=version.function.name,
            function_arn=version.arn,
            version=version.version,
            runtime=settings["Runtime"],
            handler=settings["Handler"],
            code=code,
            layers=layers,
            memory_size=settings["MemorySize"],
            timeout=settings["Timeout"],
            region=version.function.region,
            environment=settings.get("Environment", {}).get("Variables", {}),
            kms_key_arn=settings.get("KMSKeyArn", ""),
            log_group=logging["LogGroup"],
            role=settings["Role"],
            ephemeral_storage=settings["EphemeralStorage"]["Size"],
            architecture=settings["Architectures"][0],
            log_format=logging["LogFormat"],
            application_log_level=logging.get("ApplicationLogLevel", ""),
            system_log_level=logging.get("SystemLogLevel", ""),
            tracing=settings["TracingConfig"]["Mode"],
            snap_start=version.published_from is not None and settings["SnapStart"]["ApplyOn"] == "PublishedVersions",
            isolates_tenants=settings.get("TenancyConfig", {}).get("TenantIsolationMode") == "PER_TENANT",
        )
