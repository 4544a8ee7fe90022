"""What is deleted is forgotten.

moto 5.2.5 (``moto/core/common_models.py``) keeps every log line, message and version of an object that there ever was, for its dashboard.
A cell that runs for long would take ever more memory.
"""

from __future__ import annotations

from typing import Any

from moto.core.common_models import BaseModel


def apply() -> None:
    """Let moto make its models without a list of them."""
    BaseModel.__new__ = _new  # type: ignore[method-assign]


def _new(cls: type[BaseModel], *arguments: Any, **named: Any) -> BaseModel:
    return object.__new__(cls)
