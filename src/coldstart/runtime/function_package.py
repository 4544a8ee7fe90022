"""Unpacks deployment packages, each content once, inside the cloud's folder and nowhere else."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import lzma
import shutil
import stat
import threading
import zipfile
import zlib
from collections.abc import Iterator
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
            InvalidPackage: no zip, too large when unzipped, or a name or a link that leads outside the folder.
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
                    links: list[Path] = []
                    for zipped in zips:
                        room -= _extract(zipped, partial, room, links)
                    partial.rename(target)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
        return target


def unzipped_size(zipped: bytes) -> int:
    """Return how many bytes a deployment package has when it is unzipped.

    Raises:
        InvalidPackage: it is none, or too large.
    """
    with _opened(zipped) as archive:
        return sum(entry.file_size for entry in _entries(archive, MAX_UNZIPPED_BYTES))


@contextlib.contextmanager
def _opened(zipped: bytes) -> Iterator[zipfile.ZipFile]:
    """Open a zip; whatever is wrong with it, also later in the block, is an InvalidPackage."""
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            yield archive
    except InvalidPackage:
        raise
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, ValueError, RuntimeError, OSError, EOFError) as error:
        raise _not_a_zip() from error


def _entries(archive: zipfile.ZipFile, room: int) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if not entries:
        raise InvalidPackage("Uploaded file must be a non-empty zip")
    # An entry never gives more than it says here: zipfile reads no further, then finds that the checksum is wrong.
    if sum(entry.file_size for entry in entries) > room:
        raise InvalidPackage(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if entry.filename.startswith("/") or ".." in parts:
            raise _not_a_zip()
    return entries


def _extract(zipped: bytes, folder: Path, room: int, links: list[Path]) -> int:
    """Unpack into a folder and return the size; `links` gets the symbolic links that were made."""
    size = 0
    with _opened(zipped) as archive:
        for entry in _entries(archive, room):
            size += entry.file_size
            if stat.S_ISLNK(entry.external_attr >> 16):
                continue
            path = Path(archive.extract(entry, folder))
            executable = bool((entry.external_attr >> 16) & 0o111)
            path.chmod(0o755 if entry.is_dir() or executable else 0o644)
        # Links come last, so that nothing is written through them, and only those stay that lead to the package itself.
        for entry in archive.infolist():
            if stat.S_ISLNK(entry.external_attr >> 16):
                link = folder / entry.filename
                link.parent.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(archive.read(entry).decode())
                links.append(link)
        if not all(link.resolve().is_relative_to(folder.resolve()) for link in links):
            raise _not_a_zip()
    return size


def _not_a_zip() -> InvalidPackage:
    return InvalidPackage("Could not unzip uploaded file. Please check your file, then try to upload again.")
