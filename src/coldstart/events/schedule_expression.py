"""When something happens again: ``rate(5 minutes)``, ``cron(0 9 ? * MON-FRI *)`` and ``at(2026-12-24T18:00:00)``.

Used by EventBridge's rules (UTC, :func:`rule_schedule`) and by EventBridge Scheduler (any time zone, :func:`schedule`).
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_RATE = re.compile(r"rate\(([0-9]{1,9}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.*)\)")
_NUMBER = re.compile("[0-9]{1,4}")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", re.ASCII)


class InvalidScheduleExpression(ValueError):
    """AWS would refuse this expression; the service that is asked has its own text for it."""


class ScheduleExpression(Protocol):
    """A series of times."""

    def next_after(self, seconds: float) -> float | None:
        """Return the first time after the given one, in seconds since the epoch; None when there is no more.

        For a rate the given time is the one that was due last, or the one that counting starts from.
        """
        ...


def rule_schedule(expression: str) -> ScheduleExpression:
    """Read the ScheduleExpression of an EventBridge rule: a rate, or a cron expression in UTC.

    Raises:
        InvalidScheduleExpression: it is neither; ``rate(1 minutes)`` and ``rate(2 minute)`` are not.
    """
    if rate := _RATE.fullmatch(expression):
        is_one = int(rate[1]) == 1
        if is_one == bool(rate[3]):
            raise InvalidScheduleExpression(expression)
        return _rate(rate, expression)
    if cron := _CRON.fullmatch(expression):
        return CronExpression(cron[1], UTC)
    raise InvalidScheduleExpression(expression)


def schedule(expression: str, timezone: ZoneInfo) -> ScheduleExpression:
    """Read the ScheduleExpression of an EventBridge Scheduler schedule; cron and at are times in the time zone.

    Raises:
        InvalidScheduleExpression: it is none of rate, cron and at.
    """
    if rate := _RATE.fullmatch(expression):
        return _rate(rate, expression)
    if cron := _CRON.fullmatch(expression):
        return CronExpression(cron[1], timezone)
    if at := _AT.fullmatch(expression):
        try:
            return OneTime(datetime.fromisoformat(at[1]).replace(tzinfo=timezone).timestamp())
        except ValueError:
            pass  # no such day or hour
    raise InvalidScheduleExpression(expression)


def _rate(match: re.Match[str], expression: str) -> Rate:
    if int(match[1]) == 0:
        raise InvalidScheduleExpression(expression)
    return Rate(int(match[1]) * _SECONDS[match[2]])


@dataclass(frozen=True)
class Rate:
    """Every so many seconds; a day is 24 hours, whatever summer time does."""

    seconds: int

    def next_after(self, seconds: float) -> float:
        """Return the time one period later."""
        return seconds + self.seconds


@dataclass(frozen=True)
class OneTime:
    """Once."""

    seconds: float

    def next_after(self, seconds: float) -> float | None:
        """Return the one time, while it is still to come."""
        return self.seconds if self.seconds > seconds else None


@dataclass(frozen=True)
class _Field:
    """What one field of a cron expression may hold."""

    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> frozenset[int]:
        """Return the numbers that a list of numbers, names, ranges and increments stands for."""
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, part: str) -> Iterator[int]:
        span, slash, step = part.partition("/")
        if slash and not (_NUMBER.fullmatch(step) and int(step) > 0):
            raise InvalidScheduleExpression(part)
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = self.lowest, self.highest
        elif dash:
            low, high = self.number(first), self.number(last)
        else:
            low = self.number(first)
            high = self.highest if slash else low
        if high < low:  # FRI-MON
            high += self.highest - self.lowest + 1
        for value in range(low, high + 1, int(step or 1)):
            yield (value - self.lowest) % (self.highest - self.lowest + 1) + self.lowest

    def number(self, text: str) -> int:
        """Return one number or name as its number."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.lowest
        if not (_NUMBER.fullmatch(text) and self.lowest <= int(text) <= self.highest):
            raise InvalidScheduleExpression(text)
        return int(text)


_MINUTE = _Field(0, 59)
_HOUR = _Field(0, 23)
_DAY = _Field(1, 31)
_MONTH = _Field(1, 12, _MONTHS)
_WEEKDAY = _Field(1, 7, _WEEKDAYS)
_YEAR = _Field(1970, 2199)

