"""`make` itself: it lists its targets, is quick when there is nothing to do, and says what a bare machine lacks."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def make(*arguments: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_help_lists_the_commands() -> None:
    said = make().stdout
    for target in ("setup", "lab", "tools", "test", "check", "build", "site", "bench", "lock"):
        assert re.search(rf"make {target}\s+[A-Z]", said), f"make help says nothing about {target}"


def test_a_second_setup_takes_well_under_a_second() -> None:
    # Processor time, because the wall clock also shows what else the machine is doing.
    before = os.times()
    said = make("setup")
    after = os.times()
    assert said.stdout == "The environment is ready: .venv\n"
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5


def test_what_make_runs_keeps_its_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    said = make("--eval", 'show: ; @echo "[$$PYTHONDONTWRITEBYTECODE]"', "show")
    assert said.stdout == "[]\n"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The project as it is before its first setup."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def python_that(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_python_that_is_too_old_is_named_with_what_to_do(bare: Path) -> None:
    old = python_that(bare, 'case "$1" in -c) exit 1;; --version) echo Python 3.9.2;; esac')
    said = make("setup", f"PYTHON={old}", folder=bare)
    assert said.returncode != 0
    assert "Cold Start needs Python 3.11, 3.12, 3.13 or 3.14." in said.stdout
    assert "make setup PYTHON=/path/to/python3.12" in said.stdout
    assert not (bare / ".venv").exists()


def test_a_python_without_venv_is_named_with_what_to_do(bare: Path) -> None:
    bare_python = python_that(bare, 'case "$1" in -m) echo "No module named venv" >&2; exit 1;; *) exit 0;; esac')
    said = make("setup", f"PYTHON={bare_python}", folder=bare)
    assert said.returncode != 0
    assert "sudo apt-get install python3-venv" in said.stdout
    assert not (bare / ".venv").exists()


def test_notebooks_that_are_missing_fail_the_proof(bare: Path) -> None:
    (bare / ".venv").mkdir()
    (bare / ".venv/.coldstart-setup").write_text(str(bare))
    said = make("nbval", folder=bare)
    assert said.returncode != 0
    assert "Build them: make build" in said.stdout


def test_what_ci_runs_is_a_script_that_bash_can_read() -> None:
    script = PROJECT / ".ci/run"
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.stat().st_mode & 0o111
