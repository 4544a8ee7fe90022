"""Hints come one at a time; predictions are kept and compared; every option of a quiz is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldstart import arrange, check, compare, hint, predict, quiz, solution
from coldstart.course import hints
from coldstart.course.lesson import read_exercises
from coldstart.course.parsons import pieces_of


def test_hints_come_one_rung_at_a_time(learner: Path) -> None:
    assert hint("01.1").text == "Hint 1 of 5 for exercise 01.1: read again\n\nRead the task again."
    assert hint("01.1").text == "Hint 2 of 5 for exercise 01.1: the idea\n\nThe name is in the event."
    assert "Hint 3 of 5 for exercise 01.1: where" in hint("01.1").text
    assert "Hint 4 of 5 for exercise 01.1: nearly the code" in hint("01.1").text


def test_without_an_id_it_asks_which_one(learner: Path) -> None:
    for asked in (check, hint, solution, arrange, predict, compare, quiz):
        assert asked().text == 'Which one? Say it in the brackets. Ids look like "01.2", with the quotes.'


def test_the_last_hint_is_the_solution_in_pieces_and_opens_it(learner: Path) -> None:
    assert 'solution("01.1")' not in [hint("01.1").text for _ in range(4)][-1]
    assert (
        hint("01.1").text
        == """\
Hint 5 of 5 for exercise 01.1: the solution in pieces

These pieces, put in order, are a solution. The spaces before each line are right already. Try an
order with their letters: `arrange("01.1", "b a c")`.

  a) |     return {"greeting": f"Hello, {event['name']}"}
  b) | def handler(event, context):

When you have tried: `solution("01.1")` is open now."""
    )
    assert "That was the last hint." in hint("01.1").text


@pytest.mark.usefixtures("local_aws")
def test_pieces_in_order_are_right_and_others_are_told_how_far_they_are(learner: Path) -> None:
    assert arrange("01.1", "b a").text.startswith("That is an order that works.")
    assert "0 of 2 pieces in place" in arrange("01.1", "ab").text
    assert "each of the 2 letters a, b once" in arrange("01.1", "b b").text
    assert arrange("01.7", "a").text.startswith("There is no exercise '01.7'.")


@pytest.mark.usefixtures("local_aws")
def test_another_order_that_meets_the_requirements_is_right_too(learner: Path, small_course: Path) -> None:
    path = small_course / "01-greet" / "exercises.py"
    two_lines = 'name = event["name"]\n    print("greeting")\n    return {"greeting": f"Hello, {name}"}'
    text = path.read_text("utf-8").replace('return {"greeting": f"Hello, {event[\'name\']}"}', two_lines)
    path.write_text(text, "utf-8")
    exercise = read_exercises(path)["01.1"]
    letters = {piece.text.strip(): piece.letter for piece in pieces_of(exercise)}
    order = [
        "def handler(event, context):",
        'print("greeting")',
        'name = event["name"]',
        'return {"greeting": f"Hello, {name}"}',
    ]
    assert arrange("01.1", " ".join(letters[line] for line in order)).text.startswith("That is an order that works.")


def test_the_solution_stays_closed_until_it_is_earned(learner: Path) -> None:
    assert solution("01.1").text.startswith('The solution of 01.1 opens when check("01.1") passes')
    for _ in range(5):
        hint("01.1")
    opened = solution("01.1")
    assert "(nothing saved yet)" in opened.text
    assert "Hello, {event['name']}" in opened.text
    assert "Another way that passes too:" in opened.text
    assert 'print("Hello", event["name"])' in opened.text, "the tempting wrong answer"
    assert "What tempts:    “A function knows who calls it.” A function knows what its event says." in opened.text
    assert "<th>Your answer</th><th>The solution</th>" in opened.markdown


@pytest.mark.usefixtures("local_aws")
def test_a_passed_exercise_opens_its_solution_beside_the_learners_own(learner: Path) -> None:
    own = "def handler(order, context):\n    return {'greeting': f'Hello, {order[\"name\"]}'}\n"
    (learner / "greet.py").write_text(own)
    assert "passed" in check("01.1").text
    assert "def handler(order, context):" in solution("01.1").text


def test_a_new_kernel_begins_with_the_first_hint(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hint("01.1")
    monkeypatch.setattr(hints, "_given", {})
    assert "Hint 1 of 5" in hint("01.1").text


def test_a_prediction_is_asked_with_its_options(learner: Path) -> None:
    assert (
        predict("01.p1").text
        == """\
