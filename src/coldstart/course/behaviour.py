"""What the local AWS does as AWS does it and what not: the table in site/local-behaviour.yml, as a page of the site."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from coldstart.course.yaml_models import read_yaml

_DOCS = "https://docs.aws.amazon.com/"
_SHOWN = {"same": "The same", "differs": "Differs", "missing": "Not there"}


class Behaviour(BaseModel):
    """One row.

    Attributes:
        aws: what AWS does.
        source: the page that says so, below docs.aws.amazon.com.
        here: whether the local AWS does the same, does it differently, or not at all.
        says: how it differs and why; needed unless it is the same.
        test: the test that holds the local AWS to it, or to saying that it is missing: file::function below tests/conformance.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    aws: str = Field(min_length=1)
    source: str = Field(pattern=r"^[\w./-]+$")
    here: Literal["same", "differs", "missing"]
    says: str = ""
    test: str = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Behaviour:
        if self.here != "same" and not self.says:
            raise ValueError(f"say how it differs, and why: {self.aws}")
        if not self.test:
            raise ValueError(f"name the test that holds it: {self.aws}")
        return self


class Group(BaseModel):
    """Rows that belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    rows: list[Behaviour]


class _Table(BaseModel):
    groups: list[Group]


def read_behaviour(path: Path) -> list[Group]:
    """Read the table.

    Raises:
        LessonProblem: a row is not whole; with its line.
    """
    indented = "".join(f"  {line}\n" for line in path.read_text("utf-8").splitlines())
    return read_yaml(_Table, f"groups:\n{indented}", path, first_line=0).groups


def behaviour_page(groups: list[Group]) -> str:
    """Return the page's Markdown: one table for each group, and what there is in figures."""
    rows = [row for group in groups for row in group.rows]
    same = sum(row.here == "same" for row in rows)
    parts = [
        "---\ntitle: The local AWS and AWS\ndescription: What the local AWS of Cold Start does as AWS Lambda does it, and what "
        "differs, each with AWS's page.\nsource: site/local-behaviour.yml\n---",
        "# What the local AWS does and does not",
        f"{len(rows)} behaviours of AWS Lambda and of what belongs to it. {same} of them are the same here. The others say what "
        "AWS does instead. Each row is held by a test, which runs whenever the course is changed.",
    ]
    for group in groups:
        lines = ["| AWS | Here |", "|---|---|"]
        lines += [
            f"| {row.aws} [Source]({_DOCS}{row.source}) | **{_SHOWN[row.here]}.** {row.says} |" for row in group.rows
        ]
        parts += [f"## {group.group}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"
