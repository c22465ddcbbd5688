# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role is asked to bring about, checked, with its defaults."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._base.errors import InvalidOption
from .._base.limits import LIMITS, check_limits, check_seconds
from .._idm.source import Source
from .._ldap.dn import is_name
from .._ldap.options import directory_options, given
from .._record.load_record import ALWAYS, NEVER, ONCE
from .._record.scheduler import EXTERNAL, IDM, Scheduler, checked_scheduler
from .._schedule.wanted import check_given

ENABLED, DISABLED, ABSENT = "enabled", "disabled", "absent"

#: What the options of a schedule are where nobody has given them.
_UNASKED = {"storage": "auto", "persisted": True}
_HANDED_ON = ("max_failures", "max_failure_percent", "on_record_failure", "wait_timeout", "allow_deletes")


@dataclass(frozen=True)
class SourceRequest:
    """One entry of livesync_sources.

    :param mappings: those to load, None for every mapping with this source.
    :param schedule: what was given for the schedule, without what was not.
    :param scheduler: who shall run it.
    :param others: options that are handed on to the steps as they are.
    :param directory: connection and grant options of the directory behind the source, None where there is none.
    :param canary: the DN of the entry that is set aside for the canary, and its attribute; None where none is.
    :param place: where the entry stands, for errors; empty where its options are a module's own.
    :param errors: what of it could not be done on any server.
    """

    source: Source
    mappings: tuple[str, ...] | None = None
    schedule: t.Mapping[str, t.Any] = field(default_factory=dict)
    scheduler: Scheduler = Scheduler()
    initial_load: str = ONCE
    allow_deletes: bool = False
    wait_timeout: float = 86400.0
    others: t.Mapping[str, t.Any] = field(default_factory=dict)
    directory: t.Mapping[str, t.Any] | None = field(default=None, repr=False)
    own_directory: bool = False
    canary: tuple[str, str] | None = None
    place: str = ""
    errors: tuple[InvalidOption, ...] = ()

    @classmethod
    def parse(
        cls,
        entry: t.Mapping[str, t.Any],
        general: t.Mapping[str, t.Any] | None,
        place: str = "",
        general_option: str = "livesync_directory",
    ) -> SourceRequest:
        """Return the request of an entry.

        :param general: the directory that holds for the entries that name none themselves.
        :param place: where the entry stands, for errors; empty where its options are a module's own.
        :param general_option: where that directory stands.
        :raises InvalidOption: when its source is none, or its directory cannot be reached so. What else is wrong is
            among its errors, so that all of it can be told at once.
        """
        within = f"{place}." if place else ""
        own = entry.get("directory")
        directory = given(general, general_option) if own is None else given(own, f"{within}directory")
        mappings = entry.get("mappings")
        schedule = {name: value for name, value in (entry.get("schedule") or {}).items() if value is not None}
        wait = entry.get("wait_timeout")
        return cls(
            source=Source.parse(entry["source"], f"{within}source"),
            mappings=tuple(dict.fromkeys(mappings)) if mappings else None,
            schedule=schedule,
            scheduler=_scheduler(entry),
            initial_load=entry.get("initial_load") or ONCE,
            allow_deletes=bool(entry.get("allow_deletes")),
            wait_timeout=86400.0 if wait is None else float(wait),
            others={name: entry.get(name) for name in _HANDED_ON},
            directory=directory,
            own_directory=own is not None,
            canary=_canary(entry),
            place=place,
            errors=tuple(_errors(entry, schedule, within)),
        )

    @property
    def schedule_name(self) -> str | None:
        """The schedule's name, None where it is not given; a blank one is among the errors."""
        return str(self.schedule.get("name") or "").strip() or None

    @property
    def schedule_error(self) -> InvalidOption | None:
        """What is wrong with the schedule, None where nothing is."""
        return next((error for error in self.errors if ".schedule." in error.option), None)

    def check(self) -> None:
        """Check that nothing is wrong.

        :raises InvalidOption: for the first error.
        """
        for error in self.errors:
            raise error