_DaysOfMonth = Callable[[int, int], set[int]]


class CronExpression:
    """AWS's cron: minutes, hours, day of month, month, day of week, year; with ``?``, ``L``, ``W`` and ``#``.

    In a zone with summer time, an hour that does not exist is skipped and one that comes twice counts once.
    """

    def __init__(self, text: str, timezone: tzinfo = UTC) -> None:
        """Read the six fields (without ``cron(`` and ``)``).

        Raises:
            InvalidScheduleExpression: a field is missing or out of range, or not exactly one of the two days is ``?``.
        """
        fields = text.split()
        if len(fields) != 6:
            raise InvalidScheduleExpression(text)
        minute, hour, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?"):
            raise InvalidScheduleExpression(text)
        self._timezone = timezone
        self._minutes = sorted(_MINUTE.values(minute))
        self._hours = sorted(_HOUR.values(hour))
        self._months = sorted(_MONTH.values(month))
        self._years = sorted(_YEAR.values(year))
        self._days = _days_of_month(day) if weekday == "?" else _days_of_week(weekday)

    def next_after(self, seconds: float) -> float | None:
        """Return the first full minute after the given time that the expression names; None when there is no more."""
        start = datetime.fromtimestamp(seconds, self._timezone).replace(tzinfo=None)
        for local in self._local_times(start.replace(second=0, microsecond=0)):
            aware = local.replace(tzinfo=self._timezone)
            found = aware.timestamp()
            exists = datetime.fromtimestamp(found, self._timezone).replace(tzinfo=None) == local
            if exists and found > seconds:
                return found
        return None

    def _local_times(self, start: datetime) -> Iterator[datetime]:
        for day in self._dates(start.date()):
            for hour in self._hours:
                for minute in self._minutes:
                    time = datetime(day.year, day.month, day.day, hour, minute)
                    if time >= start:
                        yield time

    def _dates(self, start: date) -> Iterator[date]:
        for year in self._years:
            for month in self._months:
                if (year, month) < (start.year, start.month):
                    continue
                for day in sorted(self._days(year, month)):
                    if date(year, month, day) >= start:
                        yield date(year, month, day)


def _last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _days_of_month(text: str) -> _DaysOfMonth:
    parts = [_day_of_month(part) for part in text.split(",")]
    return lambda year, month: set().union(*(part(year, month) for part in parts))


def _day_of_month(part: str) -> _DaysOfMonth:
    if part == "L":
        return lambda year, month: {_last_day(year, month)}
    if part == "LW":
        return lambda year, month: {_nearest_weekday(year, month, _last_day(year, month))}
    if part.endswith("W"):
        wanted = _DAY.number(part[:-1])
        return lambda year, month: (
            {_nearest_weekday(year, month, wanted)} if wanted <= _last_day(year, month) else set()
        )
    days = _DAY.values(part)
    return lambda year, month: {day for day in days if day <= _last_day(year, month)}


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Return the working day that is nearest to a day, without leaving the month."""
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < _last_day(year, month) else day - 2
    return day


def _days_of_week(text: str) -> _DaysOfMonth:
    parts = [_day_of_week(part) for part in text.split(",")]
    return lambda year, month: set().union(*(part(year, month) for part in parts))


def _day_of_week(part: str) -> _DaysOfMonth:
    if part == "L":
        part = "SAT"
    if "#" in part:
        name, _, nth = part.partition("#")
        if nth not in ("1", "2", "3", "4", "5"):
            raise InvalidScheduleExpression(part)
        number = _WEEKDAY.number(name)
        return lambda year, month: set(_days_that_are({number}, year, month)[int(nth) - 1 : int(nth)])
    if part.endswith("L") and len(part) > 1:
        number = _WEEKDAY.number(part[:-1])
        return lambda year, month: set(_days_that_are({number}, year, month)[-1:])
    numbers = _WEEKDAY.values(part)
    return lambda year, month: set(_days_that_are(set(numbers), year, month))


def _days_that_are(weekdays: set[int], year: int, month: int) -> list[int]:
    """Return the days of a month that fall on one of the weekdays (1 is Sunday)."""
    first = date(year, month, 1)
    days = (first + timedelta(days=offset) for offset in range(_last_day(year, month)))
    return [day.day for day in days if day.isoweekday() % 7 + 1 in weekdays]
