"""Tools that deploy functions, as their makers publish them, deploy Parcel's API and its worker to the local AWS.

AWS SAM, osls (the free Serverless Framework) and the AWS CLI, each installed by `coldstart tools`; nothing in them is changed. What they
deploy answers over HTTP and works off its queue, and what they remove is gone.
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-command-reference.html,
https://github.com/oss-serverless/osls, https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from coldstart.cloud import Cloud
from coldstart.lab import deployment_tools
from tests.conftest import missing

# Each starts a handful of programs, and the machine may have other work.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long]
PARCEL = Path(__file__).with_name("parcel")
Run = Callable[..., str]


@pytest.fixture
def run(local_aws: Cloud, tmp_path: Path) -> Run:
    """Run a tool in a project of its own with Parcel's code: ``run("sam", "build")``; return what it printed."""
    if not deployment_tools.are_installed():
        missing("sam, aws and osls are not installed; they need npm and a network once (make tools)")
    environ = {**os.environ, **deployment_tools.variables(), "HOME": str(tmp_path / "home"), "COLUMNS": "200"}
    for name in [name for name in environ if name.lower().endswith("_proxy") and name.lower() != "no_proxy"]:
        del environ[name]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    project = tmp_path / "parcel"
    project.mkdir()
    shutil.copy(PARCEL / "app.py", project)

    def run_tool(tool: str, *arguments: str, template: str = "") -> str:
        if template:
            text = (PARCEL / template).read_text().replace("python3.14", version)
            (project / template).write_text(text)
        # Where nothing listens: a tool that asked anybody but the local AWS would fail. osls takes a proxy for loopback too.
        nowhere = {} if tool == "osls" else {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
        done = subprocess.run(
            [str(deployment_tools.FOLDER / "bin" / tool), *arguments],
            cwd=project,
            env={**environ, **nowhere},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run_tool


def what_there_is() -> dict[str, set[str]]:
    """The names of everything in the account that Parcel's stacks make, and of the buckets that tools make."""
    sources = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        "functions": {each["FunctionName"] for each in boto3.client("lambda").list_functions()["Functions"]},
        "event source mappings": {each["UUID"] for each in sources},
        "queues": set(boto3.client("sqs").list_queues().get("QueueUrls", [])),
        "roles": {each["RoleName"] for each in boto3.client("iam").list_roles()["Roles"]},
        "APIs": {each["ApiId"] for each in boto3.client("apigatewayv2").get_apis()["Items"]},
        "tables": set(boto3.client("dynamodb").list_tables()["TableNames"]),
        "buckets": {each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]},
    }


@pytest.fixture
def nothing_is_left(local_aws: Cloud) -> Iterator[set[str]]:
    """After the test the account holds what it held before, and the buckets that the test puts into this set."""
    before, kept = what_there_is(), set[str]()
    yield kept
    after = what_there_is()
    left = after["buckets"] & kept
    after["buckets"] -= kept
    assert after == before
    for name in left:
        bucket = boto3.resource("s3").Bucket(name)
        bucket.object_versions.delete()
        bucket.delete()


def works(local_aws: Cloud, api_id: str) -> None:
    """Take an order over HTTP, and see it packed."""
    address = f"http://{api_id}.execute-api.us-east-1.localhost:{local_aws.url.rpartition(':')[2]}"
    taken = requests.post(f"{address}/orders", json={"order_id": "P-1042"}, timeout=30)
    assert (taken.status_code, taken.json()) == (202, {"order_id": "P-1042", "state": "waiting"})
    local_aws.settle()
    shown = requests.get(f"{address}/orders/P-1042", timeout=30)
    assert (shown.status_code, shown.json()) == (200, {"order_id": "P-1042", "state": "packed"})
    assert requests.get(f"{address}/orders/P-1", timeout=30).status_code == 404


