"""How many invocations may run at once: the account's limit, what functions reserve, what versions provision, the burst rate.

Rules: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html and scaling-behavior.html. All numbers are
execution environments at work in one region. A function's reservation and its burst rate count for all its versions
together. What the control plane calls:

* PutFunctionConcurrency: ``host.concurrency(region).function(name).reserve(count)``,
* DeleteFunctionConcurrency: ``.unreserve()``, GetFunctionConcurrency: ``.reserved``,
* GetAccountSettings: ``host.concurrency(region).limit`` and ``.unreserved``,
* DeleteFunction: ``host.concurrency(region).forget(name)``,
* provisioned concurrency goes through :meth:`coldstart.runtime.function.Function.provision`, which calls
  :meth:`FunctionConcurrency.provision`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

ACCOUNT_LIMIT = 1_000
"""Concurrent executions of an account in one region, unless AWS raises it."""
MINIMUM_UNRESERVED = 100
"""What reservations have to leave to the functions without one."""
BURST = 1_000
"""Execution environments that one function may start in :data:`BURST_SECONDS`."""
BURST_SECONDS = 10.0

RESERVED_EXCEEDED = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_EXCEEDED = "ConcurrentInvocationLimitExceeded"
BURST_EXCEEDED = "FunctionInvocationRateLimitExceeded"


class Throttled(Exception):
    """No execution environment may be started: Invoke answers 429 TooManyRequestsException, ``Rate Exceeded.``.

    Attributes:
        reason: AWS's ThrottleReason, such as ``ReservedFunctionConcurrentInvocationLimitExceeded``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"Rate Exceeded. ({reason})")
        self.reason = reason


class ConcurrencyRefused(ValueError):
    """A reservation or provision that Lambda does not accept: 400 InvalidParameterValueException with this text."""


class AccountConcurrency:
    """The concurrency of one account in one region.

    Args:
        now: the cloud's time in seconds; the burst rate follows it.
        limit: the account's concurrent executions.
    """

    def __init__(self, now: Callable[[], float], limit: int = ACCOUNT_LIMIT) -> None:
        self.limit = limit
        self._now = now
        self._lock = threading.Lock()
        self._functions: dict[str, FunctionConcurrency] = {}
        self._allocated = 0
        self._unallocated_in_use = 0
        self._executing = 0

    def function(self, name: str) -> FunctionConcurrency:
        """Return the concurrency of the function with this name, whether it exists already or not."""
        with self._lock:
            if name not in self._functions:
                self._functions[name] = FunctionConcurrency(self)
            return self._functions[name]

    def forget(self, name: str) -> None:
        """Give back what a deleted function had reserved and provisioned."""
        function = self.function(name)
        with self._lock:
            function._reserved, function._provisioned = None, {}
            self._recount()

    @property
    def unreserved(self) -> int:
        """What is left to functions without a reservation, at work or not: ``UnreservedConcurrentExecutions``."""
        return self.limit - sum(function.reserved or 0 for function in list(self._functions.values()))

    @property
    def executing(self) -> int:
        """How many invocations run now: the metric ConcurrentExecutions of the region."""
        return self._executing

    @property
    def unreserved_executing(self) -> int:
        """How many invocations run now in concurrency that nobody has reserved: UnreservedConcurrentExecutions."""
        return self._unallocated_in_use

    @property
    def claimed(self) -> int:
        """What is not available to others: reserved, provisioned or in use. The metric ClaimedAccountConcurrency."""
        return self._allocated + self._unallocated_in_use

    def _recount(self) -> None:
        """Sum up anew what functions hold, after a reservation or provision has changed. Needs the lock."""
        functions = self._functions.values()
        self._allocated = sum(
            function._reserved if function._reserved is not None else function.provisioned for function in functions
        )
        self._unallocated_in_use = sum(function._on_demand for function in functions if function._reserved is None)


