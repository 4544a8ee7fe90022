"""`coldstart tools`: sam, aws and osls in environments of their own; what is missing is said in a line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from coldstart.cli import main
from coldstart.lab import deployment_tools
from coldstart.lab.tool_environments import CannotInstall, is_current, python_environment

LOCKS = deployment_tools.LOCKS


@pytest.fixture
def empty_lock(tmp_path: Path) -> Path:
    """A lock that lists nothing, so that installing it asks nobody."""
    lock = tmp_path / "locks/parcel.lock"
    lock.parent.mkdir()
    lock.write_text("# nothing\n")
    return lock


def test_an_environment_is_made_once_and_again_when_its_lock_changes(empty_lock: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parcel"
    assert python_environment(empty_lock, folder)
    subprocess.run([folder / "bin/python", "-c", "import json"], check=True)
    assert not python_environment(empty_lock, folder)
    empty_lock.write_text("# still nothing\n")
    assert not is_current(empty_lock, folder)
    assert python_environment(empty_lock, folder)


def test_an_environment_that_was_moved_or_not_finished_is_made_anew(empty_lock: Path, tmp_path: Path) -> None:
    python_environment(empty_lock, tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert not is_current(empty_lock, tmp_path / "there"), "its programs name the folder it was made in"
    (tmp_path / "half/bin").mkdir(parents=True)
    assert python_environment(empty_lock, tmp_path / "half")
    assert is_current(empty_lock, tmp_path / "half")


def test_what_cannot_be_installed_is_said_in_one_line(empty_lock: Path, tmp_path: Path) -> None:
    empty_lock.write_text("parcel-labels==1.0\n")
    with pytest.raises(CannotInstall, match=r"^it cannot be installed; is there a network\? uv said: [^\n]+$"):
        python_environment(empty_lock, tmp_path / "parcel")
    assert not is_current(empty_lock, tmp_path / "parcel")


def test_without_npm_the_command_says_what_to_do(
    empty_lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(deployment_tools, "FOLDER", tmp_path / ".tools")
    monkeypatch.setattr(deployment_tools, "LOCKS", empty_lock.parent)
    shutil.copy(empty_lock, empty_lock.with_name("aws.lock"))
    shutil.copytree(LOCKS / "osls", empty_lock.parent / "osls")
    done = CliRunner().invoke(main, ["tools"])
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == (
        "Error: there is no npm on this machine; install Node.js 20 or newer with npm (Debian: sudo apt-get install npm)"
    )
    assert is_current(empty_lock.with_name("aws.lock"), tmp_path / ".tools/aws"), (
        "the other tools are there nevertheless"
    )


def test_the_tools_are_found_first_and_ask_nobody() -> None:
    variables = deployment_tools.variables({"PATH": "/usr/bin"})
    assert variables["PATH"].startswith(f"{deployment_tools.FOLDER / 'bin'}{os.pathsep}/usr/bin")
    assert variables["SAM_CLI_TELEMETRY"] == "0"
