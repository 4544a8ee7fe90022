"""The doctor finds what is wrong with a machine, and each finding that is a problem says how to mend it."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner

from coldstart import cli
from coldstart.lab import doctor

Usage = namedtuple("Usage", "total used free")


def test_this_machine_is_ready(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from coldstart.cli import main; main()", "doctor", "--folder", str(tmp_path)]
    examined = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert examined.returncode == 0, examined.stdout + examined.stderr
    assert "A function was deployed and called; it answered in" in examined.stdout


@pytest.mark.parametrize(
    ("finding", "fix"),
    [
        (doctor.python((3, 10, 4)), "Install Python 3.11 to 3.14"),
        (doctor.system("Windows"), "Install WSL"),
        (doctor.ports(lambda port: False), "Let programs listen on 127.0.0.1"),
        (doctor.disk(Path("/"), lambda path: Usage(0, 0, 1024**2)), "Free some room"),
    ],
)
def test_a_problem_says_how_to_mend_it(finding: doctor.Finding, fix: str) -> None:
    assert finding.state == "problem"
    assert fix in finding.fix


def test_tools_that_are_not_there_are_only_a_note() -> None:
    missing = doctor.tools(are_installed=False)
    assert (missing.state, missing.fix) == ("note", "Run: coldstart tools")
    assert doctor.tools(are_installed=True).state == "ok"


def test_a_port_in_use_is_only_a_note() -> None:
    assert doctor.ports(lambda port: port != doctor.FIRST_PORT).state == "note"


def test_credentials_of_a_real_account_are_named_and_shown_not_to_be_used(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[default]\n")
    found = doctor.credentials({"AWS_PROFILE": "parcel", "AWS_SECRET_ACCESS_KEY": "the-real-one"}, tmp_path)
    assert found.state == "note"
    assert "AWS_PROFILE, AWS_SECRET_ACCESS_KEY" in found.found
    assert str(tmp_path / ".aws" / "credentials") in found.found
    assert "the-real-one" not in found.found


def test_the_command_prints_findings_and_fails_on_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = doctor.Finding("Python", "ok", "Python 3.12")
    broken = doctor.Finding("Disk", "problem", "3 MB free.", "Free some room.")
    monkeypatch.setattr(doctor, "examine", lambda folder: [sound, broken])
    result = CliRunner().invoke(cli.main, ["doctor", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "ok       Python:       Python 3.12" in result.output
    assert "Fix: Free some room." in result.output
