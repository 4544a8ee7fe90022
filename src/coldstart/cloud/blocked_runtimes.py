"""Refuses runtimes that AWS no longer takes for new functions; moto takes any name.

The dates are on https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, under "Deprecated runtimes". Only
blocks that are in force stand here: AWS has moved the later ones several times. Called by the Lambda service.
"""

from __future__ import annotations

from coldstart.cloud.aws_error import AwsError

BLOCKED = frozenset(
    [
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "go1.x",
        "java8",
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "provided",
        "python2.7",
        "python3.6",
        "python3.7",
        "ruby2.5",
        "ruby2.7",
    ]
)


def check_runtime(identifier: str) -> None:
    """Accept a runtime for a new function, or refuse it as AWS does.

    Raises:
        AwsError: creating functions with this runtime is blocked.
    """
    if identifier in BLOCKED:
        raise AwsError(
            400,
            "InvalidParameterValueException",
            f"The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions.",
        )
