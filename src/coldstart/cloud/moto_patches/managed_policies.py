"""The policies that AWS manages are read when somebody asks for one, and for its public partition only.

moto (iam/models.py) reads all 1,500 whenever it makes a backend: at the first call of IAM, and again after every reset. It makes the
backends of all six partitions to find whom an access key belongs to, too.
"""

# mypy: disable-error-code="method-assign, assignment"
from __future__ import annotations

from functools import cached_property
from typing import Any

from moto.iam.models import IAMBackend, ManagedPolicy

_motos_init = IAMBackend.__init__
_motos_init_aws_policies = IAMBackend._init_aws_policies
_motos_init_managed_policies = IAMBackend._init_managed_policies
_LAZY = ("aws_managed_policies", "managed_policies")


def apply() -> None:
    """Correct moto."""
    IAMBackend._init_aws_policies = lambda backend: []
    IAMBackend._init_managed_policies = lambda backend: {}
    IAMBackend.__init__ = _init
    for name, read in zip(_LAZY, (_aws_policies, _motos_init_managed_policies), strict=True):
        lazy = cached_property(read)
        lazy.__set_name__(IAMBackend, name)
        setattr(IAMBackend, name, lazy)


def _init(backend: IAMBackend, *arguments: Any, **named: Any) -> None:
    _motos_init(backend, *arguments, **named)
    for name in _LAZY:
        delattr(backend, name)  # empty so far, and hides what reads them


def _aws_policies(backend: IAMBackend) -> list[ManagedPolicy]:
    return _motos_init_aws_policies(backend) if backend.region_name == "aws" else []
