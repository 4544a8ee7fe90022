"""What JupyterLab's kernels can know of the learner's own AWS account, and when a browser is opened."""

import subprocess
import sys

import pytest

from coldstart.lab.server import can_show_a_browser, hide_aws_account


def test_kernels_find_no_aws_account(tmp_path) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = AKIDREAL\naws_secret_access_key = real\n")
    (home / ".aws/config").write_text("[default]\nregion = eu-west-3\n")
    environ = {"HOME": str(home), "PATH": "/usr/bin", "AWS_ACCESS_KEY_ID": "AKIDREAL", "AWS_PROFILE": "parcel"}
    look = "import boto3; s = boto3.Session(); print(s.get_credentials(), s.region_name, s.available_profiles)"

    def account() -> str:
        return subprocess.run([sys.executable, "-c", look], env=environ, capture_output=True, text=True).stdout.strip()

    environ.pop("AWS_PROFILE")
    environ.pop("AWS_ACCESS_KEY_ID")
    assert "eu-west-3" in account(), "the account in the home folder must be found before it is hidden"
    environ |= {"AWS_ACCESS_KEY_ID": "AKIDREAL", "AWS_PROFILE": "parcel"}
    assert hide_aws_account(environ) == ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"]
    assert account() == "None None []"


@pytest.mark.parametrize(
    ("environ", "platform", "shown"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_browser_opens_only_where_there_is_a_screen(environ: dict[str, str], platform: str, shown: bool) -> None:
    assert can_show_a_browser(environ, platform) is shown
