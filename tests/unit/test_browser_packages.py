"""What a page loads when Run is pressed: the locked packages, slim and without compiled parts, and a stand-in that says what it is."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coldstart.course import browser_packages
from coldstart.course.browser_packages import STAND_INS, CannotMake, Wheel, slim_wheel
from coldstart.course.catalogue import PROJECT


def _files(wheel: Wheel) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(wheel.content)).namelist()


def test_without_pyodide_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(browser_packages, "PYODIDE", tmp_path)
    with pytest.raises(CannotMake, match="npm ci"):
        browser_packages.browser_packages()


def test_two_may_make_the_same_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pyodide = tmp_path / "pyodide"
    pyodide.mkdir()
    monkeypatch.setattr(browser_packages, "PYODIDE", pyodide)
    monkeypatch.setattr(browser_packages, "CACHE", tmp_path / "cache")
    for name in ("pyodide.mjs", "package.json"):
        (pyodide / name).write_text("{}")
    both_are_at_it = threading.Barrier(2)

    def make(folder: Path) -> None:
        both_are_at_it.wait(timeout=30)
        (folder / "packages.gz").write_bytes(b"the same")
        both_are_at_it.wait(timeout=30)

    monkeypatch.setattr(browser_packages, "_make", make)
    with ThreadPoolExecutor(2) as makers:
        one, other = makers.map(lambda _: browser_packages.browser_packages(), range(2))
    assert one == other
    assert (one / "packages.gz").read_bytes() == b"the same"
    assert [path.name for path in one.parent.iterdir()] == [one.name]


def test_a_package_loses_its_compiled_parts_and_works_without_them(tmp_path: Path) -> None:
    wheel = slim_wheel(importlib.metadata.distribution("PyYAML"))
    assert [name for name in _files(wheel) if name.endswith((".so", ".pyd"))] == []
    assert wheel.content == slim_wheel(importlib.metadata.distribution("PyYAML")).content, "the same bytes each time"
    zipfile.ZipFile(io.BytesIO(wheel.content)).extractall(tmp_path)
    code = "import yaml; assert not yaml.__with_libyaml__; print(yaml.safe_load('parcels: 3'), yaml.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("{'parcels': 3}")
    assert str(tmp_path) in done.stdout


def test_of_the_aws_services_it_brings_those_that_lessons_call() -> None:
    names = _files(slim_wheel(importlib.metadata.distribution("botocore")))
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert {"lambda", "sqs", "dynamodb", "logs"} <= services
    assert len(services) < 40
    assert "botocore/data/endpoints.json" in names or "botocore/data/endpoints.json.gz" in names


def test_the_lock_says_of_each_wheel_what_pyodide_asks() -> None:
    if not (browser_packages.PYODIDE / "pyodide-lock.json").exists():
        pytest.skip("Pyodide comes with npm (npm ci --ignore-scripts)")
    wheels = [slim_wheel(importlib.metadata.distribution(name)) for name in ("flask", "werkzeug", "markupsafe")]
    lock = json.loads(json.dumps(browser_packages.lock_of(wheels)))
    flask = lock["packages"]["flask"]
    assert flask["version"] == importlib.metadata.version("flask")
    assert flask["imports"] == ["flask"]
    assert flask["depends"] == ["markupsafe", "werkzeug"]
    assert len(flask["sha256"]) == 64


def test_the_stand_in_for_cryptography_says_what_it_is_and_cannot_be_installed() -> None:
    source = (STAND_INS / "cryptography" / "__init__.py").read_text("utf-8")
    assert "It is NOT cryptography" in source.split('"""')[1]
    assert '__version__ = "0+stand.in"' in source
    assert not [path for path in STAND_INS.rglob("*") if path.name in {"pyproject.toml", "setup.py", "setup.cfg"}]
    assert (
        "stand"
        not in (PROJECT / "pyproject.toml").read_text("utf-8").split("[tool.hatch", 1)[1].split("[tool.pytest")[0]
    )


def test_with_the_stand_in_kms_works_among_itself_and_the_rest_refuses() -> None:
    code = """
import boto3, cryptography
from moto import mock_aws
assert cryptography.__version__ == "0+stand.in"
with mock_aws():
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    secret = kms.encrypt(KeyId=key, Plaintext=b"P-1042")["CiphertextBlob"]
    print(kms.decrypt(CiphertextBlob=secret)["Plaintext"])
    try:
        kms.decrypt(CiphertextBlob=secret[:-1] + bytes([secret[-1] ^ 1]))
    except Exception as error:
        print(type(error).__name__)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
try:
    X25519PrivateKey.generate()
except NotImplementedError as error:
    print(error)
"""
    known = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_")
    }  # a local AWS may run here
    environ = {**others, **known, "PYTHONPATH": str(STAND_INS)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    decrypted, tampered, refused = done.stdout.splitlines()
    assert decrypted == "b'P-1042'"
    assert tampered == "InvalidCiphertextException"
    assert "no build for the browser" in refused
    assert "make lab" in refused
