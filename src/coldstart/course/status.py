"""Where a learner is: what is done, what comes next, what is due for review. `coldstart status` prints it."""

from __future__ import annotations

from dataclasses import dataclass

from coldstart.course import catalogue, progress
from coldstart.course.lesson import Lesson, read_lesson
from coldstart.course.review import questions_due


@dataclass(frozen=True)
class LessonStatus:
    """One lesson's line.

    Attributes:
        name: the lesson's name, such as "01-first-function".
        title: its title.
        passed: how many of its exercises are passed.
        exercises: how many it has.
        answered: how many of its questions were answered right at least once.
        questions: how many it has.
    """

    name: str
    title: str
    passed: int
    exercises: int
    answered: int
    questions: int

    @property
    def state(self) -> str:
        """The lesson's state in a word or two."""
        if self.passed == self.exercises and self.answered == self.questions:
            return "done"
        return "begun" if self.passed or self.answered else "not begun"


@dataclass(frozen=True)
class Status:
    """Where a learner is.

    Attributes:
        lessons: one line for each lesson.
        next_step: what to do next, as a sentence.
        due: how many questions are due for review today.
    """

    lessons: list[LessonStatus]
    next_step: str
    due: int


def status() -> Status:
    """Read the lessons and the learner's progress.

    Raises:
        NotInTheCourse: the course's lessons are not there.
        LessonProblem: a lesson cannot be read.
    """
    kept = progress.read()
    lessons = [read_lesson(folder) for folder in catalogue.lesson_folders(catalogue.lessons_folder())]
    due = questions_due(kept)
    return Status([_line(lesson, kept) for lesson in lessons], _next_step(lessons, kept), len(due))


def _line(lesson: Lesson, kept: progress.Progress) -> LessonStatus:
    questions = lesson.question_bank.questions
    return LessonStatus(
        name=lesson.name,
        title=lesson.front_matter.title,
        passed=sum(_is_passed(exercise, kept) for exercise in lesson.exercises),
        exercises=len(lesson.exercises),
        answered=sum(question.right in kept.questions.get(question.id, []) for question in questions),
        questions=len(questions),
    )


def _next_step(lessons: list[Lesson], kept: progress.Progress) -> str:
    for lesson in lessons:
        for exercise in lesson.exercises.values():
            if not _is_passed(exercise.id, kept):
                return f"Exercise {exercise.id}, {exercise.title}, in {lesson.name}.ipynb."
    return "Every exercise is passed. What is due for review keeps it fresh."


def _is_passed(exercise_id: str, kept: progress.Progress) -> bool:
    done = kept.exercises.get(exercise_id)
    return done is not None and done.passed is not None
