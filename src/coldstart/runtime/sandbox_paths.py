"""Gives the paths of this machine the names they have in Lambda's sandbox, in logs and error documents.

AWS's sandbox has the package at /var/task, layers at /opt, the runtime at /var/runtime, Python at /var/lang; here they are ordinary
folders. A learner should read the same stack trace in both places, and nobody's home directory belongs in a published log.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from coldstart.runtime.configuration import FunctionConfiguration

_STANDARD_LIBRARY = str(Path(os.__file__).parent)
_VAR_LANG = f"/var/lang/lib/python{sys.version_info.major}.{sys.version_info.minor}"


class SandboxPaths:
    """The names for one execution environment."""

    def __init__(self, configuration: FunctionConfiguration, runtime_directory: Path, tmp: Path) -> None:
        names = {
            str(configuration.code): "/var/task",
            str(tmp): "/tmp",
            str(runtime_directory): "/var/runtime",
            str((runtime_directory / "awslambdaric").resolve().parent): "/var/runtime",
            str(Path(__file__).parent / "nodejs"): "/var/runtime",
            str(Path(__file__).parent / "python"): "/var/runtime",
            str(Path(__file__).with_name("launcher.py")): "/var/runtime/launcher.py",
            _STANDARD_LIBRARY: _VAR_LANG,
        }
        if configuration.layers:
            names[str(configuration.layers)] = "/opt"
        self._names = sorted(names.items(), key=lambda item: -len(item[0]))

    def rename(self, text: str) -> str:
        """Return the text with every path of this machine as the sandbox calls it."""
        if "/" in text:
            for here, there in self._names:
                text = text.replace(here, there)
        return text
