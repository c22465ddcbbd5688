# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of a schedule: read, brought into one normal form, compared, changed.

The same schedule looks different as scheduler/job/<name> and as config/schedule/<name>, and from one release to the
next ("Recorded HTTP answers", section 5; "OpenIDM family over REST", section 4.2). No I/O.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from .._base.errors import InvalidOption
from .._base.values import as_dict, as_list, as_text
from .._idm.source import Source
from .cron import canonical_cron, cron_to_interval

CRON, SIMPLE = "cron", "simple"
JOB, CONFIG = "job", "config"
FIRE_AND_PROCEED, DO_NOTHING = "fireAndProceed", "doNothing"
#: Words for the action that runs liveSync, in lower case: both run it (seen on OpenIDM 6.1.0).
_ACTIONS = ("livesync", "activesync")
#: The key in invokeContext that keeps the record of the initial load.
LOAD_RECORD = "initialLoad"
SERVICE = "provisioner"
ACTION = "liveSync"

#: What a server adds to a document; it is never sent back.
_SERVER_MADE = ("_id", "_rev", "triggers", "nextRunDate", "previousRunDate")
#: Quartz' numbers of a trigger's states as the fork shows them (seen on OpenIDM 6.1.0), and the names of others.
_PAUSED, _RUNNING = (1, "PAUSED"), (4, "BLOCKED")
#: With a blank where YAML has made a time of an unquoted text and Ansible a text again.
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?$")

#: The last zone of the earth in which a day ends.
_WESTMOST = timezone(timedelta(hours=-12))

#: A value, or a placeholder that stands for one.
Value = t.Any


def is_placeholder(value: t.Any) -> bool:
    """Tell whether a value stands for another that the server fills in: "&{esv.x}", {"$bool": "&{esv.x}"}."""
    if isinstance(value, str):
        return "&{" in value
    return isinstance(value, dict) and len(value) == 1 and str(next(iter(value))).startswith("$")


def as_flag(value: t.Any, default: Value = None) -> Value:
    """Return True or False, also for their texts, the default for None, and a placeholder as it is."""
    if value is None:
        return default
    if isinstance(value, str) and not is_placeholder(value):
        return value.strip().lower() == "true"
    return value


#: What lets an account see whether a job is paused (seen on OpenIDM 6.1.0).
SEE_STATE = "The account needs the rights: read scheduler/trigger/*, read repo/scheduler/triggers/*."


