"""CORS as HTTP APIs and function URLs answer it: https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html."""

from __future__ import annotations

import pytest

from coldstart.events.cors import CorsConfiguration, is_preflight
from coldstart.events.http_request import ClientRequest

SHOP = CorsConfiguration.of(
    {
        "AllowOrigins": ["https://shop.example", "https://*.parcel.example"],
        "AllowMethods": ["GET", "POST"],
        "AllowHeaders": ["content-type"],
        "ExposeHeaders": ["x-total"],
        "MaxAge": 300,
        "AllowCredentials": True,
    }
)


def _request(origin, method="GET", asked=None):
    headers = [("Origin", origin)] if origin else []
    if asked:
        headers.append(("Access-Control-Request-Method", asked))
    return ClientRequest(method, "/", headers=tuple(headers))


@pytest.mark.parametrize("origin", ["https://shop.example", "https://till.parcel.example"])
def test_an_allowed_origin_may_read_the_response(origin):
    assert SHOP.headers(_request(origin)) == [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "x-total"),
        ("Vary", "Origin"),
    ]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://shop.example", None])
def test_another_origin_may_not(origin):
    assert SHOP.headers(_request(origin)) == []
    assert SHOP.preflight_headers(_request(origin, "OPTIONS", "GET")) == []


def test_a_preflight_learns_what_is_allowed():
    request = _request("https://shop.example", "OPTIONS", "POST")
    assert is_preflight(request)
    assert dict(SHOP.preflight_headers(request)) == {
        "Access-Control-Allow-Origin": "https://shop.example",
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
        "Access-Control-Allow-Methods": "GET,POST",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Max-Age": "300",
    }
    assert SHOP.preflight_headers(_request("https://shop.example", "OPTIONS", "DELETE")) == []


def test_every_origin_is_a_star_unless_there_are_credentials():
    everyone = CorsConfiguration.of({"allowOrigins": ["*"]})
    assert everyone.headers(_request("https://a.example")) == [("Access-Control-Allow-Origin", "*")]
    with_credentials = CorsConfiguration.of({"allowOrigins": ["*"], "allowCredentials": True})
    assert ("Access-Control-Allow-Origin", "https://a.example") in with_credentials.headers(
        _request("https://a.example")
    )


def test_a_plain_options_request_is_no_preflight():
    assert not is_preflight(_request("https://shop.example", "OPTIONS"))
    assert not is_preflight(_request(None, "OPTIONS", "GET"))
