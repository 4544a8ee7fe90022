"""The questions of a lesson, from its quiz.yml: predictions before a key run, and the quiz."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from coldstart.course.yaml_models import read_yaml

LETTERS = "abcdefgh"
_FEWEST_OPTIONS = 2


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Option(_Strict):
    """One answer to choose; its explanation is shown to whoever chose it.

    Attributes:
        text: the answer; Markdown of one line.
        explain: why it is right or wrong, on its own terms; Markdown of one line.
        correct: True for the one right option.
        misconception: the id in misconceptions.yml that a wrong option comes from.
    """

    text: str = Field(min_length=1)
    explain: str
    correct: bool = False
    misconception: str | None = None

    @field_validator("explain")
    @classmethod
    def _explains(cls, explain: str) -> str:
        if not explain.strip():
            raise ValueError("every option says why it is right or wrong; write the explanation")
        return explain


class Question(_Strict):
    """A question with two options or more, one of them right.

    Attributes:
        id: the lesson's number, a dot, and a name: "01.q1", or "01.p1" for a prediction.
        question: the question; Markdown of one line.
        options: the answers to choose from, lettered a, b, c in this order.
        objective: the id of the objective it tests; predictions have none.
    """

    id: str = Field(pattern=r"^\d\d\.[a-z]+\d+$")
    question: str = Field(min_length=1)
    options: list[Option] = Field(max_length=len(LETTERS))
    objective: str | None = None

    @model_validator(mode="after")
    def _one_is_right(self) -> Question:
        if len(self.options) < _FEWEST_OPTIONS:
            raise ValueError(f"the question {self.id} needs at least two options")
        if sum(option.correct for option in self.options) != 1:
            raise ValueError(f"the question {self.id} needs exactly one option with `correct: true`")
        return self

    @property
    def lettered(self) -> list[tuple[str, Option]]:
        """The options with their letters."""
        return list(zip(LETTERS, self.options, strict=False))

    @property
    def right(self) -> str:
        """The letter of the right option."""
        return next(letter for letter, option in self.lettered if option.correct)

    def option(self, letter: str) -> Option:
        """Return an option by its letter.

        Raises:
            KeyError: there is none of that letter.
        """
        return dict(self.lettered)[letter]


class QuestionBank(_Strict):
    """All of a lesson's questions."""

    predictions: list[Question] = []
    questions: list[Question] = []

    @property
    def all(self) -> list[Question]:
        """Predictions and questions."""
        return [*self.predictions, *self.questions]

    @classmethod
    def read(cls, path: Path) -> QuestionBank:
        """Read a quiz.yml; a lesson without one has no questions.

        Raises:
            LessonProblem: it breaks a rule; with the line.
        """
        return read_yaml(cls, path.read_text("utf-8"), path) if path.exists() else cls()
