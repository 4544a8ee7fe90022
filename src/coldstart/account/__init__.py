"""The switch to a real AWS account. In this edition it cannot be turned on: a cell says what it would do and what that would cost.

    from coldstart import account
    if account.is_on(does="create one function and call it ten times", requests=10, gb_seconds=1.25):
        ...

Called by the optional cells at the end of lessons.
"""

from coldstart.account.real_account import is_on

__all__ = ["is_on"]
