"""What a check says: expected, got, why it matters, next step. `expect` is how a requirement says it."""

from __future__ import annotations

from dataclasses import dataclass

from coldstart.course.rich_text import feedback_html, feedback_markdown, wrapped

_INDENT = 16


@dataclass(frozen=True)
class Feedback:
    """The four lines of every feedback. Backticks in them mark code; all else is shown as it is.

    Attributes:
        expected: what would have been right.
        got: what there was instead.
        why: why the difference matters to Parcel.
        next_step: the smallest next step.
    """

    expected: str
    got: str
    why: str
    next_step: str

    def lines(self) -> tuple[tuple[str, str], ...]:
        """The four lines, each with its lead."""
        return (
            ("Expected", self.expected),
            ("Got", self.got),
            ("Why it matters", self.why),
            ("Next step", self.next_step),
        )

    def text(self) -> str:
        """The four lines as plain text."""
        return "\n".join(wrapped(line, f"{lead}:", _INDENT) for lead, line in self.lines())

    def markdown(self) -> str:
        """The four lines as a Markdown list."""
        return "\n".join(
            f"- **{lead}:** " + feedback_markdown(line).replace("\n", "\n  ") for lead, line in self.lines()
        )

    def html(self) -> str:
        """The four lines as an HTML description list."""
        rows = "".join(f"<dt>{lead}</dt><dd>{feedback_html(line)}</dd>" for lead, line in self.lines())
        return f"<dl>{rows}</dl>"


class Unmet(Exception):
    """A requirement is not met; `feedback` says what to show for it."""

    def __init__(self, feedback: Feedback) -> None:
        self.feedback = feedback
        super().__init__(feedback.text())


def expect(condition: object, *, expected: str, got: str, why: str, next_step: str) -> None:
    """Go on when the condition holds; otherwise end the requirement with feedback.

    Args:
        condition: what must be true of the learner's function.
        expected: what would have been right. Backticks mark code, in all four.
        got: what there was instead.
        why: why the difference matters.
        next_step: the smallest next step.

    Raises:
        Unmet: the condition does not hold.
    """
    if not condition:
        raise Unmet(Feedback(expected=expected, got=shortened(got), why=why, next_step=next_step))


def shortened(text: str, limit: int = 400) -> str:
    """The text, cut when it is too long to be read under a cell."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text):,} characters in all)"
