"""What a page loads when Run is pressed: the locked packages, slim and without compiled parts, and a stand-in that says what it is."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coldstart.course import browser_packages
from coldstart.course.browser_packages import STAND_INS, CannotMake, slim_package
from coldstart.course.catalogue import PROJECT


@pytest.fixture(scope="module")
def botocore() -> dict[str, bytes]:
    """What a page has of botocore."""
    return slim_package(importlib.metadata.distribution("botocore")).files


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
    files = slim_package(importlib.metadata.distribution("PyYAML")).files
    assert [name for name in files if name.endswith((".so", ".pyd"))] == []
    _write(files, tmp_path)
    code = "import yaml; assert not yaml.__with_libyaml__; print(yaml.safe_load('parcels: 3'), yaml.__file__)"
    done = _python(code, tmp_path)
    assert done.startswith("{'parcels': 3}")
    assert str(tmp_path) in done


def test_of_the_aws_services_it_brings_those_that_lessons_call(botocore: dict[str, bytes]) -> None:
    services = {name.split("/")[2] for name in botocore if name.startswith("botocore/data/") and name.count("/") > 2}
    assert {"lambda", "sqs", "dynamodb", "logs"} <= services
    assert len(services) < 40
    assert "botocore/data/endpoints.json" in botocore or "botocore/data/endpoints.json.gz" in botocore


def test_clients_are_made_from_models_without_their_documentation(botocore: dict[str, bytes], tmp_path: Path) -> None:
    models = [name for name in botocore if name.endswith("service-2.json")]
    assert len(models) == len({name.split("/")[2] for name in models}), "one version of each service"
    assert sum(len(botocore[name]) for name in models) < 5_000_000, "of 16 million bytes"
    _write(botocore, tmp_path)
    code = """
import botocore, botocore.session
print(botocore.__file__)
for name in botocore.session.get_session().get_available_services():
    client = botocore.session.get_session().create_client(
        name, "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    print(client.meta.service_model.operation_names[:1], client._service_model.client_context_parameters)
"""
    said = _python(code, tmp_path).splitlines()
    assert said[0].startswith(str(tmp_path))
    assert len(said) == len(models) + 1


def test_what_says_of_a_package_that_it_is_there_is_short() -> None:
    package = slim_package(importlib.metadata.distribution("pydantic"))
    [metadata] = [content for name, content in package.files.items() if name.endswith("METADATA")]
    assert f"Version: {package.version}\n".encode() in metadata
    assert len(metadata) < 5000, "it has no long description"


def _write(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _python(code: str, path: Path) -> str:
    environ = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return done.stdout


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
