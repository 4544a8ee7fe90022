"""Questions to answer with a click, under `predict` and `quiz`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Choice(anywidget.AnyWidget):
    """Shows each question with its options as radio buttons, and what is said about the chosen one.

    Args:
        questions: `{"id": ..., "question": HTML, "chosen": letter or "", "options": [{"letter": ..., "text": HTML}]}`
            for each.
        button: what the button that answers is called.
        on_answer: takes a question's id and a letter, returns what to say as HTML.
    """

    _esm = _HERE / "choice.js"
    _css = _HERE / "widget.css"
    questions = traitlets.List(traitlets.Dict()).tag(sync=True)
    button = traitlets.Unicode().tag(sync=True)
    # What was said last: the question's id, the HTML, and a count, since the same words twice are news too.
    said = traitlets.Dict().tag(sync=True)

    def __init__(self, questions: list[dict[str, Any]], button: str, on_answer: Callable[[str, str], str]) -> None:
        super().__init__(questions=questions, button=button)
        self._on_answer = on_answer
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: dict[str, str], __: Any) -> None:
        """Take an answer, and show what there is to say about it."""
        html = self._on_answer(content["id"], content["letter"])
        self.said = {"id": content["id"], "html": html, "turn": self.said.get("turn", 0) + 1}
