"""A lesson's page is made of what its notebook stores: every kind of output has its form, and nothing leaks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import markdown
import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coldstart.course.facts import Facts
from coldstart.course.lesson import read_lesson
from coldstart.course.pages import call_in, local_path_in, write_page
from coldstart.course.pages_output import output_fence
from coldstart.course.problems import LessonProblem
from coldstart.course.rich_text import feedback_markdown

LESSON = Path(__file__).parent / "lesson" / "01-ship"
EXTENSIONS = ["admonition", "attr_list", "md_in_html", "tables", "pymdownx.details", "pymdownx.superfences"]


def _printed(text: str, name: str = "stdout") -> Any:
    return new_output("stream", name=name, text=text)


def _shown(**data: str) -> Any:
    kinds = {"plain": "text/plain", "html": "text/html", "svg": "image/svg+xml", "markdown": "text/markdown"}
    return new_output("execute_result", data={kinds[kind]: text for kind, text in data.items()}, execution_count=1)


def _cell(source: str, *outputs: Any, name: str = "", **metadata: Any) -> Any:
    return new_code_cell(source, outputs=list(outputs), metadata=metadata, **({"id": name} if name else {}))


@pytest.fixture
def page_of(tmp_path: Path) -> Any:
    def make(*cells: Any, run: dict[str, Any] | None = None) -> str:
        mark = {"lesson": "01-ship", **({"run": run} if run else {})}
        notebook = new_notebook(
            cells=[new_markdown_cell("# Ship it\n\nParcels wait."), *cells], metadata={"coldstart": mark}
        )
        nbformat.write(notebook, tmp_path / "01-ship.ipynb")
        lesson = read_lesson(LESSON)
        facts = Facts(tmp_path / "facts.toml")
        write_page(
            lesson,
            tmp_path / "01-ship.ipynb",
            tmp_path / "01-ship.md",
            facts=facts,
            lessons=[lesson],
            glossary={"parcel": "What is sent."},
        )
        return (tmp_path / "01-ship.md").read_text("utf-8")

    return make


def _html(text: str) -> str:
    fences = [{"name": "output", "class": "output", "format": output_fence}]
    return markdown.markdown(
        text,
        extensions=[*EXTENSIONS, "pymdownx.tabbed"],
        extension_configs={
            "pymdownx.superfences": {"custom_fences": fences},
            "pymdownx.tabbed": {"alternate_style": True},
        },
    )


def test_a_page_begins_with_what_a_reader_decides_by(page_of: Any) -> None:
    page = page_of(run={"date": "2026-11-23", "versions": {"Python": "3.11.7", "boto3": "1.44.5"}})
    front = yaml.safe_load(page.split("---")[1])
    assert front["title"] == "01 Ship it"
    assert "Send a parcel on its way" in front["description"]
    for fact in ("about 5 minutes", "23 November 2026", "(../notebooks/01-ship.ipynb)", "- Send a parcel on its way"):
        assert fact in page
    assert "- **Exercises** [01.1](#exercise-011-" in page
    assert page.index("# Ship it") < page.index("about 5 minutes") < page.index("Parcels wait.")
    assert page.rstrip().endswith("with Python 3.11.7, boto3 1.44.5.\n\n</div>")


def test_code_is_shown_whole_and_in_its_language(page_of: Any) -> None:
    page = page_of(
        _cell("%%writefile ship.mjs\nexport const handler = 1;", _printed("Writing ship.mjs\n")), _cell("ship(1)")
    )
    assert re.search(r"``` \{ \.javascript \.cell [^\n]*\}\n%%writefile ship.mjs\nexport const handler = 1;\n```", page)
    assert re.search(r"``` \{ \.python \.cell [^\n]*\}\nship\(1\)\n```", page)
    assert "Writing ship.mjs" not in page


def test_a_cell_has_a_name_that_stays_and_says_whether_it_runs_in_the_page(page_of: Any) -> None:
    html = _html(
        page_of(
            _cell("ship(1)", name="ship-it-2"), _cell("!ls", name="ship-it-3"), _cell('check("01.1")', name="ship-it-4")
        )
    )
    assert '<div id="cell-ship-it-2" class="cell highlight" data-run="yes">' in html
    assert (
        '<div id="cell-ship-it-3" class="cell highlight" data-run="A page has no shell to run this command in.">'
        in html
    )
    assert '<div id="cell-ship-it-4" class="cell highlight" data-run="alone">' in html


def test_printed_text_loses_its_colours_and_nothing_else(page_of: Any) -> None:
    page = page_of(_cell("ship()", _printed("\x1b[31mno <stamps> & no *glue*\x1b[0m\n```\n")))
    assert "<pre>" in _html(page)
    assert "no &lt;stamps&gt; &amp; no *glue*" in _html(page)
    assert "```</span>" in _html(page)


def test_long_output_shows_its_beginning_and_folds_the_rest(page_of: Any) -> None:
    page = page_of(_cell("log()", _printed("".join(f"line {number}\n" for number in range(100)))))
    assert '??? more "80 more lines"' in page
    assert page.index("line 19\n") < page.index("??? more") < page.index("line 20\n")


def test_a_table_reads_well_and_brings_no_style_of_its_own(page_of: Any) -> None:
    table = '<style scoped>th {color: red}</style><table border="1"><tr><th></th><th>kg</th></tr></table>'
    html = _html(page_of(_cell("weights", _shown(html=table, plain="   kg"))))
    assert "<style" not in html
    assert "border=" not in html
    assert "<td></td><th>kg</th>" in html


def test_a_figure_has_a_name_and_a_twin_in_text(page_of: Any) -> None:
    svg = '<?xml version="1.0"?><svg viewBox="0 0 1 1"><script>alert(1)</script><text>2 lanes</text></svg>'
    html = _html(page_of(_cell("timeline()", _shown(svg=svg, plain="lane 1: ...."), alt="Two environments")))
    assert '<svg role="img" aria-label="Two environments" viewBox' in html
    assert "<script" not in html
    assert "lane 1: ...." in html
    assert "The figure as text" in html


def test_an_error_is_folded_away_under_its_name(page_of: Any) -> None:
    error = new_output("error", ename="KeyError", evalue="'number'", traceback=["/home/ada/x.py", "KeyError"])
    page = page_of(_cell("ship({})", error))
    assert '??? failure "Error: KeyError"' in page
    assert "KeyError: 'number'" in page
    assert "/home/ada" not in page


def test_a_live_widget_alone_leaves_no_trace(page_of: Any) -> None:
    widget = new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Panel()"})
    assert "Panel()" not in page_of(_cell("panel", widget))


def test_cells_that_follow_each_other_with_a_tab_become_one_set(page_of: Any) -> None:
    page = page_of(
        _cell("py = 1", _printed("python\n"), tab="Python"),
        _cell("js = 1", _printed("node\n"), tab="Node.js"),
        _cell("after"),
    )
    html = _html(page)
    assert html.count("tabbed-set") == 1
    assert html.count("tabbed-block") == 2
    assert html.index("node</span>") < html.index("after")
    assert "<pre><span data-search-exclude>node" in html


def test_a_prediction_keeps_the_answer_for_after_the_run(page_of: Any) -> None:
    page = page_of(_cell('predict("01.p1")'), _cell("ship(1)", _printed("7\n")), _cell('compare("01.p1")'))
    assert page.index("- **b)** A number") < page.index("ship(1)") < page.index("Every parcel has one.")
    assert '??? option "a) Nothing"\n\n    **That is not what happened.** It answers with a number.' in page
    assert 'predict("' not in page


def test_a_prediction_without_a_comparison_explains_itself(page_of: Any) -> None:
    assert "Another parcel, another number." in page_of(_cell('predict("01.p2")'))


@pytest.mark.parametrize("call", ['quiz("01.q1")', 'quiz("01")'])
def test_a_question_explains_every_option_without_javascript(page_of: Any, call: str) -> None:
    html = _html(page_of(_cell(call, _shown(plain="Question 01.q1"))))
    assert html.count("<details") == 2
    assert "<strong>Right.</strong> It is in the price." in html
    assert "<strong>Not this one.</strong> The post does not work for nothing." in html
    assert 'aria-labelledby="q-01-q1"' in html
    assert 'id="q-01-q1"' in html


def test_a_check_is_followed_by_hints_and_by_the_solution_with_its_reason(page_of: Any) -> None:
    said = "**not yet**\n\n- Not yet: one\n\n- **Expected:** 7\n- **Got:** nothing"
    mark = {"exercise": "01.1", "role": "check"}
    page = page_of(_cell('check("01.1")', _shown(plain="not yet", markdown=said), coldstart=mark))
    order = ["before you change ship.py", "**Expected:** 7", "Hint 1 of 3", "Hint 3 of 3", "Solution of exercise 01.1"]
    positions = [page.index(part) for part in [*order, 'event["number"]', "Why it works.", 'event.get("number")']]
    assert positions == sorted(positions)
    assert "<p><strong>Got:</strong> nothing</p>" in _html(page)


def test_what_a_check_got_is_shown_as_it_is(page_of: Any) -> None:
    got = "<messageId> & 'a|b' ~ 3$ *x* [0] from 1ec1b1a9-0000-4000-8000-5e7e6358d5a2"
    mark = {"exercise": "01.1", "role": "check"}
    said = f"- **Got:** {feedback_markdown(got)}"
    html = _html(page_of(_cell('check("01.1")', _shown(plain="not yet", markdown=said), coldstart=mark)))
    shown = re.sub(r"</?span[^>]*>", "", html)
    assert "&lt;messageId&gt; &amp; 'a|b' ~ 3$ *x* [0] from 1ec1b1a9-0000-4000-8000-5e7e6358d5a2</p>" in unified(shown)
    assert "<span data-search-exclude>1ec1b1a9-" in html


def unified(html: str) -> str:
    """Entities in the form in which an engine may write them all the same."""
    return (
        html.replace("&#60;", "&lt;")
        .replace("&#38;", "&amp;")
        .replace("&#124;", "|")
        .replace("&#126;", "~")
        .replace("&#36;", "$")
        .replace("&#x27;", "'")
    )


def test_links_between_notebooks_become_links_between_pages(page_of: Any) -> None:
    page = page_of(new_markdown_cell("See [the start](00-start-here.ipynb#what)."))
    assert "[the start](00-start-here.md#what)" in page


def test_a_path_of_this_machine_in_an_output_stops_the_build(page_of: Any) -> None:
    with pytest.raises(LessonProblem, match=r"shows a path of this machine, /home/ada/parcel/ship\.py"):
        page_of(_cell("print(__file__)", _printed("in /home/ada/parcel/ship.py\n")))


@pytest.mark.parametrize("text", ["File /var/task/ship.py", "/tmp/cache", "https://example.org/home/ada", "at /home/"])
def test_paths_that_are_nobodys_own_may_be_shown(text: str) -> None:
    assert local_path_in(text) is None


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ('quiz("01.q1")', ("quiz", "01.q1")),
        ("check('01.1')\n", ("check", "01.1")),
        ('predict("01.p1", "b")', None),
        ('x = quiz("01.q1")', None),
        ("%%writefile ship.py", None),
    ],
)
def test_only_a_cell_that_is_one_call_counts_as_one(source: str, call: tuple[str, str] | None) -> None:
    assert call_in(source) == call


def test_the_search_reads_error_messages_and_skips_the_noise_around_them() -> None:
    request = "ff0ac0f1-a425-499a-a905-d7507e1ea9c5"
    text = f"START RequestId: {request}\n[ERROR] {request} Runtime.HandlerNotFound: no 'go'\nREPORT Duration: 3 ms\n"
    html = output_fence(text, "output", "output", {}, None)
    searched = html
    while "data-search-exclude>" in searched:
        before, _, rest = searched.partition("<span")
        searched = before + rest.partition("</span>")[2]
    assert "[ERROR]  Runtime.HandlerNotFound: no 'go'" in searched
    assert "RequestId" not in searched
    assert "Duration" not in searched
    assert request not in searched


def test_of_a_report_line_the_search_reads_only_what_went_wrong() -> None:
    report = "REPORT RequestId: 1\tDuration: 3.5 ms\tBilled Duration: 4 ms\tMax Memory Used: 40 MB\tStatus: timeout\tError Type: Sandbox.Timedout\n"
    searched = re.sub(r"<span data-search-exclude>.*?</span>", "", output_fence(report, "output", "output", {}, None))
    assert "Status: timeout\tError Type: Sandbox.Timedout" in searched
    assert "3.5 ms" not in searched
    assert "40 MB" not in searched
