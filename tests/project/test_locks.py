"""The locks: every package has hashes, nothing names where it comes from, and all files agree with each other."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
LOCK = (PROJECT / "requirements.lock").read_text()
CONSTRAINTS = (PROJECT / "constraints.txt").read_text()
# What is installed apart from the course, each with how many packages it has at least.
APART = {
    "site/browser.lock": 4,
    "site/zensical.lock": 5,
    "tools/aws.lock": 80,
    "benchmarks/peers/jupyterlite.lock": 40,
    "benchmarks/peers/jupyterlite-kernel.lock": 10,
    "benchmarks/peers/ministack.lock": 10,
    "benchmarks/peers/python-lambda-local.lock": 2,
}
NPM = {
    "package-lock.json": 1,
    "tools/osls/package-lock.json": 100,
    "benchmarks/lighthouse/package-lock.json": 100,
    "benchmarks/peers/serverless-offline/package-lock.json": 100,
}
TABLES = tomllib.loads((PROJECT / "pyproject.toml").read_text())
PYPROJECT = TABLES["project"]


def requirements(text: str) -> list[Requirement]:
    """The requirements of a lock or constraints file, without hashes and comments."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [Requirement(line.split(" --hash=")[0]) for line in lines if re.match(r"[A-Za-z0-9]", line)]


@pytest.mark.parametrize(("name", "at_least"), [("requirements.lock", 100), *APART.items()])
def test_every_locked_package_has_hashes(name: str, at_least: int) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", (PROJECT / name).read_text().split("\n", 2)[2])
    assert len(entries) >= at_least
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", ["requirements.lock", "constraints.txt", *APART])
def test_a_lock_names_no_place(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert re.findall(r".*(?:://|index-url|find-links|trusted-host|\s@\s|file:).*", text) == []
    assert not re.search(r"(?m)^\s*(?:-e|-r|-c|\.|/)", text)
    assert "#    make lock\n" in text[:120], "the header names the command of the project, not one of some machine"


@pytest.mark.parametrize(("name", "at_least"), NPM.items())
def test_what_npm_installs_has_hashes_and_no_place(name: str, at_least: int) -> None:
    packages = json.loads((PROJECT / name).read_text())["packages"]
    wanted = json.loads((PROJECT / name).with_name("package.json").read_text())["dependencies"]
    assert {f"node_modules/{name}" for name in wanted} <= set(packages)
    installed = {name: package for name, package in packages.items() if name and not package.get("link")}
    assert len(installed) >= at_least
    assert [name for name, package in installed.items() if "resolved" in package] == []
    assert [name for name, package in installed.items() if not package.get("integrity", "").startswith("sha512-")] == []


def test_every_lock_of_the_project_is_held_to_this() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.lock", "*package-lock.json"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert set(listed.stdout.split()) == {"requirements.lock", *APART, *NPM}
    apart = re.search(r"(?m)^APART := (.*)$", (PROJECT / "Makefile").read_text())
    assert apart is not None
    assert [f"{name}.lock" for name in apart[1].split()] == list(APART), "`make lock` renews them all"


def test_the_constraints_are_the_lock_without_hashes() -> None:
    assert [str(entry) for entry in requirements(CONSTRAINTS)] == [str(entry) for entry in requirements(LOCK)]


def test_the_lock_leaves_out_what_only_makes_a_start_slow() -> None:
    left_out = {canonicalize_name(name) for name in TABLES["tool"]["uv"]["exclude-dependencies"]}
    assert left_out
    assert not left_out & {canonicalize_name(entry.name) for entry in requirements(LOCK)}


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
