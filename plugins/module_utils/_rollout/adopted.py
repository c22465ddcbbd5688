# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is there of a source, in the words of livesync_sources. No I/O.

What is written says what is there and nothing else: a field that cannot be said, or not be known, is left out, which
leaves it as it is, and a remark tells so.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._idm.connector import Connector
from .._idm.server import Server
from .._record.load_record import NEVER, ONCE
from .._schedule.document import CONFIG, DO_NOTHING, SIMPLE, Schedule
from .._schedule.plan import own_name
from .evidence import SourceEvidence


class Reference(str):
    """A template that stands for a value, as "{{ vault_idm_password }}"; every other text is meant as it is."""


@dataclass(frozen=True)
class Adopted:
    """One source as it was found.

    :param entry: of livesync_sources; None where it cannot be one.
    :param schedule: the name of its job, None where it has none.
    :param on: whether somebody runs it.
    :param remarks: what has to be known of it, in sentences; why there is no entry, where there is none.
    """

    source: str
    entry: t.Mapping[str, t.Any] | None = None
    schedule: str | None = None
    on: bool = False
    remarks: tuple[str, ...] = ()

    def as_result(self) -> dict[str, t.Any]:
        """Return it as modules show it."""
        return {
            "source": self.source,
            "schedule": self.schedule,
            "scheduler": (self.entry or {}).get("scheduler", "idm") if self.entry else None,
            "initial_load": (self.entry or {}).get("initial_load", ONCE) if self.entry else None,
            "written": self.entry is not None,
            "remarks": list(self.remarks),
        }


def pick(schedules: t.Sequence[Schedule]) -> Schedule | None:
    """Return the schedule that is meant where a source has several: one that is on, and that keeps the load record."""
    on = [one for one in schedules if one.enabled is not False] or list(schedules)
    return next((one for one in on if one.load_record), on[0] if on else None)


def adopted_of(evidence: SourceEvidence, live: Schedule | None, server: Server) -> Adopted:
    """Return what is there of a source.

    :param evidence: read without a directory, for all mappings, and with ``initial_load: never``.
    :param live: the job that was picked, as the scheduler lists it.
    """
    scheduler, name = evidence.scheduler, evidence.name
    if live is None and not scheduler.external:
        return Adopted(
            name,
            remarks=(
                f"liveSync has stored a token, {evidence.token}, and nobody runs it: it has neither a schedule nor an"
                " external scheduler. Add an entry if it shall be run.",
            ),
        )
    if scheduler.external and scheduler.max_age is None:
        return Adopted(name, remarks=("An external scheduler runs it, and the run record does not tell max_age.",))
    listed = tuple(one for one in evidence.mappings if one.sync_enabled is not False)
    off = tuple(one.name for one in evidence.mappings if one.sync_enabled is False)
    remarks = [f"enableSync of {one} is false: it is not listed." for one in off]
    entry: dict[str, t.Any] = {"source": name}
    if listed:
        entry["mappings"] = [one.name for one in listed]
    if scheduler.external:
        entry.update(scheduler.as_result())
    elif evidence.job is not None:
        own = own_name(evidence.request.source) if len(evidence.schedules) == 1 else ""  # of several, one is named
        schedule, said = schedule_of(evidence.job, live or evidence.job, own, server)
        remarks += said
        if schedule:
            entry["schedule"] = schedule
    as_once = replace(evidence, mappings=listed, request=replace(evidence.request, initial_load=ONCE))
    unproved = [one for one in as_once.loads if one not in evidence.record or one in evidence.foreign]
    if evidence.token is not None and unproved:
        entry["initial_load"] = NEVER
        remarks.append(
            f"No load of {', '.join(unproved)} on this IDM is recorded: somebody has loaded it by hand, if anybody has,"
            " and initial_load is never. Whether everybody is there shows idmops.idm.verify; once would load."
        )
    on = scheduler.external or (live is not None and live.enabled is not False)
    return Adopted(name, entry, live.name if live else None, on, tuple(remarks))


def schedule_of(job: Schedule, live: Schedule, own: str, server: Server) -> tuple[dict[str, t.Any], list[str]]:
    """Return ``schedule`` of an entry, without what is so by default, and what could not be said in it.

    :param job: the document that decides: the configuration's where there is one.
    :param live: what the server has made of it, which knows what the document leaves open.
    :param own: the name that need not be said, "" for none.
    """
    found: dict[str, t.Any] = {} if job.name == own else {"name": job.name}
    remarks = []
    if job.type != SIMPLE:
        found["cron"] = job.cron
    elif job.repeat_count == -1 or not server.repeats_simple:
        found["interval"] = job.interval or None
    else:
        remarks.append(f"It fires {job.repeat_count} times more and ends then; without interval that stays as it is.")
    if job.storage == CONFIG:
        found["storage"] = CONFIG
    found["start_time"], found["end_time"] = job.start_time, job.end_time
    if live.persisted is False:
        found["persisted"] = False
    if job.misfire_policy == DO_NOTHING and job.type != SIMPLE:  # which the role lets fire at once
        found["misfire_policy"] = DO_NOTHING
    for field in ("cron", "start_time", "end_time"):
        if isinstance(found.get(field), dict):  # of a placeholder with a type: the options are texts
            remarks.append(f"{field} is the placeholder {found.pop(field)}; left out, it stays as it is.")
    return {name: value for name, value in found.items() if value is not None}, remarks


def options_of(
    given: t.Mapping[str, t.Any], spec: t.Mapping[str, t.Mapping[str, t.Any]], names: t.Mapping[str, str]
) -> dict[str, t.Any]:
    """Return options as they were given, without what is so by default, and with references for what is secret.

    A value that a secret is part of, as a user name that is the password too, is a reference as well.

    :param given: validated.
    :param spec: their specification.
    :param names: the variables that stand for some of them; for others, vault_idm_ and the option's name.
    """
    secrets = [str(given[name]) for name, option in spec.items() if option.get("no_log") and given.get(name)]
    found: dict[str, t.Any] = {}
    for name, option in spec.items():
        value = given.get(name)
        if value is None or value == option.get("default") or value == []:
            continue
        texts = [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]
        secret = option.get("no_log") or any(one in text for one in secrets for text in texts)
        found[name] = Reference(f"{{{{ {names.get(name, f'vault_idm_{name}')} }}}}") if secret else value
    return found


def servers_told(connectors: t.Iterable[Connector]) -> list[str]:
    """Return what the configuration of the connectors tells of the directory servers, a line for each."""
    found = []
    for one in connectors:
        if one.reads_change_log:
            scheme = {True: "ldaps://", False: "ldap://", None: ""}[one.ssl]
            told = ", ".join(f"{scheme}{host}:{port}" for host, port in one.servers)
            found.append(f"{one.name}: [{told}]" if told else f"{one.name}: a placeholder hides its server")
    return found
