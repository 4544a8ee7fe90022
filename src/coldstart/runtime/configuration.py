"""What a function version is: the part of its configuration that decides how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class FunctionConfiguration:
    """One version of a function, as the runtime needs it.

    Sizes are in MB, times in seconds, as in the Lambda API
    (https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html).
    """

    function_name: str
    function_arn: str
    runtime: str
    handler: str
    code: Path
    """The unpacked deployment package; what the function sees as /var/task."""
    version: str = "$LATEST"
    memory_size: int = 128
    timeout: int = 3
    ephemeral_storage: int = 512
    """Size of /tmp."""
    region: str = "us-east-1"
    environment: Mapping[str, str] = field(default_factory=dict)
    kms_key_arn: str = ""
    """ARN of the customer's key that the variables are encrypted with; empty for AWS's own."""
    log_group: str = ""
    layers: Path | None = None
    """The merged layers; what the function sees as /opt."""
    role: str = ""
    """ARN of the execution role."""
    architecture: str = "x86_64"
    log_format: str = "Text"
    """``Text`` or ``JSON``."""
    application_log_level: str = ""
    """With JSON: the least level of the function's own log lines, such as ``INFO``; empty for no filter."""
    system_log_level: str = ""
    """With JSON: the least level of the platform's log lines; empty for no filter."""
    tracing: str = "PassThrough"
    """``Active`` when Lambda itself samples traces, else ``PassThrough``."""
    snap_start: bool = False
    """Whether this version starts from a snapshot (ApplyOn is PublishedVersions, and it is a published version)."""
    isolates_tenants: bool = False
    """Whether each tenant has execution environments of its own (TenancyConfig PER_TENANT)."""
