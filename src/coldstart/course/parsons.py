"""A solution cut into pieces and shuffled: the rung of the hint ladder between nearly-code and the solution.

The pieces come from the exercise's own solution, so there is nothing for an author to keep up to date.
"""

from __future__ import annotations

import random
import re
import string
from dataclasses import dataclass

from coldstart.course.exercise import Exercise

MOST_PIECES = 12
_ONLY_CLOSES = re.compile(r"[)\]}\s,;]*$")


@dataclass(frozen=True)
class Piece:
    """Some lines of the solution that stay together, under a letter."""

    letter: str
    text: str


def pieces_of(exercise: Exercise) -> list[Piece]:
    """Return the solution's pieces, shuffled; the same order each time."""
    texts = _cut(exercise.solution)
    shuffled = list(texts)
    order = random.Random(exercise.id)
    while shuffled == texts and len(set(texts)) > 1:
        order.shuffle(shuffled)
    return [Piece(letter, text) for letter, text in zip(string.ascii_lowercase, shuffled, strict=False)]


def put_together(pieces: list[Piece]) -> str:
    """Return the pieces as the text of a file."""
    return "\n".join(piece.text for piece in pieces) + "\n"


def is_the_solution(pieces: list[Piece], exercise: Exercise) -> bool:
    """Whether the pieces stand as in the solution; pieces with the same text may change places."""
    return [piece.text for piece in pieces] == _cut(exercise.solution)


def in_place(pieces: list[Piece], exercise: Exercise) -> int:
    """Return how many pieces, from the first on, stand as in the solution."""
    count = 0
    for piece, text in zip(pieces, _cut(exercise.solution), strict=False):
        if piece.text != text:
            break
        count += 1
    return count


def _cut(solution: str) -> list[str]:
    """Cut between lines: a line that only closes brackets stays with the one before, and imports stay together."""
    texts: list[str] = []
    for line in solution.splitlines():
        if not line.strip():
            continue
        together = texts and (_ONLY_CLOSES.fullmatch(line) or (_is_import(line) and _is_import(texts[-1])))
        if together:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    while len(texts) > MOST_PIECES:
        _join_shortest(texts)
    return texts


def _join_shortest(texts: list[str]) -> None:
    """Join the two neighbours that are shortest together."""
    at = min(range(len(texts) - 1), key=lambda index: len(texts[index]) + len(texts[index + 1]))
    texts[at : at + 2] = ["\n".join(texts[at : at + 2])]


def _is_import(text: str) -> bool:
    return text.startswith(("import ", "from "))
