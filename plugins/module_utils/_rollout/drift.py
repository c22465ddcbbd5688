# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In what the role's variables and what is there differ, field by field. No I/O.

It is the role's own comparison: what a run of the role would change is ``mended``, and there is no such change without
a difference. Beside that it tells what differs and the role leaves alone.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import partial

from .._changelog.whose import OTHER
from .._health.snapshot import Snapshot
from .._record.load_record import ALWAYS, NEVER, as_document
from .._schedule.document import Schedule
from .directory_findings import GRANTS
from .evidence import DirectoryFacts, ServerFacts, SourceEvidence
from .plan import SourcePlan
from .request import ABSENT, DISABLED, ENABLED

#: The fields that say when a schedule fires: one difference, in the words that it was asked for.
_TIMING = ("type", "cron", "interval", "repeat_count")


@dataclass(frozen=True)
class Difference:
    """One field of a source that is not as the variables have it.

    :param field: as in schedule.interval; of something that is no variable, what it is.
    :param wanted, found: the values; None where nothing is wanted, or there is nothing.
    :param mended: whether a run of the role changes it.
    """

    source: str
    field: str
    wanted: t.Any
    found: t.Any
    mended: bool = True

    def as_result(self) -> dict[str, t.Any]:
        """Return it as modules show it."""
        return dict(vars(self))


@dataclass(frozen=True)
class NotCompared:
    """Something that may differ or not, since it could not be asked for.

    :param source: None where it is all of them.
    :param field: what of it.
    :param reason: why, in a sentence.
    """

    source: str | None
    field: str
    reason: str

    def as_result(self) -> dict[str, t.Any]:
        """Return it as modules show it."""
        return dict(vars(self))


#: Makes the differences of one source.
_Differs = t.Callable[..., Difference]


def differences_of(evidence: SourceEvidence, plan: SourcePlan, state: str) -> list[Difference]:
    """Return in what a source differs from what it shall be.

    :param plan: the role's, of this evidence.
    :param state: ENABLED, DISABLED or ABSENT; with ABSENT the grants are not looked at.
    """
    differs: _Differs = partial(Difference, evidence.name)
    if state in (DISABLED, ABSENT):
        wanted, word = (("schedule.enabled", False), "on") if state == DISABLED else (("schedule", None), "there")
        found = [differs(*wanted, f"{name}, which is {word}") for name in plan.switch_off]
        if plan.run_by:
            found.append(differs("scheduler", plan.run_by["scheduler"], evidence.scheduler.kind))
        return found
    found = [*_source(evidence, differs), *_mappings(evidence, differs), *_schedule(evidence, differs)]
    if evidence.connector:
        found += [*_loads(evidence, differs), *_directory(evidence, differs)]
    return found


def not_compared_of(evidence: SourceEvidence, state: str) -> list[NotCompared]:
    """Return what of a source could not be compared.

    :param state: ENABLED, DISABLED or ABSENT; what is off or gone needs neither a schedule nor a directory.
    """
    if state != ENABLED:
        return []
    unknown, facts = partial(NotCompared, evidence.name), evidence.directory
    found = []
    if evidence.refused_mappings:
        found.append(unknown("mappings", evidence.refused_mappings))
    if evidence.schedule_error and not evidence.request.schedule_error:
        found.append(unknown("schedule", evidence.schedule_error.message))
    if evidence.directory_error:
        found.append(unknown("directory", evidence.directory_error.message))
    for server in facts.servers if facts else ():
        if server.error or server.before is None or server.after is None:
            reason = server.error.message if server.error else f"{server.uri} says nothing."
            found.append(unknown(f"directory.servers {server.uri}", reason))
    return found


def unlisted(snapshot: Snapshot, asked: t.Collection[str]) -> list[Difference]:
    """Return the sources that somebody runs and that are not in the variables.

    :param asked: those that are.
    """
    found = [
        Difference(str(one.source), "livesync_sources", None, f"the schedule {one.name}, which is on", mended=False)
        for one in snapshot.schedules
        if one.source not in asked and one.enabled is not False
    ]
    others = [
        one for one in snapshot.known_sources() if str(one) not in asked and snapshot.record(one).scheduler.external
    ]
    return found + [
        Difference(str(one), "livesync_sources", None, snapshot.record(one).scheduler.name, mended=False)
        for one in others
    ]


def _source(evidence: SourceEvidence, differs: _Differs) -> t.Iterator[Difference]:
    source, connector = evidence.request.source, evidence.connector
    if connector is None:
        known = ", ".join(evidence.known_systems) or "none"
        yield differs("source", source.system, f"no connector of this name; there are: {known}", mended=False)
    elif connector.object_types and source.object_type not in connector.object_types:
        known = ", ".join(connector.object_types)
        yield differs("source", source.object_type, f"no object type of this name; there are: {known}", mended=False)


