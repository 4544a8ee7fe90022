"""What a cell shows: text that is always there, and a live widget where there is a kernel to talk to.

`check`, `hint`, `predict`, `compare` and `quiz` return a `Shown`. JupyterLab shows its widget, GitHub and other readers of
a stored notebook its Markdown, a terminal, `print` and nbval its plain text. All three say the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from coldstart.course.rich_text import feedback_markdown


class Shown:
    """Displays as a widget in JupyterLab, as Markdown or plain text elsewhere.

    Args:
        text: the plain text.
        markdown: the same in Markdown; made from the text when it is not given.
        widget: makes the widget; called only when there is a notebook to show it in.
    """

    def __init__(self, text: str, markdown: str | None = None, widget: Callable[[], Any] | None = None) -> None:
        self.text = text
        self.markdown = feedback_markdown(text) if markdown is None else markdown
        self._widget = widget

    def __repr__(self) -> str:
        """Give the plain text, so that `print` shows what there is to read."""
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Say it once in each form; the notebook picks the richest it can show."""
        bundle: dict[str, Any] = {"text/plain": self.text, "text/markdown": self.markdown}
        if self._widget is not None and _in_notebook():
            view = self._widget()._repr_mimebundle_()
            data = view[0] if isinstance(view, tuple) else view
            bundle |= {kind: value for kind, value in (data or {}).items() if kind not in bundle}
        return bundle


def _in_notebook() -> bool:
    """Say whether a Jupyter kernel runs this, so that a widget has somebody to talk to."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
