"""The locks: every package has hashes, nothing names where it comes from, and all files agree with each other."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
LOCK = (PROJECT / "requirements.lock").read_text()
CONSTRAINTS = (PROJECT / "constraints.txt").read_text()
ZENSICAL = (PROJECT / "site/zensical.lock").read_text()
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def requirements(text: str) -> list[Requirement]:
    """The requirements of a lock or constraints file, without hashes and comments."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [Requirement(line.split(" --hash=")[0]) for line in lines if re.match(r"[A-Za-z0-9]", line)]


@pytest.mark.parametrize(("text", "at_least"), [(LOCK, 100), (ZENSICAL, 5)], ids=["requirements.lock", "zensical.lock"])
def test_every_locked_package_has_hashes(text: str, at_least: int) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.split("\n", 2)[2])
    assert len(entries) > at_least
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(
    "text", [LOCK, CONSTRAINTS, ZENSICAL], ids=["requirements.lock", "constraints.txt", "zensical.lock"]
)
def test_a_lock_names_no_place(text: str) -> None:
    assert re.findall(r".*(?:://|index-url|find-links|trusted-host|\s@\s|file:).*", text) == []
    assert not re.search(r"(?m)^\s*(?:-e|-r|-c|\.|/)", text)
    assert "#    make lock\n" in text[:120], "the header names the command of the project, not one of some machine"


def test_what_npm_installs_for_the_site_has_hashes_and_no_place() -> None:
    packages = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    wanted = json.loads((PROJECT / "package.json").read_text())["dependencies"]
    assert {f"node_modules/{name}" for name in wanted} <= set(packages)
    installed = {name: package for name, package in packages.items() if name}
    assert [name for name, package in installed.items() if "resolved" in package] == []
    assert [name for name, package in installed.items() if not package.get("integrity", "").startswith("sha512-")] == []


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
