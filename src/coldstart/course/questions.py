"""`predict`, `compare` and `quiz`: questions that a learner answers with a click or by typing."""

from __future__ import annotations

from coldstart.course import catalogue, progress
from coldstart.course.misconceptions import read_misconceptions
from coldstart.course.question_bank import Option, Question
from coldstart.course.rich_text import inline_html, wrapped
from coldstart.course.shown import Shown

_INDENT = 17
_HOW_TO_ANSWER = "Answer in the form, or type"


def predict(question_id: str = "", answer: str | None = None) -> Shown:
    """Ask what the next cell will do, and keep the answer for `compare`.

    Args:
        question_id: the prediction's id in quotes, such as "01.p1".
        answer: the letter of an option, to answer by typing; without it the question is shown.
    """
    try:
        question = catalogue.question(question_id)
    except catalogue.NotInTheCourse as error:
        return error.shown()
    if answer is not None:
        return _shown(_keep_prediction(question, answer))
    return asked([question], "predict")


def quiz(question_id: str = "", answer: str | None = None) -> Shown:
    """Ask a question of the quiz, and say of the answer why it is right or wrong.

    Args:
        question_id: the question's id in quotes, such as "01.q1"; or a lesson's number, "01", for all its questions.
        answer: the letter of an option, to answer by typing; without it the question is shown.
    """
    try:
        if answer is None and question_id and isinstance(question_id, str) and "." not in question_id:
            return asked(catalogue.questions(question_id), "quiz")
        question = catalogue.question(question_id)
    except catalogue.NotInTheCourse as error:
        return error.shown()
    if answer is not None:
        return _shown(_judge(question, answer))
    return asked([question], "quiz")


def compare(question_id: str = "") -> Shown:
    """Show what you predicted beside what happened.

    Args:
        question_id: the prediction's id in quotes, such as "01.p1".
    """
    try:
        question = catalogue.question(question_id)
    except catalogue.NotInTheCourse as error:
        return error.shown()
    letter = progress.read().predictions.get(question.id)
    predicted = dict(question.lettered).get(letter or "")
    right = question.option(question.right)
    lines = [("You predicted", _named(letter, predicted) if letter and predicted else "nothing yet")]
    lines.append(("What happened", _named(question.right, right)))
    lines.append(("Why", right.explain))
    if letter and predicted and letter != question.right:
        lines.append((f"About {letter}", _why_wrong(predicted)))
    return _shown(lines)


def _keep_prediction(question: Question, answer: object) -> list[tuple[str, str]]:
    """Keep a prediction and say so, without a word on whether it is right."""
    letter = _letter(question, answer)
    if letter is None:
        return [("No such option", _choices(question, answer))]
    with progress.recording() as record:
        record.predicted(question.id, letter)
    kept = f'Kept. Run the next cell; then `compare("{question.id}")` puts the two side by side.'
    return [("You predict", _named(letter, question.option(letter))), ("", kept), *_note(record.note)]


def _judge(question: Question, answer: object) -> list[tuple[str, str]]:
    """Keep an answer and say why it is right or wrong; a wrong one does not give the right one away."""
    letter = _letter(question, answer)
    if letter is None:
        return [("No such option", _choices(question, answer))]
    option = question.option(letter)
    with progress.recording() as record:
        record.answered(question.id, letter, right=option.correct)
    verdict = "Right" if option.correct else "Not this one"
    why = catalogue.filled(option.explain) if option.correct else _why_wrong(option)
    again = [] if option.correct else [("Next step", "Choose again.")]
    return [(verdict, _named(letter, option)), ("Why", why), *again, *_note(record.note)]


def _why_wrong(option: Option) -> str:
    """The option's own explanation, and the truth to keep instead of the misconception behind it."""
    known = read_misconceptions(catalogue.lessons_folder())
    behind = known.get(option.misconception or "")
    return catalogue.filled(option.explain) + (f" To keep: {behind.truth}" if behind else "")


