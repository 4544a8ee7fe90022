"""A figure with its text twin: the same in JupyterLab, in a stored notebook, on the site and in a terminal.

It is an SVG without scripts, so it lives wherever the notebook goes. Lines and words take the page's own colour, and what a
colour says a pattern or a word says too.
"""

from __future__ import annotations

import html
from typing import Any

STYLE = (
    "<defs><pattern id='cs-hatch' width='6' height='6' patternTransform='rotate(45)' patternUnits='userSpaceOnUse'>"
    "<rect width='6' height='6' fill='#c77700' fill-opacity='.25'/>"
    "<rect width='2' height='6' fill='#c77700'/></pattern></defs>"
)
"""What the windows share: the hatching of an init."""


class Figure:
    """A drawing, what it shows in a sentence, and the same as text.

    Args:
        drawing: what stands inside the SVG.
        width: of the drawing, in pixels.
        height: of the drawing, in pixels.
        label: what it shows, in a sentence, for a screen reader.
        text: everything the drawing says, as text.
    """

    def __init__(self, drawing: str, width: float, height: float, label: str, text: str) -> None:
        self._drawing = drawing
        self._width = width
        self._height = height
        self._label = label
        self.text = text

    def __repr__(self) -> str:
        """Give the text, so that `print` and a screen reader have all there is to read."""
        return self.text

    @property
    def svg(self) -> str:
        """The drawing."""
        return (
            f'<svg class="coldstart-figure" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'aria-label="{html.escape(self._label)}" viewBox="0 0 {self._width:.0f} {self._height:.0f}" '
            f'width="{self._width:.0f}" style="max-width:100%;height:auto" font-family="system-ui, sans-serif" '
            f'font-size="13" fill="currentColor">{self._drawing}</svg>'
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Say it in each form; the notebook picks the richest that it can show."""
        twin = f"<details><summary>The figure as text</summary><pre>{html.escape(self.text)}</pre></details>"
        return {
            "text/plain": self.text,
            "image/svg+xml": self.svg,
            "text/html": f'<div class="jp-RenderedSVG">{self.svg}</div>{twin}',
        }


def words(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", size: int = 13) -> str:
    """Return a line of text at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}">'
        f"{html.escape(text)}</text>"
    )
