"""A notebook's cells as the site's Markdown: code, what it printed, tables, figures, errors.

Used by ``coldstart.course.pages``. What is written here builds with every engine that has pymdown's extensions.
"""

from __future__ import annotations

import html
import re

import nbformat

MOST_OUTPUT_LINES = 40
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_WROTE_A_FILE = re.compile(r"(?:Writing|Overwriting) \S+\s*")
_WRITEFILE = re.compile(r"%%writefile +\S*?(\.\w+)\s*\n")
_MAGIC = re.compile(r"%%(\w+)")
_LANGUAGES = {
    ".cjs": "javascript",
    ".js": "javascript",
    ".mjs": "javascript",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".sh": "bash",
    ".toml": "toml",
    ".txt": "text",
    "bash": "bash",
    "sh": "bash",
    "javascript": "javascript",
    "html": "html",
}
_LIVE_ONLY = ("application/vnd.jupyter.widget-view+json",)
_UNSAFE = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]{}#!])")


def code(source: str, *, name: str = "", runs: str = "") -> str:
    """Return a code cell's source as a fence in the language that the cell holds, its magic included.

    Args:
        source: the cell's text.
        name: the cell's id in its notebook, which stays when others come and go; empty for code that is no cell.
        runs: whether it runs in the page, as :mod:`coldstart.course.where_it_runs` says.
    """
    language = "python"
    if (written := _WRITEFILE.match(source)) or (magic := _MAGIC.match(source)):
        language = _LANGUAGES.get((written or magic)[1], "python")  # type: ignore[index]
    in_the_page = f' #cell-{name} data-run="{runs}"' if name and runs else ""
    return fence(source.rstrip(), f" {{ .{language} .cell{in_the_page} }}")


def output(result: nbformat.NotebookNode, *, alt: str | None = None, nested: bool = False) -> str:
    """Return one output of a cell; empty when there is nothing for a reader in it.

    Args:
        result: the output, as nbformat has it.
        alt: what a figure shows, in words; from the cell's metadata.
        nested: whether it will stand inside a tab, where no raw HTML can stand; its plain text is taken then.
    """
    if result.output_type == "stream":
        return "" if _WROTE_A_FILE.fullmatch(result.text) else text_output(result.text)
    if result.output_type == "error":
        message = f"{result.ename}: {result.evalue}" if result.evalue else result.ename
        return folded("failure", f"Error: {result.ename}", text_output(message))
    data = result.data
    plain = data.get("text/plain", "")
    if "text/markdown" in data:
        return noted("output", "Output", data["text/markdown"])
    if "image/svg+xml" in data and not nested:
        return _figure(data["image/svg+xml"], alt or "Figure drawn by the cell above", plain)
    if "text/html" in data and not nested and not any(kind in data for kind in _LIVE_ONLY):
        return _table(data["text/html"])
    if any(kind in data for kind in _LIVE_ONLY):
        return ""
    return text_output(plain)


def text_output(text: str) -> str:
    """Return printed text as an ``output`` fence; a long one shows its beginning and folds the rest away."""
    lines = _ANSI.sub("", text).rstrip().split("\n")
    if lines == [""]:
        return ""
    if len(lines) <= MOST_OUTPUT_LINES:
        return fence("\n".join(lines), "output")
    head, rest = lines[: MOST_OUTPUT_LINES // 2], lines[MOST_OUTPUT_LINES // 2 :]
    return join(
        fence("\n".join(head), "output"),
        folded("more", f"{len(rest)} more lines", fence("\n".join(rest), "output")),
    )


def fence(text: str, head: str) -> str:
    """Return a fenced block whose fence is longer than any in the text."""
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`{3,}", text))])
    return f"{ticks}{head}\n{text}\n{ticks}"


def folded(kind: str, title: str, body: str) -> str:
    """Return a fold-out (``<details>``) of a class, closed at first. The title is plain text."""
    return _block(f'??? {kind} "{escaped(title)}"', body)


def noted(kind: str, title: str, body: str) -> str:
    """Return a box of a class with a title; the body is Markdown."""
    return _block(f'!!! {kind} "{escaped(title)}"', body)


def tab(name: str, body: str) -> str:
    """Return one tab; tabs that follow each other make one set."""
    return _block(f'=== "{name}"', body)


def escaped(text: str) -> str:
    """Return plain text with everything escaped that Markdown would take for markup."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", html.escape(text, quote=False))


def join(*blocks: str) -> str:
    """Return the blocks that are not empty, with a blank line between them."""
    return "\n\n".join(block for block in blocks if block)


def _block(head: str, body: str) -> str:
    lines = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
    return f"{head}\n\n{lines}"


def _figure(svg: str, alt: str, twin: str) -> str:
    drawn = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>", "", _UNSAFE.sub("", svg), flags=re.DOTALL).strip()
    if "aria-label" not in drawn.split(">", 1)[0]:
        drawn = drawn.replace("<svg", f'<svg role="img" aria-label="{html.escape(alt)}"', 1)
    picture = f'<figure class="output output-figure" data-search-exclude>\n{drawn}\n</figure>'
    return join(picture, folded("more", "The figure as text", text_output(twin)) if twin.strip() else "")


def _table(table: str) -> str:
    cleaned = _UNSAFE.sub("", table).replace("<th></th>", "<td></td>")
    cleaned = re.sub(r' (?:border|style)="[^"]*"', "", cleaned).strip()
    return (
        '<figure class="output output-table" data-search-exclude>\n<figcaption><span>Output</span></figcaption>\n'
        f'<div role="group" tabindex="0" aria-label="Table">\n{cleaned}\n</div>\n</figure>'
    )
