"""environment.yml: what conda reads is valid and solvable, and what pip reads is the project at its locked versions."""

import asyncio
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from rattler import Channel, MatchSpec, Subdir, solve
from rattler.exceptions import InvalidMatchSpecError

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENT = yaml.safe_load((PROJECT / "environment.yml").read_text())
CONDA = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
PLATFORMS = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]


def _record(name: str, version: str, depends: list[str]) -> dict[str, Any]:
    return {
        f"{name}-{version}-0.conda": {
            "name": name,
            "version": version,
            "build": "0",
            "build_number": 0,
            "depends": depends,
            "subdir": "noarch",
            "noarch": "generic",
            "sha256": "0" * 64,
            "md5": "0" * 32,
            "size": 1,
            "timestamp": 1,
        }
    }


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    """A channel on this disk with stand-ins for what conda-forge carries: pythons of several versions, and pip."""
    packages: dict[str, Any] = {}
    for version in ("3.12.12", "3.13.9", "3.14.2"):
        packages |= _record("python", version, [])
    packages |= _record("pip", "25.3", ["python >=3.9"])
    for subdir, records in [("noarch", packages), *((platform, {}) for platform in PLATFORMS)]:
        (tmp_path / subdir).mkdir()
        repodata = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": records, "repodata_version": 2}
        (tmp_path / subdir / "repodata.json").write_text(json.dumps(repodata))
    return Channel(tmp_path.as_uri())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_conda_solves_it_to_a_python_the_project_runs_on(channel: Channel, platform: str) -> None:
    specs = [MatchSpec(entry, strict=True) for entry in CONDA]
    solved = asyncio.run(solve(sources=[channel], specs=specs, platforms=[Subdir(platform), Subdir("noarch")]))
    versions = {record.name.normalized: str(record.version) for record in solved}
    assert set(versions) == {"python", "pip"}
    wanted = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert SpecifierSet(wanted).contains(versions["python"])


def test_the_strict_reading_refuses_a_slip_of_the_pen() -> None:
    with pytest.raises(InvalidMatchSpecError):
        MatchSpec("python=>3.13", strict=True)


def test_pip_installs_the_project_at_its_locked_versions() -> None:
    (pip,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-c constraints.txt", "-e ."]
    assert ENVIRONMENT["channels"] == ["conda-forge"]
