"""Nobody gets in from another host or a web page, and a function gets at nothing of the learner's."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import socket
import stat
import zipfile
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

ECHO = "def handler(event, context):\n    return event\n"


def _addresses_of_this_host() -> list[tuple[socket.AddressFamily, str]]:
    """What another host would connect to: every address of this machine that is not loopback."""
    return [
        (address.family, address.address)
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6)
        and not address.address.startswith(("127.", "::1", "fe80"))
    ]


def test_another_host_reaches_no_port(local_aws, deploy):
    function = deploy("import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_RUNTIME_API']\n")
    runtime_api = function.invoke()["Payload"]
    ports = [int(address.rpartition(":")[2]) for address in (local_aws.url, runtime_api)]
    for port in ports:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    for family, address in _addresses_of_this_host():
        for port in ports:
            with socket.socket(family, socket.SOCK_STREAM) as stranger, contextlib.suppress(ConnectionRefusedError):
                stranger.settimeout(5)
                stranger.connect((address, port))
                pytest.fail(f"{address} port {port} can be reached from outside")


@pytest.mark.parametrize("headers", [{"Origin": "https://example.com"}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_web_page_cannot_take_events_from_a_function(deploy, headers):
    """A browser lets any page send requests to this machine's ports; the Runtime API has no other lock."""
    function = deploy(
        """
import json, os, urllib.error, urllib.request
def handler(event, context):
    api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime"
    answers = []
    for path, body in (("/invocation/next", None), (f"/invocation/{context.aws_request_id}/response", b"forged")):
        try:
            urllib.request.urlopen(urllib.request.Request(api + path, body, event), timeout=2)
        except urllib.error.HTTPError as error:
            answers.append(error.code)
    return answers
"""
    )
    assert function.invoke(headers)["Payload"] == [403, 403]
    assert function.invoke(headers)["Payload"] == [403, 403]


def test_the_learners_home_and_credentials_are_out_of_reach(deploy, monkeypatch, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n"
    )
    (tmp_path / ".aws/config").write_text("[default]\nregion = eu-central-1\n")
    (tmp_path / ".netrc").write_text("machine example.com login ada password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    seen = deploy(
        """
import boto3, os
def handler(event, context):
    session = boto3.Session()
    with open("/proc/self/environ" if os.path.exists("/proc/self/environ") else os.devnull) as environ:
        environment = environ.read()
    return {
        "key": session.get_credentials().access_key,
        "region": session.region_name,
        "profiles": session.available_profiles,
        "home": sorted(os.listdir(os.path.expanduser("~"))),
        "environment": environment,
        "inherited": [name for name in os.environ if "TOKEN" in name],
    }
""",
        Timeout=20,
    ).invoke()["Payload"]
    assert seen["key"].startswith("ASIA")
    assert seen["key"] != os.environ["AWS_ACCESS_KEY_ID"]
    assert seen["region"] == "us-east-1"
    assert seen["profiles"] == []
    assert seen["home"] == []
    assert str(tmp_path) not in seen["environment"]
    assert "ghp_secret" not in seen["environment"]
    assert seen["inherited"] == ["AWS_SESSION_TOKEN"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc to look at")
def test_a_function_holds_no_descriptor_of_the_learners_kernel(deploy):
    function = deploy(
        """
import os, stat
def handler(event, context):
    return [(number, stat.filemode(os.stat(number).st_mode)[0])
            for number in range(256) if os.path.exists(f"/proc/self/fd/{number}")]
"""
    )
    opened = dict(map(tuple, function.invoke()["Payload"]))
    assert (opened.pop(0), opened.pop(1), opened.pop(2), opened.pop(3)) == ("c", "p", "p", "p")
    assert list(opened.values()) == ["s"]  # its connection to the Runtime API


def package(name: str, content: bytes, mode: int = stat.S_IFREG | 0o644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", ECHO)
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
    return buffer.getvalue()


def broken(zipped: bytes) -> bytes:
    """The same zip with its data, not its list of files, damaged."""
    return zipped[:45] + bytes(20) + zipped[65:]


@functools.cache
def bomb() -> bytes:
    return package("zeros", bytes(262_144_001))


HOSTILE = {
    "a name outside": lambda: package("../escaped.py", b"escaped"),
    "an absolute name": lambda: package("/tmp/escaped.py", b"escaped"),
    "a link outside": lambda: package("passwords", b"/etc/passwd", stat.S_IFLNK | 0o777),
    "broken data": lambda: broken(package("data.bin", bytes(range(256)))),
    "a zip bomb": bomb,
}


def refusal(what: str) -> str:
    return (
        "Unzipped size must be smaller than 262144000 bytes"
        if what == "a zip bomb"
        else "Could not unzip uploaded file"
    )


@pytest.mark.parametrize("what", HOSTILE)
def test_a_package_that_would_do_harm_is_refused_when_it_comes(local_aws, deploy, what):
    """AWS checks a package when it is uploaded: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
    zipped, message = HOSTILE[what](), refusal(what)
    function = deploy(ECHO)
    with pytest.raises(ClientError, match=message) as refused:
        deploy(ECHO, Code={"ZipFile": zipped})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    with pytest.raises(ClientError, match=message):
        function.client.update_function_code(FunctionName=function.name, ZipFile=zipped)
    assert function.invoke({"still": "works"})["Payload"] == {"still": "works"}
    escaped = [*local_aws._folder.rglob("escaped.py"), local_aws._folder.parent / "escaped.py", Path("/tmp/escaped.py")]
    assert not any(path.exists() for path in escaped)
    assert not list(local_aws._folder.rglob("passwords"))


@pytest.mark.parametrize("what", HOSTILE)
def test_a_layer_that_would_do_harm_is_refused_when_it_comes(local_aws, what):
    zipped, message = HOSTILE[what](), refusal(what)
    with pytest.raises(ClientError, match=message):
        boto3.client("lambda").publish_layer_version(LayerName="harm", Content={"ZipFile": zipped})


def test_a_link_within_the_package_leads_where_it_says(deploy):
    function = deploy(
        "",
        Handler="labels.handler",
        Code={"ZipFile": package("labels.py", b"app.py", stat.S_IFLNK | 0o777)},
    )
    assert function.invoke({"order": "P-1042"})["Payload"] == {"order": "P-1042"}
