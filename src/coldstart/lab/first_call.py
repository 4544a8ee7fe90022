"""Deploys a function to a local AWS and calls it: `coldstart doctor`'s proof that functions run here."""

from __future__ import annotations

import io
import json
import time
import zipfile

_HANDLER = "def handler(event, context):\n    return {'greeting': f\"Hello, {event['name']}\"}\n"


def first_call() -> float:
    """Start the local AWS, deploy a function, call it twice, and stop everything again.

    Returns:
        Milliseconds that the second, warm call took.

    Raises:
        Exception: whatever went wrong on the way.
    """
    import boto3

    from coldstart import cloud

    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("greet.py", _HANDLER)
    cloud.start()
    try:
        lambda_may = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [lambda_may]}
        role = boto3.client("iam").create_role(RoleName="doctor", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        functions = boto3.client("lambda")
        functions.create_function(
            FunctionName="doctor",
            Runtime="python3.14",
            Role=role["Arn"],
            Handler="greet.handler",
            Code={"ZipFile": package.getvalue()},
        )
        for _ in range(2):
            started = time.perf_counter()
            answer = functions.invoke(FunctionName="doctor", Payload=b'{"name": "Ada"}')["Payload"].read()
            milliseconds = (time.perf_counter() - started) * 1000
        if json.loads(answer) != {"greeting": "Hello, Ada"}:
            raise RuntimeError(f"a function answered {answer.decode(errors='replace')}")
        return milliseconds
    finally:
        cloud.stop()
