"""Makes what a page loads when somebody presses Run: Pyodide, and the course's packages with their lock.

``make site`` calls :func:`browser_packages`. The packages are taken from the environment, which was installed from
``requirements.lock`` with its hashes, without their compiled parts: each of them has the same in Python. Only what has no
such half comes over the network, in a build for the browser (``site/browser.lock``). Pyodide itself comes by npm. A page gets the files
of all packages in one stream, ``packages.gz``, with what lessons import of them compiled (``coldstart.course.browser_bytecode``).

Nothing here makes a request when all of it has been made before from the same versions and sources.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coldstart.course import browser_bytecode
from coldstart.course.browser_bytecode import (
    COMPILE,
    CannotCompile,
    can_compile,
    compiled_modules,
    with_bytecode,
    with_compiled,
)
from coldstart.course.catalogue import PROJECT
from coldstart.course.file_stream import pack

PYODIDE = PROJECT / "node_modules" / "pyodide"
WORKER = PROJECT / "site" / "browser" / "worker.mjs"
SERVICE_WORKER = WORKER.with_name("service-worker.js")
STAND_INS = WORKER.parent / "stand-ins"
CACHE = PROJECT / "site" / ".cache" / "run"
"""Holds what was made last; git does not know it."""

_OWN_MODULES = (WORKER, WORKER.with_name("files.mjs"))
_CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
# What a page imports; what these need in turn is found in their metadata.
_ROOTS = (
    "boto3",
    "moto",
    "awslambdaric",
    "aws-lambda-powertools",
    "pydantic",
    "pyyaml",
    "flask",
    "flask-cors",
    "joserfc",
    "py-partiql-parser",
    "jsonpath-ng",
    "aws-xray-sdk",
    "pyparsing",
    "markdown-it-py",
)
# What they name and a page does without.
_LEFT_OUT = {"docker", "cryptography", "openapi-spec-validator", "tzdata", "colorama", "importlib-metadata"}
_OTHER_VERSIONS = ("pydantic", "pydantic-core")
"""These come from site/browser.lock: the rest of the course holds pydantic at a version without a build for the browser."""

# The AWS services whose clients the lessons and the cloud use.
_SERVICES = (
    "apigateway|apigatewayv2|cloudformation|cloudwatch|cognito-idp|dynamodb|dynamodbstreams|ec2|events|iam|kinesis|kms|lambda|logs"
    "|pipes|resourcegroupstaggingapi|s3|scheduler|secretsmanager|sns|sqs|ssm|stepfunctions|sts|xray"
)
# Parts of a package that no page needs, by the name of the file inside it.
_NOT_NEEDED = {
    "botocore": re.compile(
        rf"botocore/data/(?!(?:{_SERVICES})/|[^/]+$)|botocore/data/(?:ec2/201[45]|ec2/2016-0|events/2014|lambda/2014)"
        r"|botocore/cacert\.pem|.*/examples-1\.json"
    ),
    "boto3": re.compile(r"boto3/examples/"),
    "certifi": re.compile(r"certifi/cacert\.pem"),
    "moto": re.compile(
        r"moto/(?:ssm|emr|rds|support)/resources/|moto/ec2/resources/(?:ecs/|latest_amis/|.*/(?!us-east-1))"
    ),
    "aws-lambda-powertools": re.compile(r"aws_lambda_powertools/utilities/kafka/|.*/swagger_ui/"),
    "pydantic": re.compile(r"pydantic/(?:v1/|mypy\.py)"),
}
_NEVER = re.compile(
    r"\.\./|(?:.*/)?__pycache__/|(?:.*/)?tests/|.*\.(?:pyi|pyx|pxd|c|h)$"
    r"|.*\.dist-info/(?:WHEEL|RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json|uv_build\.json|sboms/.*)$"
)
_COMPILED_HERE = re.compile(r".*\.(?:so|pyd)$")
_MODEL = re.compile(r"botocore/data/.*/service-2\.json\.gz")
_COURSE = re.compile(r"coldstart(?:_lessons)?/")
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")


class CannotMake(Exception):
    """What a page needs cannot be made here; the message says what is missing and where it comes from."""


def browser_packages() -> Path:
    """Make everything below ``run/`` of the site.

    Returns:
        the folder, named after what is in it: the same versions and sources give the same name.

    Raises:
        CannotMake: Pyodide is not installed, or a build for the browser is neither kept nor to be had.
    """
    if not (PYODIDE / _CORE[0]).exists():
        raise CannotMake("Pyodide comes by npm, and is not installed: run `npm ci --ignore-scripts`.")
    built = CACHE / (_digest(_sources()) + ("" if can_compile() else "-slow"))
    if not built.exists():
        part = _part_of(built)
        try:
            _make(part)
        except BaseException:
            shutil.rmtree(part)
            raise
        for old in CACHE.iterdir():
            if old.is_dir() and old.suffix != ".part" and old != built:
                shutil.rmtree(old, ignore_errors=True)
        _keep(part, built)
    return built


def _part_of(folder: Path) -> Path:
    """Return a folder of this process's own, in which another one is made before it gets its name."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, suffix=".part"))
    part.chmod(0o755)
    return part


