"""The environment variables that a function sees: those AWS documents, the function's own, and none of the host's.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html; values as recorded in python3.14 and nodejs24.x
sandboxes in January 2026. Where a value is a path it is the real folder here, not /var/task, /var/runtime or /opt.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coldstart.runtime.configuration import FunctionConfiguration

TELEMETRY_LOG_FD = "3"
"""Where runtimes write log frames; it is the same pipe as standard output."""
SNAPSHOT_FD = "4"
"""Where the process of a SnapStart snapshot is told what to restore."""


def sandbox_variables(
    configuration: FunctionConfiguration,
    *,
    log_stream: str,
    runtime_api: str,
    runtime_directory: Path,
    tmp: Path,
    cloud_variables: Mapping[str, str],
    initialization_type: str = "on-demand",
) -> dict[str, str]:
    """Return the complete environment of a runtime process.

    Args:
        cloud_variables: credentials of the execution role and the local AWS's endpoint.
        initialization_type: ``on-demand``, ``provisioned-concurrency`` or ``snap-start``. Functions with SnapStart are not told
            their log group and stream (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html).
    """
    task = str(configuration.code)
    layers = str(configuration.layers) if configuration.layers else "/opt"
    variables = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration.runtime}",
        "AWS_REGION": configuration.region,
        "AWS_DEFAULT_REGION": configuration.region,
        "AWS_LAMBDA_FUNCTION_NAME": configuration.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": configuration.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory_size),
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LAMBDA_RUNTIME_DIR": str(runtime_directory),
        "LAMBDA_TASK_ROOT": task,
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "LD_LIBRARY_PATH": f"{task}:{task}/lib:{layers}/lib",
        "PATH": f"{runtime_directory.with_name('lang')}/bin:/usr/local/bin:/usr/bin/:/bin:{layers}/bin",
        "PWD": task,
        "SHLVL": "0",
        "TZ": ":UTC",
        "TMPDIR": str(tmp),
        "HOME": str(tmp),
        "_HANDLER": configuration.handler,
        "_LAMBDA_TELEMETRY_LOG_FD": TELEMETRY_LOG_FD,
    }
    if configuration.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = configuration.application_log_level or "INFO"
    if configuration.runtime.startswith("python"):
        variables["PYTHONPATH"] = str(runtime_directory)
        if configuration.layers:
            variables["COLDSTART_LAYERS_DIR"] = layers
    elif configuration.runtime.startswith("provided"):
        del variables["AWS_EXECUTION_ENV"]  # not defined for OS-only runtimes
    else:
        variables["NODE_PATH"] = f"{layers}/nodejs/node_modules:{task}/node_modules:{task}"
    if initialization_type == "snap-start":
        del variables["AWS_LAMBDA_LOG_GROUP_NAME"], variables["AWS_LAMBDA_LOG_STREAM_NAME"]
        variables["COLDSTART_SNAPSHOT_FD"] = SNAPSHOT_FD
    return {**variables, **cloud_variables, **configuration.environment}


_RUNTIMES_OWN = (
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",
    "COLDSTART_LAYERS_DIR",
    "COLDSTART_SNAPSHOT_FD",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "NODE_PATH",
    "PYTHONPATH",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
    "_LAMBDA_TELEMETRY_LOG_FD",
)


def extension_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what an external extension sees of the runtime's environment variables.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html lists what it does not see.
    """
    return {name: value for name, value in variables.items() if name not in _RUNTIMES_OWN} | {"PWD": "/"}
