"""Runs cells in a page of the site: the small part of a notebook's kernel that a page needs.

``site/browser/worker.mjs`` makes one :class:`PageKernel` in the browser's Python and hands it the cells one by one. It is plain
Python, so it can be tried out anywhere. There is no IPython in a page: of its magics there is ``%%writefile``, and an answer is
shown in the forms that the site's pages have.
"""

from __future__ import annotations

import ast
import contextlib
import html
import importlib
import io
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

Send = Callable[[str, str], None]
"""Takes what a cell says: its kind ("stdout", "stderr", "html", "error") and the text."""

_WRITEFILE = re.compile(r"%%writefile(?P<append> +-a)? +(?P<path>\S+)[ \t]*(?:\n|$)")
_MAGIC = re.compile(r"(?:%%?|!)\s*\w*")
_IN_THE_NOTEBOOK = "In the notebook it does: `make lab`."
# What an error says that comes from something which a page of a browser does not have.
_NOT_IN_A_PAGE = (
    (re.compile(r"can't start new thread"), "This cell starts threads, and the Python of a page has one alone."),
    (re.compile(r"does not support processes"), "This cell starts another process, and a page can start none."),
    (
        re.compile(
            r"NewConnectionError|XMLHttpRequest|from 'js'|\[Errno (?:23|26|138)\]|Connection refused|name resolution|SSLError"
        ),
        "This cell talks over the network, and a page may not open connections.",
    ),
    (
        re.compile(r"UnknownServiceError|No module named 'moto\."),
        "This cell asks for an AWS service that no lesson calls, and a page brings the others alone.",
    ),
)


_PROGRESS = Path("/notebook/.coldstart/progress.json")
_LESSONS_USE = (
    "boto3",
    "coldstart.cloud.alarms",
    "coldstart.cloud.cloudwatch_metrics",
    "coldstart.cloud.event_buses",
    "coldstart.cloud.local_cloud",
    "coldstart.cloud.log_metrics",
    "coldstart.cloud.log_subscriptions",
    "coldstart.cloud.s3_notifications",
    "coldstart.course.rich_text",
    "coldstart.runtime.inline_sandboxes",
    "coldstart.widgets.policy_explainer",
    "coldstart.widgets.state",
    "coldstart.widgets.timeline",
    "flask.debughelpers",
    "moto.iam.urls",
    "moto.logs.urls",
    "moto.s3.urls",
    "moto.sts.urls",
)


class PageKernel:
    """One namespace in which a page's cells run, in the order in which they come.

    Args:
        send: takes what cells say, while they run.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__, "display": self.display}

    def run(self, source: str, name: str) -> bool:
        """Run one cell.

        Args:
            source: its text.
            name: what it is called in an error.

        Returns:
            Whether it ended without an error. An error is sent like all else it says, and never raised.
        """
        file = f"<{name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        with (
            contextlib.redirect_stdout(_Stream(self._send, "stdout")),
            contextlib.redirect_stderr(_Stream(self._send, "stderr")),
        ):
            try:
                self._run(source, file)
            except BaseException as error:  # a cell may raise SystemExit, and the page goes on
                self._send("error", _said(error, file))
                return False
        return True

    def display(self, *values: object) -> None:
        """Show values in their richest form, as IPython's `display` does."""
        for value in values:
            self._show(value)

    def _run(self, source: str, file: str) -> None:
        if written := _WRITEFILE.match(source):
            return _write(written, source[written.end() :])
        if magic := _MAGIC.match(source.lstrip()):
            raise NotInAPage(f"A page has no shell and no IPython to run {magic.group()} in. {_IN_THE_NOTEBOOK}")
        body, shown = _compiled(source, file)
        exec(body, self.namespace)
        if shown is not None:
            value = eval(shown, self.namespace)
            if value is not None:
                self.namespace["_"] = value
                self._show(value)

    def _show(self, value: object) -> None:
        kinds = _forms(value)
        if "text/markdown" in kinds:
            from coldstart.course.rich_text import (
                lesson_html,
            )  # brings the course along, and plain cells need none of it

            self._send("html", f"<div>{lesson_html(kinds['text/markdown'])}</div>")
        elif "image/svg+xml" in kinds:
            twin = html.escape(kinds.get("text/plain", ""))
            self._send(
                "html",
                f"{kinds['image/svg+xml']}<details><summary>The figure as text</summary><pre>{twin}</pre></details>",
            )
        elif "text/html" in kinds:
            self._send("html", f'<div role="group" tabindex="0" aria-label="Table">{kinds["text/html"]}</div>')
        else:
            self._send("stdout", f"{kinds['text/plain']}\n")


