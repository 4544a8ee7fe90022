"""Runs functions in child processes, with all limits that Lambda has: the default host."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.extension_processes import ExtensionProcesses
from coldstart.runtime.extensions import Extensions
from coldstart.runtime.language_runtimes import LanguageRuntime, language_runtime
from coldstart.runtime.log_collector import LogCollector
from coldstart.runtime.processes import CAN_RESTORE, ProcessHost, RuntimeProcess
from coldstart.runtime.resource_limits import ResourceLimits
from coldstart.runtime.runtime_api_server import RuntimeApiServer
from coldstart.runtime.runtime_directory import compile_python_runtime, make_language_directory


class ProcessSandboxes(ProcessHost):
    """Makes processes, each with a Runtime API that it reaches on loopback; see :class:`~coldstart.runtime.sandboxes.Sandboxes`."""

    can_restore = CAN_RESTORE

    def __init__(self, root: Path, runtime_directory: Path) -> None:
        make_language_directory(root / "lang" / "bin")
        compile_python_runtime(runtime_directory)
        programs = [sys.executable, sys.base_prefix, __file__, shutil.which("node") or "/"]
        super().__init__(root, [*map(Path, programs), *runtime_directory.iterdir()])

    def language_runtime(self, configuration: FunctionConfiguration) -> LanguageRuntime:
        """Return how to start a function's runtime, or raise RuntimeMissing."""
        return language_runtime(configuration)

    def open_api(self, collector: LogCollector, extensions: Extensions) -> RuntimeApiServer:
        """Return a Runtime API that listens."""
        return RuntimeApiServer(collector, extensions)

    def extensions(self, configuration: FunctionConfiguration, api: RuntimeApiServer, tmp: Path) -> ExtensionProcesses:
        """Return the processes of a start's external extensions."""
        return ExtensionProcesses(configuration, self, api, tmp)

    def limits(self, sandbox: RuntimeProcess, memory_size: int) -> ResourceLimits:
        """Return the limits of a process and of what it starts."""
        return ResourceLimits(sandbox, memory_size)
