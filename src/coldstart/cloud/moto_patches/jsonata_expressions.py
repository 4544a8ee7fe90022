"""State machines in the query language JSONata; moto 5.2.5 (``stepfunctions/parser/asl/jsonata``) would start a Java machine for it.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html. jsonata-python evaluates the expressions, and is loaded with
the first one. The functions ``$hash`` and ``$uuid`` of Step Functions, which moto leaves out, are here too. Applied when the
interpreter of state machines is loaded.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from moto.moto_api._internal import mock_random
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsic
from moto.stepfunctions.parser.asl.jsonata import jsonata


def apply() -> None:
    """Let expressions be evaluated."""
    jsonata._eval_jsonata = _evaluate
    for declarations in vars(intrinsic).values():
        if isinstance(declarations, dict) and "$uuid" in declarations:
            declarations.update({"$uuid": "", "$hash": ""})


def _evaluate(expression: str) -> Any:
    from jsonata import Jsonata

    try:
        parsed = Jsonata(expression)
        parsed.register_lambda("uuid", lambda: str(mock_random.uuid4()))
        parsed.register_lambda("hash", _hash)
        found = parsed.evaluate(None)
        return json.loads(json.dumps(found))  # the library's own kinds of list are no lists to the interpreter
    except Exception as error:
        raise jsonata.JSONataException("UNKNOWN", str(error)) from None


def _hash(value: Any, algorithm: str) -> str:
    """https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html: MD5, SHA-1, SHA-256, SHA-384 or SHA-512."""
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.new(algorithm.replace("-", "").lower(), text.encode(), usedforsecurity=False).hexdigest()