def outputs(stack: str) -> dict[str, str]:
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def test_aws_sam_builds_deploys_and_deletes(local_aws: Cloud, run: Run, nothing_is_left: set[str]) -> None:
    run("sam", "build", "--template", "sam.yaml", template="sam.yaml")
    said = run("sam", "deploy", "--stack-name", "parcel-sam", "--resolve-s3", "--capabilities", "CAPABILITY_IAM")
    assert "Successfully created/updated stack - parcel-sam in us-east-1" in said
    bucket = outputs("aws-sam-cli-managed-default")["SourceBucket"]
    nothing_is_left.add(bucket)
    works(local_aws, outputs("parcel-sam")["ApiId"])
    run("sam", "delete", "--stack-name", "parcel-sam", "--no-prompts", "--region", "us-east-1")
    assert not list(boto3.resource("s3").Bucket(bucket).objects.all()), "SAM finds its template again, and deletes it"
    boto3.resource("s3").Bucket(bucket).object_versions.delete()
    boto3.client("cloudformation").delete_stack(StackName="aws-sam-cli-managed-default")


@pytest.mark.node
def test_osls_deploys_and_removes(local_aws: Cloud, run: Run, nothing_is_left: set[str]) -> None:
    said = run("osls", "deploy", template="serverless.yml")
    assert "Service deployed to stack parcel-dev" in said
    works(local_aws, outputs("parcel-dev")["HttpApiId"])
    assert "Service parcel has been successfully removed" in run("osls", "remove")


def test_the_aws_cli_deploys_a_stack(local_aws: Cloud, run: Run, nothing_is_left: set[str]) -> None:
    boto3.client("s3").create_bucket(Bucket="parcel-packages")
    nothing_is_left.add("parcel-packages")
    package = ("--template-file", "cloudformation.yaml", "--s3-bucket", "parcel-packages")
    run(
        "aws",
        "cloudformation",
        "package",
        *package,
        "--output-template-file",
        "packaged.yaml",
        template="cloudformation.yaml",
    )
    deploy = (
        "deploy",
        "--template-file",
        "packaged.yaml",
        "--stack-name",
        "parcel-cli",
        "--capabilities",
        "CAPABILITY_IAM",
    )
    assert "Successfully created/updated stack - parcel-cli" in run("aws", "cloudformation", *deploy)
    works(local_aws, outputs("parcel-cli")["ApiId"])
    assert "No changes to deploy" in run("aws", "cloudformation", *deploy, "--no-fail-on-empty-changeset")
    run("aws", "cloudformation", "delete-stack", "--stack-name", "parcel-cli")


def test_the_aws_cli_makes_calls_and_updates_a_function(
    local_aws: Cloud, run: Run, tmp_path: Path, nothing_is_left: set[str]
) -> None:
    def aws(*arguments: str) -> Any:
        said = run("aws", *arguments)
        return json.loads(said) if said.strip().startswith(("{", "[")) else said

    def zip_with(text: str) -> str:
        folder = tmp_path / "label"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(
            f"def handler(event, context):\n    print('{text}', event['order_id'])\n    return '{text}'\n"
        )
        return f"fileb://{shutil.make_archive(str(tmp_path / text), 'zip', folder)}"

    function = ("--function-name", "parcel-label")
    role = ("--role", "arn:aws:iam::123456789012:role/parcel-function", "--handler", "app.handler")
    made = aws(
        "lambda", "create-function", *function, *role, "--runtime", "python3.14", "--zip-file", zip_with("printed")
    )
    assert made["FunctionName"] == "parcel-label"
    aws("lambda", "wait", "function-active-v2", *function)
    answer = tmp_path / "answer.json"
    invoke = ("lambda", "invoke", *function, "--payload", '{"order_id": "P-7"}', str(answer))
    assert aws(*invoke)["StatusCode"] == 200
    assert answer.read_text() == '"printed"'
    aws("lambda", "update-function-code", *function, "--zip-file", zip_with("engraved"))
    aws(*invoke)
    assert answer.read_text() == '"engraved"'
    events = aws(
        "logs", "filter-log-events", "--log-group-name", "/aws/lambda/parcel-label", "--filter-pattern", '"P-7"'
    )
    assert [event["message"].strip() for event in events["events"]] == ["printed P-7", "engraved P-7"]
    queue = aws("sqs", "create-queue", "--queue-name", "parcel-labels")["QueueUrl"]
    assert queue in boto3.client("sqs").list_queues()["QueueUrls"], (
        "also for SQS, whose address this CLI has of its own"
    )
    boto3.client("sqs").delete_queue(QueueUrl=queue)
    aws("lambda", "delete-function", *function)
