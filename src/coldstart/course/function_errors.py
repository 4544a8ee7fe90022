"""A function error as feedback: Lambda's own words, the learner's line, and what to do about it.

The error payload is AWS's (errorType, errorMessage, stackTrace); see
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html.
"""

from __future__ import annotations

import re
from typing import Any

from coldstart.course.feedback import Feedback, shortened

_REQUEST_ID = re.compile(
    r"^(?:\d{4}-\S+Z )?(?:RequestId: )?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?: Error:)? ", re.IGNORECASE
)

# errorType: (why it matters, next step). {place} is the learner's file, with its line when it is known.
_ADVICE = {
    "Runtime.UserCodeSyntaxError": (
        "Lambda loads the whole file before it calls the handler. With a syntax error in it nothing runs.",
        "Look at {place}, and at the line before it: a missing bracket, quote or colon is often there.",
    ),
    "Runtime.ImportModuleError": (
        "Lambda has only what your package and the runtime bring. Without the module the file cannot be loaded.",
        "Look at the imports in {file}, and at the module that the message names.",
    ),
    "Runtime.HandlerNotFound": (
        "Lambda looks for the function that the handler string names after its dot.",
        "Give a function in {file} exactly the name that the message asks for.",
    ),
    "Runtime.MarshalError": (
        "The caller gets JSON. A value that JSON has no word for cannot be sent.",
        "Return only dicts with text keys, lists, strings, numbers, True, False and None.",
    ),
    "Sandbox.Timedout": (
        "Lambda stops a function that runs longer than its timeout. The caller gets no answer, and the time is billed.",
        "Look in {file} for a loop that does not end, or for something that waits.",
    ),
    "Runtime.ExitError": (
        "The process ended before the handler had answered, so the caller gets no answer.",
        "Look in {file} for what ends the process, such as `sys.exit` or `os._exit`. End the handler with `return`.",
    ),
}
_AN_EXCEPTION = (
    "An exception that leaves the handler is a function error: the caller gets this report instead of an answer."
)
# What the messages of Python and of Node.js most often mean in a handler: (errorType, a pattern, next step). {0} is what
# the pattern's brackets hold.
_MEANINGS = (
    (
        "TypeError",
        r"(\w+)\(\) takes .* but 2 were given",
        "Lambda calls the handler with two arguments: `def {0}(event, context):`.",
    ),
    (
        "TypeError",
        r"'LambdaContext' object is not subscriptable",
        "The context is no dict. What it knows stands behind a dot, such as `context.aws_request_id`.",
    ),
    (
        "TypeError",
        r"string indices must be integers",
        "Look at {place}. What stands before the brackets is text, not a dict. If it is JSON, `json.loads` makes a dict of it.",
    ),
    (
        "TypeError",
        r"'(?:str|int|float|dict|list|NoneType)' object is not callable",
        "Look at {place}. It calls something that is no function. Does it need the round brackets?",
    ),
    (
        "TypeError",
        r"reading '(\w+)'",
        "Look at {place}. What stands before `.{0}` is undefined: does the data have it, at that level and spelled so?",
    ),
    (
        "KeyError",
        r"'(.+)'",
        "Look at {place}. The dict there has no key `{0}`: does its data have it, at that level and spelled so?",
    ),
    (
        "AttributeError",
        r"'dict' object has no attribute '(\w+)'",
        'Look at {place}. A dict gives its values to brackets, not behind a dot: `["{0}"]`.',
    ),
    (
        "NameError",
        r"name '(\w+)' is not defined",
        "Look at {place}. Nothing has the name `{0}` there: is it misspelled, made further down, or is an `import` missing?",
    ),
    (
        "UnboundLocalError",
        r"local variable '(\w+)'",
        "Look at {place}. The function gives `{0}` a value somewhere, so Python takes it for a variable of the function. "
        "`global {0}` as its first line says otherwise.",
    ),
)


def function_error_feedback(payload: Any, *, event: str, file: str, source: str) -> Feedback:
    """Make the four lines for an invocation that failed.

    Args:
        payload: the error payload, as Lambda sent it.
        event: the event as JSON text.
        file: the learner's file.
        source: its text.

    Returns:
        Feedback with AWS's errorType and errorMessage and, when the stack trace has it, the learner's line.
    """
    report = payload if isinstance(payload, dict) else {"errorMessage": str(payload)}
    kind = str(report.get("errorType", "Error"))
    message = _REQUEST_ID.sub("", str(report.get("errorMessage", "")))
    number = _line_number(report.get("stackTrace"), file)
    got = shortened(f"{kind}: {message}" if message else kind)
    place = file
    if number:
        place = f"line {number} of {file}"
        code = "".join(source.splitlines()[number - 1 : number]).strip().replace("`", "'")
        got += f"\n{file}, line {number}: " + (f"`{code}`" if code else "the end of the file")
    if kind in _ADVICE:
        why, next_step = _ADVICE[kind][0], _ADVICE[kind][1].format(file=file, place=place)
    else:
        why, next_step = _AN_EXCEPTION, meaning(kind, message, place)
    return Feedback(
        expected=f"an answer to the event {shortened(event, 200)}",
        got=got,
        why=why,
        next_step=next_step,
    )


def meaning(kind: str, message: str, place: str) -> str:
    """What to look at after an exception: what its message most often means, else the place alone.

    Args:
        kind: the exception's class, such as "KeyError".
        message: its text.
        place: where it was raised, such as "line 3 of label.py".
    """
    for of_kind, pattern, next_step in _MEANINGS:
        found = re.search(pattern, message) if kind == of_kind else None
        if found:
            return next_step.format(*found.groups(), place=place)
    return f"Look at {place}. Which value is not what that line expects?"


def _line_number(stack_trace: Any, file: str) -> int | None:
    """The innermost line of the learner's file in a stack trace (Python's or Node.js's form)."""
    lines = [str(line) for line in stack_trace] if isinstance(stack_trace, list) else []
    python = re.findall(rf'File "[^"]*{re.escape(file)}",? [Ll]ine (\d+)', "\n".join(lines))
    if python:
        return int(python[-1])
    node = re.findall(rf"{re.escape(file)}:(\d+)", "\n".join(lines))
    return int(node[0]) if node else None
