# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a Quartz cron expression fires, in UTC: seconds minutes hours day month weekday [year]."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_MONTHS = {name: n for n, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
_DAYS = {name: n for n, name in enumerate("SUN MON TUE WED THU FRI SAT".split(), 1)}  # Sunday is 1 in Quartz
_LIMITS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
_NAMES: tuple[dict[str, int], ...] = ({}, {}, {}, {}, _MONTHS, _DAYS, {})


class Cron:
    """One expression.

    :raises ValueError: when it is none.
    """

    def __init__(self, text: str) -> None:
        parts = text.upper().split()
        if len(parts) not in (6, 7) or (parts[3] == "?") == (parts[5] == "?"):
            raise ValueError(f"Unexpected end of expression or missing ?: {text}")
        fields = zip([*parts, "*"][:7], _LIMITS, _NAMES)
        self._sets = [_values(part, low, high, names) for part, (low, high), names in fields]

    def after(self, seconds: float) -> float | None:
        """Return when it fires next after a time in seconds since 1970; None if it never does within ten years."""
        second_set, minute_set, hour_set, day_set, month_set, weekday_set, year_set = self._sets
        start = datetime.fromtimestamp(int(seconds) + 1, timezone.utc)
        times = sorted((hour, minute, second) for hour in hour_set for minute in minute_set for second in second_set)
        day = start.replace(hour=0, minute=0, second=0)
        for _unused in range(3660):
            fits = day.year in year_set and day.month in month_set and day.day in day_set
            if fits and day.isoweekday() % 7 + 1 in weekday_set:
                for hour, minute, second in times:
                    at = day.replace(hour=hour, minute=minute, second=second)
                    if at >= start:
                        return at.timestamp()
            day += timedelta(days=1)
        return None


def _values(text: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        body, unused, step = part.partition("/")
        first, dash, last = body.partition("-")
        if body in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if dash else high if step else start
        if not low <= start <= end <= high:
            raise ValueError(f"Illegal value: {part}")
        found.update(range(start, end + 1, _number(step, {}) if step else 1))
    return found


def _number(text: str, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(f"Illegal characters for this position: '{text[:3]}'")  # seen, scheduler
    return int(text)
