# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides what a schedule's document has to become, from what is there and what is wanted. No I/O."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime

from .._base.errors import InvalidOption
from .._idm.server import Server
from .._idm.source import Source
from .cron import interval_to_cron, is_over
from .document import (
    ACTION,
    CONFIG,
    CRON,
    FIRE_AND_PROCEED,
    JOB,
    LOAD_RECORD,
    SERVICE,
    SIMPLE,
    Schedule,
    Value,
    body_of,
    checked_time,
    differences,
    is_before,
    is_past,
    is_placeholder,
    runs_livesync,
    same_value,
    unmet,
)
from .wanted import AUTO, WantedSchedule, checked_interval, with_defaults

#: What the fork's scheduler can handle in a job's name (seen on OpenIDM 6.1.0).
_PLAIN_NAME = re.compile(r"^[A-Za-z0-9._:+@,()=~-]+$")
#: When a schedule fires that never shall, in seconds: it divides an hour evenly, so that every server can keep it.
ANY_INTERVAL = 3600
#: The fields of a config document that its job must show, whatever else the server makes of it.
SHOWN = ("enabled", "type", "cron", "interval", "source")


@dataclass(frozen=True)
class Found:
    """What there is of a name: the job, and the config document that makes it."""

    name: str
    job: Schedule | None
    config: Schedule | None

    @property
    def current(self) -> Schedule | None:
        """The document that decides: the config document where there is one."""
        if self.config is not None:
            return replace(self.config, paused=bool(self.job and self.job.paused))
        return replace(self.job, storage=JOB) if self.job else None

    @property
    def source(self) -> str | None:
        """The source that it runs liveSync of: the job tells what a placeholder in its document stands for."""
        stated = self.current.source if self.current else None
        return self.job.source if self.job and is_placeholder(stated) else stated


@dataclass(frozen=True)
class SchedulePlan:
    """What has to be done.

    :param changes: the names of what changes; none: nothing has to be done.
    :param body: the document to write.
    """

    before: Schedule | None
    after: Schedule
    body: t.Mapping[str, t.Any]
    changes: t.Sequence[str]

    @property
    def writes(self) -> bool:
        """Whether the document has to be written."""
        return any(name != "paused" for name in self.changes)

    @property
    def moves(self) -> bool:
        """Whether it has to be deleted where it is now."""
        return self.before is not None and self.before.storage != self.after.storage


def own_name(source: Source) -> str:
    """Return the name that the schedule of a source has where nobody gives it another."""
    return f"liveSync_{source.system}_{source.object_type}"


def pick_name(jobs: t.Iterable[Schedule], source: Source, name: str | None, server: Server) -> str:
    """Return the name of the schedule that is meant.

    :raises InvalidOption: when more than one could be meant, or the name belongs to a job that does something else.
    """
    if name is None:
        own = sorted(job.name for job in jobs if job.source == str(source))
        if len(own) > 1:
            raise InvalidOption("name", None, f"{source} has several schedules: {', '.join(own)}. Name one.")
        if own:
            return own[0]
        name = own_name(source)
    if not server.any_job_name and not _PLAIN_NAME.match(name):
        raise InvalidOption(
            "name",
            name,
            "This server's scheduler loses track of a job whose name holds more than letters, digits"
            " and . _ : + @ , ( ) = ~ -",
        )
    return name


def check_owner(found: Found, source: Source) -> None:
    """Check that a schedule of this name, where there is one, is of this source.

    :raises InvalidOption: when it is not.
    """
    current = found.current
    if current is not None and found.source != str(source):
        if source.resembles(found.source):
            raise InvalidOption(
                "name",
                found.name,
                f"The schedule of this name names {found.source}, {source.otherwise(str(found.source))}, and runs"
                f" nothing. Set source to {source} in its invokeContext (PUT scheduler/job/{found.name}), or give"
                " another name.",
            )
        what = f"liveSync of {found.source}" if found.source else f"another task ({current.service or 'unknown'})"
        raise InvalidOption("name", found.name, f"The schedule of this name runs {what}. Give another name.")


