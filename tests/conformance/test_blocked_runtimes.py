"""AWS refuses a runtime for new functions after its last day, and takes a deprecated one until then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.conformance.conftest import Deployed


@pytest.mark.parametrize("runtime", ["nodejs14.x", "python3.7"])
def test_a_blocked_runtime_is_refused_in_awss_words(deploy: Callable[..., Deployed], runtime: str) -> None:
    with pytest.raises(ClientError) as refused:
        deploy("", Runtime=runtime)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert f"The runtime parameter of {runtime} is no longer supported for creating" in str(refused.value)


@pytest.mark.parametrize("runtime", ["nodejs18.x", "python3.9"])
def test_a_deprecated_runtime_is_still_taken(deploy: Callable[..., Deployed], runtime: str) -> None:
    deploy("", Runtime=runtime)
