"""The temporary directory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html and the lifecycle page.

It is called /tmp, belongs to one execution environment, has 512 MB by default, and survives until the environment ends.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FILL = """
import errno, os, shutil, tempfile
folder = tempfile.gettempdir()

def handler(event, context):
    if event.get("empty"):
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
    try:
        for number in range(event.get("files", 0)):
            with open(f"{folder}/labels-{event['batch']}-{number}", "wb") as file:
                file.write(bytes(1024 * 1024))
    except OSError as error:
        return errno.errorcode[error.errno]
    return len(os.listdir(folder))
"""


def has_file_systems(local_aws):
    """Whether this machine lets somebody who is not root mount a file system that nobody else sees."""
    return local_aws._host.sandboxes.name_of_tmp(Path("/elsewhere")) == Path("/tmp")


@pytest.fixture
def own_file_system(local_aws):
    if not has_file_systems(local_aws):
        pytest.skip("this machine does not allow mount namespaces (a container without rights, or not Linux)")


def test_what_does_not_fit_fails_until_there_is_room(deploy, own_file_system):
    function = deploy(FILL, Timeout=60, MemorySize=1769)
    assert function.invoke({"batch": 1, "files": 300})["Payload"] == 300
    assert function.invoke({"batch": 2, "files": 300})["Payload"] == "ENOSPC"
    assert function.invoke({"batch": 3, "files": 1})["Payload"] == "ENOSPC"
    assert function.invoke({"batch": 3, "files": 1, "empty": True})["Payload"] == 1
    log = function.lines()
    assert not any("Status: error" in line for line in log)


def test_the_size_can_be_configured(deploy, own_file_system):
    function = deploy(FILL, Timeout=60, MemorySize=1769, EphemeralStorage={"Size": 600})
    assert function.invoke({"batch": 1, "files": 550})["Payload"] == 550


def test_a_file_larger_than_the_directory_fails_everywhere(deploy):
    function = deploy(
        """
import os, tempfile
def handler(event, context):
    with open(os.path.join(tempfile.gettempdir(), "labels.bin"), "wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, 513 * 1024 * 1024)
        except OSError as error:
            return type(error).__name__
"""
    )
    assert function.invoke()["Payload"] == "OSError"
    assert function.invoke()["Payload"] == "OSError"


def test_tmp_is_the_environments_own(deploy, own_file_system):
    code = """
import os
def handler(event, context):
    before = os.listdir("/tmp")
    with open("/tmp/parcel-label.txt", "a") as file:
        file.write("P-1042")
    return before
"""
    first, second = deploy(code), deploy(code)
    assert first.invoke()["Payload"] == []
    assert first.invoke()["Payload"] == ["parcel-label.txt"]
    assert second.invoke()["Payload"] == []
    assert not os.path.exists("/tmp/parcel-label.txt")


def test_nothing_of_it_stays_when_the_environment_ends(local_aws, deploy):
    function = deploy(FILL, Timeout=60, MemorySize=1769)
    function.invoke({"batch": 1, "files": 20})
    environments = local_aws._folder / "environments"
    before = set(environments.iterdir())
    local_aws.clock.advance(hours=1)
    assert len(set(environments.iterdir())) < len(before)


def test_everything_else_is_read_only(deploy, own_file_system, tmp_path):
    """On AWS: ``OSError: [Errno 30] Read-only file system``, whoever the process is."""
    function = deploy(
        """
import errno, os, subprocess
def handler(event, context):
    found = []
    for path in event:
        try:
            with open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], path), "w"): pass
            found.append("written")
        except OSError as error:
            found.append(errno.errorcode[error.errno])
    subprocess.run(["true"], stdout=subprocess.DEVNULL, check=True)
    with open("/dev/null", "w") as nowhere: nowhere.write("x")
    return found
"""
    )
    paths = [
        "app.py",
        "new.txt",
        os.path.expanduser("~/parcel.txt"),
        f"{os.getcwd()}/parcel.txt",
        "/var/tmp/parcel.txt",
    ]
    assert function.invoke(paths)["Payload"] == ["EROFS"] * len(paths)