def _keep(part: Path, folder: Path) -> None:
    """Give a folder its name, unless another process was first: both hold the same."""
    try:
        part.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(part)


def _make(folder: Path) -> None:
    for name in _CORE:
        shutil.copyfile(PYODIDE / name, folder / name)
    for module in _OWN_MODULES:
        shutil.copyfile(module, folder / module.name)
    files = {path: content for package in page_packages() for path, content in package.files.items()}
    try:
        compiled = compiled_modules(files, PYODIDE, _kept_bytecode()) if can_compile() else {}
    except CannotCompile as why:
        raise CannotMake(str(why)) from why
    # A browser unpacks one stream ten times as fast as Python in it unpacks wheels, and it is a fifth smaller.
    _compress(with_bytecode((PYODIDE / "python_stdlib.zip").read_bytes(), compiled), folder / "python_stdlib.zip.gz")
    together = with_compiled(files, compiled)
    course = {path: content for path, content in together.items() if _COURSE.match(path)}
    _compress(pack({path: content for path, content in together.items() if path not in course}), folder / "packages.gz")
    _compress(pack(course), folder / "course.gz")
    lock = json.loads((PYODIDE / "pyodide-lock.json").read_text("utf-8"))
    (folder / "pyodide-lock.json").write_text(json.dumps({"info": lock["info"], "packages": {}}), "utf-8")


def _compress(content: bytes, file: Path) -> None:
    for old in CACHE.glob(f"*/{file.name}"):
        if old.parent != file.parent and _holds(old, content):
            shutil.copyfile(old, file)
            return
    file.write_bytes(gzip.compress(content, mtime=0))


def _holds(compressed: Path, content: bytes) -> bool:
    """Say whether a file holds this; it may be gone, or not written yet, when another process makes the same."""
    try:
        return gzip.decompress(compressed.read_bytes()) == content
    except (OSError, EOFError):
        return False


def _kept_bytecode() -> Path:
    """Return where the bytecode of these versions of all packages is kept."""
    kept = CACHE.parent / f"bytecode-{_digest(_sources_of_packages())}"
    for old in CACHE.parent.glob("bytecode-*"):
        if old != kept:
            old.unlink(missing_ok=True)
    return kept


@dataclass(frozen=True)
class Package:
    """What a page has of a package: its files, by their paths below site-packages."""

    name: str
    version: str
    files: dict[str, bytes]


def page_packages() -> list[Package]:
    """Return all packages that a page has.

    Raises:
        CannotMake: a build for the browser is neither kept nor to be had.
    """
    installed = map(slim_package, map(importlib.metadata.distribution, _wanted()))
    return [*installed, *_browser_builds(), *_stand_ins(), _course()]


def needs_in_a_page(requires: Iterable[str]) -> Iterator[str]:
    """Names of what a package needs in a browser, extras left out."""
    environment = {"sys_platform": "emscripten", "platform_system": "Emscripten", "os_name": "posix", "extra": "",
                   "python_version": "3.14", "python_full_version": "3.14.2", "platform_machine": "wasm32"}  # fmt: skip
    for requirement in map(Requirement, requires):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield canonicalize_name(requirement.name)


def _wanted() -> list[str]:
    """Names of all packages that are taken from the environment."""
    found: list[str] = []
    waiting = list(_ROOTS)
    while waiting:
        name = canonicalize_name(waiting.pop(0))
        if name not in found and name not in _LEFT_OUT:
            found.append(name)
            waiting += needs_in_a_page(importlib.metadata.requires(name) or [])
    return [name for name in found if name not in _OTHER_VERSIONS]


def slim_package(distribution: importlib.metadata.Distribution) -> Package:
    """Return an installed package without its compiled parts and what no page needs."""
    paths = [path for path in map(str, distribution.files or []) if not _COMPILED_HERE.match(path)]
    files = {path: Path(str(distribution.locate_file(path))) for path in paths}
    return _slim(distribution.metadata["Name"], distribution.version, files)


