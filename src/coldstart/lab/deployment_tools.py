"""The tools that deploy functions, as their makers publish them: the AWS CLI, AWS SAM and osls, the free Serverless Framework.

`coldstart tools` installs them into `.tools/` of the project; `coldstart lab` puts them on the PATH of notebooks. They reach the
local AWS because `cloud.start()` sets `AWS_ENDPOINT_URL` and credentials, which all three read
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html). Version 1 of the AWS CLI, the last one that is a Python
package, does not do so for SQS (awscli/customizations/overridesslcommonname.py), so it is told with an option.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from coldstart.lab import tool_environments

PROJECT = Path(__file__).resolve().parents[3]
LOCKS = PROJECT / "tools"
FOLDER = PROJECT / ".tools"
_PROGRAMS = {
    "sam": ("aws/bin/sam", ""),
    "aws": ("aws/bin/aws", '${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} '),
    "osls": ("osls/node_modules/osls/bin/serverless.js", ""),
}
"""Where each program is, and what it is told before anything else."""
_NEVER_AGAIN = 2**35  # seconds since 1970: SAM looks for a new version of itself a week after this


def install(say: Callable[[str], object]) -> None:
    """Install what is not there yet, or is there in another version than the locks name.

    Args:
        say: told, in a line, what is done.

    Raises:
        CannotInstall: one of them cannot be had; the message says why and what to do.
    """
    steps = (
        ("AWS SAM and the AWS CLI (370 MB)", tool_environments.python_environment, _aws()),
        ("osls, with npm (100 MB)", tool_environments.node_environment, _osls()),
    )
    for step, (what, make, (lock, folder)) in enumerate(steps, start=1):
        there = tool_environments.is_current(lock, folder)
        say(f"[{step}/{len(steps)}] {what}{': there already' if there else ''}")
        make(lock, folder)
        _offer_programs()


def aws_environment() -> Path:
    """Return the virtual environment of AWS's own tools; make it when it is not there.

    Raises:
        CannotInstall: it cannot be installed.
    """
    lock, folder = _aws()
    tool_environments.python_environment(lock, folder)
    return folder


def are_installed() -> bool:
    """Say whether all of them are there, in the versions of the locks."""
    return all(tool_environments.is_current(*each) for each in (_aws(), _osls()))


def variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what a process needs in its environment to find the tools, and to keep them from asking anybody anything.

    Args:
        environ: the environment to build on.
    """
    python = str(Path(sys.executable).parent)  # `sam build` wants one of the version that a function names
    return {
        "PATH": os.pathsep.join(filter(None, (str(FOLDER / "bin"), environ.get("PATH"), python))),
        "AWS_PAGER": "",
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(FOLDER / "sam-settings"),
        # Seconds and milliseconds between two looks at a stack; the local AWS has it ready at once.
        "SAM_CLI_POLL_DELAY": "0.5",
        "SLS_AWS_MONITORING_FREQUENCY": "500",
    }


def _aws() -> tuple[Path, Path]:
    return LOCKS / "aws.lock", FOLDER / "aws"


def _osls() -> tuple[Path, Path]:
    return LOCKS / "osls/package-lock.json", FOLDER / "osls"


def _offer_programs() -> None:
    """Put a door to each program into one folder, which goes on PATH without what else came with it, such as a python."""
    folder = FOLDER / "bin"
    folder.mkdir(exist_ok=True)
    for name, (program, options) in _PROGRAMS.items():
        door = folder / name
        door.unlink(missing_ok=True)
        door.write_text(f'#!/bin/sh\nexec "{FOLDER / program}" {options}"$@"\n')
        door.chmod(0o755)
    settings = FOLDER / "sam-settings" / "metadata.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({"lastVersionCheck": _NEVER_AGAIN, "telemetryEnabled": False}))