@dataclass(frozen=True)
class Schedule:
    """A schedule in its normal form.

    Any value may be a placeholder in a document of config/schedule; in one of scheduler/job the server has filled in
    what it stands for.

    :param name: the job's id; a document config/schedule/<name> makes the job <name>.
    :param source: what liveSync reads, as in system/ldap/account; None for a job that is not liveSync.
    :param type: CRON or SIMPLE.
    :param cron: the Quartz cron expression; None for SIMPLE.
    :param interval: seconds between two firings of SIMPLE; None for CRON.
    :param repeat_count: of SIMPLE: -1 is for ever; None for CRON.
    :param start_time, end_time: ISO 8601; without an offset they are in ``time_zone``, or else the server's zone.
    :param invoke_context: whole, with the keys that nobody here knows.
    :param next_run: when it fires next, as the server says it; None where it does not fire.
    :param paused: whether its trigger is paused, which leaves ``enabled`` and ``next_run`` as they were.
    :param running: whether its trigger says that it is being executed.
    :param storage: JOB or CONFIG; None where nobody has asked for a config document.
    :param document: as it was read.
    """

    name: str
    source: str | None
    enabled: Value
    persisted: Value
    type: Value
    cron: Value
    interval: Value
    repeat_count: Value
    start_time: Value
    end_time: Value
    misfire_policy: Value
    concurrent: Value
    time_zone: Value
    log_level: Value
    service: str
    invoke_context: t.Mapping[str, t.Any]
    next_run: str | None = None
    paused: bool = False
    running: bool = False
    storage: str | None = None
    document: t.Mapping[str, t.Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, document: t.Mapping[str, t.Any], storage: str | None = None) -> Schedule:
        """Return the normal form of a document of scheduler/job or config/schedule."""
        service = str(document.get("invokeService") or "").rpartition(".")[2]
        if service.lower() != SERVICE:  # a Provisioner runs nothing (seen on OpenIDM 6.1.0)
            service = service.lower()
        context = document.get("invokeContext")
        context = context if isinstance(context, dict) else {}
        kind = document.get("type") or CRON
        simple = kind == SIMPLE
        triggers = _triggers(document)
        count = document.get("repeatCount")
        return cls(
            name=str(document.get("_id") or "").partition("schedule/")[2] or str(document.get("_id") or ""),
            source=_source_of(service, context),
            enabled=as_flag(document.get("enabled"), True),
            persisted=as_flag(document.get("persisted")),
            type=kind,
            cron=None if simple else document.get("schedule"),
            interval=_seconds(document.get("repeatInterval")) if simple else None,
            repeat_count=(-1 if count is None else count) if simple else None,
            start_time=document.get("startTime") or None,
            end_time=document.get("endTime") or None,
            misfire_policy=document.get("misfirePolicy") or FIRE_AND_PROCEED,
            concurrent=as_flag(document.get("concurrentExecution"), False),
            time_zone=document.get("timeZone") or None,
            log_level=document.get("invokeLogLevel") or "info",
            service=service,
            invoke_context=context,
            next_run=document.get("nextRunDate") or None,
            paused=any(_is_paused(entry) for entry in triggers) and not _goes_on(document, triggers),
            running=any(entry.get("state") in _RUNNING for entry in triggers),
            storage=storage,
            document=document,
        )

    @property
    def meant(self) -> str | None:
        """The source that it names where its invokeContext is that of liveSync, whatever service it invokes."""
        return _source_of(SERVICE, self.invoke_context)

    @property
    def names(self) -> str | None:
        """What stands as the source in its invokeContext, whatever it does with that."""
        return as_text(self.invoke_context.get("source"))

    def calls(self, source: str) -> bool:
        """Tell whether it runs a script that seems to call liveSync of a source."""
        script = as_dict(self.invoke_context.get("script")).get("source")
        text = script.lower() if isinstance(script, str) and self.service == "script" else ""
        return source.lower() in text and any(action in text for action in _ACTIONS)

    def fires_for(self, source: str) -> bool:
        """Tell whether it is on and runs liveSync of a source, or calls it by a script."""
        return self.enabled and not self.paused and (self.source == source or self.calls(source))

    @property
    def does_nothing(self) -> bool:
        """Whether it has the service of liveSync do what that does not know, which ends well and does nothing.

        "OpenIDM family over REST", section 4.5.
        """
        return self.service == SERVICE and not runs_livesync(self.invoke_context)

    @property
    def fires_once_more(self) -> bool:
        """Whether it is paused, and fires once more all the same: the scheduler had taken its trigger for that before.

        A trigger is taken up to 30 s before it fires (seen on OpenIDM 6.1.0).
        """
        return _is_taken(self.triggers)

    @property
    def goes_on(self) -> bool:
        """Whether its trigger shows that it is paused, and it fires on and on (see :func:`_goes_on`)."""
        return _goes_on(self.document, self.triggers)

    @property
    def mute(self) -> bool:
        """Whether its trigger does not show its state, so that nobody knows whether it is paused.

        OpenIDM 6.1.0 shows it to whom its access rules let read the trigger itself (seen).
        """
        return bool(self.triggers) and not any("state" in entry for entry in self.triggers)

    @property
    def triggers(self) -> list[dict[str, t.Any]]:
        """Its triggers as the job shows them; none where it is disabled."""
        return _triggers(self.document)

    @property
    def interval_seconds(self) -> float | None:
        """The seconds between any two firings, of a regular cron expression too; None where they vary or end."""
        if isinstance(self.cron, str):
            return cron_to_interval(self.cron)
        if isinstance(self.interval, (int, float)) and self.interval > 0 and self.repeat_count != 0:
            return self.interval
        return None

    @property
    def load_record(self) -> dict[str, t.Any]:
        """The record of the initial load: for each mapping when, by which reconciliation, on which IDM."""
        record = self.invoke_context.get(LOAD_RECORD)
        return dict(record) if isinstance(record, dict) else {}

    def managed(self) -> dict[str, t.Any]:
        """Return what the collection manages, for a diff."""
        return {
            "name": self.name,
            "source": self.source,
            "enabled": self.enabled,
            "cron": self.cron,
            "interval": self.interval if is_placeholder(self.interval) else self.interval_seconds,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "persisted": self.persisted,
            "misfire_policy": self.misfire_policy,
            "concurrent": self.concurrent,
            "load_record": self.load_record,
            "storage": self.storage,
            "paused": self.paused,
        }

    def as_result(self) -> dict[str, t.Any]:
        """Return the schedule as modules show it."""
        return {
            **self.managed(),
            "time_zone": self.time_zone,
            "next_run": self.next_run,
            "running": self.running,
            "invoke_context": dict(self.invoke_context),
        }


#: The fields that decide what a schedule does.
_MEANING = (
    "enabled",
    "persisted",
    "type",
    "cron",
    "interval",
    "repeat_count",
    "start_time",
    "end_time",
    "misfire_policy",
    "concurrent",
    "time_zone",
    "log_level",
    "service",
    "invoke_context",
)


def differences(one: Schedule, other: Schedule, names: t.Iterable[str] = _MEANING) -> list[str]:
    """Return the names of the fields in which two schedules do not mean the same."""
    return [name for name in names if not same_value(name, getattr(one, name), getattr(other, name))]


def unmet(wanted: Schedule, job: Schedule | None, names: t.Iterable[str]) -> list[str]:
    """Return what keeps a job from being the wanted schedule, by name.

    What a placeholder stands for is not known, nor is ``persisted`` where a document leaves it to the server.
    """
    if job is None:
        return ["job"]
    known = [name for name in names if not is_placeholder(getattr(wanted, name))]
    if wanted.persisted is None:
        known = [name for name in known if name != "persisted"]
    found = differences(wanted, job, known)
    return [*found, "next_run"] if job.enabled is True and job.next_run is None else found


