"""API Gateway's choice of a route: the example of its developer guide, and what was seen with REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import pytest

from coldstart.events.http_routes import RouteTable

ROUTES = [
    ("ANY", "/{proxy+}"),
    ("GET", "/pets/{proxy+}"),
    ("GET", "/pets/dog/{id}"),
    ("GET", "/pets/dog/1"),
    ("ANY", "/pets/dog/{id}"),
    ("GET", "/"),
]


@pytest.mark.parametrize(
    ("method", "path", "expected", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", {}),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("POST", "/pets/dog/1", "ANY /pets/dog/{id}", {"id": "1"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("GET", "/pets", "ANY /{proxy+}", {"proxy": "pets"}),
        ("POST", "/test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("GET", "/", "GET /", {}),
    ],
)
def test_the_most_specific_route_with_the_method_is_taken(method, path, expected, parameters):
    table = RouteTable((method, path, f"{method} {path}") for method, path in ROUTES)
    assert table.find(method, path) == (expected, parameters)


@pytest.mark.parametrize(("method", "path"), [("POST", "/orders"), ("GET", "/orders/"), ("GET", "/"), ("GET", "/a/b")])
def test_what_no_route_takes_is_not_found(method, path):
    assert RouteTable([("GET", "/orders", 1), ("GET", "/orders/{id}", 2)]).find(method, path) is None


def test_a_greedy_placeholder_needs_something_to_stand_for():
    assert RouteTable([("ANY", "/{proxy+}", 1)]).find("GET", "/") is None