def _letter(question: Question, answer: object) -> str | None:
    """The letter that was meant by "b", "B" or "b)"; None when there is no such option."""
    letter = str(answer).strip().rstrip(").").lower()
    return letter if letter in dict(question.lettered) else None


def _choices(question: Question, answer: object) -> str:
    letters = ", ".join(f'"{letter}"' for letter, _ in question.lettered)
    return f"{answer!r} is none of the options of {question.id}. Choose one of {letters}."


def _named(letter: str, option: Option) -> str:
    return f"{letter}) {catalogue.filled(option.text)}"


def _note(note: str) -> list[tuple[str, str]]:
    return [("", note)] if note else []


def _shown(lines: list[tuple[str, str]]) -> Shown:
    """Lines with leads, as plain text and as Markdown."""
    text = "\n".join(wrapped(line, f"{lead}:" if lead else "", _INDENT if lead else 0) for lead, line in lines)
    return Shown(text, "\n".join(f"- **{lead}:** {line}" if lead else f"\n{line}" for lead, line in lines))


def _html(lines: list[tuple[str, str]]) -> str:
    """Lines with leads, for the widget."""
    return "".join(
        f"<p><b>{lead}:</b> {inline_html(line)}</p>" if lead else f"<p>{inline_html(line)}</p>" for lead, line in lines
    )


def asked(questions: list[Question], kind: str) -> Shown:
    """Questions with lettered options: text to read and type an answer to, a form to click in."""
    text = "\n\n".join(_question_text(question, kind) for question in questions) or "This lesson has no questions yet."
    markdown = "\n\n".join(_question_markdown(question, kind) for question in questions) or text

    def form() -> object:
        from coldstart.widgets.choice import Choice

        answered = {question.id: question for question in questions}
        take = _keep_prediction if kind == "predict" else _judge
        return Choice(
            questions=[
                {
                    "id": question.id,
                    "question": inline_html(catalogue.filled(question.question)),
                    "chosen": _chosen(question, kind),
                    "options": [
                        {"letter": letter, "text": inline_html(catalogue.filled(option.text))}
                        for letter, option in question.lettered
                    ],
                }
                for question in questions
            ],
            button="Keep my prediction" if kind == "predict" else "Answer",
            on_answer=lambda question_id, letter: _html(take(answered[question_id], letter)),
        )

    return Shown(text, markdown, form if questions else None)


def _question_text(question: Question, kind: str) -> str:
    options = [wrapped(catalogue.filled(option.text), f"  {letter})", 5) for letter, option in question.lettered]
    lines = [f"{_heading(kind)} {question.id}", "", wrapped(catalogue.filled(question.question)), "", *options]
    return "\n".join(
        [*lines, "", *_already(question, kind), f"{_HOW_TO_ANSWER} {_call(question, kind)} with your letter."]
    )


def _question_markdown(question: Question, kind: str) -> str:
    options = "\n".join(f"- {letter}) {catalogue.filled(option.text)}" for letter, option in question.lettered)
    lead = f"**{_heading(kind)} {question.id}.** {catalogue.filled(question.question)}"
    already = "".join(f"{line} " for line in _already(question, kind))
    return f"{lead}\n\n{options}\n\n{already}{_HOW_TO_ANSWER} `{_call(question, kind)}` with your letter."


def _chosen(question: Question, kind: str) -> str:
    """The letter of the prediction that is kept already; empty when there is none, and for quiz questions."""
    letter = progress.read().predictions.get(question.id, "") if kind == "predict" else ""
    return letter if letter in dict(question.lettered) else ""


def _already(question: Question, kind: str) -> list[str]:
    letter = _chosen(question, kind)
    return [f"You have predicted {letter}). You can change it."] if letter else []


def _call(question: Question, kind: str) -> str:
    return f'{kind}("{question.id}", "a")'


def _heading(kind: str) -> str:
    return "Prediction" if kind == "predict" else "Question"
