"""Requests that AWS takes from anybody, unsigned: how users sign up and sign in with Cognito."""

from __future__ import annotations

from functools import cache

from moto.core.utils import get_service_model

from coldstart.runtime.http_wire import HttpRequest

_TARGET = "AWSCognitoIdentityProviderService."


def is_for_everybody(request: HttpRequest) -> bool:
    """Say whether the operation needs no access key; botocore's service model tells which do not."""
    target = request.headers.get("x-amz-target", "")
    return target.startswith(_TARGET) and target.removeprefix(_TARGET) in _open_operations()


@cache
def _open_operations() -> frozenset[str]:
    model = get_service_model("cognito-idp")
    return frozenset(name for name in model.operation_names if model.operation_model(name).auth_type == "none")
