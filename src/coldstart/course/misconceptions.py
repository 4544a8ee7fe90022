"""What learners believe that is not so: misconceptions.yml. Wrong options and wrong answers name one of them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, RootModel

from coldstart.course.yaml_models import read_yaml


class Misconception(BaseModel):
    """One of them.

    Attributes:
        belief: what is believed, as the learner would say it.
        truth: the sentence to keep.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    belief: str = Field(min_length=1)
    truth: str = Field(min_length=1)


class _File(RootModel[dict[str, Misconception]]):
    pass


def read_misconceptions(lessons: Path) -> dict[str, Misconception]:
    """Read misconceptions.yml of the lessons' folder; without one there are none.

    Raises:
        LessonProblem: it breaks a rule; with the line.
    """
    path = lessons / "misconceptions.yml"
    return _read(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> dict[str, Misconception]:
    return read_yaml(_File, path.read_text("utf-8"), path).root
