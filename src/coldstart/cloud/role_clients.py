"""boto3 clients with which an AWS service acts for somebody: this cloud's endpoint, and the credentials of a role."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

CloudVariables = Callable[[str, str], dict[str, str]]
"""Takes a role's ARN and a region; returns endpoint and credentials as environment variables."""

_CONFIG = Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    connect_timeout=60,
    read_timeout=15 * 60 + 60,
)
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4"))  # for presigned addresses


class RoleClients:
    """Makes each client once."""

    def __init__(self, cloud_variables: CloudVariables) -> None:
        self._cloud_variables = cloud_variables
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str], Any] = {}

    def of(self, service: str, region: str, role_arn: str) -> Any:
        """Return the client of a service in a region, with the permissions of a role."""
        key = (service, region, role_arn)
        with self._lock:
            if key not in self._clients:
                variables = self._cloud_variables(role_arn, region)
                self._clients[key] = boto3.session.Session().client(
                    service,
                    region_name=region,
                    endpoint_url=variables["AWS_ENDPOINT_URL"],
                    aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
                    aws_session_token=variables["AWS_SESSION_TOKEN"],
                    config=_S3_CONFIG if service == "s3" else _CONFIG,
                )
            return self._clients[key]
