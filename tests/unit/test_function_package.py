"""A package is unpacked inside its folder and nowhere else, whatever is in it."""

from __future__ import annotations

import io
import stat
import struct
import threading
import zipfile
from pathlib import Path

import pytest

from coldstart.runtime.function_package import MAX_UNZIPPED_BYTES, InvalidPackage, PackageStore, unzipped_size

LINK = stat.S_IFLNK | 0o777


@pytest.fixture
def store(tmp_path: Path) -> PackageStore:
    (tmp_path / "outside").mkdir()
    return PackageStore(tmp_path / "packages")


def package(*entries: tuple[str, str | bytes, int], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of entries: name, content (of a link: where it leads) and mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = compression
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def everything_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("name", ["../escaped.py", "a/../../escaped.py", "/escaped.py", "..\\escaped.py", ".."])
def test_a_name_that_leads_outside_is_refused_and_leaves_nothing(
    store: PackageStore, tmp_path: Path, name: str
) -> None:
    zipped = package(("app.py", "fine", 0o644), (name, "escaped", 0o644))
    for refused in (unzipped_size, store.unpack):
        with pytest.raises(InvalidPackage, match="Could not unzip uploaded file"):
            refused(zipped)
    assert everything_under(tmp_path) <= {"outside", "packages"}


@pytest.mark.parametrize(
    "links",
    [
        {"link": "/etc/passwd"},
        {"link": "../outside"},
        {"deep/link": "../../outside"},
        {"up": "deep/er/up", "deep/er/up": "../../..", "link": "up/outside"},
        {"a/b/top": "../..", "a/b/link": "top/.."},
        {"loop": "loop2/x", "loop2": "../outside/loop"},
    ],
)
def test_a_link_that_leads_outside_is_refused_and_leaves_nothing(
    store: PackageStore, tmp_path: Path, links: dict[str, str]
) -> None:
    with pytest.raises(InvalidPackage, match="Could not unzip uploaded file"):
        store.unpack(package(*((name, target, LINK) for name, target in links.items())))
    assert everything_under(tmp_path) <= {"outside", "packages"}


def test_nothing_is_written_through_a_link(store: PackageStore, tmp_path: Path) -> None:
    outside = str(tmp_path / "outside")
    with pytest.raises(InvalidPackage):
        store.unpack(package(("door", outside, LINK), ("door/escaped.py", "escaped", 0o644)))
    with pytest.raises(InvalidPackage):
        store.unpack(package(("door", outside, LINK)), package(("door/escaped.py", "escaped", 0o644)))
    assert everything_under(tmp_path / "outside") == set()


def test_a_link_within_the_package_stays_one(store: PackageStore) -> None:
    folder = store.unpack(package(("lib/libz.so.1.3", "z", 0o755), ("lib/libz.so", "libz.so.1.3", LINK)))
    assert (folder / "lib/libz.so").is_symlink()
    assert (folder / "lib/libz.so").read_text() == "z"


def test_a_later_layer_replaces_a_link_of_an_earlier_one(store: PackageStore) -> None:
    first = package(("new.py", "new", 0o644), ("app.py", "new.py", LINK))
    folder = store.unpack(first, package(("app.py", "other.py", LINK), ("other.py", "other", 0o644)))
    assert (folder / "app.py").read_text() == "other"


@pytest.mark.parametrize("count", [1, 300])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(store: PackageStore, tmp_path: Path, count: int) -> None:
    content = bytes(MAX_UNZIPPED_BYTES // count + 1)
    zipped = package(*((f"zeros-{number}", content, 0o644) for number in range(count)))
    assert len(zipped) < 1_000_000
    for refused in (unzipped_size, store.unpack):
        with pytest.raises(InvalidPackage, match=r"Unzipped size must be smaller than 262144000 bytes"):
            refused(zipped)
    assert everything_under(tmp_path) <= {"outside", "packages"}


def test_a_zip_bomb_that_lies_about_its_size_is_refused(store: PackageStore, tmp_path: Path) -> None:
    honest = package(("zeros", bytes(30_000_000), 0o644))
    said, really = struct.pack("<L", 1_000), struct.pack("<L", 30_000_000)
    assert honest.count(really) == 2
    with pytest.raises(InvalidPackage, match="Could not unzip uploaded file"):
        store.unpack(honest.replace(really, said))
    assert everything_under(tmp_path) <= {"outside", "packages"}


def test_layers_share_the_room(store: PackageStore) -> None:
    half = package(("zeros", bytes(MAX_UNZIPPED_BYTES // 2), 0o644))
    other_half = package(("ones", b"1" * (MAX_UNZIPPED_BYTES // 2 + 1), 0o644))
    with pytest.raises(InvalidPackage, match="Unzipped size must be smaller"):
        store.unpack(half, other_half)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_broken_content_is_refused_whatever_the_compression(store: PackageStore, compression: int) -> None:
    zipped = bytearray(package(("app.py", bytes(range(256)) * 100, 0o644), compression=compression))
    zipped[60:90] = bytes(30)
    with pytest.raises(InvalidPackage, match="Could not unzip uploaded file"):
        store.unpack(bytes(zipped))


@pytest.mark.parametrize("name", ["x" * 300 + ".py", "app.py/inner.py"])
def test_names_that_cannot_be_files_are_refused(store: PackageStore, name: str) -> None:
    with pytest.raises(InvalidPackage, match="Could not unzip uploaded file"):
        store.unpack(package(("app.py", "fine", 0o644), (name, "no", 0o644)))


def test_many_threads_that_unpack_the_same_package_get_the_same_folder(store: PackageStore) -> None:
    zipped = package(*((f"module_{number}.py", "x = 1", 0o644) for number in range(50)))
    folders: list[Path] = []
    threads = [threading.Thread(target=lambda: folders.append(store.unpack(zipped))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folders) == 20
    assert len(set(folders)) == 1
    assert len(everything_under(folders[0])) == 50
