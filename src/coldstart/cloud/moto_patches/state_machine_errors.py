"""Step Functions names its errors and its executions; moto 5.2.5 leaves the codes empty and calls executions "None".

Corrects ``moto/stepfunctions/parser/api.py`` (exceptions without TYPE), ``parser/models.py`` (no default name, exceptions raised
without their message) and ``parser/backend/execution.py`` (an output that is a string is shown without its quotation marks).
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html. The interpreter is big, so this is applied
when it is loaded, and not with the other corrections.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import AWSError
from moto.moto_api._internal import mock_random
from moto.stepfunctions.parser import api, models
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

_MESSAGES = {
    "TaskTimedOut": "Task Timed Out: 'Provided task does not exist anymore'",
    "TaskDoesNotExist": "Task does not exist",
    "InvalidToken": "Invalid Token: 'Invalid token'",
}


def apply() -> None:
    """Give exceptions their codes, executions their names and outputs their quotation marks."""
    for exception in vars(api).values():
        code = vars(exception).get("code") if isinstance(exception, type) and issubclass(exception, AWSError) else None
        if isinstance(code, str):
            exception.TYPE, exception.STATUS = code, getattr(exception, "status_code", 400)
    names = vars(models)
    if "_coldstart_corrected" in names:
        return
    names["_coldstart_corrected"] = True
    for name, message in _MESSAGES.items():
        names[name] = _raised_with(getattr(api, name), message)
    _name_executions()
    _quote_outputs()
    _explain_definitions()


def _raised_with(exception: type[Exception], message: str) -> Any:
    return lambda: exception(message)


def _name_executions() -> None:
    start = StepFunctionsParserBackend.start_execution

    def start_execution(
        backend: StepFunctionsParserBackend, state_machine_arn: str, name: Any = None, *arguments: Any, **named: Any
    ) -> Any:
        return start(backend, state_machine_arn, name or str(mock_random.uuid4()), *arguments, **named)

    StepFunctionsParserBackend.start_execution = start_execution  # type: ignore[method-assign, assignment]


def _quote_outputs() -> None:
    terminated = BaseExecutionWorkerCommunication.terminated

    def reflect(communication: BaseExecutionWorkerCommunication) -> None:
        terminated(communication)
        execution = communication.execution
        if execution.exec_status == ExecutionStatus.SUCCEEDED and isinstance(execution.output, str):
            execution.output = json.dumps(execution.output)

    BaseExecutionWorkerCommunication.terminated = reflect  # type: ignore[method-assign, assignment]


def _explain_definitions() -> None:
    validate = StepFunctionsParserBackend._validate_definition

    def validated(definition: str) -> None:
        try:
            validate(definition=definition)
        except api.InvalidDefinition as error:
            raise api.InvalidDefinition(message=f"Invalid State Machine Definition: '{error.message}'") from None

    StepFunctionsParserBackend._validate_definition = staticmethod(validated)  # type: ignore[method-assign]
