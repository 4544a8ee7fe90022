"""Predictions, quiz questions, hints and solutions as the site's Markdown. All of it works without JavaScript."""

from __future__ import annotations

from coldstart.course.exercise import Exercise
from coldstart.course.pages_cells import code, folded, join
from coldstart.course.question_bank import Question


def prediction(question: Question, *, answered_later: bool) -> str:
    """Return a prediction: the options to choose from, and what they lead to only if the page does not say it later."""
    if not answered_later:
        return _asked(question, "Your prediction", _explained(question, "That is what happens.", "Not this time."))
    options = "\n".join(f"- **{letter})** {option.text}" for letter, option in question.lettered)
    return _asked(question, "Your prediction", join(options, "Choose one before you read on."))


def comparison(question: Question) -> str:
    """Return what follows a prediction's run: each option with what is to be said to whoever chose it."""
    unfold = _explained(question, "That is what happened.", "That is not what happened.")
    return _box(f"compare-{_anchor(question)}", "What did you predict?", join("Open the option you chose.", unfold))


def quiz_question(question: Question) -> str:
    """Return a quiz question whose options unfold to their explanations."""
    return _asked(question, "Question", _explained(question, "Right.", "Not this one."))


def help_with(exercise: Exercise) -> str:
    """Return an exercise's hints, one fold-out each, and its solution with the reasons."""
    every = len(exercise.hints)
    hints = [folded("hint", f"Hint {number} of {every}", text) for number, text in enumerate(exercise.hints, 1)]
    solution = join(
        code(exercise.solution.strip("\n")),
        f"**Why it works.** {exercise.why_solution}",
        "Another way that is right too:",
        code(exercise.other_solution.strip("\n")),
    )
    return join(*hints, folded("solution", f"Solution of exercise {exercise.id}", solution))


def _asked(question: Question, label: str, options: str) -> str:
    return _box(_anchor(question), label, join(question.question, options))


def _box(anchor: str, label: str, body: str) -> str:
    head = f'<div class="question" role="group" aria-labelledby="{anchor}" markdown="1">'
    return join(head, f"{label}\n{{ #{anchor} .question-label }}", body, "</div>")


def _explained(question: Question, right: str, wrong: str) -> str:
    return join(
        *(
            f'??? option "{letter}) {option.text}"\n\n    **{right if option.correct else wrong}** {option.explain}'
            for letter, option in question.lettered
        )
    )


def _anchor(question: Question) -> str:
    return f"q-{question.id.replace('.', '-')}"
