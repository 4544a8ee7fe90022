"""`coldstart site`: builds the published site into site/build, strictly and without asking anything of the network.

It is built twice: to be served, and with addresses that work from a disk, as a zip that the first offers for download.
"""

from __future__ import annotations

import functools
import html.parser
import logging
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from coldstart.course.behaviour import behaviour_page, read_behaviour
from coldstart.course.browser_bytecode import can_compile
from coldstart.course.browser_packages import SERVICE_WORKER, CannotMake, browser_packages
from coldstart.course.catalogue import PROJECT, lesson_folders
from coldstart.course.course_map import course_map_page
from coldstart.course.facts import Facts, facts_page
from coldstart.course.glossary import glossary_page, read_glossary
from coldstart.course.instructors import instructors_page
from coldstart.course.lesson import read_lesson
from coldstart.course.pages import local_path_in
from coldstart.course.pages_home import home_page
from coldstart.course.problems import LessonProblem

# Family, npm package, weights. Both are under the SIL Open Font License.
_FONTS = (
    ("Atkinson Hyperlegible Next", "atkinson-hyperlegible-next", "200 800"),
    ("Atkinson Hyperlegible Mono", "atkinson-hyperlegible-mono", "200 800"),
)
OFFLINE = "cold-start-site.zip"
"""The whole site to take along, beside its pages."""
_IFRAME_WORKER = PROJECT / "node_modules" / "iframe-worker" / "shim" / "index.js"
_STYLE_URL = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)")
_LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch", "manifest", "prefetch"}


def build_site(destination: Path | None = None) -> int:
    """Run MkDocs over site/.

    Args:
        destination: where to build, instead of site/build.

    Returns:
        0 when the site is built.
    """
    target = (destination or PROJECT / "site" / "build").resolve()
    with tempfile.TemporaryDirectory(prefix="coldstart-site-") as temporary:
        offline = Path(temporary) / "cold-start-site"
        if not (_mkdocs(target, use_directory_urls=True) and _mkdocs(offline, use_directory_urls=False)):
            print("The site could not be built. The lines above name the page; mend it and run `make site` again.")
            return 1
        _zip(offline, target / OFFLINE)
    _, missing = runner()
    if missing:
        print(f"Built without Run: no cell can be run in its page. {missing} Then run `make site` again.")
    elif not can_compile():
        print(
            "Run is slow to start: what its Python would compile is compiled by Node.js 18 or newer, and there is none."
        )
    if not installed_fonts():
        print("Built with your system's fonts: the course's own come with npm (run `npm ci`, then `make site` again).")
    if not _IFRAME_WORKER.exists():
        print(f"{OFFLINE} has no search: what it needs for it comes with npm too.")
    print(f"The site is built: {target / 'index.html'}")
    return 0


def _mkdocs(target: Path, *, use_directory_urls: bool) -> bool:
    """Build the pages into a folder, and say whether all went well; warnings count as faults, and are printed.

    It runs in this process, which has read already what a new one would have to read again. The command `mkdocs build --strict`
    would not do: with `--quiet` it counts no warnings.
    """
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, MkDocsException

    logger = logging.getLogger("mkdocs")
    logger.setLevel(logging.WARNING)
    shown = logging.StreamHandler()
    logger.addHandler(shown)
    try:
        config = load_config(
            str(PROJECT / "site" / "mkdocs.yml"),
            strict=True,
            site_dir=str(target),
            use_directory_urls=use_directory_urls,
        )
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        finally:
            config.plugins.on_shutdown()
    except (Abort, MkDocsException, SystemExit) as end:
        print(end)
        return False
    finally:
        logger.removeHandler(shown)
    return True


@functools.cache
def runner() -> tuple[Path | None, str]:
    """Return the folder of what a page loads when Run is pressed, or None and what is missing for it."""
    try:
        return browser_packages(), ""
    except CannotMake as missing:
        return None, str(missing)


def add_runner(built: Path) -> None:
    """Put below run/ of a built site what its pages load when Run is pressed.

    Args:
        built: the folder of the built site.
    """
    folder, _ = runner()
    if folder is not None:
        shutil.copytree(folder, built / "run" / folder.name, dirs_exist_ok=True)
        shutil.copyfile(SERVICE_WORKER, built / SERVICE_WORKER.name)  # it looks after what is beside it and below


def make_offline(built: Path) -> None:
    """Give a site that was built for a disk its search: a browser reads no JSON from there, and starts no worker.

    Args:
        built: the folder of the built site.
    """
    index = (built / "search" / "search_index.json").read_text("utf-8")
    (built / "search" / "search_index.js").write_text(f"var __index = {index}", "utf-8")
    if _IFRAME_WORKER.exists():
        shutil.copyfile(_IFRAME_WORKER, built / "assets" / "iframe-worker.js")
    for of_no_use_there in ("404.html", "sitemap.xml", "sitemap.xml.gz"):
        (built / of_no_use_there).unlink(missing_ok=True)


