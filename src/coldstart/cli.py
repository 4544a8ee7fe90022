"""The `coldstart` command: a thin door to the course. `make` and the learner's terminal call it.

Each command imports what it runs only when it runs: `coldstart --help` answers at once.
"""

import os
from pathlib import Path

import click
from rich.console import Console

PROJECT = Path(__file__).resolve().parents[2]
console = Console(highlight=False, soft_wrap=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="coldstart", message="Cold Start %(version)s")
def main() -> None:
    """Cold Start: an executable course on AWS Lambda.

    Your functions really are deployed and really run, on this machine. You need no AWS account and no network.

    \b
    To learn:           coldstart lab
    To write lessons:   coldstart build, then coldstart site (CONTRIBUTING.md has the rest)
    """  # noqa: D301 (click reads the control character, not its name)


@main.command()
@click.option("--no-browser", is_flag=True, help="Do not open a browser; print the address instead.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Listen on this port.  [default: 8888 or the next free one]"
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=PROJECT / "learn",
    envvar="COLDSTART_LEARN",
    help="Keep your notebooks here.  [default: learn/ in the project; or set COLDSTART_LEARN]",
)
def lab(no_browser: bool, port: int | None, folder: Path) -> None:
    """Open the course in JupyterLab.

    The notebooks are copied to a folder of your own, where you write in them as you like. When the course gets a new
    edition, a notebook you wrote in stays as it is and the new edition is put beside it.

    JupyterLab listens on 127.0.0.1 only. Your AWS credentials are kept out of it. Ctrl-C ends it.
    """
    from coldstart.lab import learner_folder, server

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
def build(lessons: tuple[str, ...], check: bool, fresh: bool) -> None:
    """Build notebooks, solutions and the site's lesson pages from lessons/.

    LESSONS are names such as 01-first-function; without any, all are built.
    """
    from coldstart.course.build import main as build_lessons

    raise SystemExit(build_lessons(lessons, check=check, fresh=fresh))


@main.command()
def site() -> None:
    """Build the site into site/build. It makes no request to anywhere."""
    from coldstart.course.site import build_site

    raise SystemExit(build_site())
