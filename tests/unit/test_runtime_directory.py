"""What stands for /var/runtime is ready to be loaded: functions cannot keep there what they have compiled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from coldstart.runtime import runtime_directory

OURS = Path(runtime_directory.__file__).with_name("python")
LOAD = "import boto3.dynamodb.table, boto3.s3.inject; from awslambdaric import bootstrap"
SHOW = "import sys; print(*{getattr(module, '__cached__', '') for module in sys.modules.values()}, sep='\\n')"
NOT_LOADED_BY_THE_CLOUD = ("/awslambdaric/", "/simplejson/", "/boto3/dynamodb/", "/boto3/s3/", "/runtime_client.")


def test_no_cold_start_compiles_what_the_runtime_brings(tmp_path, monkeypatch) -> None:
    compiled = tmp_path / "compiled"
    monkeypatch.setattr(sys, "pycache_prefix", str(compiled))
    runtime_directory.make_python_runtime_directory(tmp_path / "runtime")
    runtime_directory.compile_python_runtime(tmp_path / "runtime")
    loaded = subprocess.run(
        [sys.executable, "-S", "-B", "-X", f"pycache_prefix={compiled}", "-c", f"{LOAD}; {SHOW}"],
        env={"PYTHONPATH": f"{OURS}:{tmp_path / 'runtime'}", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    of_interest = [path for path in loaded if any(part in path for part in NOT_LOADED_BY_THE_CLOUD)]
    assert len(of_interest) > 15
    assert [path for path in of_interest if not Path(path).exists()] == []
