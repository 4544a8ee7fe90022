"""The `coldstart` command: a thin door to the course. `make` and the learner's terminal call it.

Each command imports what it runs only when it runs: `coldstart --help` answers at once.
"""

import os
from pathlib import Path

import click
from rich.console import Console

PROJECT = Path(__file__).resolve().parents[2]
console = Console(highlight=False, soft_wrap=True)


in_learners_folder = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=PROJECT / "learn",
    envvar="COLDSTART_LEARN",
    help="Where your notebooks are.  [default: learn/ in the project; or set COLDSTART_LEARN]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="coldstart", message="Cold Start %(version)s")
def main() -> None:
    """Cold Start: an executable course on AWS Lambda.

    Your functions really are deployed and really run, on this machine. You need no AWS account and no network.

    \b
    To learn:           coldstart lab, coldstart status, coldstart reset, coldstart doctor, coldstart tools
    To write lessons:   coldstart new-lesson, coldstart prove, coldstart build, coldstart site
    """  # noqa: D301 (click reads the control character, not its name)


@main.command()
@click.option("--no-browser", is_flag=True, help="Do not open a browser; print the address instead.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Listen on this port.  [default: 8888 or the next free one]"
)
@in_learners_folder
def lab(no_browser: bool, port: int | None, folder: Path) -> None:
    """Open the course in JupyterLab.

    The notebooks are copied to a folder of your own, where you write in them as you like. When the course gets a new
    edition, a notebook you wrote in stays as it is and the new edition is put beside it.

    JupyterLab listens on 127.0.0.1 only. Your AWS credentials are kept out of it. Ctrl-C ends it.
    """
    from coldstart.lab import deployment_tools, learner_folder, server

    folder = folder.resolve()
    try:
        editions = learner_folder.bring_up_to_date(PROJECT / "notebooks", folder)
    except FileNotFoundError as error:
        raise click.ClickException(
            f"{error}. The course's notebooks come with its own folder: clone the project, go there, run 'make lab'."
        ) from error
    except OSError as error:
        raise click.ClickException(
            f"cannot write your notebooks to {folder}: {error.strerror}. "
            "Name another folder: coldstart lab --folder PATH"
        ) from error
    if editions.refreshed:
        console.print(f"New editions, in place: {', '.join(editions.refreshed)}.")
    for yours, new in editions.beside:
        console.print(f"There is a new edition of {yours}. You wrote in yours, so it stays; the new one is {new}.")

    taken = server.hide_aws_account(os.environ)
    os.environ.update(deployment_tools.variables())
    if taken:
        console.print(f"Your AWS account stays outside. Taken out of the notebooks' environment: {', '.join(taken)}.")
    open_browser = not no_browser and server.can_show_a_browser(os.environ)
    console.print(f"Your notebooks: {folder}\nStarting JupyterLab ...")
    log_file = folder / ".coldstart" / "jupyterlab.log"
    # JupyterLab and its kernels write to the log from here on; this keeps the learner's terminal for us.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as terminal:
        ours = Console(file=terminal, highlight=False, soft_wrap=True)

        def announce(address: str) -> None:
            ours.print(f"\nThe course is open at\n\n    {address}\n\nCtrl-C ends it.", markup=False)

        arguments = server.jupyterlab_arguments(folder, port=port, open_browser=open_browser)
        try:
            server.run_jupyterlab(arguments, log_file, announce)
        except server.CannotStart as error:
            ours.print(f"JupyterLab could not start: {error}\nAll it said is in {log_file}", markup=False)
            raise SystemExit(1) from error
        ours.print(f"\nJupyterLab has ended. Your notebooks are in {folder}")


@main.command()
@click.argument("lessons", nargs=-1)
@click.option("--check", is_flag=True, help="Change nothing; fail, naming the file, when a build would change it.")
@click.option(
    "--fresh", is_flag=True, help="Store what this run printed, also where it differs only in durations and the like."
)
@click.option(
    "--run/--no-run",
    default=True,
    help="Run the cells, or keep the outputs that are stored: for changed prose, in a second.",
)
def build(lessons: tuple[str, ...], check: bool, fresh: bool, run: bool) -> None:
    """Build notebooks, solutions and the site's lesson pages from lessons/.

    LESSONS are names such as 01-first-function; without any, all are built.
    """
    from coldstart.course.build import main as build_lessons

    raise SystemExit(build_lessons(lessons, check=check, fresh=fresh, run=run))


@main.command()
def site() -> None:
    """Build the site into site/build. It makes no request to anywhere."""
    from coldstart.course.site import build_site

    raise SystemExit(build_site())


@main.command()
@in_learners_folder
def status(folder: Path) -> None:
    """Say what you have done, what comes next, and what is due for review."""
    from rich.table import Table

    from coldstart.course import catalogue
    from coldstart.course.status import status as read_status

    os.environ.setdefault("COLDSTART_PROGRESS", str(folder / ".coldstart" / "progress.json"))
    try:
        found = read_status()
    except catalogue.NotInTheCourse as error:
        raise click.ClickException(str(error)) from error
    table = Table(box=None, pad_edge=False)
    for heading in ("Lesson", "", "Exercises passed", "Questions right", ""):
        table.add_column(heading)
    for line in found.lessons:
        passed, answered = f"{line.passed} of {line.exercises}", f"{line.answered} of {line.questions}"
        table.add_row(line.name[:2], line.title, passed, answered, line.state)
    console.print(table)
    console.print(f"\nNext: {found.next_step}", markup=False)
    if found.due:
        console.print(f"Due for review: {found.due}. In any lesson's notebook: review()")


