"""The floors of the house: a lower floor never imports a higher one, and no floor below the cloud knows moto."""

import ast
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

# From the bottom up. What stands on one floor may import its neighbours.
FLOORS = [
    {"runtime"},
    {"events"},
    {"cloud"},
    {"course", "widgets", "account"},
    {"cli", "lab", "classroom", "page"},
]
FLOOR_OF = {name: height for height, names in enumerate(FLOORS) for name in names}
# Libraries that only the cloud and what stands above it may know.
CLOUDS_LIBRARIES = {"moto", "boto3", "botocore", "flask", "werkzeug"}


def violations(package: Path) -> list[str]:
    """Every import in `package` that breaks the floors, as "file:line: what is wrong"."""
    found = []
    for file in sorted(package.rglob("*.py")):
        inside = file.relative_to(package)
        if inside.as_posix() == "__init__.py":
            name = None  # a notebook's door to every floor; it must open without importing any of them
        else:
            name = inside.parts[0].removesuffix(".py")
            if name not in FLOOR_OF:
                found.append(f"{inside}:1: {name} stands on no floor; give it one in tests/project/test_floors.py")
                continue
        for line, target in _imports(file, package):
            where = f"{inside}:{line}:"
            parts = target.split(".")
            if name in {"runtime", "events"} and parts[0] in CLOUDS_LIBRARIES:
                found.append(f"{where} {name} imports {parts[0]}, which only the cloud and what is above it may know")
            if parts[0] != package.name or len(parts) < 2 or parts[1] not in FLOOR_OF:
                continue
            if name is None:
                found.append(f"{where} the package imports {parts[1]} at once; look it up when it is asked for")
            elif FLOOR_OF[parts[1]] > FLOOR_OF[name]:
                found.append(f"{where} {name} imports {parts[1]}, which stands above it")
    return found


def _imports(file: Path, package: Path) -> list[tuple[int, str]]:
    """Line and dotted name of every module a file imports, wherever in the file; relative imports made absolute."""
    here = [package.name, *file.relative_to(package).with_suffix("").parts][:-1]
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def test_no_floor_imports_a_higher_one() -> None:
    assert violations(PROJECT / "src/coldstart") == []


def test_a_house_with_every_fault_is_refused(tmp_path: Path) -> None:
    house = tmp_path / "coldstart"
    files = {
        "__init__.py": "from coldstart import cloud\n",
        "runtime/__init__.py": "",
        "runtime/function.py": "import moto\n\n\ndef later():\n    from coldstart.cloud import local_cloud\n",
        "cloud/__init__.py": "from ..course import check\n",
        "course/__init__.py": "import coldstart.widgets\nimport coldstart.cloud\n",
        "widgets/__init__.py": "from .. import cli\n",
        "cli.py": "from coldstart import course\n",
        "misc.py": "",
    }
    for name, text in files.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(text)
    assert violations(house) == [
        "__init__.py:1: the package imports cloud at once; look it up when it is asked for",
        "cloud/__init__.py:1: cloud imports course, which stands above it",
        "misc.py:1: misc stands on no floor; give it one in tests/project/test_floors.py",
        "runtime/function.py:1: runtime imports moto, which only the cloud and what is above it may know",
        "runtime/function.py:5: runtime imports cloud, which stands above it",
        "widgets/__init__.py:1: widgets imports cli, which stands above it",
    ]