def decide_schedule(found: Found, wanted: WantedSchedule, server: Server, now: datetime) -> SchedulePlan:
    """Return what has to be done to turn what is there into what is wanted.

    :param now: with its time zone.
    :raises InvalidOption: for what cannot be.
    """
    check_owner(found, wanted.source)
    before = found.current
    storage = wanted.storage if wanted.storage != AUTO else (before.storage if before else None) or JOB
    # A job has the values that a document's placeholders stand for, and nothing puts them in where a job is written.
    base = found.job if storage == JOB and found.job is not None else before
    body = _Body(base, found.job, server).changed(wanted)
    after = Schedule.parse({**body, "_id": found.name}, storage)
    after = replace(after, paused=_paused(before, after, wanted, server))
    _check_span(after, now)
    if storage == JOB and (before is None or before.storage != JOB):
        _check_no_placeholder(after)
    elif storage == JOB:
        _check_no_placeholder(wanted)
    if before is None:
        return SchedulePlan(None, after, body, ["schedule"])
    changes = differences(before, after)
    if before.storage != storage:
        changes.append("storage")
    if before.paused != after.paused:
        changes.append("paused")
    if storage == CONFIG == before.storage and not changes and unmet(after, found.job, SHOWN):
        changes.append("activation")
    return SchedulePlan(before, after, body, changes)


def _check_no_placeholder(wanted: WantedSchedule | Schedule) -> None:
    for option in ("enabled", "interval", "cron", "start_time", "end_time"):
        value = getattr(wanted, option)
        if is_placeholder(value):
            raise InvalidOption(
                option, value, "A placeholder is filled in in the configuration alone: use storage: config."
            )


def _paused(before: Schedule | None, after: Schedule, wanted: WantedSchedule, server: Server) -> bool:
    paused = bool(before and before.paused)
    target = paused if wanted.paused is None else wanted.paused
    if after.enabled is False:  # without a trigger there is nothing to pause
        return False
    if target != paused and not server.job_actions:
        raise InvalidOption(
            "paused",
            target,
            "This server pauses all its jobs together (idmops.idm.scheduler). Use enabled for a single one.",
        )
    return target


def _check_span(after: Schedule, now: datetime) -> None:
    if is_before(after.end_time, after.start_time):
        raise InvalidOption("end_time", after.end_time, f"Give a time after start_time ({after.start_time}).")
    if after.enabled is True and isinstance(after.cron, str) and is_over(after.cron, now):
        raise InvalidOption("cron", after.cron, "No date that it names is still to come: it would never fire.")
    if after.enabled is True and is_past(after.end_time, now):
        raise InvalidOption("end_time", after.end_time, "It is over, so the schedule would never fire.")


