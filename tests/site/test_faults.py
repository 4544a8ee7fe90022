"""What must not be published is found before it is: third-party requests and paths of the building machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldstart.course import site
from coldstart.course.site import build_site, faults_in


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('<script src="https://cdn.example.com/x.js"></script>', "https://cdn.example.com/x.js"),
        ('<img src="//example.com/x.png" alt="x">', "//example.com/x.png"),
        ('<img srcset="a.png 1x, https://example.com/b.png 2x" alt="x">', "https://example.com/b.png"),
        ('<link rel="stylesheet" href="https://fonts.example.com/css">', "https://fonts.example.com/css"),
        ('<link rel="preconnect" href="https://fonts.example.com">', "https://fonts.example.com"),
        ("<style>@import 'https://example.com/a.css';</style>", "https://example.com/a.css"),
        ('<iframe src="http://example.com/"></iframe>', "http://example.com/"),
        ('<pre class="mermaid">graph</pre>', "mermaid"),
        ("<p>/home/ada/orders</p>", "/home/ada/orders"),
        ("<p>C:\\Users\\Ada\\orders</p>", "C:\\Users\\Ada"),
    ],
)
def test_a_fault_is_named_with_its_page(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "page.html").write_text(content)
    faults = faults_in(tmp_path)
    assert len(faults) == 1
    assert complaint in faults[0]
    assert "page.html" in faults[0]


def test_a_style_sheet_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url(https://example.com/f.woff2) }")
    assert "https://example.com/f.woff2" in faults_in(tmp_path)[0]


@pytest.mark.parametrize(
    "content",
    [
        '<a href="https://docs.aws.amazon.com/lambda/">AWS</a>',
        '<link rel="canonical" href="https://example.org/course/">',
        '<script src="../assets/names.js"></script>',
        "<p>Lambda unpacks it at /var/task/ship.py and gives it /tmp/cache</p>",
    ],
)
def test_links_and_own_files_are_no_fault(tmp_path: Path, content: str) -> None:
    (tmp_path / "page.html").write_text(content)
    assert faults_in(tmp_path) == []


@pytest.mark.parametrize(
    ("link", "complaint"), [("[gone](gone.md)", "gone.md"), ("[no such heading](#nowhere)", "#nowhere")]
)
def test_a_link_that_leads_nowhere_stops_the_build_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], link: str, complaint: str
) -> None:
    docs = tmp_path / "site" / "docs"
    docs.mkdir(parents=True)
    (docs / "index.md").write_text(f"# Home\n\n{link}\n")
    (tmp_path / "site" / "mkdocs.yml").write_text(
        "site_name: Parcel\nvalidation: {links: {not_found: warn, anchors: warn}}\n"
    )
    monkeypatch.setattr(site, "PROJECT", tmp_path)
    assert build_site(tmp_path / "built") == 1
    said = "".join(capfd.readouterr())
    assert complaint in said
    assert "run `make site` again" in said
