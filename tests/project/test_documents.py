"""What the project says about itself holds: commands exist, links lead somewhere, no path leaks."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from coldstart.cli import main

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
MAKEFILE = (PROJECT / "Makefile").read_text()
TARGETS = set(re.findall(r"(?m)^([a-z]+):", MAKEFILE))
WORKFLOWS = sorted((PROJECT / ".github/workflows").glob("*.yml"))

# Patterns are written so that this file does not match them itself.
LEAKS = {
    # Ada is the example in documents; sbx_user is Lambda's own.
    "a home folder": r"/home/(?!ada/|sbx_user)[a-z]\w*/|/Users/[a-z]\w*/|[/]root/",
    "a folder of one machine": r"(?<![\w.*-])/work[/]|/tmp/bash[_]",
    "the host of a package registry": r"pypi[.]org|pythonhosted[.]org|registry[.](?:npmjs|yarnpkg)|deb[.]debian[.]org",
}


def code_in(text: str) -> str:
    """The code blocks and code spans of a Markdown document."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join(blocks + spans)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_a_document_names_exists(name: str) -> None:
    code = code_in((PROJECT / name).read_text())
    assert isinstance(main, click.Group)
    unknown = {f"make {target}" for target in re.findall(r"\bmake ([a-z]+)", code) if target not in TARGETS}
    unknown |= {f"coldstart {word}" for word in re.findall(r"\bcoldstart ([a-z-]+)", code) if word not in main.commands}
    assert unknown - {"coldstart env"} == set()


def test_the_readme_has_the_two_commands() -> None:
    code = code_in((PROJECT / "README.md").read_text())
    assert re.search(r"(?m)^make lab\b", code)
    assert re.search(r"(?m)^make test\b", code)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_inside_the_project_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", (PROJECT / name).read_text())
    assert [link for link in links if not (PROJECT / link).exists()] == []


def test_the_readme_lists_every_lesson() -> None:
    lessons = sorted(path.parent.name for path in (PROJECT / "lessons").glob("[0-9][0-9]-*/lesson.md"))
    listed = re.findall(r"\(lessons/([^/)]+)/lesson\.md\)", (PROJECT / "README.md").read_text())
    assert listed == lessons


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_can_be_read_and_runs_what_exists(path: Path) -> None:
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text())
    assert True in workflow, "YAML reads the key `on` as true; without it nothing starts the workflow"
    for name, job in workflow["jobs"].items():
        assert {"runs-on", "timeout-minutes", "steps"} <= set(job), name
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), step
            assert "@v" in step.get("uses", "@v"), step
            assert all(target in TARGETS for target in re.findall(r"\bmake ([a-z]+)", step.get("run", ""))), step
            assert all((PROJECT / script).exists() for script in re.findall(r"bash (\S+)", step.get("run", ""))), step


def test_ci_runs_every_python_the_project_promises() -> None:
    matrix = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text())["jobs"]["linux"]["strategy"]["matrix"]
    classifiers = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["classifiers"]
    promised = [line.rsplit(" ", 1)[1] for line in classifiers if re.search(r":: Python :: 3\.\d+$", line)]
    assert matrix["python"] == promised


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    found = []
    for name in filter(None, files.split("\0")):
        try:
            text = (PROJECT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        for what, pattern in LEAKS.items():
            found += [f"{name}: {what}: {match.group()}" for match in re.finditer(pattern, text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "see /ho" + "me/grace/app.py",
        "in /Us" + "ers/grace/app.py",
        "from https://pypi." + "org/simple",
        "/wor" + "k/notes.md",
    ],
)
def test_a_leak_would_be_found(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in LEAKS.values())
