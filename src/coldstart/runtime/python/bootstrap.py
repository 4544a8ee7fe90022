"""Starts AWS's own bootstrap in the function's process, with the module path that Lambda gives it.

Run by path as ``python -S bootstrap.py``: without ``site``, so the function sees the standard library, what Lambda's
runtime brings (the folder in ``LAMBDA_RUNTIME_DIR``), its layers and its own package, and nothing else that happens to be
installed on the learner's machine. The runtime is imported before the function's folders are on the path, as on AWS. Imports
nothing of coldstart.
"""

import os
import sys

from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

_task_root = os.environ["LAMBDA_TASK_ROOT"]
_layers = os.environ.pop("COLDSTART_LAYERS_DIR", "")
_snapshot_descriptor = os.environ.pop("COLDSTART_SNAPSHOT_FD", "")
_client = LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
if _snapshot_descriptor:
    from snapshot_process import SnapshotClient

    _client = SnapshotClient(os.environ["AWS_LAMBDA_RUNTIME_API"], int(_snapshot_descriptor))

_version = f"{sys.version_info.major}.{sys.version_info.minor}"
_layer_paths = [f"{_layers}/python/lib/python{_version}/site-packages", f"{_layers}/python"] if _layers else []
sys.path[0:1] = [_task_root, *_layer_paths]

bootstrap.run(os.environ["_HANDLER"], _client)
