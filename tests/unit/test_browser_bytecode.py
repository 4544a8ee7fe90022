"""What lessons import is compiled when the site is built; the source goes along where a learner may read a line of it."""

from __future__ import annotations

import io
import zipfile

from coldstart.course.browser_bytecode import with_bytecode, with_compiled
from coldstart.course.file_stream import pack, unpack

ZIP, PACKAGES = "/lib/python314.zip/", "/lib/python3.14/site-packages/"


def test_files_come_out_of_the_row_as_they_went_in() -> None:
    files = {"parcel/label.py": b"print(1)\n", "parcel/empty": b"", "parcel/größe": b"\n\x00\n"}
    assert unpack(pack(files)) == files


def test_bytecode_lies_where_python_looks_for_it() -> None:
    files = {
        "moto/core/models.py": b"moto",
        "botocore/client.py": b"botocore",
        "six.py": b"six",
        "left/alone.py": b"alone",
    }
    compiled = {f"{PACKAGES}{path}": b"compiled " + files[path] for path in files if path != "left/alone.py"}
    assert with_compiled(files, {**compiled, f"{ZIP}json/__init__.py": b"of another place"}) == {
        "moto/core/models.pyc": b"compiled moto",
        "botocore/client.py": b"botocore",
        "botocore/__pycache__/client.cpython-314.pyc": b"compiled botocore",
        "six.py": b"six",
        "__pycache__/six.cpython-314.pyc": b"compiled six",
        "left/alone.py": b"alone",
    }


def test_the_standard_library_keeps_its_sources() -> None:
    sources = io.BytesIO()
    with zipfile.ZipFile(sources, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("json/__init__.py", "source")
    both = with_bytecode(sources.getvalue(), {f"{ZIP}json/__init__.py": b"compiled", f"{PACKAGES}six.py": b"not of it"})
    with zipfile.ZipFile(io.BytesIO(both)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "json/__init__.py": b"source",
            "json/__init__.pyc": b"compiled",
        }
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
