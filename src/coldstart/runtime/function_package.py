"""Unpacks deployment packages, each content once, inside the cloud's folder and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import threading
import zipfile
from pathlib import Path

MAX_UNZIPPED_BYTES = 262_144_000
"""250 MB (Lambda quotas page)."""


class InvalidPackage(ValueError):
    """The bytes are no deployment package that Lambda would take; the message is AWS's."""


def code_sha256(zipped: bytes) -> str:
    """Return the hash that Lambda shows as ``CodeSha256``: SHA-256 of the zip, in base64."""
    return base64.b64encode(hashlib.sha256(zipped).digest()).decode()


class PackageStore:
    """Unpacked deployment packages by their content.

    Args:
        folder: where to unpack; made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def unpack(self, *zips: bytes) -> Path:
        """Return a read-only folder with the zips' files, later zips over earlier ones (as layers merge).

        Raises:
            InvalidPackage: no zip, too large when unzipped, or a name that leads outside the folder.
        """
        digest = hashlib.sha256(b"".join(hashlib.sha256(zipped).digest() for zipped in zips))
        target = self._folder / digest.hexdigest()[:32]
        with self._lock:
            if not target.exists():
                partial = target.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
                try:
                    room = MAX_UNZIPPED_BYTES
                    for zipped in zips:
                        room -= _extract(zipped, partial, room)
                    partial.rename(target)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
        return target


def check_package(zipped: bytes) -> None:
    """Raise InvalidPackage unless these bytes can be a deployment package."""
    _entries(zipped, MAX_UNZIPPED_BYTES)


def _entries(zipped: bytes, room: int) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError):
        raise InvalidPackage(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None
    if not entries:
        raise InvalidPackage("Uploaded file must be a non-empty zip")
    if sum(entry.file_size for entry in entries) > room:
        raise InvalidPackage(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if entry.filename.startswith("/") or ".." in parts:
            raise InvalidPackage("Could not unzip uploaded file. Please check your file, then try to upload again.")
    return entries


def _extract(zipped: bytes, folder: Path, room: int) -> int:
    size = 0
    entries = _entries(zipped, room)
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            for entry in entries:
                size += entry.file_size
                path = Path(archive.extract(entry, folder))
                executable = bool((entry.external_attr >> 16) & 0o111)
                path.chmod(0o755 if entry.is_dir() or executable else 0o644)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise InvalidPackage(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from error
    return size
