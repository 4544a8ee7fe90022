"""StartSyncExecution runs an express state machine and answers with its output; moto (stepfunctions/responses.py) has the parts only.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
"""

# mypy: disable-error-code="attr-defined"
from __future__ import annotations

import copy
import json
import math
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.stepfunctions.responses import StepFunctionResponse

_BILLED_STEP_MS = 100
_BILLED_MEMORY_MB = 64


def apply() -> None:
    """Give moto's Step Functions the operation."""
    StepFunctionResponse.start_sync_execution = _start


def _start(response: StepFunctionResponse) -> ActionResult:
    backend = response.stepfunction_backend  # loads the interpreter, before its modules are asked for
    from moto.stepfunctions.parser import api, models
    from moto.stepfunctions.parser.backend.execution import SyncExecution

    machine: Any = backend.describe_state_machine(response._get_param("stateMachineArn"))
    if machine.type != "EXPRESS":
        raise api.StateMachineTypeNotSupported("This operation is not supported by this type of state machine")
    given = response._get_param("input", if_none="{}")
    try:
        json.loads(given)
    except ValueError as error:
        raise api.InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from None
    name = response._get_param("name") or str(mock_random.uuid4())
    arn = machine.arn.replace(":stateMachine:", ":express:") + f":{name}:{mock_random.uuid4()}"
    shared = {id(machine.executions): [], id(machine.backend): machine.backend}
    execution = SyncExecution(
        name=name,
        sm_type=api.StateMachineType.EXPRESS,
        role_arn=machine.roleArn,
        exec_arn=arn,
        account_id=response.current_account,
        region_name=response.region,
        state_machine=copy.deepcopy(machine, shared),
        start_date=models.datetime.datetime.now(tz=models.datetime.timezone.utc),
        cloud_watch_logging_session=None,
        input_data=given,
        trace_header=None,
        activity_store={},
    )
    execution.start()  # in this thread, to its end
    return ActionResult(_answer(execution, given))


def _answer(execution: Any, given: str) -> dict[str, Any]:
    took_ms = (execution.stop_date - execution.start_date).total_seconds() * 1000
    answer = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "startDate": execution.start_date,
        "stopDate": execution.stop_date,
        "status": str(getattr(execution.sync_execution_status, "value", "FAILED")),
        "input": given,
        "billingDetails": {
            "billedDurationInMilliseconds": max(1, math.ceil(took_ms / _BILLED_STEP_MS)) * _BILLED_STEP_MS,
            "billedMemoryUsedInMB": _BILLED_MEMORY_MB,
        },
    }
    if answer["status"] == "SUCCEEDED":
        output = execution.output
        return {**answer, "output": output if isinstance(output, str) else json.dumps(output, separators=(",", ":"))}
    return {**answer, "error": execution.error, "cause": execution.cause}
