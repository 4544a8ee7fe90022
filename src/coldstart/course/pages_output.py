"""How the site shows what a cell printed: the formatter of the ``output`` fence.

``site/mkdocs.yml`` names :func:`output_fence` as a custom fence of pymdownx.superfences, so lesson pages stay plain
Markdown and outputs can stand inside tabs and fold-outs.

The search reads a line of output only when it names an error: people look for the message they have got. The rest of
the output (ids, times, sizes) would bury the prose, so it carries ``data-search-exclude``.
"""

from __future__ import annotations

import html
import re
from itertools import groupby
from typing import Any

_NAMES_AN_ERROR = re.compile(
    r"\b[A-Z]\w*(?:Error|Exception|NotFound|Denied|Failed)\b"
    r"|\b(?:Runtime|Function|Sandbox|Extension)\.[A-Z]\w+"
    r"|\berror(?:Type|Message)\b|\bFunctionError\b|\[ERROR\]|Task timed out|batchItemFailures"
)
_NOISE = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?"
    r"|\b(?:[A-Z]\w+ )*(?:Duration|Memory Size|Memory Used): [\d.]+ (?:ms|MB)"
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
    kinds = groupby(source.splitlines(keepends=True), key=_kind)
    lines = "".join(_block("".join(block), kind) if kind else "".join(map(_error, block)) for kind, block in kinds)
    return (
        f'<figure class="{css_class}"><figcaption><span {_UNSEARCHED}>Output</span></figcaption>'
        f"<pre>{lines}</pre></figure>"
    )


def _kind(line: str) -> str:
    """Empty for a line that names an error; else who wrote it."""
    if _NAMES_AN_ERROR.search(line):
        return ""
    return "lambda" if _LAMBDAS_OWN.match(line) else "function"


def _block(text: str, kind: str) -> str:
    owner = ' class="lambda-line"' if kind == "lambda" else ""
    return f"<span{owner} {_UNSEARCHED}>{html.escape(text, quote=False)}</span>"


def _error(line: str) -> str:
    parts, end = [], 0
    for noise in _NOISE.finditer(line):
        parts += [html.escape(line[end : noise.start()], quote=False), f"<span {_UNSEARCHED}>{noise[0]}</span>"]
        end = noise.end()
    return "".join([*parts, html.escape(line[end:], quote=False)])
