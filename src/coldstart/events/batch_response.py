"""What a function says about a batch: partial batch responses (``ReportBatchItemFailures``).

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html ("Implementing partial batch responses") for queues,
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html for streams.
"""

from __future__ import annotations

import json
from collections.abc import Container

MAX_BATCH_BYTES = 6_291_456
"""6 MB: no batch makes an event that is larger."""


def failed_items(payload: bytes, known: Container[str]) -> set[str] | None:
    """Return the identifiers of the items that failed; None when all of the batch counts as failed.

    All of the batch is a success when the response, or its ``batchItemFailures``, is empty or null. All of it has failed when the
    response is something else than an object, or an identifier is missing, empty, or that of no item of the batch.

    Args:
        payload: what the function returned, JSON.
        known: the identifiers of the batch: message ids or sequence numbers.
    """
    try:
        response = json.loads(payload or b"null")
    except ValueError:
        return None
    if response is None:
        return set()
    failures = response.get("batchItemFailures") if isinstance(response, dict) else response
    if failures is None:
        return set()
    if not isinstance(response, dict) or not isinstance(failures, list):
        return None
    identifiers = set()
    for failure in failures:
        identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        if not isinstance(identifier, str) or not identifier or identifier not in known:
            return None
        identifiers.add(identifier)
    return identifiers
