"""How the site shows what a cell printed: the formatter of the ``output`` fence.

``site/mkdocs.yml`` names :func:`output_fence` as a custom fence of pymdownx.superfences, so lesson pages stay plain
Markdown and outputs can stand inside tabs and fold-outs.

The search reads a line of output only when it names an error: people look for the message they have got. The rest of
the output (ids, times, sizes) would bury the prose, so it carries ``data-search-exclude``.
"""

from __future__ import annotations

import html
import re
from typing import Any

_NAMES_AN_ERROR = re.compile(
    r"\b[A-Z]\w*(?:Error|Exception|NotFound|Denied|Failed)\b"
    r"|\b(?:Runtime|Function|Sandbox|Extension)\.[A-Z]\w+"
    r"|\berror(?:Type|Message)\b|\bFunctionError\b|\[ERROR\]|Task timed out|batchItemFailures"
)
_NOISE = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?"
)
_LAMBDAS_OWN = re.compile(r"(?:INIT_START|START|END|REPORT) ")
_UNSEARCHED = "data-search-exclude"


def output_fence(source: str, language: str, css_class: str, options: Any, md: Any, **_: Any) -> str:
    """Return the HTML of an ``output`` fence: a labelled figure around the text.

    Args:
        source: the text.
        language: the fence's name; part of the signature that superfences calls.
        css_class: the figure's class.
        options: not used.
        md: not used.
    """
    lines = "".join(_line(line) for line in source.splitlines(keepends=True))
    return (
        f'<figure class="{css_class}"><figcaption><span {_UNSEARCHED}>Output</span></figcaption>'
        f"<pre>{lines}</pre></figure>"
    )


def _line(line: str) -> str:
    if not _NAMES_AN_ERROR.search(line):
        owner = ' class="lambda-line"' if _LAMBDAS_OWN.match(line) else ""
        return f"<span{owner} {_UNSEARCHED}>{html.escape(line, quote=False)}</span>"
    parts, end = [], 0
    for noise in _NOISE.finditer(line):
        parts += [html.escape(line[end : noise.start()], quote=False), f"<span {_UNSEARCHED}>{noise[0]}</span>"]
        end = noise.end()
    return "".join([*parts, html.escape(line[end:], quote=False)])
