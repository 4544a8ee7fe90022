"""Reads YAML into a typed model, and says in which line of the file a mistake is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from coldstart.course.problems import LessonProblem

Model = TypeVar("Model", bound=BaseModel)

# The one in C reads the same, ten times as fast; not every PyYAML has it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(model: type[Model], text: str, path: Path, first_line: int = 1) -> Model:
    """Read a model from YAML.

    Args:
        model: what to read.
        text: the YAML.
        path: the file it stands in.
        first_line: the line of the file in which the text begins.

    Raises:
        LessonProblem: it is no YAML, or not what the model asks for; with the line.
    """
    try:
        return model.model_validate(yaml.load(text, _LOADER) or {})
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + first_line if error.problem_mark else first_line
        raise LessonProblem(path, line, f"this is no YAML: {error.problem}. Quote texts that hold a colon.") from None
    except ValidationError as error:
        node = yaml.compose(text, Loader=_LOADER)
        first = error.errors()[0]
        raise LessonProblem(
            path, _line(node, first["loc"]) + first_line, said(first["loc"], first["type"], first["msg"])
        ) from None


def said(place: Sequence[int | str], kind: str, message: str) -> str:
    """Put pydantic's complaint about one field into words that say what to do.

    Args:
        place: the way to the field.
        kind: pydantic's name of the complaint.
        message: its text.
    """
    field = str(place[-1]) if place else ""
    way = ", ".join(f"{part + 1}." if isinstance(part, int) else str(part) for part in place[:-1])
    inside = f" (in {way})" if way else ""
    if kind == "missing":
        return f"`{field}` is missing{inside}; add it"
    if kind == "extra_forbidden":
        return f"`{field}` is not known here{inside}; is it misspelt?"
    text = message.removeprefix("Value error, ")
    return text if not place or isinstance(place[-1], int) else f"`{field}`{inside}: {text}"


def _line(node: yaml.Node | None, place: Sequence[int | str]) -> int:
    """Line (from 0) of the innermost part of the YAML on the way to a field."""
    line = 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pairs = {str(key.value): (key, value) for key, value in node.value}
            if str(part) not in pairs:
                break
            key, node = pairs[str(part)]
            line = key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line
