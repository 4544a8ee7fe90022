"""The words of the course: glossary.yml, one meaning each; and the site's page of them."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import RootModel

from coldstart.course.yaml_models import read_yaml


class Glossary(RootModel[dict[str, str]]):
    """Meanings by word."""


def read_glossary(lessons: Path) -> dict[str, str]:
    """Read glossary.yml of the lessons' folder; without one it is empty.

    Raises:
        LessonProblem: it breaks a rule; with the line.
    """
    path = lessons / "glossary.yml"
    return read_yaml(Glossary, path.read_text("utf-8"), path).root if path.exists() else {}


def anchor_of(word: str) -> str:
    """Return the address of a word on the glossary's page, behind the #."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


def glossary_page(glossary: dict[str, str]) -> str:
    """Return the glossary's page in Markdown: every word under its own address, in alphabetical order."""
    words = sorted(glossary, key=str.lower)
    entries = "\n\n".join(f"## {word} {{ #{anchor_of(word)} }}\n\n{glossary[word]}" for word in words)
    head = (
        "---\ntitle: Glossary\ndescription: The words of AWS Lambda that the course uses, one meaning each.\n"
        "source: lessons/glossary.yml\nhide: [toc]\nsearch: {boost: 2}\n---"
    )
    intro = (
        "The words of the course, one meaning each. In the lessons a dotted line stands under the first mention of each; "
        "point at it, go to it with the Tab key or touch it, and its meaning is shown."
    )
    return f'{head}\n\n# Glossary\n\n{intro}\n\n<div class="glossary" markdown="1">\n\n{entries}\n\n</div>\n'
