"""Text with `code` in backticks, as HTML, as Markdown and as plain text.

Two kinds of text reach a learner. Feedback is made partly of what the learner's function answered, so in it only
backticks mean anything and all else is shown as it is. Lesson text (tasks, hints, questions) is an author's Markdown.
"""

from __future__ import annotations

import html
import re
import textwrap

from markdown_it import MarkdownIt

WIDTH = 100

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_CODE = re.compile(r"(`[^`\n]+`)")
_SPECIAL = re.compile(r"([\\*_\[\]<>#|~&$])")


def feedback_html(text: str) -> str:
    """HTML of a feedback line: backticks become code, line ends stay, nothing else is markup."""
    parts = [
        f"<code>{html.escape(part[1:-1])}</code>" if _CODE.fullmatch(part) else html.escape(part)
        for part in _CODE.split(text)
    ]
    return "".join(parts).replace("\n", "<br>")


def feedback_markdown(text: str) -> str:
    """Markdown of a feedback line, with everything escaped that Markdown would take for markup."""
    parts = [part if _CODE.fullmatch(part) else _SPECIAL.sub(r"\\\1", part) for part in _CODE.split(text)]
    return "".join(parts).replace("\n", "  \n")


def lesson_html(text: str) -> str:
    """HTML of an author's Markdown; HTML inside it is shown, not obeyed."""
    rendered: str = _MARKDOWN.render(text)
    return rendered.strip()


def inline_html(text: str) -> str:
    """HTML of an author's Markdown that is one line, without a paragraph around it."""
    rendered: str = _MARKDOWN.renderInline(text)
    return rendered


def wrapped(text: str, lead: str = "", indent: int = 0) -> str:
    """Plain text with its lead in a column of its own, each of its lines wrapped under itself."""
    first, rest = lead.ljust(indent), " " * indent
    lines: list[str] = []
    for line in text.split("\n"):
        lines += textwrap.wrap(
            line,
            WIDTH,
            initial_indent=rest if lines else first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [rest.rstrip() if lines else first.rstrip()]
    return "\n".join(lines)
