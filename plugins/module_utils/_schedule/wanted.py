# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody wants of a schedule, checked as far as that can be without the server. No I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._base.errors import InvalidOption
from .._idm.server import Server
from .._idm.source import Source
from .cron import CRON_SHAPE, interval_to_cron, is_cron_shaped, nearest_intervals
from .document import FIRE_AND_PROCEED, Value, checked_time, is_before, is_placeholder

#: The storage of whoever does not mind.
AUTO = "auto"


@dataclass(frozen=True)
class WantedSchedule:
    """What a schedule shall be. None leaves what is there, or the server's default.

    :param source: what liveSync reads.
    :param name: the job's; None is the source's only schedule, or else ``liveSync_<system>_<type>``.
    :param interval: seconds between two firings.
    :param cron: a Quartz cron expression.
    :param storage: JOB, CONFIG, or AUTO: where it is now.
    :param start_time, end_time: ISO 8601; an empty text removes it.
    :param load_record: the record of the initial load; an empty one removes it.
    :param paused: whether its trigger is paused, where the server can pause a single job.
    :param idle: whether it is there for its record alone and never fires: where nothing says when, any time will do.
    """

    source: Source
    name: str | None = None
    enabled: Value = None
    interval: Value = None
    cron: str | None = None
    storage: str = AUTO
    start_time: Value = None
    end_time: Value = None
    persisted: Value = None
    misfire_policy: Value = None
    concurrent: bool | None = None
    load_record: t.Mapping[str, t.Any] | None = None
    paused: bool | None = None
    idle: bool = False


def wanted_of(options: t.Mapping[str, t.Any]) -> WantedSchedule:
    """Return what the options of livesync_schedule ask for.

    :raises InvalidOption: for options that cannot work anywhere.
    """
    check_given(options)
    return WantedSchedule(
        source=Source.parse(options["source"]),
        name=options.get("name"),
        enabled=checked_flag("enabled", options.get("enabled")),
        interval=options.get("interval"),
        cron=options.get("cron"),
        storage=options["storage"],
        start_time=options.get("start_time"),
        end_time=options.get("end_time"),
        persisted=options.get("persisted"),
        misfire_policy=options.get("misfire_policy"),
        concurrent=False,
        load_record=options.get("load_record"),
        paused=options.get("paused"),
    )


def check_given(options: t.Mapping[str, t.Any]) -> None:
    """Check what is given for a schedule, as far as it is wrong on every server.

    :raises InvalidOption: naming the option.
    """
    interval, cron, name = options.get("interval"), options.get("cron"), options.get("name")
    if name is not None and not name.strip():
        raise InvalidOption("name", name, "Give a name, or leave it out for the one that there is.")
    if interval is not None and cron is not None:
        raise InvalidOption("interval", interval, f"There is cron too, {cron!r}: give one of them.")
    if interval is not None and not is_placeholder(interval):
        _seconds_of(interval)
    if cron is not None and not is_placeholder(cron) and not is_cron_shaped(cron):
        raise InvalidOption("cron", cron, CRON_SHAPE)
    start, end = options.get("start_time"), options.get("end_time")
    for option, time in (("start_time", start), ("end_time", end)):
        checked_time(option, time, offsets=True)
    if is_before(end, start):
        raise InvalidOption("end_time", end, f"Give a time after start_time ({start}).")


def with_defaults(wanted: WantedSchedule) -> WantedSchedule:
    """Return what a new schedule shall be. Servers' own defaults differ, so nothing is left to them."""
    return replace(
        wanted,
        enabled=True if wanted.enabled is None else wanted.enabled,
        persisted=True if wanted.persisted is None else wanted.persisted,
        concurrent=bool(wanted.concurrent),
        misfire_policy=wanted.misfire_policy or FIRE_AND_PROCEED,
    )


def checked_flag(option: str, value: t.Any) -> Value:
    """Return True, False, None, or a placeholder.

    :raises InvalidOption: for anything else.
    """
    if value is None or isinstance(value, bool) or is_placeholder(value):
        return value
    text = str(value).strip().lower()
    if text in ("true", "yes", "on", "1"):
        return True
    if text in ("false", "no", "off", "0"):
        return False
    raise InvalidOption(
        option, value, 'Give true, false, or a placeholder such as {"$bool": "&{esv.livesync.enabled}"}.'
    )


def checked_interval(value: t.Any, server: Server) -> Value:
    """Return an interval in seconds that the server can keep.

    :raises InvalidOption: for what is not an interval, or has no cron expression where the server needs one.
    """
    if is_placeholder(value):
        if not server.repeats_simple:
            raise InvalidOption("interval", value, "On this server a placeholder can stand in cron alone.")
        return value
    interval = _seconds_of(value)
    if not server.repeats_simple and (interval != int(interval) or interval_to_cron(int(interval)) is None):
        nearest = " and ".join(f"{span} s" for span in nearest_intervals(interval))
        raise InvalidOption(
            "interval",
            value,
            "This server repeats a schedule by cron expressions alone; they start anew with each minute, hour and day,"
            f" so that only what divides one of these evenly can be an interval. The nearest: {nearest}.",
        )
    return interval


def _seconds_of(interval: t.Any) -> float:
    """Return an interval in seconds, as a whole number where it is one.

    :raises InvalidOption: for what is none, also below a millisecond, the unit of the server's document.
    """
    try:
        seconds = float(interval)
    except (TypeError, ValueError):
        seconds = 0.0
    if isinstance(interval, bool) or not 0.001 <= seconds < float("inf"):
        raise InvalidOption("interval", interval, "Give a number of seconds above 0.")
    return int(seconds) if seconds == int(seconds) else seconds