@main.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Reset every exercise of the course.")
@in_learners_folder
def reset(names: tuple[str, ...], everything: bool, folder: Path) -> None:
    """Put exercises back to how they were, keeping a dated copy of your work.

    NAMES are exercises such as 01.2, or lessons such as 01.
    """
    from coldstart.course import catalogue
    from coldstart.lab.reset import reset as put_back

    if bool(names) == everything:
        raise click.UsageError("Name what to reset, such as `coldstart reset 01.2`, or say `coldstart reset --all`.")
    try:
        kept = put_back(folder, catalogue.exercises_named(names))
    except catalogue.NotInTheCourse as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"nothing was reset: {error.filename}: {error.strerror}") from error
    if kept is None:
        console.print(f"There is nothing to reset in {folder}.")
    else:
        console.print(f"Done. What you wrote is kept in {kept}\nIf a notebook is open in JupyterLab: File, Reload.")


@main.command()
@in_learners_folder
def doctor(folder: Path) -> None:
    """Look whether this machine is ready, and say how to mend what is not."""
    from coldstart.lab.doctor import examine, has_problems

    with console.status("Looking ..."):
        findings = examine(folder.resolve())
    for finding in findings:
        console.print(f"{finding.state:8} {finding.about + ':':13} {finding.found}", markup=False)
        if finding.fix:
            console.print(f"{'':22} Fix: {finding.fix}", markup=False)
    if has_problems(findings):
        raise SystemExit(1)


@main.command()
def tools() -> None:
    """Install the tools that deploy functions: sam, aws and osls.

    They go into .tools/ of the course's folder, in the versions its locks name; a notebook finds them by itself. Needs a
    network and npm once. What is there already stays.
    """
    from coldstart.lab import deployment_tools
    from coldstart.lab.tool_environments import CannotInstall

    try:
        deployment_tools.install(lambda line: console.print(line, markup=False))
    except CannotInstall as error:
        raise click.ClickException(str(error)) from error
    console.print(f"sam, aws and osls are in {deployment_tools.FOLDER / 'bin'}")


@main.command()
@click.option("--on", "switch", flag_value="on", help="Begin to measure, from now on.")
@click.option("--off", "switch", flag_value="off", help="Stop measuring and delete what was measured.")
@in_learners_folder
def times(switch: str | None, folder: Path) -> None:
    """Compare how long lessons took you with their estimates.

    Off until you say --on. Then each answer and check notes the time of day and the lesson, in a file beside your
    progress. It is never sent anywhere.
    """
    from coldstart.course import catalogue
    from coldstart.course.lesson import read_lesson
    from coldstart.course.times import LOG, minutes_by_lesson

    log = folder / ".coldstart" / LOG
    if switch == "on":
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        console.print(f"Measuring, into {log}. Stop with: coldstart times --off")
    elif switch == "off":
        log.unlink(missing_ok=True)
        console.print("No longer measuring; what was measured is deleted.")
    elif not log.exists():
        console.print("Nothing is measured. Begin with: coldstart times --on")
    else:
        worked = minutes_by_lesson(log)
        for path in catalogue.lesson_folders(catalogue.lessons_folder()):
            lesson = read_lesson(path)
            measured = f"{worked[lesson.number]:.0f} minutes" if lesson.number in worked else "not measured"
            estimate = f"{lesson.front_matter.minutes} minutes estimated"
            console.print(f"{lesson.number} {lesson.front_matter.title}: {measured}, {estimate}", markup=False)


@main.command()
@click.argument("exercises", nargs=-1)
def prove(exercises: tuple[str, ...]) -> None:
    """Prove exercises: the stub and each wrong answer get their message, both solutions pass, the hints lead up.

    EXERCISES are ids such as 01.2 or lessons such as 01; without any, all are proved.
    """
    from coldstart.course.prove import main as prove_exercises

    raise SystemExit(prove_exercises(exercises))


@main.command("new-lesson")
@click.argument("name")
def new_lesson(name: str) -> None:
    """Make the skeleton of a lesson, such as 09-cold-starts, that builds and passes."""
    from coldstart.course.new_lesson import CannotMake
    from coldstart.course.new_lesson import new_lesson as make

    try:
        folder = make(name)
    except CannotMake as error:
        raise click.ClickException(str(error)) from error
    console.print(
        f"Made {folder}\nand, for its questions, M9{name[:2]} at the end of misconceptions.yml.\n\n"
        "The lesson passes as it is. Change it, and after each step type:\n\n"
        f"    .venv/bin/coldstart prove {name[:2]}    its exercises\n"
        f"    .venv/bin/coldstart build {name[:2]}    its notebooks and its page\n\n"
        'The site\'s page "Write a lesson" goes through it (site/docs/write-a-lesson.md).'
    )
