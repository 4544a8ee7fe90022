"""Provisioned concurrency: execution environments of one function version that are initialised before anybody invokes.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html. Environments are initialised several at a time on
the cloud's background, so ``cloud.settle()`` returns when they are ready or have failed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from coldstart.runtime.concurrency import FunctionConcurrency
from coldstart.runtime.configuration import FunctionConfiguration
from coldstart.runtime.execution_environment import ExecutionEnvironment
from coldstart.runtime.host import EnvironmentRefused, Host
from coldstart.runtime.language_runtimes import RuntimeMissing

AT_ONCE = 4
"""How many environments are initialised in parallel."""
INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"
"""AWS's StatusReason when the function's initialisation fails."""


class ProvisionedConcurrency:
    """The provisioned environments of one version. ``function.provisioned`` is one."""

    def __init__(self, configuration: FunctionConfiguration, host: Host, concurrency: FunctionConcurrency) -> None:
        self._configuration = configuration
        self._host = host
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._ready: list[ExecutionEnvironment] = []
        self._busy = 0
        self._starting = 0
        self._workers = 0
        self.requested = 0
        """``RequestedProvisionedConcurrentExecutions``."""
        self.status_reason = ""
        """``StatusReason``; empty unless it failed."""
        self.last_modified = 0.0
        """When it was last asked for, in seconds since the epoch on the cloud's clock."""

    @property
    def available(self) -> int:
        """``AvailableProvisionedConcurrentExecutions``: environments that are initialised, at work or not."""
        with self._lock:
            return len(self._ready) + self._busy

    @property
    def allocated(self) -> int:
        """``AllocatedProvisionedConcurrentExecutions``: the same number, for one version."""
        return self.available

    @property
    def in_use(self) -> int:
        """How many of the environments run an invocation now: ProvisionedConcurrentExecutions in CloudWatch."""
        return self._busy

    @property
    def status(self) -> str:
        """``IN_PROGRESS``, ``READY`` or ``FAILED``."""
        if self.status_reason:
            return "FAILED"
        return "READY" if self.available >= self.requested else "IN_PROGRESS"

    def request(self, count: int) -> None:
        """Keep so many environments initialised from now on; 0 ends it.

        Raises:
            ConcurrencyRefused: the concurrency is not there to be provisioned.
        """
        self._concurrency.provision(self._configuration.version, count)
        with self._lock:
            self.requested = count
            self.status_reason = ""
            self.last_modified = self._host.clock.now()
            surplus = min(len(self._ready), max(0, len(self._ready) + self._busy - count))
            superfluous, self._ready = self._ready[:surplus], self._ready[surplus:]
        self._in_background(*(environment.shut_down for environment in superfluous))
        self._fill()

    def take(self) -> ExecutionEnvironment | None:
        """Return an environment that is ready, to be given back; None when all are at work."""
        if not self._ready:
            return None
        with self._lock:
            if not self._ready:
                return None
            self._busy += 1
            environment = self._ready.pop()
        self._concurrency.start_provisioned()
        return environment

    def give_back(self, environment: ExecutionEnvironment) -> None:
        """Keep an environment for the next invocation; one that broke or is no longer wanted is replaced or ended."""
        self._concurrency.end_provisioned()
        with self._lock:
            self._busy -= 1
            if environment.is_initialised and len(self._ready) + self._busy < self.requested:
                self._ready.append(environment)
                return
        self._in_background(environment.shut_down)
        self._fill()

    def retire(self) -> None:
        """End the environments; those at work end after their invocation."""
        self._concurrency.provision(self._configuration.version, 0)
        with self._lock:
            self.requested = 0
            ready, self._ready = self._ready, []
        for environment in ready:
            environment.shut_down()

    def _fill(self) -> None:
        """Initialise what is missing, in the background."""
        with self._lock:
            missing = self.requested - len(self._ready) - self._busy - self._starting
            workers = max(0, min(missing, AT_ONCE - self._workers))
            self._workers += workers
        for _ in range(workers):
            self._host.clock.work(
                self._initialise_missing, f"provisioned concurrency {self._configuration.function_arn}"
            )

    def _initialise_missing(self) -> None:
        try:
            while self._claim_start():
                self._initialise_one()
        finally:
            with self._lock:
                self._workers -= 1

    def _claim_start(self) -> bool:
        with self._lock:
            claimed = not self.status_reason and len(self._ready) + self._busy + self._starting < self.requested
            self._starting += claimed
            return claimed

    def _initialise_one(self) -> None:
        environment = ExecutionEnvironment(self._configuration, self._host, is_provisioned=True)
        succeeded = False
        try:
            self._host.check_start(self._configuration)
            succeeded = environment.initialise_ahead()
        except (EnvironmentRefused, RuntimeMissing):
            pass  # an invocation tells why: what to install, or what is wrong with the key of the variables
        finally:
            with self._lock:
                self._starting -= 1
                if not succeeded:
                    self.status_reason = INIT_FAILED
                is_wanted = succeeded and len(self._ready) + self._busy < self.requested
                if is_wanted:
                    self._ready.append(environment)
            if not is_wanted:
                environment.shut_down()

    def _in_background(self, *actions: Callable[[], object]) -> None:
        for action in actions:
            self._host.clock.work(action, f"shutdown {self._configuration.function_arn}")
