"""Cold Start: learn AWS Lambda by running it.

A notebook's first cell reads ``from coldstart import cloud, check, hint`` and so on. The names are looked up
when they are asked for, so that ``import coldstart`` costs nothing in the command line tool.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_MODULES = {"account", "cloud"}
_HOME_OF = {
    "account": "coldstart.account",
    "cloud": "coldstart.cloud",
    "arrange": "coldstart.course.hints",
    "check": "coldstart.course.check",
    "checkpoint": "coldstart.course.checkpoint",
    "compare": "coldstart.course.questions",
    "explain_access": "coldstart.widgets.policy_explainer",
    "hint": "coldstart.course.hints",
    "predict": "coldstart.course.questions",
    "quiz": "coldstart.course.questions",
    "review": "coldstart.course.review",
    "solution": "coldstart.course.solutions",
    "state": "coldstart.widgets.state",
    "timeline": "coldstart.widgets.timeline",
    "tuning_curve": "coldstart.widgets.tuning_curve",
}

__all__ = [
    "__version__",
    "account",
    "arrange",
    "check",
    "checkpoint",
    "cloud",
    "compare",
    "explain_access",
    "hint",
    "predict",
    "quiz",
    "review",
    "solution",
    "state",
    "timeline",
    "tuning_curve",
]


def __getattr__(name: str) -> Any:
    """Import what a notebook asks for by name."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'coldstart' has no attribute {name!r}")
    module = importlib.import_module(_HOME_OF[name])
    return module if name in _MODULES else getattr(module, name)
