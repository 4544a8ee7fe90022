"""A learner's file as data: a policy, a template, a configuration, in JSON or YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from coldstart.course.feedback import Feedback, Unmet


class _CloudFormationLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref Orders` is read as {"Ref": "Orders"}."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_CloudFormationLoader.add_multi_constructor("!", _intrinsic)


def read_document(source: str, file: str) -> Any:
    """Return the data in a JSON or YAML text; CloudFormation's tags are read as their long forms.

    Raises:
        Unmet: it is not JSON or YAML; the feedback names the line.
    """
    kind = "JSON" if Path(file).suffix == ".json" else "YAML"
    try:
        return json.loads(source) if kind == "JSON" else yaml.load(source, _CloudFormationLoader)
    except json.JSONDecodeError as error:
        line, message = error.lineno, error.msg
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, message = (mark.line + 1 if mark else 1), str(getattr(error, "problem", "") or error).splitlines()[0]
    text = "".join(source.splitlines()[line - 1 : line]).strip().replace("`", "'")
    raise Unmet(
        Feedback(
            expected=f"{kind} in {file}",
            got=f"{message}\n{file}, line {line}: " + (f"`{text}`" if text else "the end of the file"),
            why=f"AWS refuses a document that is no {kind} before it looks at what it says.",
            next_step=f"Look at line {line} of {file}, and at the line before it: "
            + ("a missing comma, quote or bracket is often there." if kind == "JSON" else "spaces matter in YAML."),
        )
    )