def _zip(folder: Path, target: Path) -> None:
    """Pack a folder so that the same files always give the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", (1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def prepare(folder: Path) -> None:
    """Make what belongs to the pages and is not written by hand: home page, tables, notebooks, fonts.

    Args:
        folder: site/.

    Raises:
        SystemExit: the home page names a cell that there is not.
    """
    docs = folder / "docs"
    for notebook in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        _write(docs / "notebooks" / notebook.name, notebook.read_bytes())
    lessons = [read_lesson(child) for child in lesson_folders(PROJECT / "lessons")]
    try:
        home = home_page(folder / "home.md", PROJECT / "notebooks", lessons)
    except LessonProblem as problem:
        raise SystemExit(str(problem)) from None
    _write(docs / "index.md", home.encode())
    _write(docs / "local-behaviour.md", behaviour_page(read_behaviour(folder / "local-behaviour.yml")).encode())
    facts = Facts(PROJECT / "lessons" / "facts.toml")
    _write(docs / "facts.md", facts_page(facts).encode())
    _write(docs / "course-map.md", course_map_page(lessons).encode())
    _write(docs / "glossary.md", glossary_page(read_glossary(PROJECT / "lessons")).encode())
    teaching = folder / "for-instructors.md"
    notes = instructors_page(teaching.read_text("utf-8"), lessons)
    _write(docs / "for-instructors.md", facts.fill_in(notes, teaching, 1).encode())
    fonts = installed_fonts()
    for font in fonts:
        _write(docs / "assets" / "fonts" / font.name, font.read_bytes())
        _write(docs / "assets" / "fonts" / f"{font.stem}.LICENSE.txt", (font.parents[1] / "LICENSE").read_bytes())
    _write(docs / "assets" / "fonts" / "fonts.css", _font_faces(fonts).encode())


def faults_in(built: Path, site_url: str = "") -> list[str]:
    """Return what must not be published: requests to third parties, and paths of the machine it was built on.

    Args:
        built: the folder of the built site.
        site_url: where the site is published; an address below it is no third party's.
    """
    faults = []
    for page in sorted(built.rglob("*.html")):
        text = page.read_text("utf-8")
        finder = _Requests()
        finder.feed(text)
        asked = [
            url for url in (*finder.urls, *_STYLE_URL.findall(text)) if not (site_url and url.startswith(site_url))
        ]
        faults += [f"{page}: asks a third party for {url}; put the file into site/docs/assets" for url in asked]
        if "mermaid" in finder.classes:
            faults.append(f"{page}: a mermaid diagram loads its script from a third party; draw it as an SVG")
        if path := local_path_in(text):
            faults.append(f"{page}: shows a path of this machine: {path}")
    for style in sorted(built.rglob("*.css")):
        asked = _STYLE_URL.findall(style.read_text("utf-8"))
        faults += [f"{style}: asks a third party for {url}; put the file into site/docs/assets" for url in asked]
    return faults


class _Requests(html.parser.HTMLParser):
    """Collects the addresses outside the site that a browser asks for when it shows the page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        values = {name: value or "" for name, value in attrs}
        self.classes.update(values.get("class", "").split())
        for url in self._asked_for(tag, values):
            if re.match(r"(?:https?:)?//", url):
                self.urls.append(url)

    def _asked_for(self, tag: str, values: dict[str, str]) -> Iterator[str]:
        yield values.get("src", "")
        yield values.get("poster", "")
        yield from (part.split()[0] for part in values.get("srcset", "").split(",") if part.strip())
        if tag in {"object", "embed"}:
            yield values.get("data", "")
        if tag in {"use", "image"} or (tag == "link" and _LOADED_LINKS & set(values.get("rel", "").split())):
            yield values.get("href", values.get("xlink:href", ""))


def installed_fonts() -> list[Path]:
    """The course's fonts that npm has installed: all of them, or none."""
    packages = PROJECT / "node_modules" / "@fontsource-variable"
    fonts = [packages / name / "files" / f"{name}-latin-wght-normal.woff2" for _, name, _ in _FONTS]
    return fonts if all(font.exists() for font in fonts) else []


def _font_faces(fonts: list[Path]) -> str:
    if not fonts:
        return "/* The fonts are not installed: pages are shown in the reader's own. */\n"
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weights}; font-display: optional; '
        f'src: url("{font.name}") format("woff2"); }}'
        for (family, _, weights), font in zip(_FONTS, fonts, strict=True)
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file only when that changes it, so that `mkdocs serve` does not build for ever."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
