"""Says what an optional cell would do on a real AWS account, and what at most it would cost."""

from __future__ import annotations

from decimal import Decimal

from coldstart.course import catalogue
from coldstart.course.rich_text import wrapped


def is_on(*, does: str, requests: int, gb_seconds: float) -> bool:
    """Print what a cell would do and cost, and say whether it may do it.

    Args:
        does: what the cell does, as a verb phrase, clean-up included.
        requests: how many invocations it makes at most.
        gb_seconds: how many GB-seconds they take at most.

    Returns:
        False: local mode is the only one there is in this edition.
    """
    price = most_expensive(requests, gb_seconds)
    print(wrapped(f"On a real account this cell would {does}.", "", 0))
    print(
        wrapped(
            f"It would cost at most {price:f} US dollars ({requests} requests and {gb_seconds:g} GB-seconds at the prices of "
            "us-east-1, without the free tier).",
            "",
            0,
        )
    )
    print("The switch to a real account is off, and comes with a later edition. Nothing was sent.")
    return False


def most_expensive(requests: int, gb_seconds: float) -> Decimal:
    """Return what invocations cost, in US dollars, rounded up to a ten-thousandth: https://aws.amazon.com/lambda/pricing/."""
    by_request = Decimal(str(catalogue.fact("price_requests").value)) / 1_000_000
    by_gb_second = Decimal(str(catalogue.fact("price_gb_second").value))
    exact = requests * by_request + Decimal(str(gb_seconds)) * by_gb_second
    return exact.quantize(Decimal("0.0001"), rounding="ROUND_UP")
