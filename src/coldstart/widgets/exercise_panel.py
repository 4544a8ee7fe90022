"""The panel under `check`: the feedback, with buttons to check again and to ask for a hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class ExercisePanel(anywidget.AnyWidget):
    """Shows feedback; its two buttons call the functions it was given and show what they return.

    Args:
        exercise_id: the exercise's number.
        title: the exercise's title.
        html: the feedback to begin with.
        on_check: checks again and returns feedback as HTML.
        on_hint: returns the next hint as HTML.
    """

    _esm = _HERE / "exercise_panel.js"
    _css = _HERE / "widget.css"
    exercise_id = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    # What was said last: to which button, the HTML, and a count, since the same words twice are news too.
    said = traitlets.Dict().tag(sync=True)

    def __init__(
        self, exercise_id: str, title: str, html: str, on_check: Callable[[], str], on_hint: Callable[[], str]
    ) -> None:
        super().__init__(exercise_id=exercise_id, title=title, said={"to": "check", "html": html, "turn": 0})
        self._actions = {"check": on_check, "hint": on_hint}
        self.on_msg(self._act)

    def _act(self, _: Any, content: dict[str, str], __: Any) -> None:
        """Do what a button asks for, and show what came of it."""
        action = content["action"]
        self.said = {"to": action, "html": self._actions[action](), "turn": self.said["turn"] + 1}