def _mappings(evidence: SourceEvidence, differs: _Differs) -> t.Iterator[Difference]:
    if evidence.refused_mappings:
        return
    for name, reason in evidence.strangers.items():
        yield differs("mappings", name, reason, mended=False)
    for name in evidence.unasked:
        yield differs("mappings", None, name, mended=False)
    for mapping in evidence.mappings:
        if mapping.sync_enabled is False:
            yield differs(f"mappings {mapping.name}: enableSync", True, False, mended=False)


def _schedule(evidence: SourceEvidence, differs: _Differs) -> t.Iterator[Difference]:
    name, job, plan = evidence.job_name, evidence.job, evidence.schedule_plan
    if plan and plan.before is None and evidence.connector:
        yield differs("schedule", name, None)
    elif plan and plan.before is not None:
        for field in _changed(plan.changes):
            if field == "timing":
                yield differs(*_timing(evidence, plan.before))
            elif field == "activation":
                yield differs("schedule", f"{name}, as its document has it", f"{name}, as it was before")
            else:
                yield differs(f"schedule.{field}", getattr(plan.after, field), getattr(plan.before, field))
    if job and job.paused:
        yield differs("schedule.paused", False, True, mended=False)
    for other in evidence.schedules:
        if name and other.name != name and other.enabled is not False:
            yield differs("schedule", name, f"{other.name}, which is on too", mended=False)
    if evidence.connector and not evidence.request.errors:
        wanted, found = evidence.request.scheduler.as_result(), evidence.scheduler.as_result()
        for field in wanted:
            if wanted[field] != found[field]:
                yield differs(field, wanted[field], found[field])


def _changed(changes: t.Iterable[str]) -> list[str]:
    """Return the names of what changes, all that says when it fires as one."""
    return list(dict.fromkeys("timing" if name in _TIMING else name for name in changes))


def _timing(evidence: SourceEvidence, before: Schedule) -> tuple[str, t.Any, t.Any]:
    """Return field, wanted and found of when a schedule fires, in the words that it was asked for."""
    field = "cron" if evidence.request.schedule.get("cron") is not None else "interval"
    found = before.cron if before.cron is not None else f"every {before.interval} s"
    if field == "interval" and before.interval_seconds is not None:
        found = before.interval_seconds
    if before.repeat_count not in (None, -1):
        found = f"{found}, {before.repeat_count} times more"
    return f"schedule.{field}", evidence.request.schedule.get(field), found


def _loads(evidence: SourceEvidence, differs: _Differs) -> t.Iterator[Difference]:
    how = evidence.request.initial_load
    if evidence.misfit:
        yield differs("token", "one that the connector goes on from", evidence.misfit, mended=False)
    if evidence.gap:
        yield differs("token", "one that the change log reaches back to", evidence.gap, mended=how != NEVER)
    elif evidence.token is None:
        yield differs("token", "a base point", None)
    loads = evidence.loads
    for mapping, reason in loads.items():
        if how != ALWAYS:  # that is something to do, and nothing that is there
            yield differs(f"mappings {mapping}: load", "recorded", reason)
    forgotten = [name for name in evidence.switched_off if name in evidence.record and name not in loads]
    for mapping in forgotten:
        yield differs(f"mappings {mapping}: load", "not recorded while enableSync is false", "recorded")
    kept = as_document(evidence.kept_record)
    if evidence.job and evidence.job.load_record != kept and not loads and not forgotten:
        yield differs("schedule.load_record", kept, evidence.job.load_record)


def _directory(evidence: SourceEvidence, differs: _Differs) -> t.Iterator[Difference]:
    facts = evidence.directory
    if facts is None:
        return
    if facts.whose.answer == OTHER:
        yield differs("directory.servers", [server.uri for server in facts.servers], facts.whose.sentence, mended=False)
    for one in facts.unlisted:
        yield differs("directory.servers", None, f"{one}, which the connector reads too", mended=False)
    for server in facts.servers:
        yield from _grants(server, facts, differs)
    if facts.verification and facts.verification.verified is False:
        yield differs("directory.principal", "reads the change log", facts.verification.found, mended=False)


def _grants(server: ServerFacts, facts: DirectoryFacts, differs: _Differs) -> t.Iterator[Difference]:
    """Yield in what the grants on a server differ from what they shall be."""
    before, after = server.before, server.after
    if server.error or before is None or after is None:
        return
    told = False
    for name in before.access.missing if before.access else ():
        told = True
        still = after.access is None or name in after.access.missing
        yield differs(f"{GRANTS[name]} on {server.uri}", f"granted to {facts.principal}", None, mended=not still)
    if before.limits and after.limits:
        shown, becomes = before.limits.shown(), after.limits.shown()
        for name, value in shown.items():
            if value != becomes[name]:
                told = True
                yield differs(f"directory.{name} on {server.uri}", becomes[name]["effective"], value["effective"])
    if server.to_grant and not told:
        yield differs(f"ACIs on {server.uri}", "as the role writes them", "as another release of it wrote them")
