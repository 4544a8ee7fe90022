"""The Python of a page, started in Node from the very files that a page loads."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from coldstart.course.browser_packages import CannotMake, browser_packages

pytestmark = [pytest.mark.xdist_group("site"), pytest.mark.timeout(300)]

_START = """
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const folder = new URL(process.argv[2]);
const read = (name) => gunzipSync(readFileSync(new URL(name, folder)));
const { mount } = await import(new URL("files.mjs", folder));
const { loadPyodide } = await import(new URL("pyodide.mjs", folder));
const lockFileContents = JSON.parse(readFileSync(new URL("pyodide-lock.json", folder)));
writeFileSync("python_stdlib.zip", read("python_stdlib.zip.gz"));
const python = await loadPyodide({ lockFileContents, stdLibURL: "python_stdlib.zip" });
for (const files of ["packages.gz", "course.gz"]) mount(python, new Uint8Array(read(files)));
console.log(python.runPython(readFileSync("cells.py", "utf8")));
"""
# Runs cells in a page's kernel, and returns what each of them said, and which files had been compiled when it had run.
_CELLS = """
import json, sys
compiled = []
sys.addaudithook(lambda event, args: event == "compile" and compiled.append(str(args[1])))
from coldstart.page import kernel
kernel.load_what_lessons_use()
kernel.prepare_process()
said = []
page = kernel.PageKernel(lambda kind, text: said.append(text))
answers = []
for number, cell in enumerate(CELLS, 1):
    page.run(cell, f"cell {number}")
    answers.append({"said": "".join(said), "compiled": list(compiled)})
    said.clear()
json.dumps(answers)
"""
_FIRST = """
import io, json, zipfile
import boto3
from coldstart import check, cloud, predict, quiz
cloud.start()
"""
_FUNCTION = '''
source = """
import json, boto3

def handler(event, context):
    if "queue" in event:
        return boto3.client("sqs").get_queue_url(QueueName=event["queue"])
    return json.loads("{")
"""
package = io.BytesIO()
with zipfile.ZipFile(package, "w") as archive:
    archive.writestr("ship.py", source)
trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
role = boto3.client("iam").create_role(RoleName="parcel", AssumeRolePolicyDocument=policy)
functions = boto3.client("lambda")
functions.create_function(
    FunctionName="ship", Runtime="python3.14", Role=role["Role"]["Arn"], Handler="ship.handler", Code={"ZipFile": package.getvalue()}
)
for event in ({}, {"queue": "there-is-none"}):
    answer = json.load(functions.invoke(FunctionName="ship", Payload=json.dumps(event))["Payload"])
    print("".join(answer["stackTrace"]))
'''


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What came of the first cell, and of the one with a function, in one Python of a page."""
    return _run(tmp_path_factory.mktemp("page"), _FIRST, _FUNCTION)


def test_nothing_is_compiled_before_the_first_answer(answers: list[dict[str, Any]]) -> None:
    assert "The local AWS is running" in answers[0]["said"]
    assert [file for file in answers[0]["compiled"] if file.startswith("/lib/")] == []


def test_a_stack_trace_shows_lines_of_the_sdk_and_of_python(answers: list[dict[str, Any]]) -> None:
    said = answers[1]["said"]
    assert 'File "/var/task/ship.py", line 7, in handler' in said, said
    assert 'File "/var/lang/lib/python3.14/json/decoder.py"' in said
    assert "obj, end = self.scan_once(s, idx)" in said
    assert 'File "/var/runtime/botocore/client.py"' in said
    assert "raise error_class(parsed_response, operation_name)" in said


def _run(tmp_path: Path, *cells: str) -> list[dict[str, Any]]:
    """Run cells in the Python of a page."""
    if shutil.which("node") is None:
        pytest.skip("it takes Node to run the Python of a page without a page")
    try:
        folder = browser_packages()
    except CannotMake as missing:
        pytest.skip(str(missing))
    (tmp_path / "start.mjs").write_text(_START)
    (tmp_path / "cells.py").write_text(f"CELLS = {cells!r}\n{_CELLS}")
    command = ["node", "start.mjs", f"{folder.as_uri()}/"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
