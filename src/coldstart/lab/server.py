"""JupyterLab, set up for the course: loopback only, no request to the outside, no AWS credentials of the learner's.

JupyterLab runs in the process of `coldstart lab`, so Ctrl-C ends it and its kernels, and nothing is left behind.
"""

import os
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path

COURSE_MAP = "00-start-here.ipynb"
SETTINGS = Path(__file__).with_name("settings")


class CannotStart(Exception):
    """JupyterLab could not start; the message is the last line it wrote."""


def hide_aws_account(environ: MutableMapping[str, str]) -> list[str]:
    """Take the learner's AWS account out of an environment, so that kernels cannot reach it.

    Every `AWS_` variable goes. The shared credentials and configuration files are pointed at nothing, and the instance
    metadata service is switched off (the variables are those of the AWS SDKs and Tools Reference Guide,
    "Environment variables").

    Args:
        environ: the environment to change, such as `os.environ`.

    Returns:
        The names of the variables that were taken out, sorted.
    """
    taken = sorted(name for name in environ if name.startswith("AWS_"))
    for name in taken:
        del environ[name]
    environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    environ["AWS_CONFIG_FILE"] = os.devnull
    environ["AWS_EC2_METADATA_DISABLED"] = "true"
    return taken


def can_show_a_browser(environ: MutableMapping[str, str], platform: str = sys.platform) -> bool:
    """Whether this session has a screen: without one, a text browser would take the terminal."""
    return platform in {"darwin", "win32"} or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def jupyterlab_arguments(folder: Path, *, port: int | None, open_browser: bool) -> list[str]:
    """The command line of the course's JupyterLab.

    Args:
        folder: the learner's folder, shown as the root.
        port: the port to listen on; None takes 8888 or the next free one.
        open_browser: whether JupyterLab opens the learner's browser.
    """
    start_page = f"/lab/tree/{COURSE_MAP}" if (folder / COURSE_MAP).exists() else "/lab"
    arguments = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.open_browser={open_browser}",
        f"--LabApp.default_url={start_page}",
        # Ctrl-C ends it at once, without asking.
        "--ServerApp.answer_yes=True",
        "--Application.log_level=WARN",
        "--Application.log_format=%(message)s",
        # Tabs and their order belong to the course's folder, not to the learner's other work with JupyterLab.
        f"--LabApp.workspaces_dir={folder / '.coldstart' / 'workspaces'}",
        # Nothing outside: no news, no check for updates, no list of extensions to install.
        "--LabApp.news_url=None",
        f"--LabApp.app_settings_dir={Path(__file__).with_name('settings')}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if port is not None:
        arguments += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # A container's user is often root; the server is on loopback and asks for its token.
        arguments.append("--ServerApp.allow_root=True")
    return arguments


def run_jupyterlab(arguments: list[str], log_file: Path, announce: Callable[[str], None]) -> None:
    """Run JupyterLab in this process until it is told to stop.

    From here on everything written to this process's output, by JupyterLab and by the kernels, goes to `log_file`.

    Args:
        arguments: the command line, as `jupyterlab_arguments` gives it.
        log_file: where the messages of JupyterLab and of the kernels go; written anew.
        announce: called with the address, its token included, once JupyterLab answers there.

    Raises:
        CannotStart: JupyterLab gave up before it answered.
    """
    with log_file.open("wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    from jupyterlab.labapp import LabApp

    try:
        server = LabApp.initialize_server(argv=arguments)
    except SystemExit as given_up:
        last_line = (log_file.read_text(errors="replace").strip().splitlines() or ["it gave no reason"])[-1]
        raise CannotStart(last_line) from given_up
    announce(server.local_url)
    server.start()