Prediction 01.p1

What does it print?

  a) `42`
  b) `6 * 7`

Answer in the form, or type predict("01.p1", "a") with your letter."""
    )


def test_a_wrong_prediction_is_kept_and_shown_beside_what_happened(learner: Path) -> None:
    kept = predict("01.p1", "b").text
    assert kept.startswith("You predict:     b) `6 * 7`\nKept.")
    assert "42" not in kept, "a prediction is not judged before the run"
    assert (
        compare("01.p1").text
        == """\
You predicted:   b) `6 * 7`
What happened:   a) `42`
Why:             Six times seven.
About b:         Without quotes it is worked out. To keep: A function knows what its event says."""
    )


def test_a_right_prediction_says_why(learner: Path) -> None:
    predict("01.p1", "a")
    assert (
        compare("01.p1").text == "You predicted:   a) `42`\nWhat happened:   a) `42`\nWhy:             Six times seven."
    )


def test_without_a_prediction_compare_still_says_what_happened(learner: Path) -> None:
    assert compare("01.p1").text.startswith("You predicted:   nothing yet\nWhat happened:   a) `42`")


def test_a_prediction_survives_the_kernel(learner: Path) -> None:
    predict("01.p1", "a")
    predict("01.p1", "b")
    assert '"01.p1": "b"' in (learner / ".coldstart/progress.json").read_text()


def test_asked_again_a_prediction_shows_what_is_kept(learner: Path) -> None:
    predict("01.p1", "b")
    assert predict("01.p1").text.endswith(
        'You have predicted b). You can change it.\nAnswer in the form, or type predict("01.p1", "a") with your letter.'
    )
    assert "You have predicted b). You can change it. Answer in" in predict("01.p1").markdown


def test_a_wrong_option_is_explained_and_does_not_give_the_right_one_away(learner: Path) -> None:
    text = quiz("01.q1", "a").text
    assert text.startswith("Not this one:    a) Ada, always\nWhy:             The event may name somebody else.")
    assert "To keep: A function knows what its event says." in " ".join(text.split())
    assert "Whoever the event names" not in text


def test_the_right_option_is_explained_too(learner: Path) -> None:
    text = quiz("01.q1", "b").text
    assert text == "Right:           b) Whoever the event names\nWhy:             The event comes from the caller."


@pytest.mark.parametrize("typed", ["B", " b ", "b)", "b."])
def test_a_letter_may_be_typed_in_several_ways(learner: Path, typed: str) -> None:
    assert quiz("01.q1", typed).text.startswith("Right:")


@pytest.mark.parametrize("typed", ["c", "", "whoever", 2])
def test_what_is_no_option_is_answered_with_the_options(learner: Path, typed: object) -> None:
    text = quiz("01.q1", typed).text  # type: ignore[arg-type]
    assert text == f'No such option:  {typed!r} is none of the options of 01.q1. Choose one of "a", "b".'
    assert not (learner / ".coldstart/progress.json").exists()


def test_a_lessons_number_asks_all_its_questions(learner: Path) -> None:
    text = quiz("01").text
    assert text.startswith("Question 01.q1")
    assert "01.p1" not in text, "predictions belong to their cells"


@pytest.mark.parametrize(
    ("ask", "known"), [(predict, "01.p1, 01.q1"), (compare, "01.p1, 01.q1"), (quiz, "01.p1, 01.q1")]
)
def test_a_question_that_is_not_there_says_which_are(learner: Path, ask: object, known: str) -> None:
    assert ask("01.q9").text == f"There is no question '01.q9'. The lesson has {known}."  # type: ignore[operator]


def test_options_are_markdown_for_who_reads_the_stored_notebook(learner: Path) -> None:
    assert "- a) `42`" in predict("01.p1").markdown
    assert predict("01.p1").markdown.startswith("**Prediction 01.p1.** What does it print?")
