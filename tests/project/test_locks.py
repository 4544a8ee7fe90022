"""The locks: every package has hashes, nothing names where it comes from, and all files agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
LOCK = (PROJECT / "requirements.lock").read_text()
CONSTRAINTS = (PROJECT / "constraints.txt").read_text()
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def requirements(text: str) -> list[Requirement]:
    """The requirements of a lock or constraints file, without hashes and comments."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [Requirement(line.split(" --hash=")[0]) for line in lines if re.match(r"[A-Za-z0-9]", line)]


def test_every_locked_package_has_hashes() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK.split("\n", 2)[2])
    assert len(entries) > 100
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("text", [LOCK, CONSTRAINTS], ids=["requirements.lock", "constraints.txt"])
def test_a_lock_names_no_place(text: str) -> None:
    assert re.findall(r".*(?:://|index-url|find-links|trusted-host|\s@\s|file:).*", text) == []
    assert not re.search(r"(?m)^\s*(?:-e|-r|-c|\.|/)", text)
    assert "#    make lock\n" in text[:120], "the header names the command of the project, not one of some machine"


def test_the_constraints_are_the_lock_without_hashes() -> None:
    assert [str(entry) for entry in requirements(CONSTRAINTS)] == [str(entry) for entry in requirements(LOCK)]


def test_every_dependency_of_the_project_is_locked_at_a_version_it_allows() -> None:
    locked: dict[str, list[str]] = {}
    for entry in requirements(LOCK):
        locked.setdefault(canonicalize_name(entry.name), []).append(str(entry.specifier).removeprefix("=="))
    wrong = []
    for line in [*PYPROJECT["dependencies"], *PYPROJECT["optional-dependencies"]["dev"]]:
        wanted = Requirement(line)
        versions = locked.get(canonicalize_name(wanted.name), [])
        if not versions or not all(wanted.specifier.contains(version, prereleases=True) for version in versions):
            wrong.append(f"{line}: locked {versions or 'not at all'}; run make lock")
    assert wrong == []
