"""Which language a file is written in, for showing it as Markdown."""

from __future__ import annotations

from pathlib import Path

_OF_SUFFIX = {
    ".py": "python",
    ".mjs": "javascript",
    ".js": "javascript",
    ".cjs": "javascript",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}


def fenced(text: str, file: str) -> str:
    """Return a file's text as a Markdown fence in its language."""
    return f"```{_OF_SUFFIX.get(Path(file).suffix, '')}\n{text.rstrip()}\n```"
