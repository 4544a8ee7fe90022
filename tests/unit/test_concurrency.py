"""Concurrency limits. https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html and scaling-behavior.html."""

import pytest

from coldstart.runtime.concurrency import AccountConcurrency, ConcurrencyRefused, Throttled


class Time:
    """The cloud's time, in the test's hand."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


def account(limit: int = 1_000) -> AccountConcurrency:
    return AccountConcurrency(Time(), limit)


def test_a_reservation_of_nothing_throttles_everything_and_says_why() -> None:
    orders = account().function("orders")
    orders.reserve(0)
    with pytest.raises(Throttled) as throttled:
        orders.start_on_demand()
    assert throttled.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_function_gets_no_more_than_it_reserved_until_an_invocation_ends() -> None:
    orders = account().function("orders")
    orders.reserve(2)
    orders.start_on_demand()
    orders.start_on_demand()
    with pytest.raises(Throttled):
        orders.start_on_demand()
    orders.end_on_demand()
    orders.start_on_demand()
    assert orders.executing == 2


def test_the_others_share_what_is_not_reserved() -> None:
    region = account(limit=105)
    region.function("orders").reserve(5)
    labels = region.function("labels")
    for _ in range(100):
        labels.start_on_demand()
    with pytest.raises(Throttled) as throttled:
        labels.start_on_demand()
    assert throttled.value.reason == "ConcurrentInvocationLimitExceeded"
    region.function("orders").start_on_demand()
    region.function("orders").unreserve()
    for _ in range(4):
        labels.start_on_demand()
    with pytest.raises(Throttled):
        region.function("orders").start_on_demand()
    labels.end_on_demand()
    region.function("orders").start_on_demand()


def test_a_reservation_leaves_a_hundred_to_the_others() -> None:
    region = account()
    region.function("orders").reserve(800)
    region.function("orders").reserve(900)
    assert region.unreserved == 100
    with pytest.raises(ConcurrencyRefused, match=r"below its minimum value of \[100\]"):
        region.function("labels").reserve(1)
    region.forget("orders")
    region.function("labels").reserve(1)
    assert region.unreserved == 999


def test_provisioned_concurrency_comes_out_of_the_reservation_or_the_account() -> None:
    region = account(limit=200)
    orders = region.function("orders")
    orders.reserve(10)
    orders.provision("1", 6)
    with pytest.raises(ConcurrencyRefused, match="greater than the reservedConcurrentExecution"):
        orders.provision("2", 5)
    with pytest.raises(ConcurrencyRefused, match=r"total provisioned concurrency \[6\]"):
        orders.reserve(5)
    labels = region.function("labels")
    with pytest.raises(ConcurrencyRefused, match=r"unreserved concurrency \[190\]"):
        labels.provision("1", 191)
    with pytest.raises(ConcurrencyRefused, match=r"below its minimum value of \[100\]"):
        labels.provision("1", 91)
    labels.provision("1", 90)
    for _ in range(100):
        labels.start_on_demand()  # the spill-over of labels shares what nobody has allocated
    with pytest.raises(Throttled):
        labels.start_on_demand()
    for _ in range(4):
        orders.start_on_demand()
    with pytest.raises(Throttled):
        orders.start_on_demand()


def test_a_function_starts_a_thousand_environments_in_ten_seconds() -> None:
    region = account(limit=5_000)
    orders = region.function("orders")
    for _ in range(1_000):
        orders.start_environment()
    with pytest.raises(Throttled) as throttled:
        orders.start_environment()
    assert throttled.value.reason == "FunctionInvocationRateLimitExceeded"
    region.function("labels").start_environment()
    region._now.seconds += 1  # type: ignore[attr-defined]
    for _ in range(100):
        orders.start_environment()
    with pytest.raises(Throttled):
        orders.start_environment()
    region._now.seconds += 3_600  # type: ignore[attr-defined]
    for _ in range(1_000):
        orders.start_environment()
    with pytest.raises(Throttled):
        orders.start_environment()
