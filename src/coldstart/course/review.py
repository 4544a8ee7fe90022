"""`review()`: questions from earlier lessons, back at growing intervals."""

from __future__ import annotations

from itertools import groupby

from coldstart.course import catalogue, progress
from coldstart.course.question_bank import Question
from coldstart.course.questions import asked
from coldstart.course.rich_text import wrapped
from coldstart.course.shown import Shown

MOST_AT_ONCE = 5


def review() -> Shown:
    """Ask the questions that are due today, a few at a time; answer in the form or with `quiz`."""
    kept = progress.read()
    due = questions_due(kept)
    if due:
        return asked(due[:MOST_AT_ONCE], "quiz")
    return Shown(wrapped(_nothing_due(kept)))


def questions_due(kept: progress.Progress) -> list[Question]:
    """Return the questions that are due today; one that the course no longer has is left out."""
    found = []
    for question_id in kept.due(progress.today()):
        try:
            found.append(catalogue.question(question_id))
        except catalogue.NotInTheCourse:
            continue
    return found


def _nothing_due(kept: progress.Progress) -> str:
    if not kept.reviews:
        return "Nothing to review yet. The questions you answer in the lessons come back here, first after a day."
    day, questions = next(groupby(sorted(review.due for review in kept.reviews.values())))
    count = len(list(questions))
    return f"Nothing to review today. Next: {count} {'question' if count == 1 else 'questions'} on {day}."
