"""What a learner reads after check(): always the four lines, whatever their file does, and never a traceback."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from coldstart import check
from coldstart.course import Exercise, Requirement, Submission, catalogue, expect
from coldstart.course.check import check_saved_file, check_source
from coldstart.course.lesson import read_exercises

LINES = ("Expected:", "Got:", "Why it matters:", "Next step:")

pytestmark = pytest.mark.usefixtures("local_aws")


def said(learner: Path, source: str) -> str:
    """What check says about a file."""
    (learner / "greet.py").write_text(source)
    text = check("01.1").text
    assert "Traceback" not in text
    return text


def handler(body: str) -> str:
    return f"def handler(event, context):\n    {body}\n"


def test_a_right_answer_passes_and_says_why(learner: Path) -> None:
    text = said(learner, handler('return {"greeting": "Hello, " + event["name"]}'))
    assert text.splitlines()[0] == "Exercise 01.1 · Greet the customer: passed (1 of 1 requirements met)"
    assert "Met:            Greets whoever the event names" in text
    assert "Why it works:   The name comes from the event." in text
    assert '    return dict(greeting="Hello, " + event["name"])' in text, "the other solution is there to compare with"


def test_a_wrong_answer_gets_the_four_lines(learner: Path) -> None:
    assert (
        said(learner, handler('return {"greeting": "Hello, Ada"}'))
        == """\
Exercise 01.1 · Greet the customer: not yet (0 of 1 requirements met)

Not yet:        Greets whoever the event names