def _slim(name: str, version: str, files: Mapping[str, Path | zipfile.Path]) -> Package:
    name = canonicalize_name(name)
    not_needed = _NOT_NEEDED.get(name)
    slim = {}
    for path, file in files.items():
        if not _NEVER.match(path) and not (not_needed and not_needed.match(path)):
            kept, content = _slim_file(path, file.read_bytes())
            slim[kept] = content
    return Package(name, version, slim)


def _slim_file(path: str, content: bytes) -> tuple[str, bytes]:
    """Return a file's path and content as a page has it.

    Five sixths of the models that botocore makes clients from are their documentation.
    """
    if _MODEL.match(path):
        model = _without_documentation(json.loads(gzip.decompress(content)))
        return path.removesuffix(".gz"), json.dumps(model, separators=(",", ":")).encode()
    if _METADATA.match(path):
        return path, content.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"  # without its long description
    return path, content


def _without_documentation(part: Any) -> Any:
    """Leave it empty where it is: something reads it. A member of a shape may have that name too, and is no text."""
    if isinstance(part, dict):
        return {
            key: "" if key == "documentation" and isinstance(value, str) else _without_documentation(value)
            for key, value in part.items()
        }
    return [_without_documentation(value) for value in part] if isinstance(part, list) else part


def _browser_builds() -> Iterator[Package]:
    """The wheels of site/browser.lock; kept beside the lock's own hash once they were fetched."""
    lock = PROJECT / "site" / "browser.lock"
    kept = CACHE.parent / f"wheels-{_digest([lock])}"
    if not kept.exists():
        part = _part_of(kept)
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--only-binary", ":all:", "--require-hashes", "--platform", "pyemscripten_2026_0_wasm32",
             "--python-version", "3.14", "--abi", "cp314", "--dest", part, "--requirement", lock],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            why = next(iter(done.stderr.strip().splitlines()[-1:]), "pip says nothing")
            shutil.rmtree(part)
            raise CannotMake(f"pydantic's build for the browser could not be fetched: {why}")
        _keep(part, kept)
    for path in sorted(kept.glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if canonicalize_name(name) in _OTHER_VERSIONS:
            with zipfile.ZipFile(path) as wheel:
                yield _slim(name, version, {file: zipfile.Path(wheel, file) for file in wheel.namelist()})


def _stand_ins() -> Iterator[Package]:
    """Modules that moto imports and that have no build for the browser, in the place of which ours stand."""
    for folder in sorted(child for child in STAND_INS.iterdir() if child.is_dir()):
        files = {path.relative_to(STAND_INS).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}
        yield _ours(folder.name.replace("_", "-"), "0+stand.in", files)


def _course() -> Package:
    """The course itself, with the files of its lessons that `check` and `quiz` read."""
    source, lessons = PROJECT / "src", PROJECT / "lessons"
    files = {path.relative_to(source).as_posix(): path.read_bytes() for path in _course_files()}
    for path in _lesson_files():
        files[f"coldstart_lessons/{path.relative_to(lessons).as_posix()}"] = path.read_bytes()
    return _ours("coldstart", importlib.metadata.version("coldstart"), files)


def _ours(name: str, version: str, files: dict[str, bytes]) -> Package:
    """Return a package that is not installed, with what says of an installed one that it is there."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    return Package(name, version, {**files, f"{name.replace('-', '_')}-{version}.dist-info/METADATA": metadata})


def _course_files() -> list[Path]:
    """The modules a page can use: no command line, no lab, nothing that builds."""
    source = PROJECT / "src" / "coldstart"
    return sorted(
        path
        for path in source.rglob("*")
        if path.suffix in {".py", ".css", ".js"} and "lab" not in path.parts and path.name != "cli.py"
    )


def _lesson_files() -> list[Path]:
    lessons = PROJECT / "lessons"
    return sorted(
        path for path in lessons.rglob("*") if path.is_file() and path.suffix in {".py", ".yml", ".toml", ".json", ".mjs"}
        and "__pycache__" not in path.parts
    )  # fmt: skip


def _sources() -> list[Path]:
    """Everything that what is made depends on."""
    return [*_sources_of_packages(), *_OWN_MODULES, *_course_files(), *_lesson_files()]


def _sources_of_packages() -> list[Path]:
    """Everything that what is made of others' packages depends on."""
    here = PROJECT / "site"
    return [
        Path(__file__),
        PROJECT / "requirements.lock",
        here / "browser.lock",
        PYODIDE / "package.json",
        Path(browser_bytecode.__file__),
        COMPILE,
        *sorted(STAND_INS.rglob("*.py")),
    ]


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
