"""Chooses the module that starts processes on this platform."""

from __future__ import annotations

import os

if os.name == "posix":
    from coldstart.runtime.posix import CAN_RESTORE, LauncherGone, ProcessHost, RuntimeProcess
else:
    raise ImportError(
        "Cold Start runs functions on Linux (and should on macOS). On Windows, use it inside WSL: "
        "https://learn.microsoft.com/windows/wsl/install"
    )

__all__ = ["CAN_RESTORE", "LauncherGone", "ProcessHost", "RuntimeProcess"]
