"""What a caller may write to name a function: its name, a partial ARN or a full one, each with or without a qualifier.

Forms: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from coldstart.cloud.aws_error import AwsError

LATEST = "$LATEST"

_REFERENCE = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


class FunctionReference(NamedTuple):
    """A function in a region, and the version or alias that is meant."""

    name: str
    qualifier: str
    """A version number, an alias, ``$LATEST``, or empty when the caller gave none."""
    region: str

    def arn(self, account_id: str) -> str:
        """Return the ARN as the caller meant it, with the qualifier if there was one."""
        return function_arn(self.region, account_id, self.name, self.qualifier)


def function_arn(region: str, account_id: str, name: str, qualifier: str = "") -> str:
    """Return a function's ARN, or that of a version or alias."""
    arn = f"arn:aws:lambda:{region}:{account_id}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def is_version(qualifier: str) -> bool:
    """Say whether a qualifier is a version number (an alias has at least one other character)."""
    return qualifier.isdecimal()


@lru_cache(maxsize=1024)
def parse_reference(text: str, region: str, account_id: str, qualifier: str | None = None) -> FunctionReference:
    """Return what a FunctionName and a Qualifier mean together; an ARN's own region counts.

    Args:
        region: the region where it is meant when the text does not say.

    Raises:
        AwsError: it is no function name, the function is another account's, or the two qualifiers differ.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise AwsError(
            404, "ResourceNotFoundException", f"Function not found: {function_arn(region, account_id, text)}"
        )
    if match["account"] not in (None, account_id):
        raise AwsError(403, "AccessDeniedException", f"Functions of account {match['account']} are not accessible.")
    if qualifier and match["qualifier"] and qualifier != match["qualifier"]:
        raise AwsError(
            400,
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    return FunctionReference(match["name"], qualifier or match["qualifier"] or "", match["region"] or region)


def reference_in_region(text: str, region: str, account_id: str, qualifier: str | None = None) -> FunctionReference:
    """Return what a request to the API of one region means.

    Raises:
        AwsError: as :func:`parse_reference`; also when the ARN is of another region.
    """
    reference = parse_reference(text, region, account_id, qualifier)
    if reference.region != region:
        raise AwsError(
            404,
            "ResourceNotFoundException",
            f"Functions from '{reference.region}' are not reachable in this region ('{region}')",
        )
    return reference
