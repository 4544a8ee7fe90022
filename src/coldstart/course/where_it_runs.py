"""Says of a cell whether it runs in a page of the site, and if not, why not.

``coldstart.course.pages`` asks when it makes a lesson's page; ``site/docs/assets/run-cells.js`` reads the answer. What cannot
be seen in a cell's text shows when it is run, and ``coldstart.page.kernel`` says it then.
"""

from __future__ import annotations

import re

RUNS = "yes"
BY_ITSELF = "alone"
"""The answer for a cell that no later cell needs, such as a check: it is run when it is asked for, not on the way to another."""

# nodejs14.x is blocked: a lesson asks for it to be refused, and nothing is started.
_NODE = re.compile(r"""["']nodejs(?!14)\d+\.x["']""")
_AT_ONCE = re.compile(r"(?<!def )\bat_once\(")
"""The helper of the lessons that calls a function several times at the same moment."""
_SIZES = re.compile(r"\btuning_curve\(")
_MAGIC = re.compile(r"^(%%|%|!)\s*(\w*)")
_ALONE = re.compile(r"(?:check|hint|arrange|solution|predict|compare|quiz|review)\([^()]*\)\s*")


def where_it_runs(source: str) -> str:
    """Return RUNS, BY_ITSELF, or a sentence that says why a cell cannot run in a page."""
    first = _MAGIC.match(source)
    if first and first.group() != "%%writefile":
        return "A page has no shell to run this command in."
    if not first and _NODE.search(source):
        return "This cell runs Node.js in a process of its own, and a page can start none."
    if not first and _AT_ONCE.search(source):
        return "This cell calls a function several times at the same moment, which takes threads, and a page has none."
    if not first and _SIZES.search(source):
        return "This cell compares memory sizes, and in a page every function has the whole CPU, whatever its size."
    return BY_ITSELF if _ALONE.fullmatch(source) else RUNS