class FunctionConcurrency:
    """The concurrency of one function, all its versions together. Get one from :meth:`AccountConcurrency.function`."""

    def __init__(self, account: AccountConcurrency) -> None:
        self._account = account
        self._reserved: int | None = None
        self._provisioned: dict[str, int] = {}
        self._on_demand = 0
        self._in_provisioned = 0
        self._burst = float(BURST)
        self._burst_at = account._now()

    @property
    def reserved(self) -> int | None:
        """``ReservedConcurrentExecutions``, or None when nothing is reserved; 0 throttles every invocation."""
        return self._reserved

    @property
    def provisioned(self) -> int:
        """Environments that versions of the function have provisioned, all together."""
        return sum(self._provisioned.values())

    @property
    def executing(self) -> int:
        """How many invocations of the function run now."""
        return self._on_demand + self._in_provisioned

    def reserve(self, count: int) -> None:
        """Keep so much of the account's concurrency for this function, and let it have no more.

        https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html

        Raises:
            ConcurrencyRefused: too little would be left unreserved, or the function provisions more.
        """
        account = self._account
        with account._lock:
            if account.unreserved + (self._reserved or 0) - count < MINIMUM_UNRESERVED:
                raise ConcurrencyRefused(
                    "Specified ReservedConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{MINIMUM_UNRESERVED}]."
                )
            if count < self.provisioned:
                raise ConcurrencyRefused(
                    f"ReservedConcurrentExecutions {count} should not be lower than function's total provisioned "
                    f"concurrency [{self.provisioned}]."
                )
            self._reserved = count
            account._recount()

    def unreserve(self) -> None:
        """Give the reservation back to the account (DeleteFunctionConcurrency)."""
        with self._account._lock:
            self._reserved = None
            self._account._recount()

    def provision(self, version: str, count: int) -> None:
        """Take so much concurrency for the provisioned environments of a version; 0 gives it back.

        https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html

        Raises:
            ConcurrencyRefused: neither the function's reservation nor the account has so much.
        """
        account = self._account
        with account._lock:
            total = self.provisioned - self._provisioned.get(version, 0) + count
            if self._reserved is not None and total > self._reserved:
                raise ConcurrencyRefused(
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution "
                    "for function"
                )
            left = account.limit - account._allocated + self.provisioned
            if self._reserved is None and total > left:
                raise ConcurrencyRefused(
                    "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
                    f"[{left}]."
                )
            if self._reserved is None and left - total < MINIMUM_UNRESERVED and count:
                raise ConcurrencyRefused(
                    "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                    f"below its minimum value of [{MINIMUM_UNRESERVED}]."
                )
            self._provisioned[version] = count
            account._recount()

    def start_on_demand(self) -> None:
        """Count an invocation that runs outside provisioned environments, until :meth:`end_on_demand`.

        Raises:
            Throttled: the function's reservation or the account's limit is used up.
        """
        account = self._account
        with account._lock:
            if self._reserved is not None:
                if self._on_demand >= self._reserved - self.provisioned:
                    raise Throttled(RESERVED_EXCEEDED)
            else:
                if account._unallocated_in_use + account._allocated >= account.limit:
                    raise Throttled(ACCOUNT_EXCEEDED)
                account._unallocated_in_use += 1
            self._on_demand += 1
            account._executing += 1

    def end_on_demand(self) -> None:
        """The invocation has ended."""
        account = self._account
        with account._lock:
            self._on_demand -= 1
            account._executing -= 1
            if self._reserved is None:
                account._unallocated_in_use -= 1

    def start_provisioned(self) -> None:
        """Count an invocation that runs in a provisioned environment, until :meth:`end_provisioned`."""
        with self._account._lock:
            self._in_provisioned += 1
            self._account._executing += 1

    def end_provisioned(self) -> None:
        """The invocation has ended."""
        with self._account._lock:
            self._in_provisioned -= 1
            self._account._executing -= 1

    def start_environment(self) -> None:
        """Count a new execution environment against the burst rate, which refills continuously and saves nothing up.

        Raises:
            Throttled: the function has started its 1,000 environments of the last ten seconds.
        """
        with self._account._lock:
            now = self._account._now()
            self._burst = min(BURST, self._burst + (now - self._burst_at) * BURST / BURST_SECONDS)
            self._burst_at = now
            if self._burst < 1:
                raise Throttled(BURST_EXCEEDED)
            self._burst -= 1
