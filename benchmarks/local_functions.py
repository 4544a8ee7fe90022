"""The functions that are measured, and how they get into an AWS."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from coldstart import cloud

ECHO = "def handler(event, context):\n    return event\n"
PRINTING = "def handler(event, context):\n    print('order', event['order'])\n    return event\n"
EVENT = b'{"order": "P-1042", "items": ["tape", "label"]}'
ROLE = "arn:aws:iam::000000000000:role/function"
MEMORY = 1769
"""One whole processor, in MB: nobody is slowed down."""


@dataclass
class DeployedFunction:
    """A function as boto3 sees it, in ours or a peer's AWS."""

    client: Any
    name: str

    def invoke(self, event: bytes = EVENT, **parameters: Any) -> bytes:
        """Invoke it and return the payload.

        Raises:
            RuntimeError: the function failed.
        """
        response = self.client.invoke(FunctionName=self.name, Payload=event, **parameters)
        payload: bytes = response["Payload"].read()
        if "FunctionError" in response:
            raise RuntimeError(f"{self.name} failed: {payload.decode()}")
        return payload

    def echo(self) -> None:
        """Invoke it with the event, and see to it that the same comes back.

        Raises:
            RuntimeError: something else came back.
        """
        payload = self.invoke()
        if json.loads(payload) != json.loads(EVENT):
            raise RuntimeError(f"{self.name} answered {payload.decode()}")

    def start_cold(self, number: int) -> None:
        """Change the configuration, so that the next invocation needs a new execution environment."""
        self.client.update_function_configuration(
            FunctionName=self.name, Environment={"Variables": {"START": str(number)}}
        )


def zipped(code: str) -> bytes:
    """Return a deployment package with one module, `app`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (1980, 1, 1, 0, 0, 0)), code)
    return buffer.getvalue()


def create_function(client: Any, name: str, code: str, **parameters: Any) -> DeployedFunction:
    """Deploy a function with boto3."""
    settings = {"Runtime": "python3.14", "Role": ROLE, "Handler": "app.handler", "MemorySize": MEMORY, "Timeout": 60}
    client.create_function(FunctionName=name, Code={"ZipFile": zipped(code)}, **{**settings, **parameters})
    return DeployedFunction(client, name)


def client_for(service: str, url: str, **settings: Any) -> Any:
    """Return a boto3 client for an AWS on this machine that does not ask who calls."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(**settings),
    )


@contextlib.contextmanager
def local_aws() -> Iterator[cloud.Cloud]:
    """Run our own AWS in this process, as a notebook's kernel does."""
    running = cloud.start()
    try:
        yield running
    finally:
        cloud.stop()


def create_role() -> str:
    """Make an execution role in the local AWS; return its ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    created = boto3.client("iam").create_role(RoleName="benchmark", AssumeRolePolicyDocument=json.dumps(trust))
    arn: str = created["Role"]["Arn"]
    return arn