def same_value(name: str, one: t.Any, other: t.Any) -> bool:
    """Tell whether two values of a field mean the same."""
    if name in ("start_time", "end_time"):
        return same_time(one, other)
    if name == "cron" and isinstance(one, str) and isinstance(other, str):
        return canonical_cron(one) == canonical_cron(other)
    return bool(one == other)


def same_time(one: t.Any, other: t.Any) -> bool:
    """Tell whether two times mean the same instant.

    A server may keep a time that came with an offset without it, in its own zone ("ForgeRock / Ping IDM", 2.4). That
    zone is not known here: such a pair is equal when the clock shows the same, or when the bare time is UTC.
    """
    if one == other:
        return True
    first, second = _moment(one), _moment(other)
    if first is None or second is None:
        return False
    if (first.tzinfo is None) == (second.tzinfo is None):
        return first == second
    bare, full = (first, second) if first.tzinfo is None else (second, first)
    return bare == full.replace(tzinfo=None) or bare.replace(tzinfo=timezone.utc) == full


def checked_time(option: str, value: t.Any, *, offsets: bool) -> str | None:
    """Return a time as it is sent to a server, None for an empty text.

    :param offsets: whether the server takes times with an offset from UTC. The fork does not.
    :raises InvalidOption: for what is not a time that the server would take.
    """
    if not value or is_placeholder(value):
        return value or None
    match = _TIME.match(str(value).strip())
    moment = _moment(value)
    if not match or moment is None:
        zone = ", with an offset or Z where it is not in the server's time zone" if offsets else ""
        raise InvalidOption(option, value, f"Write it as in 2027-01-31T04:30:00{zone}.")
    date, clock, offset = match.groups()
    if offset and not offsets:
        raise InvalidOption(
            option, value, "This server takes times without an offset alone, in its own time zone: 2027-01-31T04:30:00."
        )
    return f"{date}T{clock}{offset or ''}"


def is_past(value: t.Any, now: datetime) -> bool:
    """Tell whether a time is certainly over, wherever the server's clock stands.

    :param now: with its time zone.
    """
    moment = _moment(value)
    if moment is None:
        return False
    if moment.tzinfo is not None:
        return moment <= now
    return moment <= now.astimezone(_WESTMOST).replace(tzinfo=None)


def is_before(one: t.Any, other: t.Any) -> bool:
    """Tell whether a time is certainly before another; False where they cannot be compared."""
    first, second = _moment(one), _moment(other)
    if first is None or second is None or (first.tzinfo is None) != (second.tzinfo is None):
        return False
    return first < second


def body_of(document: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a document without what the server adds to it, as it may be sent."""
    return {key: value for key, value in document.items() if key not in _SERVER_MADE}


def runs_livesync(context: t.Mapping[str, t.Any]) -> bool:
    """Tell whether an invokeContext runs liveSync; servers and their user interfaces write its case differently."""
    return str(context.get("action", "")).lower() in _ACTIONS


def _is_paused(trigger: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a trigger is paused, or will be once what it has fired has ended."""
    state, before = trigger.get("state"), trigger.get("previous_state")
    return state in _PAUSED or (state in _RUNNING and before in _PAUSED)


def _is_taken(triggers: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
    return any(entry.get("state") in _PAUSED and entry.get("acquired") is True for entry in triggers)


def _goes_on(document: t.Mapping[str, t.Any], triggers: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
    """Tell whether a pause came too late to hold: that of a job that may run beside itself, whose trigger was taken.

    Such a job is put among those that wait for their next firing whatever its trigger shows (seen on OpenIDM 6.1.0).
    """
    return as_flag(document.get("concurrentExecution"), False) is True and _is_taken(triggers)


def _triggers(document: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    return [entry for entry in as_list(document.get("triggers")) if isinstance(entry, dict)]


def _source_of(service: str, context: t.Mapping[str, t.Any]) -> str | None:
    if service != SERVICE or not runs_livesync(context):
        return None
    text = str(context.get("source") or "")
    if text != text.strip():
        return text  # IDM takes it as it stands: such a job runs nothing (seen on OpenIDM 6.1.0)
    try:
        return str(Source.parse(text))
    except InvalidOption:
        return text or None


def _seconds(milliseconds: t.Any) -> Value:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return milliseconds
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000


def _moment(value: t.Any) -> datetime | None:
    match = _TIME.match(value.strip()) if isinstance(value, str) else None
    if not match:
        return None
    date, clock, zone = match.groups()
    offset = (zone or "").replace("Z", "+00:00")
    if len(offset) == 5:
        offset = f"{offset[:3]}:{offset[3:]}"
    try:
        return datetime.fromisoformat(f"{date}T{clock}{offset}")
    except ValueError:
        return None
