"""Packs packages as the wheels, with the lock, that Pyodide's own installer takes: JupyterLite brings them in this form."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from coldstart.course.browser_packages import PYODIDE, Package, needs_in_a_page

_EPOCH = (1980, 1, 1, 0, 0, 0)


class Wheel:
    """A wheel and what Pyodide's lock says of it."""

    def __init__(self, file_name: str, content: bytes) -> None:
        self.file_name, self.content = file_name, content
        distribution, self.version = file_name.split("-")[:2]
        self.name = canonicalize_name(distribution)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self._files = archive.namelist()
            metadata = next(name for name in self._files if name.endswith(".dist-info/METADATA"))
            self._requires = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist", [])

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
            "depends": [name for name in needs_in_a_page(self._requires) if name in packages],
            "unvendored_tests": False,
        }


def wheel_of(package: Package) -> Wheel:
    """Pack a package; the same files always give the same bytes."""
    distribution = package.name.replace("-", "_")
    files = dict(package.files)
    inside = next(PurePosixPath(path).parts[0] for path in files if path.endswith(".dist-info/METADATA"))
    files[f"{inside}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: coldstart\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={_hash(content)},{len(content)}\n" for path, content in sorted(files.items()))
    files[f"{inside}/RECORD"] = f"{record}{inside}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return Wheel(f"{distribution}-{package.version}-py3-none-any.whl", packed.getvalue())


def lock_of(wheels: Iterable[Wheel]) -> dict[str, object]:
    """Return Pyodide's lock of some wheels."""
    packages = {wheel.name: wheel for wheel in wheels}
    info = json.loads((PYODIDE / "pyodide-lock.json").read_text("utf-8"))["info"]
    return {"info": info, "packages": {name: packages[name].entry(packages) for name in sorted(packages)}}


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
