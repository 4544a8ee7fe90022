"""Prices, limits and dates, each with its source and a day on which somebody has to look again."""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from coldstart.course.problems import LessonProblem
from coldstart.course.yaml_models import said

_MENTION = re.compile(r"\{\{fact:([^{}]*)\}\}")
_TOML_LINE = re.compile(r"at line (\d+)")


class Fact(BaseModel):
    """One entry of facts.toml.

    Attributes:
        value: the figure, or the text of it.
        source: where it can be looked up.
        checked: the day somebody last compared the two.
        expires: the day from which on the build fails until somebody has compared them again.
        unit: what the value counts; empty for names and dates.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: int | float | str | datetime.date
    source: str
    checked: datetime.date
    expires: datetime.date
    unit: str = ""

    def __str__(self) -> str:
        """Value and unit as they stand in a sentence."""
        value = f"{self.value:,}" if isinstance(self.value, int) else str(self.value)
        return f"{value} {self.unit}".strip()


class Facts:
    """The facts of the course by name."""

    def __init__(self, path: Path) -> None:
        """Read facts.toml.

        Raises:
            LessonProblem: an entry is incomplete.
        """
        self._path = path
        self._lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self.by_name: dict[str, Fact] = {}
        try:
            entries = tomllib.loads("\n".join(self._lines))
        except tomllib.TOMLDecodeError as error:
            line = _TOML_LINE.search(str(error))
            raise LessonProblem(path, int(line[1]) if line else None, f"this is no TOML: {error}") from None
        for name, entry in entries.items():
            try:
                self.by_name[name] = Fact.model_validate(entry)
            except ValidationError as error:
                first = error.errors()[0]
                what = said([name, *first["loc"]], first["type"], first["msg"])
                raise LessonProblem(path, self._line_of(name), what) from None

    def fill_in(self, text: str, path: Path, line: int) -> str:
        """Return the text with every ``{{fact:name}}`` as value and unit.

        Raises:
            LessonProblem: no fact of that name; path and line say where the text begins.
        """

        def replace(mention: re.Match[str]) -> str:
            if mention[1] not in self.by_name:
                place = line + text.count("\n", 0, mention.start())
                raise LessonProblem(
                    path, place, f"there is no fact `{mention[1]}`; add it to facts.toml with its source"
                )
            return str(self.by_name[mention[1]])

        return _MENTION.sub(replace, text)

    def expired(self, today: datetime.date) -> list[LessonProblem]:
        """Return a problem for every fact whose day has come."""
        return [
            LessonProblem(
                self._path,
                self._line_of(name),
                f"the fact `{name}` has expired on {fact.expires}; look it up ({fact.source}), "
                "then set value, checked and expires",
            )
            for name, fact in self.by_name.items()
            if fact.expires <= today
        ]

    def _line_of(self, name: str) -> int | None:
        heading = f"[{name}]"
        return next((number for number, line in enumerate(self._lines, 1) if line.strip() == heading), None)


def facts_page(facts: Facts) -> str:
    """Return the site's page of facts in Markdown: each with its source and the day on which it was checked."""
    lines = ["| Fact | Value | Source |", "|---|---|---|"]
    for name, fact in facts.by_name.items():
        words, _, address = fact.source.rpartition(", ")
        link = f"[{words}]({address})" if address.startswith("https://") else fact.source
        checked = f"checked on {fact.checked.day} {fact.checked:%B %Y}"
        lines.append(f"| {name.replace('_', ' ').capitalize()} | {fact} | {link}, {checked} |")
    intro = "Every price, limit and date of the lessons comes from this list. After half a year the course fails its tests until somebody has checked them again."
    head = (
        "---\ntitle: Facts\ndescription: Every price, limit and date that the lessons name, with its source and the day it was "
        "checked.\nsource: lessons/facts.toml\n---"
    )
    return "\n\n".join([head, "# Facts and their sources", intro, "\n".join(lines)]) + "\n"
