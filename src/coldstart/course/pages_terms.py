"""Marks the words of the glossary in a lesson's page: the first time one stands in the prose, its meaning hangs on it.

Used by ``coldstart.course.pages``. The mark is a link to the glossary that any engine builds; the meaning beside it is shown
by the style sheet under a pointer and with the focus, without a script.
"""

from __future__ import annotations

import re

from coldstart.course.glossary import anchor_of
from coldstart.course.pages_cells import escaped

# What is no prose: fences, headings, code, links and pictures, HTML with its content where that is a block.
_NO_PROSE = r"^(?:```|~~~).*?^(?:```|~~~)[ ]*$|^#.*?$|`+[^`]+`+|!?\[[^\]]*\]\([^)]*\)(?:\{[^}]*\})?|<[^>]*>"


class Terms:
    """The glossary's words on one page; each is marked once.

    Args:
        glossary: meanings by word.
    """

    def __init__(self, glossary: dict[str, str]) -> None:
        self._waiting = {word.lower(): word for word in glossary}
        self._glossary = glossary
        longest_first = sorted(glossary, key=len, reverse=True)
        words = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest_first)
        self._pattern = re.compile(
            rf"(?P<skipped>{_NO_PROSE})|(?<![\w/.-])(?P<word>{words or '(?!)'})(?![\w-])",
            re.MULTILINE | re.DOTALL | re.IGNORECASE,
        )

    def mark(self, text: str) -> str:
        """Return prose with the words marked that this page has not had before."""
        return self._pattern.sub(self._marked, text)

    def _marked(self, found: re.Match[str]) -> str:
        written = found["word"]
        word = self._waiting.pop(" ".join(written.lower().split()), None) if written else None
        if word is None:
            return found[0]
        anchor = anchor_of(word)
        return (
            f'<span class="term">[{written}](../glossary.md#{anchor}){{ aria-describedby="term-{anchor}" }}'
            f'<span class="term-meaning" id="term-{anchor}" role="tooltip" data-search-exclude>'
            f"{escaped(self._glossary[word])}</span></span>"
        )
