"""Compiles what lessons import; runs in the Python of a page, but when the site is built (``site/browser/compile.mjs``)."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import marshal
import py_compile
import struct
import sys
from pathlib import Path
from types import CodeType
from zipimport import zipimporter

from coldstart.page.kernel import load_what_lessons_use, prepare_process

# What the lessons import beyond what a page has in its memory from the start; functions import some of it at every cold start.
_ALSO = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.utilities.idempotency.persistence.dynamodb",
    "awslambdaric.__main__",
    "awslambdaric.lambda_config",
    "awslambdaric.lambda_literals",
    "awslambdaric.lambda_multi_concurrent_utils",
    "awslambdaric.lambda_runtime_hooks_runner",
    "coldstart.course.check",
    "coldstart.course.checkpoint",
    "coldstart.course.questions",
    "coldstart.course.review",
    "coldstart.course.solutions",
    "pydantic",
    "pydantic.root_model",
)
_CALLS = {
    "apigateway": "get_rest_apis",
    "apigatewayv2": "get_apis",
    "cloudwatch": "list_metrics",
    "dynamodb": "list_tables",
    "events": "list_rules",
    "iam": "list_roles",
    "kinesis": "list_streams",
    "lambda": "list_functions",
    "logs": "describe_log_groups",
    "s3": "list_buckets",
    "sns": "list_topics",
    "sqs": "list_queues",
    "sts": "get_caller_identity",
}
"""One call of each service that lessons call: the local AWS imports what is behind it when it is first asked."""
_HASH_IS_NOT_CHECKED = 1
"""A flag of PEP 552: the source was compiled, and nobody looks whether it has changed."""


def of_what_lessons_use() -> bytes:
    """Return the bytecode of all modules that lessons import, packed, by the paths of their sources."""
    loaded = {str(getattr(module, "__file__", "")) for module in list(sys.modules.values())}
    sources = {file.removesuffix("c") if file.endswith(".pyc") else file for file in loaded}

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "exec" and isinstance(arguments[0], CodeType):
            sources.add(arguments[0].co_filename)

    # A module that could not be imported counts too: what has asked for it does without, and asks again in a page.
    sys.addaudithook(note)
    sys.dont_write_bytecode = False
    load_what_lessons_use()
    for name in _ALSO:
        importlib.import_module(name)
    _call_what_lessons_call()
    from coldstart.course.file_stream import pack  # brings the course along, which is to be compiled

    ours = sorted(source for source in sources if source.startswith("/lib/") and source.endswith(".py"))
    return pack({source: _bytecode(source) for source in ours})


def _call_what_lessons_call() -> None:
    import boto3

    from coldstart import cloud

    prepare_process()
    cloud.start()
    for service, call in _CALLS.items():
        getattr(boto3.client(service), call)()


def _bytecode(source: str) -> bytes:
    """Return a module's bytecode as PEP 552 has it in a file. An import has written that beside the source, except in a zip."""
    compiled = Path(importlib.util.cache_from_source(source))
    if not compiled.exists() and Path(source).exists():
        py_compile.compile(source, doraise=True)
    if compiled.exists():
        return compiled.read_bytes()
    archive, _, _ = source.partition(".zip/")
    library = zipimporter(f"{archive}.zip")
    with contextlib.suppress(OSError):
        return library.get_data(f"{source}c")
    text = library.get_data(source)
    header = struct.pack("<L", _HASH_IS_NOT_CHECKED) + importlib.util.source_hash(text)
    return importlib.util.MAGIC_NUMBER + header + marshal.dumps(compile(text, source, "exec", dont_inherit=True))
