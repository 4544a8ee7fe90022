"""Which requests are for the learner's APIs and function URLs, and which names are this machine's."""

from __future__ import annotations

import pytest

from coldstart.cloud.public_addresses import PublicAddresses, addressed, is_local


@pytest.mark.parametrize(
    ("host", "target", "expected"),
    [
        ("abc.execute-api.us-east-1.localhost:80", "/p/a?b", ("execute-api", "abc", "us-east-1", "/p/a?b")),
        ("ABC.lambda-url.eu-west-1.LOCALHOST", "/", ("lambda-url", "abc", "eu-west-1", "/")),
        ("127.0.0.1:80", "/_aws/execute-api/abc/prod/a?b=1", ("execute-api", "abc", "", "/prod/a?b=1")),
        ("127.0.0.1:80", "/_aws/lambda-url/abc", ("lambda-url", "abc", "", "/")),
        ("127.0.0.1:80", "/_aws/lambda-url/abc?x=1", ("lambda-url", "abc", "", "/?x=1")),
        ("localhost:80", "/_aws/other/abc", None),
        ("bucket.localhost:80", "/key", None),
        ("abc.execute-api.us-east-1.amazonaws.com", "/", None),
        ("abc.execute-api.us-east-1.localhost.evil.example", "/", None),
    ],
)
def test_the_host_or_the_path_tells_what_a_request_is_for(host, target, expected):
    assert addressed(host, target) == expected


def test_addresses_are_found_again():
    addresses = PublicAddresses(4566)
    assert addresses.function_url("abc", "us-east-1") == "http://abc.lambda-url.us-east-1.localhost:4566/"
    host = addresses.api_endpoint("abc", "us-east-1").removeprefix("http://")
    assert addressed(host, "/prod") == ("execute-api", "abc", "us-east-1", "/prod")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80", "localhost", "LOCALHOST:80", "a.b.localhost:80", "[::1]:80", "127.1.2.3"]
)
def test_names_of_this_machine_are_local(host):
    assert is_local(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example:80", "localhost.evil.example", "192.168.0.1", "xlocalhost", "0.0.0.0"]
)
def test_other_names_are_not(host):
    assert not is_local(host)
