"""What everything in the cloud that invokes functions goes through: the Invoke API, other services, event source mappings.

It finds the version that is meant, lets an alias with weights choose, and hands the event to the runtime or to the queue of
asynchronous invocations. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from coldstart.cloud.aws_error import AwsError
from coldstart.cloud.function_metrics import FunctionMetrics
from coldstart.cloud.function_reference import parse_reference
from coldstart.cloud.function_traces import FunctionTraces, undecided
from coldstart.cloud.lambda_policies import PolicyApi
from coldstart.cloud.lambda_store import FunctionVersion, LambdaStore, StoredFunction
from coldstart.cloud.lambda_validation import invalid
from coldstart.cloud.running_functions import RunningFunctions
from coldstart.events.lineage import MOST_RUNS, runs_of, with_run_of
from coldstart.runtime.clock import Clock
from coldstart.runtime.concurrency import Throttled
from coldstart.runtime.execution_environment import InvocationResult, RestoreFailed
from coldstart.runtime.host import EnvironmentRefused
from coldstart.runtime.identifiers import Identifiers
from coldstart.runtime.language_runtimes import RuntimeMissing
from coldstart.runtime.response_stream import ResponseSink
from coldstart.runtime.trace_header import trace_header


class EventQueue(Protocol):
    """Takes asynchronous invocations, and sees to it that they run."""

    def put(
        self,
        function_arn: str,
        event: bytes,
        *,
        request_id: str,
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
    ) -> None:
        """Queue an event for a function, version or alias; the arguments are those of :meth:`LambdaService.invoke`."""
        ...


class Target(NamedTuple):
    """What an invocation runs."""

    version: FunctionVersion
    invoked_arn: str
    """The ARN by which the caller asked for it: the handler's ``context.invoked_function_arn``."""


