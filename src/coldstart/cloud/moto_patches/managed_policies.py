"""The policies that AWS manages are read for its public partition only; moto (iam/models.py) reads them for each of six.

moto makes the backends of all partitions to find whom an access key belongs to, and reads 1,500 policies for each.
"""

# mypy: disable-error-code="method-assign, assignment"
from __future__ import annotations

from moto.iam.models import IAMBackend, ManagedPolicy

_motos_init_aws_policies = IAMBackend._init_aws_policies


def apply() -> None:
    """Correct moto."""
    IAMBackend._init_aws_policies = _init_aws_policies


def _init_aws_policies(backend: IAMBackend) -> list[ManagedPolicy]:
    return _motos_init_aws_policies(backend) if backend.region_name == "aws" else []