class _Body:
    """The document of a schedule on its way from what it is to what it shall be."""

    def __init__(self, current: Schedule | None, live: Schedule | None, server: Server) -> None:
        self._current = current
        self._live = live
        self._server = server
        self._body = body_of(current.document) if current else {}

    def changed(self, wanted: WantedSchedule) -> dict[str, t.Any]:
        """Return the document as it shall be, with all that nobody here knows left as it was."""
        if self._current is None:
            wanted = with_defaults(wanted)
            if wanted.idle and wanted.interval is None and wanted.cron is None:
                wanted = replace(wanted, interval=ANY_INTERVAL)
        offsets = self._server.offset_times
        self._set("enabled", "enabled", wanted.enabled)
        self._set("persisted", "persisted", wanted.persisted)
        self._set("concurrent", "concurrentExecution", wanted.concurrent)
        self._time(wanted)
        if wanted.start_time is not None:
            start = checked_time("start_time", wanted.start_time, offsets=offsets)
            self._set("start_time", "startTime", start, none_removes=True)
        if wanted.end_time is not None:
            end = checked_time("end_time", wanted.end_time, offsets=offsets)
            self._set("end_time", "endTime", end, none_removes=True)
        self._misfire(wanted)
        self._invocation(wanted)
        return self._body

    def _set(self, field: str, key: str, value: Value, *, sent: Value = None, none_removes: bool = False) -> None:
        """Give a key a value, unless what stands there means the same.

        :param sent: the value as a document has it, where that is another.
        :raises InvalidOption: when a placeholder that stands for something else would be overwritten.
        """
        if value is None and not none_removes:
            return
        if self._current is None:
            if value is not None:
                self._body[key] = value if sent is None else sent
            return
        stored = getattr(self._current, field)
        if same_value(field, stored, value):
            return
        if stored is None and self._live is not None and same_value(field, getattr(self._live, field), value):
            return  # the document leaves it to the server, which does what is wanted
        if is_placeholder(stored) and not is_placeholder(value):
            stands_for = getattr(self._live, field, None)
            if self._live is not None and same_value(field, stands_for, value):
                return
            raise InvalidOption(
                field,
                value,
                f"The schedule {self._current.name} has the placeholder {stored} there, for {stands_for!r}."
                " Change what it stands for, or give the placeholder itself to leave it as it is.",
            )
        self._body[key] = value if sent is None else sent

    def _time(self, wanted: WantedSchedule) -> None:
        """Set when it fires: by cron, or by interval, which is a cron expression where SIMPLE does not repeat."""
        if wanted.cron is not None:
            self._fire_by_cron("cron", wanted.cron)
        elif wanted.interval is not None:
            interval = checked_interval(wanted.interval, self._server)
            if self._server.repeats_simple:
                self._fire_every(interval)
            elif not (self._current and self._current.type == CRON and interval == self._current_interval()):
                self._fire_by_cron("interval", t.cast(str, interval_to_cron(interval)))
        elif self._current is None:
            raise InvalidOption("interval", None, "Give interval or cron: there is no schedule yet that has one.")
        elif wanted.enabled is True and self._current.type == SIMPLE and not self._server.repeats_simple:
            raise InvalidOption(
                "interval",
                None,
                f"Give interval or cron: {self._current.name} is of type simple, which on this server fires once and is"
                " gone then.",
            )

    def _current_interval(self) -> float | None:
        shown = self._live if self._current and is_placeholder(self._current.cron) else self._current
        return shown.interval_seconds if shown else None

    def _fire_by_cron(self, option: str, expression: str) -> None:
        if self._current is not None and self._current.type != CRON:
            self._refuse_placeholder(option, self._current.interval)
            self._body["schedule"] = expression
        else:
            self._set("cron", "schedule", expression)
        self._turn_into(CRON)

    def _fire_every(self, interval: Value) -> None:
        milliseconds = interval if is_placeholder(interval) else round(interval * 1000)
        if self._current is not None and self._current.type != SIMPLE:
            if is_placeholder(self._current.cron) and self._current_interval() == interval:
                return
            self._refuse_placeholder("interval", self._current.cron)
            self._body["repeatInterval"] = milliseconds
        else:
            self._set("interval", "repeatInterval", interval, sent=milliseconds)
        self._set("repeat_count", "repeatCount", -1)
        self._turn_into(SIMPLE)

    def _refuse_placeholder(self, option: str, stored: Value) -> None:
        if is_placeholder(stored):
            raise InvalidOption(
                option, None, f"The schedule fires by the placeholder {stored}. Change what that stands for."
            )

    def _turn_into(self, kind: str) -> None:
        """Set the type, and leave nothing behind that belongs to the other one."""
        if self._current is None or self._current.type != kind:
            self._body["type"] = kind
            others: dict[str, t.Any] = {"schedule": None} if kind == SIMPLE else {"repeatInterval": 0, "repeatCount": 0}
            others["isCron"] = kind == CRON  # of the platform's user interface ("Recorded HTTP answers", section 5)
            self._body.update({key: value for key, value in others.items() if key in self._body})

    def _misfire(self, wanted: WantedSchedule) -> None:
        """A schedule of type SIMPLE that missed a run can only fire at once ("ForgeRock / Ping IDM", section 2.2)."""
        policy = wanted.misfire_policy
        if self._body.get("type") == SIMPLE:
            if policy not in (None, FIRE_AND_PROCEED):
                raise InvalidOption(
                    "misfire_policy", policy, "With an interval, use fireAndProceed; doNothing is for cron schedules."
                )
            policy = FIRE_AND_PROCEED
        self._set("misfire_policy", "misfirePolicy", policy)

    def _invocation(self, wanted: WantedSchedule) -> None:
        """Set what it runs; unknown keys stay, and so do other spellings of the same."""
        if self._current is None:
            self._body["invokeService"] = SERVICE
        context = dict(self._current.invoke_context) if self._current else {}
        if not runs_livesync(context):
            context["action"] = ACTION
        stated = self._current.source if self._current else None
        if stated != str(wanted.source) and not is_placeholder(stated):  # whose job it is has been checked
            context["source"] = wanted.source.path
        if wanted.load_record is not None:
            context.pop(LOAD_RECORD, None)
            if wanted.load_record:
                context[LOAD_RECORD] = dict(wanted.load_record)
        self._body["invokeContext"] = context