class NotInAPage(Exception):
    """A cell asks for something that only a notebook has; the message says what and where."""


class _Stream(io.TextIOBase):
    """Hands on what is printed, as it is printed."""

    def __init__(self, send: Send, kind: str) -> None:
        self._sends, self._kind = send, kind

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self._sends(self._kind, text)
        return len(text)


def _compiled(source: str, file: str) -> tuple[CodeType, CodeType | None]:
    """A cell's statements, and its last expression, whose value is shown."""
    tree = ast.parse(source, file)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return compile(tree, file, "exec"), None
    tree.body.pop()
    return compile(tree, file, "exec"), compile(ast.Expression(last.value), file, "eval")


def _write(magic: re.Match[str], text: str) -> None:
    path = Path(magic["path"])
    there = path.exists()
    with path.open("a" if magic["append"] else "w", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")
    print(f"{'Appending to' if magic['append'] else 'Overwriting' if there else 'Writing'} {path}")


def _forms(value: Any) -> dict[str, str]:
    """The forms in which a value can show itself, as Jupyter asks for them."""
    forms: dict[str, str] = {"text/plain": ""}
    bundle = getattr(type(value), "_repr_mimebundle_", None)
    if bundle is not None:
        found = bundle(value)
        forms |= found[0] if isinstance(found, tuple) else found
    for kind, method in (
        ("text/markdown", "_repr_markdown_"),
        ("image/svg+xml", "_repr_svg_"),
        ("text/html", "_repr_html_"),
    ):
        own = getattr(type(value), method, None)
        if kind not in forms and own is not None and (text := own(value)):
            forms[kind] = text
    forms["text/plain"] = forms["text/plain"] or (value if isinstance(value, str) else "") or _plain(value)
    return forms


def _plain(value: object) -> str:
    """As IPython writes it: wide dicts and lists on several lines."""
    import pprint

    if isinstance(value, (dict, list, tuple, set)):
        return pprint.pformat(value, width=79, compact=False, sort_dicts=False)
    return repr(value)


def _said(error: BaseException, file: str) -> str:
    """An error as the page shows it: its name and message, and the lines of the learner's own cells that led to it."""
    if isinstance(error, NotInAPage):
        return str(error)
    text = "".join(traceback.format_exception_only(error)).strip()
    if not isinstance(error, SyntaxError):
        steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename.startswith("<")]
        lines = [f"  {_where(step.filename, file)}, line {step.lineno}: {step.line}" for step in steps if step.line]
        text = "\n".join([text, *lines])
    for pattern, why in _NOT_IN_A_PAGE:
        if pattern.search(text) or pattern.search(str(error.__cause__ or error.__context__ or "")):
            return f"{why} {_IN_THE_NOTEBOOK}\n\n{text}"
    return text


def _where(step: str, file: str) -> str:
    return "in this cell" if step == file else f"in {step.strip('<>')}"


def load_what_lessons_use() -> None:
    """Import what nearly every lesson does, before this interpreter's memory is kept for the next visit.

    Nothing may be started here, and nothing compiled may be imported (pydantic is): what is kept is memory alone.
    """
    from coldstart.cloud.moto_patches import apply_all

    apply_all()  # what is loaded of moto is corrected as it comes
    for name in _LESSONS_USE:
        importlib.import_module(name)


def prepare_process() -> None:
    """Make this interpreter the learner's: a folder of their own to work in, the course's lessons at hand, chance anew."""
    import random
    import tempfile

    import coldstart_lessons  # type: ignore[import-not-found]  # in the wheel that the site builds

    random.seed()  # memory that was kept would give every visit the same numbers
    os.environ["COLDSTART_PROGRESS"] = str(_PROGRESS)
    os.environ["COLDSTART_LESSONS"] = next(iter(coldstart_lessons.__path__))
    # The local AWS lies outside of /tmp: a function that runs here has that for itself.
    os.environ["TMPDIR"] = "/var/cold-start"
    tempfile.tempdir = None
    for folder in ("/notebook", os.environ["TMPDIR"]):
        os.makedirs(folder, exist_ok=True)
    os.chdir("/notebook")
    sys.path.insert(0, "/notebook")


def progress() -> str:
    """Return what the learner has done, as the progress file has it; empty when there is nothing yet."""
    return _PROGRESS.read_text("utf-8") if _PROGRESS.exists() else ""


def put_progress(text: str) -> None:
    """Put back what :func:`progress` returned on an earlier visit."""
    _PROGRESS.parent.mkdir(parents=True, exist_ok=True)
    _PROGRESS.write_text(text, "utf-8")
