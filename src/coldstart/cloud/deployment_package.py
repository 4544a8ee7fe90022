"""Where a deployment package comes from, and where GetFunction's caller can download it again.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html and API_FunctionCodeLocation.html.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.lambda_validation import invalid
from coldstart.runtime.clock import Clock
from coldstart.runtime.http_wire import HttpRequest, response_bytes

MAX_ZIPPED_BYTES = 52_428_800
"""50 MB, the limit of a package that is uploaded in the request."""
DOWNLOAD_SECONDS = 600
"""How long a download link is good."""

_DOWNLOADS = "/awslambda-{region}-tasks/snapshots/"
_IS_DOWNLOAD = re.compile(r"/awslambda-[a-z0-9-]+-tasks/snapshots/")


def fetch_package(code: Mapping[str, Any], region: str, account_id: str) -> bytes:
    """Return the zip that a request brings, or points to in S3.

    Args:
        code: with ``ZipFile``, or ``S3Bucket``, ``S3Key`` and perhaps ``S3ObjectVersion``.

    Raises:
        AwsError: there is no package, or it is too large.
    """
    if code.get("ImageUri"):
        raise invalid(
            "Container images cannot run in the local AWS. Deploy the function as a .zip package (PackageType Zip), or use "
            "an account on the real AWS."
        )
    if "ZipFile" in code:
        if code.get("S3Bucket") or code.get("S3Key"):
            raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
        if len(code["ZipFile"]) > MAX_ZIPPED_BYTES:
            raise AwsError(
                413, "RequestEntityTooLargeException", f"Zipped size must be smaller than {MAX_ZIPPED_BYTES} bytes"
            )
        return code["ZipFile"]
    if code.get("S3Bucket") and code.get("S3Key"):
        return _from_s3(code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion"), region, account_id)
    raise invalid("Please provide a source for function code.")


def _from_s3(bucket_name: str, key: str, version: str | None, region: str, account_id: str) -> bytes:
    from moto.s3.models import s3_backends

    backend = s3_backends[account_id]["aws"]
    bucket = backend.buckets.get(bucket_name)
    if bucket is None:
        raise _s3_error("NoSuchBucket", "The specified bucket does not exist")
    if bucket.region_name != region:
        raise _s3_error(
            "PermanentRedirect",
            f"The bucket is in this region: {bucket.region_name}. Please use this region to retry the request",
        )
    stored = backend.get_object(bucket_name, key, version_id=version)
    if stored is None or not hasattr(stored, "value"):  # a delete marker has none
        if version:
            raise _s3_error("NoSuchVersion", "The specified version does not exist.")
        raise _s3_error("NoSuchKey", "The specified key does not exist.")
    return bytes(stored.value)


def _s3_error(code: str, message: str) -> AwsError:
    return invalid(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")


class PackageDownloads:
    """Gives out links to packages, good for ten minutes, for whoever has the link.

    Args:
        clock: the cloud's time.
        endpoint: returns the address of the local AWS.
    """

    def __init__(self, clock: Clock, endpoint: Callable[[], str]) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._links: dict[str, tuple[bytes, float]] = {}

    def link(self, zipped: bytes, name: str, region: str) -> str:
        """Return a URL from which the package can be downloaded without credentials."""
        signature = secrets.token_hex(32)
        now = self._clock.now()
        with self._lock:
            self._links = {known: link for known, link in self._links.items() if link[1] > now}
            self._links[signature] = (zipped, now + DOWNLOAD_SECONDS)
        path = _DOWNLOADS.format(region=region) + quote(name)
        return f"{self._endpoint()}{path}?X-Amz-Expires={DOWNLOAD_SECONDS}&X-Amz-Signature={signature}"

    def answer(self, request: HttpRequest) -> bytes | None:
        """Return the response to a download; None when the request is something else.

        Raises:
            AwsError: the link is not, or no longer, good.
        """
        parts = urlsplit(request.target)
        if request.method != "GET" or not _IS_DOWNLOAD.match(parts.path):
            return None
        signature = parse_qs(parts.query).get("X-Amz-Signature", [""])[0]
        zipped, expires = self._links.get(signature, (b"", 0.0))
        if self._clock.now() >= expires:
            raise AwsError(403, "AccessDenied", "Request has expired" if expires else "Access Denied")
        return response_bytes(200, {"Content-Type": "application/zip"}, zipped)
