"""The words of the course: glossary.yml, one meaning each."""

from __future__ import annotations

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
