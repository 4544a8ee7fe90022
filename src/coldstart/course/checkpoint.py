"""`checkpoint("03")`: puts the local AWS to where Parcel stands when a lesson begins, so that any lesson can be the first.

What a lesson begins with is in its checkpoint.py: plain boto3 in a function ``make()``. The first cells of notebooks call this.
"""

from __future__ import annotations

import runpy

from coldstart import cloud
from coldstart.course import catalogue
from coldstart.course.catalogue import NotInTheCourse
from coldstart.course.shown import Shown
from coldstart.widgets.state import State, state

_LEARNERS_REGION = "us-east-1"


def checkpoint(lesson_number: str) -> State | Shown:
    """Empty the learner's region and make what Parcel has at the beginning of a lesson.

    Args:
        lesson_number: such as "03".

    Returns:
        What there is then, to be shown.
    """
    try:
        folder = catalogue.lesson_folder(lesson_number)
        script = folder / "checkpoint.py"
        if not script.exists():
            raise NotInTheCourse(
                f"Lesson {lesson_number} begins with nothing: it has no checkpoint. Run its next cell."
            )
        cloud.current().empty_region(_LEARNERS_REGION)
    except (NotInTheCourse, cloud.NotStarted) as error:
        return Shown(str(error))
    runpy.run_path(str(script))["make"]()
    return state()
