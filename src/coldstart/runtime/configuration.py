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
    log_group: str = ""
    layers: Path | None = None
    """The merged layers; what the function sees as /opt."""
    snap_start: bool = False
    """Whether environments are restored from a snapshot: SnapStart is on, and this is a published version."""
