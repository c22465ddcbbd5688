# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quartz cron expressions and intervals: what means the same, and what has no equivalent.

A cron expression starts anew with every minute, hour or day, so it repeats evenly only where the interval divides
that span. No I/O.
"""

from __future__ import annotations

import re
import typing as t
from calendar import monthrange
from datetime import date, datetime, timedelta

MINUTE, HOUR, DAY = 60, 3600, 86400
#: First and last value of the fields second, minute and hour.
_CLOCK_FIELDS = ((0, 59), (0, 59), (0, 23))
#: First and last year that Quartz knows (its class CronExpression).
_YEARS = (1970, 2199)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH = re.compile("|".join(_MONTHS))
#: How a cron expression is written, for errors.
CRON_SHAPE = (
    "Write a Quartz cron expression: second, minute, hour, day of month, month, day of week and, if wanted, year,"
    ' with a ? in one of the two day fields, as in "0 0/5 * * * ?".'
)
_PART = re.compile(r"^(?:(\*)|(\d{1,4})(?:-(\d{1,4}))?)(?:/(\d{1,4}))?$", re.ASCII)
#: What the day, month and weekday fields look like when they leave nothing out.
_EVERY = {"*", "?", "*/1", "1/1", "0/1"}


def interval_to_cron(seconds: int) -> str | None:
    """Return the cron expression that fires every so many seconds, None where there is none."""
    if seconds <= 0:
        return None
    if seconds < MINUTE:
        return f"{_every(seconds)} * * * * ?" if MINUTE % seconds == 0 else None
    if seconds < HOUR:
        return f"0 {_every(seconds // MINUTE)} * * * ?" if HOUR % seconds == 0 and seconds % MINUTE == 0 else None
    if seconds < DAY:
        return f"0 0 {_every(seconds // HOUR)} * * ?" if DAY % seconds == 0 and seconds % HOUR == 0 else None
    return "0 0 0 * * ?" if seconds == DAY else None


def nearest_intervals(seconds: float) -> list[int]:
    """Return the longest interval below and the shortest above that a cron expression can express, in seconds."""
    able = [
        span
        for unit, whole in ((1, MINUTE), (MINUTE, HOUR), (HOUR, DAY))
        for span in range(unit, whole, unit)
        if interval_to_cron(span)
    ]
    able.append(DAY)
    below = [span for span in able if span < seconds]
    above = [span for span in able if span > seconds]
    return below[-1:] + above[:1]


def cron_to_interval(expression: str) -> int | None:
    """Return the seconds between any two firings of an expression, None where they are not always the same.

    Daylight saving is left out: on its two days a cron schedule skips or doubles an hour in zones that have it.
    """
    fields = _fields(expression)
    if fields is None or not _every_day(fields):
        return None
    sets = _clock_sets(fields)
    if sets is None:
        return None
    seconds, minutes, hours = sets
    times = [hour * HOUR + minute * MINUTE + second for hour in hours for minute in minutes for second in seconds]
    gaps = {later - earlier for earlier, later in zip(times, [*times[1:], times[0] + DAY])}
    return gaps.pop() if len(gaps) == 1 else None


def canonical_cron(expression: str) -> tuple[t.Any, ...]:
    """Return a value that is equal for expressions that mean the same.

    The fields second, minute and hour become the sets they stand for; names are compared without case; what leaves
    nothing out, and a year that may be any, are one spelling. What cannot be read so is compared as text.
    """
    fields = _fields(expression)
    if fields is None:
        return (" ".join(expression.split()),)
    clock = (_values(field, *limits) or field for field, limits in zip(fields, _CLOCK_FIELDS))
    calendar = ("*" if field in _EVERY else field for field in fields[3:])
    return (*clock, *calendar)


def is_cron_shaped(expression: str) -> bool:
    """Tell whether a text can be a Quartz cron expression: six fields, or seven with a year, and a possible time.

    Servers take a time that no clock shows, and then fire at another ("0 0 99 * * ?", seen on OpenIDM 6.1.0).
    """
    fields = _fields(expression)
    return fields is not None and _clock_sets(fields) is not None


def is_over(expression: str, now: datetime) -> bool:
    """Tell whether an expression certainly never fires (again): no date that it names is still to come.

    Servers call such an expression valid, and refuse the schedule ("the given trigger will never fire", seen on OpenIDM
    6.1.0), which the role only writes after the load.

    :param now: with its time zone; a server's own may be a day behind it.
    """
    fields = _fields(expression)
    if fields is None:
        return False
    day, month, unused, year = fields[3:]
    years = _values(year, *_YEARS) or _whole(_YEARS)
    months = _values(_MONTH.sub(lambda name: str(_MONTHS.index(name.group()) + 1), month), 1, 12) or _whole((1, 12))
    days = _values(day, 1, 31) or _whole((1, 31))
    first = (now - timedelta(days=1)).date()
    return not any(
        _is_date(one_year, one_month, one_day) and date(one_year, one_month, one_day) >= first
        for one_year in years
        if one_year >= first.year
        for one_month in months
        for one_day in days
    )


def _whole(limits: tuple[int, int]) -> tuple[int, ...]:
    return tuple(range(limits[0], limits[1] + 1))


def _is_date(year: int, month: int, day: int) -> bool:
    return day <= monthrange(year, month)[1]


def _every(step: int) -> str:
    return "*" if step == 1 else f"0/{step}"


def _fields(expression: str) -> list[str] | None:
    """Return the seven fields in capitals, the year as * where there is none."""
    fields = expression.upper().split()
    if len(fields) not in (6, 7):
        return None
    return fields if len(fields) == 7 else [*fields, "*"]


def _every_day(fields: t.Sequence[str]) -> bool:
    return all(field in _EVERY for field in fields[3:])


def _clock_sets(fields: t.Sequence[str]) -> list[tuple[int, ...]] | None:
    """Return the values of second, minute and hour, None where one of them cannot be read."""
    sets = [_values(field, *limits) for field, limits in zip(fields, _CLOCK_FIELDS)]
    return t.cast("list[tuple[int, ...]]", sets) if all(sets) else None


def _values(field: str, first: int, last: int) -> tuple[int, ...] | None:
    """Return the sorted values that a numeric field stands for, None for any other field."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.match(part)
        if not match:
            return None
        star, low, high, step = match.groups()
        start = first if star else int(low)
        if high is not None:
            end = int(high)
        else:
            end = last if star or step else start
        if not (first <= start <= last and first <= end <= last) or step == "0":
            return None
        span = last - first + 1
        length = (end - start) % span + 1  # "22-2" goes past midnight
        found.update(first + (start - first + offset) % span for offset in range(0, length, int(step or 1)))
    return tuple(sorted(found))
