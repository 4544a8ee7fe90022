"""The course: lessons, exercises and their checks, hints, questions, progress, and what is built from lessons.

Authors of exercises import from here; learners' notebooks import `check`, `hint`, `predict`, `compare` and `quiz` from
`coldstart`.
"""

from coldstart.course.exercise import Exercise, Requirement, WrongAnswer
from coldstart.course.feedback import Feedback, Unmet, expect
from coldstart.course.submission import DeployedFunction, Reply, Submission

__all__ = [
    "DeployedFunction",
    "Exercise",
    "Feedback",
    "Reply",
    "Requirement",
    "Submission",
    "Unmet",
    "WrongAnswer",
    "expect",
]