Expected:       {"greeting": "Hello, Grace"}
Got:            {'greeting': 'Hello, Ada'}
Why it matters: The next customer has another name.
Next step:      Take the name from `event["name"]`."""
    )


@pytest.mark.parametrize(
    ("source", "got", "next_step"),
    [
        pytest.param(
            handler('return event["nmae"]'),
            "KeyError: 'nmae' greet.py, line 2: `return event[\"nmae\"]`",
            "Look at line 2 of greet.py.",
            id="exception",
        ),
        pytest.param(
            "def handler(event):\n    return 1\n",
            "TypeError: handler() takes 1 positional argument but 2 were given",
            "`def handler(event, context):`",
            id="one-parameter",
        ),
        pytest.param(
            handler('return context["aws_request_id"]'),
            "TypeError: 'LambdaContext' object is not subscriptable",
            "`context.aws_request_id`",
            id="context-with-brackets",
        ),
        pytest.param(
            handler("return event.name"),
            "AttributeError: 'dict' object has no attribute 'name'",
            'Look at line 2 of greet.py. A dict gives its values to brackets, not behind a dot: `["name"]`.',
            id="event-with-a-dot",
        ),
        pytest.param(
            "count = 0\n" + handler("count += 1"),
            "UnboundLocalError: cannot access local variable 'count'",
            "`global count` as its first line",
            id="assigned-without-global",
        ),
        pytest.param(
            handler('return event["{nmae}"]'),
            "KeyError: '{nmae}'",
            "has no key `{nmae}`",
            id="a-key-with-braces",
        ),
        pytest.param(
            "def handler(event, context)\n    return 1\n",
            "Runtime.UserCodeSyntaxError: Syntax error in module 'greet'",
            "Look at line 1 of greet.py",
            id="syntax-error",
        ),
        pytest.param(
            "import parcel_greetings\n",
            "Runtime.ImportModuleError: Unable to import module 'greet': No module named 'parcel_greetings'",
            "the module that the message names",
            id="import-error",
        ),
        pytest.param(
            "def greet(event, context):\n    pass\n",
            "Runtime.HandlerNotFound: Handler 'handler' missing on module 'greet'",
            "exactly the name that the message asks for",
            id="handler-not-found",
        ),
        pytest.param(
            handler("return {1, 2}"), "Runtime.MarshalError", "Return only dicts with text keys", id="not-json"
        ),
        pytest.param(
            "import os\n" + handler("os._exit(7)"), "Runtime.ExitError", "what ends the process", id="process-ends"
        ),
        pytest.param("", "an empty file", "%%writefile greet.py", id="empty"),
        pytest.param(" \n\n", "an empty file", "%%writefile greet.py", id="blank"),
    ],
)
def test_a_file_that_does_not_work_gets_the_four_lines(learner: Path, source: str, got: str, next_step: str) -> None:
    text = said(learner, source)
    assert [line for line in LINES if f"\n{line}" not in text] == []
    assert got in " ".join(text.split())
    assert next_step in " ".join(text.split())


def test_a_handler_that_never_ends_is_stopped_at_the_timeout(learner: Path) -> None:
    text = said(learner, handler("while True: pass"))
    assert "Got:            Sandbox.Timedout: Task timed out after 3.00 seconds" in text
    assert "Look in greet.py for a loop that does not end" in text


def test_a_missing_file_says_which_cell_to_run(learner: Path) -> None:
    text = check("01.1").text
    assert "Got:            no file of that name" in text
    assert "Next step:      Run the cell that begins with `%%writefile greet.py`. Then check again." in text


def test_a_file_that_is_no_text_says_so(learner: Path) -> None:
    (learner / "greet.py").write_bytes(b"\xff\xfe\x00")
    text = check("01.1").text
    assert "Got:            bytes that are no UTF-8 text, from position 0 on" in text
    assert all(line in text for line in LINES)


def test_a_folder_instead_of_a_file_says_so(learner: Path) -> None:
    (learner / "greet.py").mkdir()
    assert "Got:            a file that cannot be read: Is a directory" in check("01.1").text


def test_without_a_local_aws_it_says_how_to_start_one(learner: Path) -> None:
    (learner / "greet.py").write_text(handler("return {}"))
    code = "from coldstart import check; print(check('01.1'))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, cwd=learner)
    assert run.stderr == ""
    assert "Got:            none: `cloud.start()` has not been run since the kernel started" in run.stdout
    assert "Next step:      Run the notebook's first code cell" in run.stdout


def test_an_exercise_that_is_not_there_says_which_are(learner: Path) -> None:
    assert check("01.9").text == "There is no exercise '01.9'. The lesson has 01.1."
    assert check("09.1").text == "There is no lesson '09'. There are 01, 02."
    assert check(1.1).text == '1.1 is no id of the course. Ids look like "01.2", with the quotes.'  # type: ignore[arg-type]


def test_a_missing_lessons_folder_says_what_to_do(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSTART_LESSONS", str(learner / "nowhere"))
    assert "set COLDSTART_LESSONS to the folder of the lessons" in check("01.1").text


def test_requirements_are_shown_with_their_state(learner: Path, small_course: Path) -> None:
    exercise = read_exercises(small_course / "01-greet" / "exercises.py")["01.1"]

    def never(submission: Submission) -> None:
        expect(False, expected="more", got="less", why="It matters.", next_step="Do more.")

    def always(submission: Submission) -> None:
        submission.deploy()

    requirements = [Requirement("first", always), Requirement("second", never), Requirement("third", always)]
    result = check_source(_with(exercise, requirements), "x = 1")
    assert "not yet (1 of 3 requirements met)" in result.text()
    assert "Met:            first\nNot yet:        second\nNot looked at:  third" in result.text()


def test_an_answer_of_another_shape_is_not_a_traceback(small_course: Path) -> None:
    exercise = read_exercises(small_course / "01-greet" / "exercises.py")["01.1"]

    def looks_into_a_dict(submission: Submission) -> None:
        submission.deploy().invoke({}).payload["greeting"]["name"]

    result = check_source(
        _with(exercise, [Requirement("Names the customer", looks_into_a_dict)]), handler("return None")
    )
    assert result.feedback is not None
    assert result.feedback.got == "the answer null"
    assert result.feedback.expected == "an answer in which this could be looked up: Names the customer"


def test_a_requirement_that_needs_threads_says_where_there_are_some(
    small_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = read_exercises(small_course / "01-greet" / "exercises.py")["01.1"]

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")  # as Python says in a page

    def calls_it_twice_at_once(submission: Submission) -> None:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with ThreadPoolExecutor(2) as both:
            both.submit(print).result()

    result = check_source(
        _with(exercise, [Requirement("Counts together", calls_it_twice_at_once)]), handler("return None")
    )
    assert result.feedback is not None
    assert result.feedback.got == "a page, which has no threads"
    assert result.feedback.next_step.startswith("Bring your answer to the notebook of this lesson")


def test_a_call_that_aws_refuses_is_not_a_traceback(small_course: Path) -> None:
    exercise = read_exercises(small_course / "01-greet" / "exercises.py")["01.1"]
    outdated = [Requirement("Runs on an old runtime", lambda submission: submission.deploy(Runtime="python3.7"))]
    result = check_source(_with(exercise, outdated), handler("return None"))
    assert result.feedback is not None
    assert "InvalidParameterValueException" in result.feedback.got
    assert "Run the cell with `%%writefile greet.py` again." in result.feedback.next_step


def test_nothing_of_a_check_is_left_in_the_local_aws(learner: Path) -> None:
    def everything() -> list[object]:
        functions = boto3.client("lambda").list_functions()["Functions"]
        groups = boto3.client("logs").describe_log_groups()["logGroups"]
        roles = boto3.client("iam").list_roles()["Roles"]
        return [
            [f["FunctionName"] for f in functions],
            [g["logGroupName"] for g in groups],
            [r["RoleName"] for r in roles],
        ]

    before = everything()
    said(learner, handler('return {"greeting": event["name"]}'))
    said(learner, handler("return nothing"))
    assert everything() == before


def test_a_warm_check_takes_less_than_a_second(learner: Path) -> None:
    right = handler('return {"greeting": f"Hello, {event[\'name\']}"}')
    said(learner, right)
    started = time.perf_counter()
    said(learner, right)
    assert time.perf_counter() - started < 1


def test_html_and_markdown_of_an_answer_are_shown_not_obeyed(learner: Path) -> None:
    said(learner, handler("""return "<script>alert(1)</script> **bold** [link](x)" """))
    result = check("01.1")
    assert r"\<script\>alert(1)\</script\> \*\*bold\*\* \[link\](x)" in result.markdown
    exercise_html = _html_of_last_check(learner)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; **bold** [link](x)" in exercise_html
    assert "<script>" not in exercise_html


def test_the_outcome_is_kept(learner: Path) -> None:
    said(learner, handler("return {}"))
    said(learner, handler('return {"greeting": "Hello, " + event["name"]}'))
    kept = json.loads((learner / ".coldstart/progress.json").read_text())["exercises"]["01.1"]
    assert kept["tries"] == 2
    assert kept["passed"] is not None


def _with(exercise: Exercise, requirements: list[Requirement]) -> Exercise:
    return dataclasses.replace(exercise, requirements=requirements)


def _html_of_last_check(learner: Path) -> str:
    return check_saved_file(catalogue.exercise("01.1")).html()