def _canary(entry: t.Mapping[str, t.Any]) -> tuple[str, str] | None:
    """Return the DN and the attribute of the canary's entry, None where there is none; what is no DN is an error."""
    dn = str((entry.get("canary") or {}).get("dn") or "")
    return (dn, entry["canary"].get("attribute") or "description") if is_name(dn) else None


def _scheduler(entry: t.Mapping[str, t.Any]) -> Scheduler:
    """Return who shall run the source; where the rest is wrong, which is among the errors, the kind alone."""
    try:
        return checked_scheduler(entry)
    except InvalidOption:
        return Scheduler(entry.get("scheduler") or IDM)


def _errors(entry: t.Mapping[str, t.Any], schedule: t.Mapping[str, t.Any], within: str) -> t.Iterator[InvalidOption]:
    """Yield what could not be done on any server."""
    mappings = entry.get("mappings")
    if mappings is not None and not (mappings and all(mappings)):
        yield InvalidOption(f"{within}mappings", mappings, "Name at least one, each by its name in IDM.")
    for name in LIMITS:
        try:
            check_limits({name: entry.get(name)}, within)
        except InvalidOption as exc:
            yield exc
    try:
        check_given(schedule)
    except InvalidOption as exc:
        yield exc.within(f"{within}schedule")
    try:
        checked_scheduler(entry)
    except InvalidOption as exc:
        yield InvalidOption(f"{within}{exc.option}", exc.value, exc.way_out)
    asked = {name: value for name, value in schedule.items() if value != _UNASKED.get(name)}
    if entry.get("scheduler") == EXTERNAL and asked:
        way = "With scheduler: external the job in IDM never fires: leave it out."
        yield InvalidOption(f"{within}schedule", asked, way)
    canary = entry.get("canary") or {}
    if entry.get("canary") is not None and not is_name(str(canary.get("dn") or "")):
        way = "Give the DN of an entry that is set aside for this, as idmops.idm.livesync_canary takes it."
        yield InvalidOption(f"{within}canary.dn", canary.get("dn"), way)
    if canary.get("within") is not None:
        try:
            check_seconds("within", canary["within"])
        except InvalidOption as exc:
            yield exc.within(f"{within}canary")


def load_options() -> dict[str, t.Any]:
    """Return the options of one load (doc fragment ``sources.load``)."""
    return {
        "max_failures": {"type": "int", "default": 0},
        "max_failure_percent": {"type": "float"},
        "wait_timeout": {"type": "float", "default": 86400},
        "allow_deletes": {"type": "bool", "default": False},
    }


def with_defaults(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return an entry of livesync_sources with the defaults of what was not given, as Ansible hands it to a module."""
    options = source_options()
    schedule = entry.get("schedule")
    if schedule is not None:
        own = options["schedule"]["options"]
        schedule = {name: schedule.get(name, option.get("default")) for name, option in own.items()}
    return {**{name: entry.get(name, option.get("default")) for name, option in options.items()}, "schedule": schedule}


def source_options() -> dict[str, t.Any]:
    """Return the options of one entry of livesync_sources (doc fragment ``sources``)."""
    text = {"type": "str"}
    return {
        "source": {"type": "str", "required": True},
        "mappings": {"type": "list", "elements": "str"},
        "schedule": {
            "type": "dict",
            "options": {
                "interval": {"type": "raw"},
                "cron": text,
                "name": text,
                "storage": {"type": "str", "choices": ["auto", "job", "config"], "default": "auto"},
                "start_time": text,
                "end_time": text,
                "persisted": {"type": "bool", "default": True},
                "misfire_policy": {"type": "str", "choices": ["fireAndProceed", "doNothing"]},
            },
        },
        "scheduler": {"type": "str", "choices": [IDM, EXTERNAL], "default": IDM},
        "max_age": {"type": "raw"},
        "initial_load": {"type": "str", "choices": [ONCE, ALWAYS, NEVER], "default": ONCE},
        "on_record_failure": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        **load_options(),
        "canary": {
            "type": "dict",
            "options": {
                "dn": {"type": "str", "required": True},
                "attribute": {"type": "str", "default": "description"},
                "within": {"type": "float"},
            },
        },
        "directory": {"type": "dict", "options": directory_options()},
    }
