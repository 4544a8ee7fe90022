"""Makes the folders that stand for /var/runtime and /var/lang: what Lambda brings besides the standard library, and Python.

A function that imports something else has to bring it in its package or a layer, as on AWS, whatever else is installed
on the learner's machine.
"""

from __future__ import annotations

import compileall
import importlib.util
import sys
from pathlib import Path

PYTHON_RUNTIME_PACKAGES = (
    "awslambdaric",
    "boto3",
    "botocore",
    "dateutil",
    "jmespath",
    "s3transfer",
    "simplejson",
    "six",
    "snapshot_restore_py",
    "urllib3",
)
"""AWS's runtime client, the SDK, and what they need."""
_NOT_OF_THE_CLOUD = ("awslambdaric", "simplejson", "boto3/dynamodb", "boto3/s3")
"""Of these packages, the folders that functions import and the cloud itself, which compiles what it imports, does not."""


def make_python_runtime_directory(folder: Path) -> None:
    """Fill a folder with the Python runtime's packages."""
    folder.mkdir(parents=True)
    for name in PYTHON_RUNTIME_PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"The package {name!r} is missing. Run `make setup` to mend the environment.")
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)


def compile_python_runtime(folder: Path) -> None:
    """Compile what processes of functions load from such a folder.

    They cannot do it: what they see of this machine is read-only, so each cold start would compile it anew.
    """
    for name in _NOT_OF_THE_CLOUD:
        compileall.compile_dir(folder / name, maxlevels=0, quiet=2)
    compileall.compile_dir(Path(__file__).with_name("python"), quiet=2)
    compileall.compile_file(folder / "snapshot_restore_py.py", quiet=2)


def make_language_directory(folder: Path) -> None:
    """Fill the folder that stands for /var/lang/bin: scripts find the Python that runs functions under its usual names."""
    folder.mkdir(parents=True)
    for name in ("python3", f"python3.{sys.version_info.minor}"):
        (folder / name).symlink_to(sys.executable)
