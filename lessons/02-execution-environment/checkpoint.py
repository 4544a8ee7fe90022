"""What Parcel has when lesson 02 begins: the role that its functions act in, and the function that confirms orders."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import boto3

CONFIRM = """\
def handler(event, context):
    name = event["customer"]["name"]
    return {"message": f"Thank you, {name}. Order {event['order_id']} is being packed."}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def make() -> None:
    """Make it, in the region of the session."""
    create_function("parcel-confirm", "confirm.py", CONFIRM, role_arn())


def role_arn() -> str:
    """Return the ARN of the role; make the role when it is not there."""
    iam = boto3.client("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="parcel-functions", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(
        RoleName="parcel-functions", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
    return str(iam.get_role(RoleName="parcel-functions")["Role"]["Arn"])


def create_function(name: str, file: str, code: str, role: str) -> None:
    """Create a function from one file, and wait until it is there."""
    entry = zipfile.ZipInfo(file, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, code)
    client = boto3.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.14",
        Role=role,
        Handler=f"{file.removesuffix('.py')}.handler",
        Code={"ZipFile": package.getvalue()},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)
