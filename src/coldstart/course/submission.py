"""What a requirement gets to see of a learner's file: a function made from it, what it did as a script, or its data.

Everything that is made here is removed again when the check ends.
"""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from coldstart import cloud
from coldstart.course.document import read_document
from coldstart.course.feedback import Unmet
from coldstart.course.function_errors import function_error_feedback
from coldstart.course.script import Ran, run_script

if TYPE_CHECKING:
    from coldstart.course.exercise import Exercise

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_NUMBERS = itertools.count(1)
# A boto3 client takes about 50 ms to make; kept per service and endpoint, a check stays fast.
_CLIENTS: dict[tuple[str, str | None, str], Any] = {}
_LEARNERS_REGION = "us-east-1"
SCRIPT_REGION = "us-west-2"
"""Where scripts are run for a check: nothing of the learner's is there, and it is emptied before and after."""


@dataclass(frozen=True)
class Reply:
    """The response to one invocation.

    Attributes:
        payload: the answer, parsed from JSON.
        function_error: what Lambda says in `FunctionError`, such as "Unhandled"; None when the code worked.
        log: the last 4 KB of the invocation's log, START, END and REPORT included.
        raw: the answer's bytes.
    """

    payload: Any
    function_error: str | None
    log: str
    raw: bytes


class DeployedFunction:
    """The learner's file as a function in the local AWS."""

    def __init__(self, submission: Submission, name: str) -> None:
        self.submission = submission
        self.name = name

    def invoke(self, event: Any, *, may_fail: bool = False, **arguments: Any) -> Reply:
        """Invoke the function and wait for its answer.

        Args:
            event: any JSON value; bytes are sent as they are.
            may_fail: True when the requirement looks at `function_error` itself.
            arguments: more arguments of Lambda's Invoke, such as `Qualifier`.

        Returns:
            The reply.

        Raises:
            Unmet: the code failed and `may_fail` is False. The feedback names the error and the learner's line.
        """
        sent = event if isinstance(event, bytes) else json.dumps(event).encode()
        response = self.submission.aws("lambda").invoke(
            FunctionName=self.name, Payload=sent, LogType="Tail", **arguments
        )
        raw = response["Payload"].read()
        reply = Reply(
            payload=json.loads(raw) if raw else None,
            function_error=response.get("FunctionError"),
            log=base64.b64decode(response.get("LogResult", "")).decode(errors="replace"),
            raw=raw,
        )
        self.submission.last_reply = reply
        if reply.function_error and not may_fail:
            raise Unmet(
                function_error_feedback(
                    reply.payload,
                    event=sent.decode(errors="replace"),
                    file=self.submission.exercise.file,
                    source=self.submission.source,
                )
            )
        return reply


class Submission:
    """The learner's answer to one exercise, while it is checked. Use it in a `with` statement: that cleans up.

    Attributes:
        exercise: the exercise it answers.
        source: the text of the learner's file.
        path: the learner's file.
        last_reply: the latest reply of a deployed function; None before the first.
        region: where `aws` and `deploy` work: the learner's region, and after `run` the region of the script.
    """

    def __init__(self, exercise: Exercise, source: str, path: Path) -> None:
        self.exercise = exercise
        self.source = source
        self.path = path
        self.last_reply: Reply | None = None
        self.region = _LEARNERS_REGION
        self._functions: list[str] = []
        self._role: tuple[str, str] | None = None

    def __enter__(self) -> Submission:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._functions:
            self._remove("lambda", "delete_function", FunctionName=name)
            self._remove("logs", "delete_log_group", logGroupName=f"/aws/lambda/{name}")
        if self._role:
            self._remove("iam", "delete_role", RoleName=self._role[0])
        if self.region == SCRIPT_REGION:
            cloud.current().empty_region(SCRIPT_REGION)

    def aws(self, service: str) -> Any:
        """A boto3 client of the local AWS, in the submission's region."""
        key = service, os.environ.get("AWS_ENDPOINT_URL"), self.region
        if key not in _CLIENTS:
            import boto3

            _CLIENTS[key] = boto3.client(service, region_name=self.region)
        return _CLIENTS[key]

    def document(self) -> Any:
        """The data in the learner's file, which is JSON or YAML: a policy, a template, a configuration.

        Raises:
            Unmet: it is neither; the feedback names the line.
        """
        return read_document(self.source, self.exercise.file)

    def run(self) -> Ran:
        """Run the learner's file as a script, in an empty region; `aws` then shows what it made there.

        IAM roles, S3 buckets and what else has no region are shared with the learner's own work.

        Returns:
            Its names and what it printed.

        Raises:
            Unmet: it did not run to its end; the feedback has the error and the learner's line.
        """
        cloud.current().empty_region(SCRIPT_REGION)
        self.region = SCRIPT_REGION
        return run_script(self.source, self.exercise.file, SCRIPT_REGION)

    def deploy(self, **overrides: Any) -> DeployedFunction:
        """Create a fresh function from the learner's file.

        Args:
            overrides: arguments of Lambda's CreateFunction that differ from the exercise's, such as
                `Timeout=1` (seconds), `MemorySize=256` (MB) or `Environment={"Variables": {...}}`.

        Returns:
            The function, ready to be invoked.
        """
        name = f"check-{self.exercise.id.replace('.', '-')}-{next(_NUMBERS)}"
        arguments = {
            "FunctionName": name,
            "Runtime": self.exercise.runtime,
            "Role": self._role_arn(name),
            "Handler": self.exercise.handler,
            "Code": {"ZipFile": _package(self.exercise.file, self.source)},
            **overrides,
        }
        self.aws("lambda").create_function(**arguments)
        self._functions.append(arguments["FunctionName"])
        return DeployedFunction(self, arguments["FunctionName"])

    def _role_arn(self, name: str) -> str:
        if self._role is None:
            role = self.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]
            self._role = name, role["Arn"]
        return self._role[1]

    def _remove(self, service: str, action: str, **arguments: Any) -> None:
        """Remove one thing that the check made; what is gone already, or a cloud that stopped, is no fault."""
        from botocore.exceptions import BotoCoreError, ClientError

        with contextlib.suppress(ClientError, BotoCoreError):
            getattr(self.aws(service), action)(**arguments)


def _package(file: str, source: str) -> bytes:
    """A deployment package that holds one file, the same bytes each time."""
    entry = zipfile.ZipInfo(file, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, source)
    return buffer.getvalue()
