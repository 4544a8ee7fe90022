"""Makes what a page loads when somebody presses Run: Pyodide, and the course's packages with their lock.

``make site`` calls :func:`browser_packages`. The packages are taken from the environment, which was installed from
``requirements.lock`` with its hashes, without their compiled parts: each of them has the same in Python. Only what has no
such half comes over the network, in a build for the browser (``site/browser.lock``). Pyodide itself comes by npm. Each package is a
slim wheel with its entry in ``pyodide-lock.json``; a page gets the files of all of them in one stream, ``packages.gz``.

Nothing here makes a request when all of it has been made before from the same versions and sources.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.metadata
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coldstart.course.catalogue import PROJECT

PYODIDE = PROJECT / "node_modules" / "pyodide"
WORKER = PROJECT / "site" / "browser" / "worker.mjs"
SERVICE_WORKER = WORKER.with_name("service-worker.js")
STAND_INS = WORKER.parent / "stand-ins"
CACHE = PROJECT / "site" / ".cache" / "run"
"""Holds what was made last; git does not know it."""

_CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
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
    "botocore": re.compile(rf"botocore/data/(?!(?:{_SERVICES})/|[^/]+$)|botocore/cacert\.pem|.*/examples-1\.json"),
    "boto3": re.compile(r"boto3/examples/"),
    "moto": re.compile(r"moto/(?:ssm|emr|rds|support)/resources/"),
    "aws-lambda-powertools": re.compile(r"aws_lambda_powertools/utilities/kafka/"),
}
_NEVER = re.compile(
    r"\.\./|(?:.*/)?__pycache__/|(?:.*/)?tests/|.*\.(?:so|pyd|pyi|pyx|pxd|c|h)$"
    r"|.*\.dist-info/(?:RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json)$"
)
_EPOCH = (1980, 1, 1, 0, 0, 0)


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
    built = CACHE / _digest(_sources())
    if not built.exists():
        part = _part_of(built)
        _make(part)
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
    shutil.copyfile(WORKER, folder / WORKER.name)
    wheels = browser_wheels()
    (folder / "packages.gz").write_bytes(_unpacked(wheels))
    (folder / "pyodide-lock.json").write_text(json.dumps(lock_of(wheels), indent=1), "utf-8")


def browser_wheels() -> list[Wheel]:
    """Return the wheels of all packages that a page has.

    Raises:
        CannotMake: a build for the browser is neither kept nor to be had.
    """
    installed = map(slim_wheel, map(importlib.metadata.distribution, _wanted()))
    return [*installed, *_browser_builds(), *_stand_ins(), _course()]


def lock_of(wheels: Iterable[Wheel]) -> dict[str, object]:
    """Return Pyodide's lock of some wheels."""
    packages = {wheel.name: wheel for wheel in wheels}
    info = json.loads((PYODIDE / "pyodide-lock.json").read_text("utf-8"))["info"]
    return {"info": info, "packages": {name: packages[name].entry(packages) for name in sorted(packages)}}


def _unpacked(wheels: Iterable[Wheel]) -> bytes:
    """The files of all wheels as one stream: a line of JSON with their paths and sizes, then their bytes; compressed as one.

    A browser unpacks that ten times as fast as Python in it unpacks the wheels, and it is a fifth smaller.
    """
    files = [(path, content) for wheel in wheels for path, content in wheel.files()]
    index = json.dumps([[path, len(content)] for path, content in files])
    return gzip.compress(b"".join([index.encode(), b"\n", *(content for _, content in files)]), mtime=0)


class Wheel:
    """A wheel and what Pyodide's lock says of it."""

    def __init__(self, file_name: str, content: bytes) -> None:
        self.file_name, self.content = file_name, content
        distribution, self.version = file_name.split("-")[:2]
        self.name = canonicalize_name(distribution)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self._files = archive.namelist()
            metadata = next(name for name in self._files if name.endswith(".dist-info/METADATA"))
            self._requires = importlib.metadata.PathDistribution(
                zipfile.Path(archive, f"{Path(metadata).parent}/")
            ).requires

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file in it, with its path below site-packages."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            for path in self._files:
                yield path, archive.read(path)

    def entry(self, packages: Iterable[str]) -> dict[str, object]:
        """Return its entry in the lock, with those of its needs that are among some packages."""
        tops = {name.split("/")[0].removesuffix(".py") for name in self._files if ".dist-info/" not in name}
        return {
            "name": self.name,
            "version": self.version,
            "file_name": self.file_name,
            "install_dir": "site",
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "package_type": "package",
            "imports": sorted(top for top in tops if top.isidentifier()),
            "depends": [name for name in _needs(self._requires or []) if name in packages],
            "unvendored_tests": False,
        }


def _needs(requires: Iterable[str]) -> Iterator[str]:
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
            waiting += _needs(importlib.metadata.requires(name) or [])
    return [name for name in found if name not in _OTHER_VERSIONS]


def slim_wheel(distribution: importlib.metadata.Distribution) -> Wheel:
    """Pack an installed package again, without its compiled parts and what no page needs."""
    name = canonicalize_name(distribution.metadata["Name"])
    not_needed = _NOT_NEEDED.get(name)
    files = {
        path: Path(str(distribution.locate_file(path)))
        for path in map(str, distribution.files or [])
        if not _NEVER.match(path) and not (not_needed and not_needed.match(path))
    }
    return _wheel(name, distribution.version, {path: source.read_bytes() for path, source in files.items()})


def _wheel(name: str, version: str, files: dict[str, bytes]) -> Wheel:
    """Pack files into a wheel of pure Python; the same files always give the same bytes."""
    distribution = name.replace("-", "_")
    metadata = f"{distribution}-{version}.dist-info"
    kept = {path: content for path, content in files.items() if not path.endswith(".dist-info/WHEEL")}
    inside = next((path.split("/")[0] for path in kept if path.endswith(".dist-info/METADATA")), metadata)
    kept.setdefault(f"{inside}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode())
    kept[f"{inside}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: coldstart\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={_hash(content)},{len(content)}\n" for path, content in sorted(kept.items()))
    kept[f"{inside}/RECORD"] = f"{record}{inside}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, content in sorted(kept.items()):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return Wheel(f"{distribution}-{version}-py3-none-any.whl", packed.getvalue())


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _browser_builds() -> Iterator[Wheel]:
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
        if canonicalize_name(path.name.split("-")[0]) in _OTHER_VERSIONS:
            yield Wheel(path.name, path.read_bytes())


def _stand_ins() -> Iterator[Wheel]:
    """Modules that moto imports and that have no build for the browser, in the place of which ours stand."""
    for folder in sorted(child for child in STAND_INS.iterdir() if child.is_dir()):
        files = {path.relative_to(STAND_INS).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}
        yield _wheel(folder.name.replace("_", "-"), "0+stand.in", files)


def _course() -> Wheel:
    """The course itself, with the files of its lessons that `check` and `quiz` read."""
    source, lessons = PROJECT / "src", PROJECT / "lessons"
    files = {path.relative_to(source).as_posix(): path.read_bytes() for path in _course_files()}
    for path in _lesson_files():
        files[f"coldstart_lessons/{path.relative_to(lessons).as_posix()}"] = path.read_bytes()
    return _wheel("coldstart", importlib.metadata.version("coldstart"), files)


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
    here = PROJECT / "site"
    return [
        Path(__file__),
        PROJECT / "requirements.lock",
        here / "browser.lock",
        PYODIDE / "package.json",
        WORKER,
        *sorted(STAND_INS.rglob("*.py")),
        *_course_files(),
        *_lesson_files(),
    ]


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
