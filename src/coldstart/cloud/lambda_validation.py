"""What Lambda refuses in a function's configuration beyond what the service model says, in its own words.

Quotas: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; environment variables:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. What exists on AWS but cannot run on this machine is
refused too, and the message says so.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from moto.core.utils import get_service_model

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.blocked_runtimes import BLOCKED, check_runtime

MAX_MEMORY_MB = 10_240
MAX_TIMEOUT_SECONDS = 900
MAX_EPHEMERAL_STORAGE_MB = 10_240
MAX_ENVIRONMENT_BYTES = 4_096
MAX_LAYERS = 5
MAX_TAGS = 50
SNAP_START_RUNTIMES = (
    "java11",
    "java17",
    "java21",
    "java25",
    "dotnet8",
    "dotnet10",
    "python3.12",
    "python3.13",
    "python3.14",
)

_RESERVED_VARIABLES = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    ]
)
_ELSEWHERE = {
    "ImageConfig": "Container images cannot run",
    "FileSystemConfigs": "File systems cannot be mounted",
    "CapacityProviderConfig": "Lambda Managed Instances do not exist",
    "RuntimeConfig": "Customer-managed runtimes cannot run",
    "AcceleratorConfig": "Accelerators do not exist",
    "DurableConfig": "Durable executions do not run",
    "CodeSigningConfigArn": "Code signing does not exist",
}


def invalid(message: str) -> AwsError:
    """Return InvalidParameterValueException with a message."""
    return AwsError(400, "InvalidParameterValueException", message)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Check what a request wants to set on a function.

    Args:
        settings: the request's parameters; what is not there is not checked.

    Raises:
        AwsError: Lambda would refuse it, or this machine cannot do it.
    """
    for name, what in _ELSEWHERE.items():
        if settings.get(name):
            raise invalid(f"{what} in the local AWS. Leave out {name}, or use an account on the real AWS.")
    _check_most("MemorySize", settings.get("MemorySize"), MAX_MEMORY_MB)
    _check_most("Timeout", settings.get("Timeout"), MAX_TIMEOUT_SECONDS)
    _check_most("EphemeralStorage", settings.get("EphemeralStorage", {}).get("Size"), MAX_EPHEMERAL_STORAGE_MB)
    if "Runtime" in settings:
        _check_runtime_name(settings["Runtime"])
    _check_variables(settings.get("Environment", {}).get("Variables", {}))
    _check_logging(settings.get("LoggingConfig", {}))
    if len(settings.get("Layers", [])) > MAX_LAYERS:
        raise invalid(f"Cannot reference more than {MAX_LAYERS} layers.")
    check_tags(settings.get("Tags", {}))


def check_snap_start(settings: Mapping[str, Any]) -> None:
    """Check complete settings that may ask for SnapStart.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html

    Raises:
        AwsError: SnapStart does not go with the rest.
    """
    if settings.get("SnapStart", {}).get("ApplyOn") != "PublishedVersions":
        return
    if settings["Runtime"] not in SNAP_START_RUNTIMES:
        raise invalid(f"{settings['Runtime']} is not supported for SnapStart enabled functions.")
    if settings["EphemeralStorage"]["Size"] > 512:
        raise invalid("SnapStart is not supported for functions with more than 512 MB of ephemeral storage.")


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse more tags than a resource may have.

    Raises:
        AwsError: there are more than 50.
    """
    if len(tags) > MAX_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")


def _check_most(name: str, value: int | None, most: int) -> None:
    if value is not None and value > most:
        raise invalid(
            f"'{name}' value failed to satisfy constraint: Member must have value less than or equal to {most}"
        )


@functools.cache
def _runtimes() -> list[str]:
    """Return every runtime identifier that the service model knows."""
    runtime: Any = get_service_model("lambda").shape_for("Runtime")
    return [identifier for identifier in runtime.enum if identifier != "custom"]


def _check_runtime_name(identifier: str) -> None:
    if identifier not in _runtimes():
        valid = ", ".join(runtime for runtime in _runtimes() if runtime not in BLOCKED)
        raise invalid(
            f"Value {identifier} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{valid}] or be a valid ARN"
        )
    check_runtime(identifier)


def _check_variables(variables: Mapping[str, str]) -> None:
    reserved = [name for name in variables if name in _RESERVED_VARIABLES]
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > MAX_ENVIRONMENT_BYTES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured}"
        )


def _check_logging(logging: Mapping[str, str]) -> None:
    levels = [name for name in ("ApplicationLogLevel", "SystemLogLevel") if name in logging]
    if levels and logging.get("LogFormat") == "Text":
        raise invalid(f"{' and '.join(levels)} can only be set when LogFormat is JSON.")