class LambdaService:
    """Invokes functions by name or ARN.

    Args:
        clock: the cloud's time, for traces.
        identifiers: where request ids, and the choices of weighted aliases, come from.
        metrics: measures every invocation.
        traces: tells X-Ray of the invocations that are traced.
    """

    def __init__(
        self,
        store: LambdaStore,
        running: RunningFunctions,
        policies: PolicyApi,
        clock: Clock,
        identifiers: Identifiers,
        metrics: FunctionMetrics,
        traces: FunctionTraces,
    ) -> None:
        self._metrics = metrics
        self._traces = traces
        self._store = store
        self._running = running
        self._policies = policies
        self._identifiers = identifiers
        self._clock = clock
        self.event_queue: EventQueue
        """Who runs asynchronous invocations."""

    def invoke(
        self,
        function: str,
        event: bytes,
        *,
        region: str = "us-east-1",
        request_id: str = "",
        client_context: str = "",
        trace_id: str = "",
        tenant_id: str = "",
        sink: ResponseSink | None = None,
        queued_at: float | None = None,
    ) -> InvocationResult:
        """Invoke synchronously and return what came of it; a function that failed is a result, not an exception.

        Args:
            function: name or ARN, perhaps with a version or alias.
            event: JSON.
            region: where the function is, when its name does not say.
            sink: takes the response while it arrives.
            queued_at: since when the event waits, in seconds since the epoch; None when the caller waits for the answer.

        Raises:
            AwsError: there is no such function (404), it is throttled (429), it cannot be invoked now (409), or this machine
                cannot run it (502).
        """
        target = self.choose(function, region=region)
        return self.run(
            target,
            event,
            request_id=request_id,
            client_context=client_context,
            trace_id=trace_id,
            tenant_id=tenant_id,
            sink=sink,
            queued_at=queued_at,
        )

    def invoke_event(
        self,
        function: str,
        event: bytes,
        *,
        region: str = "us-east-1",
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
    ) -> str:
        """Invoke asynchronously: queue the event and return the request id.

        Raises:
            AwsError: there is no such function (404), or it isolates tenants and none is named (400).
        """
        reference = parse_reference(function, region, self._store.account_id)
        _check_tenant(self._store.version(reference), tenant_id)
        request_id = self._identifiers.uuid()
        arn = reference.arn(self._store.account_id)
        self._metrics.count(arn, "AsyncEventsReceived")
        self.event_queue.put(
            arn,
            event,
            request_id=request_id,
            trace_id=trace_id or undecided(self._identifiers.trace_header(self._clock.now())),
            client_context=client_context,
            tenant_id=tenant_id,
        )
        return request_id

    def may_invoke(self, function_arn: str, principal: str, *, source_arn: str = "", source_account: str = "") -> bool:
        """Say whether the function's resource policy lets a service such as ``s3.amazonaws.com`` invoke it."""
        conditions = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
        return self._policies.allows(function_arn, principal, conditions=conditions)

    def has_no_concurrency(self, function: str) -> bool:
        """Say whether a function (by ARN) has reserved a concurrency of zero, so that it can never run."""
        reference = parse_reference(function, "", self._store.account_id)
        return self._running.concurrency(reference.region).function(reference.name).reserved == 0

    def choose(self, function: str, *, qualifier: str | None = None, region: str = "us-east-1") -> Target:
        """Return what an invocation of a function runs; an alias with weights is asked anew each time.

        Raises:
            AwsError: there is no such function.
        """
        reference = parse_reference(function, region, self._store.account_id, qualifier)
        version = self._store.chosen_version(reference, self._identifiers.fraction)
        return Target(version, reference.arn(self._store.account_id))

    def run(
        self,
        target: Target,
        event: bytes,
        *,
        request_id: str = "",
        client_context: str = "",
        trace_id: str = "",
        tenant_id: str = "",
        sink: ResponseSink | None = None,
        queued_at: float | None = None,
    ) -> InvocationResult:
        """Run what :meth:`choose` returned; otherwise as :meth:`invoke`."""
        version = target.version
        _check_tenant(version, tenant_id)
        if _goes_round(version.function, trace_id):
            self._metrics.count(target.invoked_arn, "RecursiveInvocationsDropped")
            raise _stopped_loop()
        if version.state.state == "Pending":
            raise AwsError(
                409,
                "SnapStartNotReadyException",
                "Lambda is initializing your function. It will be ready to invoke once your function state becomes active.",
            )
        if version.state.state != "Active":
            raise AwsError(
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. The function is currently in the following state: "
                + version.state.state,
            )
        running = self._running.of(version)
        name, region = version.function.name, version.function.region
        begun = self._metrics.begin(
            target.invoked_arn, version.version, name, self._running.concurrency(region), running.provisioned
        )
        request_id = request_id or self._identifiers.uuid()
        trace = self._traces.begin(running.configuration, request_id, trace_id, queued_at)
        trace_id = trace.header if trace is not None else self._not_sampled(trace_id)
        try:
            result = running.invoke(
                event,
                request_id=request_id,
                client_context=client_context,
                trace_id=with_run_of(version.function.arn, trace_id),
                tenant_id=tenant_id,
                invoked_arn=target.invoked_arn,
                sink=sink,
            )
        except Throttled as throttled:
            self._metrics.throttled(region, begun)
            if trace is not None:
                self._traces.throttled(trace)
            details = {"Reason": throttled.reason}
            raise AwsError(429, "TooManyRequestsException", "Rate Exceeded.", details) from None
        except (EnvironmentRefused, RestoreFailed) as failure:
            raise AwsError(failure.status, failure.code, str(failure)) from None
        except RuntimeMissing as error:
            raise AwsError(502, "InvalidRuntimeException", str(error)) from None
        self._metrics.ended(region, begun, result)
        if trace is not None:
            self._traces.ended(trace, result)
        return result

    def _not_sampled(self, trace_id: str) -> str:
        """Return the header of an invocation that is not traced, complete."""
        if "Sampled=" in trace_id:
            return trace_id
        header = self._identifiers.trace_header(self._clock.now())
        if not trace_id:
            return header
        _, parent, sampled = trace_header(header)
        return f"{trace_id};Parent={parent};Sampled={sampled}"


def _goes_round(function: StoredFunction, trace_id: str) -> bool:
    """Say whether an invocation goes on with a loop that is to be stopped.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    return function.recursive_loop == "Terminate" and runs_of(function.arn, trace_id) >= MOST_RUNS


def _stopped_loop() -> AwsError:
    return AwsError(
        400,
        "RecursiveInvocationException",
        "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your "
        "function's invocation.",
    )


def _check_tenant(version: FunctionVersion, tenant_id: str) -> None:
    """Refuse an invocation that names no tenant where one is needed, or one where there are none.

    https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-troubleshooting.html
    """
    isolates = "TenancyConfig" in version.settings
    if isolates and not tenant_id:
        raise invalid("Tenant ID is not specified. The function has tenant isolation enabled: add a tenant ID.")
    if tenant_id and not isolates:
        raise invalid("Tenant ID is specified, but the function does not have tenant isolation enabled.")
